/** How far answers can be believed: reliability in the report, and "none of these" for what is no flower. */
import { expect, test } from '@playwright/test';
import { CLASSES, checks, flower } from './photos.js';
import { answers, complaints, go, loadPhotos, setEpochs, visit } from './visit.js';

test.use({ locale: 'en-US' });

test('a finished run is calibrated, and says when a photo shows none of its classes', async ({ page }) => {
  const heard = complaints(page);
  await visit(page);
  // Twenty for validation are the least that it calibrates on.
  await loadPhotos(page, 90);
  await go(page, 'train');
  await setEpochs(page, 4);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('floret-report .figure')).toHaveCount(1);
  await go(page, 'report');
  await expect(page.locator('.reliability-bar')).toHaveCount(15);
  await expect(page.getByText(/before they were fitted to the validation photos/)).toBeVisible();

  await go(page, 'classify');
  const choose = page.locator('input[name="photo"]');
  await choose.setInputFiles({ name: 'daisy.png', mimeType: 'image/png', buffer: flower('daisy', 77) });
  expect(Object.keys(await answers(page)).sort()).toEqual(CLASSES);
  await expect(page.locator('.none-of-these')).toHaveCount(0);
  await choose.setInputFiles({ name: 'board.png', mimeType: 'image/png', buffer: checks(64) });
  await expect(page.locator('.none-of-these')).toHaveText('None of these');
  // Its probabilities are there all the same.
  expect(Object.keys(await answers(page)).sort()).toEqual(CLASSES);
  expect(heard).toEqual([]);
});
