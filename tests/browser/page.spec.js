/**
 * The main job: photos in, a network learns, it is tested, it names a new photo, and it comes back from its
 * file.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { CLASSES, flower, garden, zip } from './photos.js';
import { answers, complaints, go, loadPhotos, setEpochs, share, visit } from './visit.js';

test.use({ locale: 'en-US' });

test('photos, training, stop and continue, report, classification, model file', async ({ page }) => {
  const heard = complaints(page);
  await visit(page);

  await loadPhotos(page, 40, [
    ['garden/rose/broken.png', Buffer.from('no picture at all')],
    ['garden/notes.txt', Buffer.from('water daily')],
  ]);
  await expect(page.locator('.class-card')).toHaveCount(CLASSES.length);
  await expect(page.getByRole('heading', { name: '200 photos in 5 classes' })).toBeVisible();
  await page.locator('.skipped summary').click();
  await expect(page.locator('.skipped li')).toHaveCount(2);

  await go(page, 'network');
  await expect(page.locator('input[value="residual_flower"]')).toBeChecked();
  await expect(page.locator('.graph .knot')).toHaveCount(6);

  await go(page, 'train');
  // A setting out of its range is pointed at, and nothing starts.
  await setEpochs(page, 0);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('#set-epochs')).toBeFocused();
  await expect(page.getByRole('button', { name: 'Start', exact: true })).toBeVisible();
  await setEpochs(page, 6);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('.facts dd').first()).not.toHaveText('–');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  const resume = page.getByRole('button', { name: 'Continue', exact: true });
  await expect(resume).toBeVisible();
  const stopped = await share(page);
  expect(stopped).toBeLessThan(100);
  await resume.click();
  await expect(page.locator('floret-report .figure')).toHaveCount(1);
  await expect(page.locator('.log li')).toHaveCount(7);
  await expect(page.locator('.log li').last()).toHaveText(
    /^Epoch 6: cost=\d+\.\d{3}, accuracy=\d\.\d{3}\/\d\.\d{3} \(\d+\/\d+ secs\)$/,
  );

  await page.getByRole('link', { name: 'See the report' }).click();
  const accuracy = Number.parseFloat((await page.locator('floret-report .figure').textContent()) ?? '');
  expect(accuracy).toBeGreaterThan(40);
  await expect(page.locator('.confusion tbody tr')).toHaveCount(CLASSES.length);
  await expect(page.locator('.gallery.samples figcaption').first()).toHaveText(
    /^Probabilities \[[ \d]\d,.*\] => guess \w+ : truth \w+ => [OX]$/,
  );

  await go(page, 'classify');
  const photo = { name: 'new.png', mimeType: 'image/png', buffer: flower('daisy', 77) };
  await page.locator('input[name="photo"]').setInputFiles(photo);
  const before = await answers(page);
  expect(Object.keys(before).sort()).toEqual(CLASSES);

  const download = page.waitForEvent('download');
  await page.locator('floret-classify').getByRole('button', { name: 'Save the model' }).click();
  const file = await (await download).path();
  const header = readFileSync(file);
  expect(Number(header.readBigUInt64LE(0))).toBeGreaterThan(100);

  await page.reload();
  await go(page, 'classify');
  await page.locator('input[name="model"]').setInputFiles({
    name: 'residual_flower.safetensors',
    mimeType: 'application/octet-stream',
    buffer: header,
  });
  // Until the file is open the page's own model answers.
  await expect(page.locator('#model-choice')).toHaveValue('file');
  await page.locator('input[name="photo"]').setInputFiles(photo);
  expect(await answers(page)).toEqual(before);
  expect(heard).toEqual([]);
});

test('an interrupted run is there on the next visit, and can be deleted', async ({ page }) => {
  await visit(page);
  await loadPhotos(page, 12);
  await go(page, 'train');
  await setEpochs(page, 50);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('.log li').nth(1)).toBeVisible();
  // The photos of a run stay those that it began with.
  await go(page, 'photos');
  await expect(page.getByRole('button', { name: 'Remove all' })).toBeDisabled();
  await go(page, 'train');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Continue', exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Remove all', includeHidden: true })).toBeEnabled();
  const stopped = await share(page);

  await page.goto('/');
  await page.getByRole('button', { name: 'Carry on' }).click();
  await expect(page.locator('.class-card')).toHaveCount(CLASSES.length);
  await go(page, 'train');
  expect(await share(page)).toBe(stopped);
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
  await expect.poll(() => share(page)).toBeGreaterThan(stopped);
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Continue', exact: true })).toBeVisible();

  await page.goto('/');
  await page.getByRole('button', { name: 'Delete' }).click();
  await expect(page.locator('.last-visit')).toBeHidden();
  await page.reload();
  await expect(page.locator('footer span').last()).not.toBeEmpty();
  await expect(page.locator('.last-visit')).toBeHidden();
});

test("an engine that stopped is started again: what was kept comes back, the page's own model answers", async ({
  page,
}) => {
  await visit(page);
  await loadPhotos(page, 12);
  await page.evaluate(async () => {
    const state = '/state/state.js';
    (await import(state)).engine.fail('for the test');
  });
  await page.getByRole('button', { name: 'Carry on' }).click();
  await expect(page.locator('.class-card')).toHaveCount(CLASSES.length);
  await go(page, 'classify');
  await page
    .locator('input[name="photo"]')
    .setInputFiles({ name: 'new.png', mimeType: 'image/png', buffer: flower('tulip', 5) });
  expect(Object.keys(await answers(page)).sort()).toEqual(CLASSES);
});

test('an archive that is broken off costs no photo of the others', async ({ page }) => {
  await visit(page);
  const whole = zip(garden(2));
  const broken = {
    name: 'broken.zip',
    mimeType: 'application/zip',
    buffer: whole.subarray(0, whole.length / 2),
  };
  await page
    .locator('input[name="archive"]')
    .setInputFiles([broken, { name: 'garden.zip', mimeType: 'application/zip', buffer: zip(garden(3)) }]);
  await expect(
    page.getByRole('heading', { name: `${3 * CLASSES.length} photos in ${CLASSES.length} classes` }),
  ).toBeVisible();
  await page.locator('.skipped summary').click();
  await expect(page.locator('.skipped li')).toHaveText(/^broken\.zip — /);
});

test('a picture of another format is told how to become one', async ({ page }) => {
  await visit(page);
  await page.locator('input[name="question"]').setInputFiles({
    name: 'rose.heic',
    mimeType: 'image/heic',
    buffer: Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1'),
  });
  await expect(page.getByRole('alert')).toContainText(
    'The photo rose.heic cannot be used. It is a HEIC photo; save it as JPEG or PNG.',
  );
});

test('a slip in the notation is shown at its place, with a suggestion', async ({ page }) => {
  await visit(page);
  await go(page, 'network');
  const text = page.getByLabel('Notation');
  await expect(text).not.toHaveValue('');
  await text.fill("['serial',\n  ['conv', {'ksize': 3, 'chnn': 8}]]");
  await expect(page.locator('#notation-problem')).toContainText('Line 2, column');
  await expect(page.locator('#notation-problem')).toContainText('Did you mean `chn`?');
  await page.getByRole('button', { name: /Go to line 2/ }).click();
  await expect(text).toBeFocused();
  await text.fill("['serial', ['conv', {'ksize': 3, 'chn': 8, 'stride': 2}], ['avg', {'stride': 4}]]");
  await expect(page.locator('#notation-problem')).toContainText('No mistakes found');
});

test('the log of a long run keeps its newest epochs', async ({ page }) => {
  await visit(page);
  await go(page, 'train');
  const show = (/** @type {number} */ epochs) =>
    page.evaluate(async epochs => {
      const { store } = await import(new URL('state/state.js', location.href).href);
      const line = (/** @type {number} */ epoch) => ({
        epoch,
        loss: 1,
        accuracy: 0.5,
        validation_accuracy: 0.5,
        learning_rate: 0.001,
        seconds: 0,
        total_seconds: epoch,
      });
      const lines = Array.from({ length: epochs }, (_, index) => line(index + 1));
      const { run } = store.value;
      const model = { name: 'a network' };
      store.set({ run: { ...run, phase: 'stopped', model, history: { ...run.history, lines } } });
    }, epochs);
  for (const epochs of [300, 900, 5000]) {
    await show(epochs);
    await expect(page.locator('.log li').last()).toHaveText(new RegExp(`^Epoch ${epochs}:`));
  }
  await expect(page.locator('.log li').first()).toContainText('a network');
  await expect(page.locator('.log li')).toHaveCount(501);
});

test('a run is drawn now and then, not whenever there is news of it', async ({ page }) => {
  await visit(page);
  await loadPhotos(page, 12);
  await go(page, 'train');
  await setEpochs(page, 100);
  const watched = await page.locator('.facts').evaluateHandle(facts => {
    const drawn = /** @type {number[]} */ ([]);
    new MutationObserver(() => drawn.push(performance.now())).observe(facts, { childList: true });
    return drawn;
  });
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('.log li')).toHaveCount(101);
  const drawn = await watched.jsonValue();
  expect(drawn.length).toBeGreaterThan(2);
  // Beside those of the beat: what the buttons do, the start and the end.
  expect(drawn.length).toBeLessThan((drawn[drawn.length - 1] - drawn[0]) / 300 + 12);
});
