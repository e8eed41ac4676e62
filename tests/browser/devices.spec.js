/**
 * What computes: chosen by trial, changed under way, compared, lost and replaced, short of memory. Software
 * WebGPU stands in for a GPU.
 */
import { expect, test } from '@playwright/test';
import { complaints, go, loadPhotos, setEpochs } from './visit.js';

/** @typedef {import('@playwright/test').Page} Page */

test.use({ locale: 'en-US' });
// A software GPU takes its time, on a machine that is busy most of all.
test.setTimeout(240_000);

/**
 * Opens the page with photos and a network that a software GPU trains in seconds.
 * @param {Page} page
 * @param {string} [query]
 */
async function prepare(page, query = '') {
  await page.goto(`/${query}`);
  await expect(page.locator('footer span').last()).not.toBeEmpty();
  await loadPhotos(page, 12);
  await go(page, 'network');
  await page
    .getByLabel('Notation')
    .fill("['serial', ['conv', {'ksize': 3, 'chn': 8, 'stride': 2}], ['avg', {'stride': 4}]]");
  await page.locator('#input-size').fill('16');
  await expect(page.locator('#notation-problem')).toContainText('No mistakes found');
  await go(page, 'train');
}

/** The costs of the epochs that the log shows. @param {Page} page @returns {Promise<Map<number, number>>} */
async function costByEpoch(page) {
  const parts = (await costs(page)).map(line => line.match(/Epoch ([\d,]+): cost=([\d.]+)/) ?? []);
  return new Map(parts.map(([, epoch = '', cost]) => [Number(epoch.replaceAll(',', '')), Number(cost)]));
}

/** The costs of the epochs that are in the log. @param {Page} page */
async function costs(page) {
  const lines = await page.locator('.log li').allTextContents();
  return lines.flatMap(line => line.match(/^Epoch [\d,]+: cost=[\d.]+, accuracy=[\d./]+/) ?? []);
}

/** @param {Page} page @param {number} epochs */
async function trained(page, epochs) {
  await expect(page.locator('floret-report .figure')).toHaveCount(1, { timeout: 90_000 });
  await expect(page.locator('.says').first()).toContainText('has finished learning');
  const found = await costs(page);
  expect(found).toHaveLength(epochs);
  return found;
}

/** The worker that holds the engine; its threads are workers too. @param {Page} page */
function engineWorker(page) {
  const worker = page.workers().find(each => each.url().endsWith('worker.js'));
  if (!worker) throw new Error('the page has no worker');
  return worker;
}

/** Remembers the device that the engine opens, and lets a test take it and others away. @param {Page} page */
async function watchDevices(page) {
  await engineWorker(page).evaluate(() => {
    const scope = /** @type {any} */ (globalThis);
    const { requestDevice } = scope.GPUAdapter.prototype;
    scope.GPUAdapter.prototype.requestDevice = async function (/** @type {any} */ descriptor) {
      scope.opened = await requestDevice.call(this, descriptor);
      return scope.opened;
    };
  });
}

test('a software GPU is never taken by itself', async ({ page }) => {
  await prepare(page);
  await expect(page.locator('#device option')).toHaveCount(3);
  await setEpochs(page, 1);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await trained(page, 1);
  await expect(page.locator('floret-device')).toContainText('Running on CPU');
  await expect(page.locator('floret-device')).not.toContainText('Tried first');
});

test('where it may be taken, both are tried and the quicker one trains', async ({ page }) => {
  await prepare(page, '?software=1');
  await setEpochs(page, 1);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await trained(page, 1);
  await expect(page.locator('floret-device')).toContainText(
    /Tried first, in photos per second: WebGPU, google swiftshader: [\d,.]+ and CPU.*: [\d,.]+\./,
  );
  await expect(page.locator('floret-device')).toContainText('Running on CPU');
});

test('both executors answer alike', async ({ page }) => {
  const heard = complaints(page);
  await prepare(page);
  // A small network, for the sake of the software GPU.
  await go(page, 'classify');
  await page.locator('#model-choice').selectOption('residual_flower.safetensors');
  await expect(page.locator('floret-model a')).toHaveAttribute('href', 'models/residual_flower.html');
  await go(page, 'train');
  await page.getByRole('button', { name: 'Do both devices agree?' }).click();
  const said = page.locator('floret-device').getByText('The same 16 photos on both: the largest difference');
  await expect(said).toContainText('swiftshader', { timeout: 90_000 });
  const difference = Number((await said.textContent())?.match(/difference is (\d+E-?\d+)/)?.[1]);
  expect(difference).toBeLessThan(1e-3);
  expect(heard).toEqual([]);
});

test('a run moves to another device with its state', async ({ page }) => {
  /** Epochs compared at least. */
  const enough = 20;
  const stopped = async () => {
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await expect(page.getByRole('button', { name: 'Continue', exact: true })).toBeVisible();
    return costByEpoch(page);
  };
  await prepare(page);
  // It would go on for long, on however quick a machine.
  await setEpochs(page, 10_000);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.locator('#device').selectOption('gpu');
  await expect(page.locator('floret-device')).toContainText('Running on WebGPU, google swiftshader', {
    timeout: 60_000,
  });
  await page.locator('#device').selectOption('cpu');
  await expect(page.locator('floret-device')).toContainText('Running on CPU', { timeout: 60_000 });
  await expect.poll(async () => (await costByEpoch(page)).size, { timeout: 60_000 }).toBeGreaterThan(enough);
  const moved = await stopped();

  await page.getByRole('button', { name: 'Start over' }).click();
  await expect(page.getByRole('button', { name: 'Stop', exact: true })).toBeVisible();
  // The log keeps the newest epochs alone, so the other run is stopped among those that it has of the first.
  const first = Math.min(...moved.keys());
  const last = async () => Math.max(...(await costByEpoch(page)).keys());
  await expect.poll(last, { timeout: 60_000, intervals: [20] }).toBeGreaterThan(first + enough);
  const alone = await stopped();
  const shared = [...moved.keys()].filter(epoch => alone.has(epoch));
  expect(shared.length).toBeGreaterThan(0);
  // Rounding differs from device to device, and no more than that.
  const apart = shared.map(epoch => Math.abs((moved.get(epoch) ?? NaN) - (alone.get(epoch) ?? NaN)));
  expect(apart.reduce((sum, each) => sum + each, 0) / apart.length).toBeLessThan(0.05);
});

/** So many that the device is lost in their middle, on however quick a machine. */
const EPOCHS = 60;

for (const back of [true, false]) {
  test(`a device lost in the middle of an epoch: ${back ? 'it comes back and loses nothing' : 'the processor takes over'}`, async ({
    page,
  }) => {
    await prepare(page);
    await watchDevices(page);
    await page.locator('#device').selectOption('gpu');
    await setEpochs(page, EPOCHS);
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    const alone = await trained(page, EPOCHS);

    await page.getByRole('button', { name: 'Start over' }).click();
    await expect(page.locator('.log li').nth(2)).toBeVisible();
    await engineWorker(page).evaluate(comesBack => {
      const scope = /** @type {any} */ (globalThis);
      if (!comesBack) scope.navigator.gpu.requestAdapter = async () => null;
      scope.opened.destroy();
    }, back);
    const again = await trained(page, EPOCHS);
    const name = back ? 'WebGPU, google swiftshader' : 'CPU';
    await expect(page.locator('floret-device')).toContainText(
      `The device was lost; the run carries on from its last saved state, on ${name}`,
    );
    if (back) expect(again).toEqual(alone);
    await go(page, 'report');
    await expect(page.locator('floret-report .figure')).toHaveCount(1);
  });
}

test('too much for the memory: the batch that fits is one press away', async ({ page }) => {
  await prepare(page);
  await go(page, 'network');
  await page
    .getByLabel('Notation')
    .fill("['serial', ['conv', {'ksize': 3, 'chn': 256}], ['avg', {'stride': 8}]]");
  await page.locator('#input-size').fill('64');
  await expect(page.locator('#notation-problem')).toContainText('No mistakes found');
  await go(page, 'train');
  await page.locator('#set-batch_size').fill('1000');
  await page.locator('#set-batch_size').blur();
  await setEpochs(page, 1);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('floret-train .fault')).toContainText(
    /This needs .* of memory, and .* are allowed\. A batch of \d+ would fit\./,
  );
  const button = page.getByRole('button', { name: /^Start with a batch of \d+$/ });
  const batch = (await button.textContent())?.match(/\d+/)?.[0] ?? '';
  await button.click();
  await expect(page.locator('#set-batch_size')).toHaveValue(batch);
  await expect(page.locator('floret-train .fault')).toHaveCount(0);
  await expect(page.locator('.says').first()).toContainText(/is learning|is being tested|has finished/);
});
