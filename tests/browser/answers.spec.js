/** How far answers can be believed: reliability in the report, and no flower that is called none. */
import { expect, test } from '@playwright/test';
import { CLASSES, flower } from './photos.js';
import { answers, complaints, go, loadPhotos, setEpochs, visit } from './visit.js';

test.use({ locale: 'en-US' });
test.setTimeout(240_000);

test('a finished run is calibrated, and takes its flowers for flowers', async ({ page }) => {
  const heard = complaints(page);
  await visit(page);
  // Twenty for validation are the least that it calibrates on.
  await loadPhotos(page, 90);
  await go(page, 'train');
  await setEpochs(page, 4);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('floret-report .figure')).toHaveCount(1, { timeout: 90_000 });
  await go(page, 'report');
  await expect(page.locator('.reliability-bar')).toHaveCount(15);
  await expect(page.getByText(/before calibration on the validation photos/)).toBeVisible({
    timeout: 90_000,
  });

  await go(page, 'classify');
  await page
    .locator('input[name="photo"]')
    .setInputFiles({ name: 'daisy.png', mimeType: 'image/png', buffer: flower('daisy', 77) });
  expect(Object.keys(await answers(page)).sort()).toEqual(CLASSES);
  await expect(page.locator('.none-of-these')).toHaveCount(0);
  expect(heard).toEqual([]);
});

test('the network that an experiment leaves is calibrated too', async ({ page }) => {
  await visit(page);
  await loadPhotos(page, 90);
  await go(page, 'train');
  await setEpochs(page, 1);
  await page.locator('floret-compare').getByRole('button', { name: 'Train all four' }).click();
  await expect(page.locator('floret-compare .answers-table')).toBeVisible({ timeout: 180_000 });
  await go(page, 'report');
  await expect(page.getByText(/before calibration on the validation photos/)).toBeVisible({
    timeout: 180_000,
  });
});
