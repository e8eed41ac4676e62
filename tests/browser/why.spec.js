/**
 * Looking into networks: signals while they learn, two compared, a heat map over a photo, what layers cost.
 */
import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { flower } from './photos.js';
import { complaints, go, loadPhotos, setEpochs, visit } from './visit.js';

test.use({ locale: 'en-US' });

/** @param {import('@playwright/test').Page} page @param {string} network */
async function learn(page, network) {
  await go(page, 'network');
  await page.locator(`input[value="${network}"]`).check();
  await expect(page.locator('floret-network .picture')).toContainText('parameters');
  await go(page, 'train');
  await page.getByRole('button', { name: /^(Start|Start over)$/ }).click();
  await expect(page.locator('.says').first()).toHaveText(
    `${network} has finished learning. Its test report is ready.`,
  );
}

test('plain and residual are compared, and a photo gets its heat map', async ({ page }) => {
  const heard = complaints(page);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await visit(page);
  await loadPhotos(page, 12);
  await go(page, 'train');
  await setEpochs(page, 2);
  await learn(page, 'plain_flower');
  await learn(page, 'residual_flower');

  await go(page, 'why');
  const says = page.locator('floret-signals .plain').first().locator('li');
  const now = await says.allTextContents();
  expect(now).toHaveLength(2);
  for (const [index, network] of ['plain_flower', 'residual_flower'].entries()) {
    expect(now[index]).toMatch(
      new RegExp(`^${network} LAB: [0-9.]+ at the first layer, [0-9.]+ at the last one`),
    );
  }
  await page.getByLabel('At the start').check({ force: true });
  await expect(page.locator('floret-signals .row')).toContainText('Before the first step.');
  expect(await says.allTextContents()).not.toEqual(now);
  await page.getByText('residual_flower LAB in numbers').click();
  // Fourteen layers with weights, four poolings.
  await expect(page.locator('floret-signals details[open] tbody tr')).toHaveCount(18);

  await expect(page.locator('floret-costs')).toContainText('16.9 times fewer multiplications');
  await expect(page.locator('floret-costs table').first().locator('tbody tr')).toHaveCount(18);

  await page
    .locator('input[name="attention-photo"]')
    .setInputFiles({ name: 'new.png', mimeType: 'image/png', buffer: flower('daisy', 77, 200) });
  await expect(page.locator('floret-attention .says')).toHaveText(/^\w+, \d+%: (the evidence is|nothing)/);
  await expect(page.locator('.heat-place canvas')).toHaveCount(2);
  const drawn = () =>
    page
      .locator('.heat-place canvas')
      .last()
      .evaluate(canvas => /** @type {HTMLCanvasElement} */ (canvas).toDataURL());
  const own = await drawn();
  const classes = page.getByLabel('Show evidence for');
  await classes.selectOption({ index: 3 });
  await expect.poll(drawn).not.toBe(own);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id),
  ).toEqual([]);
  expect(heard).toEqual([]);
});

test('the view is empty but whole before any training, and narrow screens hold it', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await visit(page);
  await go(page, 'why');
  await expect(page.locator('floret-signals')).toContainText('Train a network');
  await expect(page.locator('.claims li')).toHaveCount(7);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});

test('the four networks are compared on the same photos, and the report is saved as one file', async ({
  page,
}) => {
  const heard = complaints(page);
  await visit(page);
  await loadPhotos(page, 12);
  await go(page, 'train');
  await setEpochs(page, 1);
  await page.getByRole('button', { name: 'Train all four' }).click();
  await expect(page.locator('floret-compare [role="status"]')).toHaveText(
    '1 of 4: inception_flower is learning.',
  );
  const answers = page.locator('.answers-table');
  await expect(answers.locator('thead th')).toHaveCount(6, { timeout: 100_000 });
  await expect(page.getByRole('button', { name: 'Train all four' })).toBeEnabled();
  await expect(answers.locator('tbody tr')).toHaveCount(6);
  await expect(answers.locator('img').first()).toHaveJSProperty('complete', true);
  expect(
    await answers
      .locator('img')
      .first()
      .evaluate(image => /** @type {HTMLImageElement} */ (image).naturalWidth),
  ).toBeGreaterThan(0);
  await expect(page.locator('floret-compare tbody').first().locator('tr')).toHaveCount(4);

  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the report (HTML)' }).click();
  const report = readFileSync(String(await (await saved).path()), 'utf8');
  expect(report.match(/<img src="data:image\/png;base64,/g)).toHaveLength(6);
  expect(report.match(/<polyline/g)).toHaveLength(8);
  expect(report).not.toMatch(/<script|src="http|href=/);
  expect(heard).toEqual([]);
});

test('an experiment that is stopped keeps what it has', async ({ page }) => {
  await visit(page);
  await loadPhotos(page, 12);
  await go(page, 'train');
  await setEpochs(page, 200);
  await page.getByRole('button', { name: 'Train all four' }).click();
  await expect(page.locator('.log li').nth(1)).toBeVisible();
  await expect(page.locator('floret-compare progress')).toBeVisible();
  await page.locator('floret-compare').getByRole('button', { name: 'Stop' }).click();
  await expect(page.getByRole('button', { name: 'Train all four' })).toBeEnabled();
  await expect(page.locator('floret-compare tbody tr')).toHaveCount(1);
  await expect(page.getByRole('button', { name: 'Continue', exact: true })).toBeVisible();
});

test('a stop while a network is judged ends the experiment, and leaves no button disabled', async ({
  page,
}) => {
  await visit(page);
  const { phase, stopAsked } = await page.evaluate(async () => {
    const { store } = await import(new URL('state/state.js', location.href).href);
    const { stop } = await import(new URL('state/session.js', location.href).href);
    store.set({
      run: { ...store.value.run, phase: 'judging' },
      comparison: { running: true, stopAsked: false, runs: [], experiment: null },
    });
    stop();
    return { phase: store.value.run.phase, stopAsked: store.value.comparison.stopAsked };
  });
  expect({ phase, stopAsked }).toEqual({ phase: 'judging', stopAsked: true });
});
