/** Photos in the hand: classes opened, photos moved, left out, put back, classes renamed, conflicts settled. */
import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { flower } from './photos.js';
import { complaints, go, loadPhotos, visit } from './visit.js';

/** @typedef {import('@playwright/test').Page} Page */

test.use({ locale: 'en-US' });

/** Photos of a class, as its card says. @param {Page} page @param {string} name */
function count(page, name) {
  return page
    .locator('.class-card', { has: page.getByRole('heading', { name, exact: true }) })
    .locator('.count');
}

/** Opens a class. @param {Page} page @param {string} name */
async function open(page, name) {
  await page.getByRole('button', { name: `Open ${name}:` }).click();
  await expect(page.getByRole('dialog', { name })).toBeVisible();
  await expect(page.locator('.photo-cell canvas').first()).toBeVisible();
}

test('photos are moved, left out, put back, and every change can be undone', async ({ page }) => {
  const heard = complaints(page);
  await visit(page);
  await loadPhotos(page, 12);
  await expect(count(page, 'rose')).toHaveText('12');
  await open(page, 'rose');
  const dialog = page.getByRole('dialog', { name: 'rose' });
  const photos = dialog.locator('.photo-cell');
  await expect(photos).toHaveCount(12);

  // By the keyboard: the second photo, and with Shift the two after it.
  await dialog.getByRole('listbox').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await expect(dialog.getByRole('status')).toHaveText('3 photos of 12 chosen.');
  await dialog.getByLabel('Class to move to').selectOption('tulip');
  await dialog.getByRole('button', { name: 'Move there' }).click();
  await expect(photos).toHaveCount(9);
  // One more is left out, by the mouse and the Delete key.
  await photos.first().click();
  await page.keyboard.press('Delete');
  await expect(photos).toHaveCount(8);
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(count(page, 'rose')).toHaveText('8');
  await expect(count(page, 'tulip')).toHaveText('15');
  await expect(page.getByText('2 changes by hand.')).toBeVisible();

  await page.getByRole('button', { name: 'Left out: 1' }).click();
  const removed = page.getByRole('dialog', { name: 'Photos that were left out' });
  await removed.locator('.photo-cell').first().click();
  await removed.getByRole('button', { name: 'Put back' }).click();
  await expect(removed.locator('.photo-cell')).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(count(page, 'rose')).toHaveText('9');
  const undo = page.locator('.edits').getByRole('button', { name: 'Undo' });
  for (const [rose, tulip] of [
    ['8', '15'],
    ['9', '15'],
    ['12', '12'],
  ]) {
    await undo.click();
    await expect(count(page, 'rose')).toHaveText(rose);
    await expect(count(page, 'tulip')).toHaveText(tulip);
  }
  await page.locator('.edits').getByRole('button', { name: 'Redo' }).click();
  await expect(count(page, 'rose')).toHaveText('9');
  expect(heard).toEqual([]);
});

test('a class is renamed, joined with another, and a new one is made; all of it is there tomorrow', async ({
  page,
}) => {
  await visit(page);
  await loadPhotos(page, 6);
  await open(page, 'rose');
  await page.getByLabel('Name of the class').fill('Gartenrose');
  await page.getByRole('button', { name: 'Rename the class' }).click();
  const dialog = page.getByRole('dialog', { name: 'Gartenrose' });
  await expect(dialog.locator('.photo-cell')).toHaveCount(6);
  await dialog.locator('.photo-cell').first().click();
  await dialog.getByLabel('Class to move to').selectOption({ label: 'A new class…' });
  await expect(dialog.getByRole('button', { name: 'Move there' })).toBeDisabled();
  await dialog.getByLabel('Name of the new class').fill('Wildrose');
  await dialog.getByRole('button', { name: 'Move there' }).click();
  await expect(dialog.locator('.photo-cell')).toHaveCount(5);
  await page.keyboard.press('Escape');
  await expect(count(page, 'Wildrose')).toHaveText('1');
  await open(page, 'daisy');
  await page.getByLabel('Name of the class').fill('tulip');
  await page.getByRole('button', { name: 'Rename the class' }).click();
  await expect(page.getByRole('dialog', { name: 'tulip' }).locator('.photo-cell')).toHaveCount(12);
  await page.keyboard.press('Escape');

  // The file that the terminal takes too.
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the changes' }).click();
  const text = readFileSync(await (await saved).path(), 'utf8');
  expect(JSON.parse(text).edits.map((/** @type {{ edit: string }} */ { edit }) => edit)).toEqual([
    'rename',
    'label',
    'rename',
  ]);

  await page.reload();
  await page.getByRole('button', { name: 'Carry on' }).click();
  await expect(count(page, 'tulip')).toHaveText('12');
  await expect(count(page, 'Gartenrose')).toHaveText('5');
  await expect(count(page, 'Wildrose')).toHaveText('1');
});

test('a picture in two classes is settled by one click, copies by another', async ({ page }) => {
  await visit(page);
  const both = flower('tulip', 77);
  const near = flower('daisy', 78, 120);
  await loadPhotos(page, 8, [
    ['garden/rose/either.png', both],
    ['garden/tulip/either.png', both],
    ['garden/daisy/one.png', near],
    ['garden/daisy/smaller.png', flower('daisy', 78, 100)],
  ]);
  await page.getByRole('button', { name: 'Which one is right?' }).click();
  const dialog = page.getByRole('dialog', { name: 'Which class is right?' });
  await expect(dialog.locator('canvas')).toHaveCount(2);
  expect((await new AxeBuilder({ page }).include('.modal[open]').analyze()).violations).toEqual([]);
  await dialog.getByRole('button', { name: 'It is tulip' }).click();
  await expect(dialog.getByText('That was the last one.')).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('button', { name: 'Which one is right?' })).toHaveCount(0);
  await expect(count(page, 'rose')).toHaveText('8');
  await expect(count(page, 'tulip')).toHaveText('9');

  await expect(count(page, 'daisy')).toHaveText('10');
  await page.getByRole('button', { name: 'Look at them' }).first().click();
  await page.getByRole('button', { name: /Keep the first of each/ }).click();
  await expect(page.getByText('That was the last one.')).toBeVisible();
  await page.keyboard.press('Escape');
  await go(page, 'network');
  await go(page, 'photos');
  // Others of these small flowers are alike too.
  await expect(count(page, 'daisy')).toHaveText(/^[1-9]$/);
  await expect(page.getByText('near-identical')).toHaveCount(0);
});
