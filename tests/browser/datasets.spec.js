/** Data sets that people really bring: what came with them is shown and can be declined, and what says nothing is said. */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { complaints, go, setEpochs, visit } from './visit.js';

test.use({ locale: 'en-US' });

/** Gives the page a data set of tests/cases. @param {import('@playwright/test').Page} page @param {string} name */
async function load(page, name) {
  const path = fileURLToPath(new URL(`../cases/${name}`, import.meta.url));
  await page.locator('input[name="archive"]').setInputFiles(path);
  await expect(page.locator('.class-card canvas').first()).toBeVisible();
}

/** Names of the classes. @param {import('@playwright/test').Page} page */
function classes(page) {
  return page.locator('.class-card h3');
}

test('what photos came with is taken, and can be declined', async ({ page }) => {
  const heard = complaints(page);
  await visit(page);
  await load(page, 'split_by_author.zip');
  await expect(classes(page)).toHaveText(['left', 'right']);
  await expect(page.getByText(/40 to learn from, 40 to check progress, 40 held back/)).toBeVisible();
  const split = page.getByRole('checkbox', { name: /A split of their own: train \(40 to learn from\)/ });
  await expect(split).toBeChecked();
  await split.uncheck();
  await expect(page.getByText(/96 to learn from, 6 to check progress, 18 held back/)).toBeVisible();
  await expect(split).not.toBeChecked();
  await expect(classes(page)).toHaveText(['left', 'right']);

  await page.getByRole('button', { name: 'Remove all' }).click();
  await load(page, 'table_of_labels.zip');
  await expect(classes(page)).toHaveText(['left', 'right']);
  const table = page.getByRole('checkbox', { name: /A table of labels, labels.csv: 30 photos in 2 classes/ });
  await expect(table).toBeChecked();

  await page.getByRole('button', { name: 'Remove all' }).click();
  await load(page, 'class_in_name.zip');
  await expect(classes(page)).toHaveText(['cat', 'dog']);
  await page.getByRole('checkbox', { name: /Classes in their file names: cat, dog/ }).uncheck();
  await expect(classes(page)).toHaveText(['flatprefix']);
  expect(heard).toEqual([]);
});

test('what says nothing is said before training, and no percentage is shown of it', async ({ page }) => {
  await visit(page);
  await load(page, 'same_pictures.zip');
  const photos = page.locator('floret-photos');
  await expect(photos.getByText(/38 files are duplicates and were left out/)).toBeVisible();
  await expect(photos.getByText(/All photos of black and white show the same picture/)).toBeVisible();
  await go(page, 'train');
  const before = page.locator('floret-train .warnings');
  await expect(before.getByText(/No photo is held back for the test/)).toBeVisible();
  await setEpochs(page, 1);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('floret-report .figure')).toHaveText('–', { timeout: 90_000 });
  await go(page, 'report');
  await expect(page.getByText(/nothing is known of how good the model is/)).toBeVisible();
  await expect(page.locator('floret-report')).not.toContainText('%');
});

test('photos decide whether they are mirrored, unless they are told', async ({ page }) => {
  await visit(page);
  await load(page, 'tiny.zip');
  await go(page, 'train');
  const train = page.locator('floret-train');
  await expect(train.getByText(/Only 2 photos are held back for the test/)).toBeVisible();
  await expect(train.getByText(/Photos are not mirrored: left and right tell/)).toBeVisible();
  await train.getByText('Yes', { exact: true }).click();
  await expect(train.getByText(/Photos are mirrored, as you chose, though/)).toBeVisible();
  await train.getByText('Photos decide', { exact: true }).click();
  await setEpochs(page, 1);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('floret-report .figure')).toHaveCount(1, { timeout: 90_000 });
  await go(page, 'report');
  await expect(page.getByText(/2 test photos say little/)).toBeVisible();
});
