/** A camera for each class. Chromium's own picture of a camera stands in for one. */
import { expect, test } from '@playwright/test';
import { args, executablePath } from './chromium.js';
import { complaints, visit } from './visit.js';

/** @typedef {import('@playwright/test').Page} Page */

test.use({
  locale: 'en-US',
  launchOptions: { executablePath, args: [...args, '--use-fake-device-for-media-stream'] },
});

/** @param {Page} page */
async function open(page) {
  await page.getByRole('button', { name: 'Use the camera' }).click();
  return page.getByRole('dialog', { name: 'Record with the camera' });
}

test('the button held down records photos of a class, by mouse and by keyboard', async ({
  page,
  context,
}) => {
  const heard = complaints(page);
  await context.grantPermissions(['camera']);
  await visit(page);
  const dialog = await open(page);
  const hold = dialog.getByRole('button', { name: 'Hold to record' });
  await expect(dialog.getByRole('status')).toContainText('Hold the button down');
  await expect(hold).toBeDisabled();
  await dialog.getByLabel('Name of the new class').fill('left hand');
  await hold.hover();
  await page.mouse.down();
  await expect(dialog.getByRole('status')).toHaveText(/^[3-9] photos$/);
  await page.mouse.up();
  await expect(dialog.getByRole('status')).toContainText('photos of left hand taken.');

  await dialog.getByLabel('Name of the new class').fill('right hand');
  await hold.focus();
  await page.keyboard.down('Space');
  await expect(dialog.getByRole('status')).toHaveText(/^[3-9] photos$/);
  await page.keyboard.up('Space');
  await expect(dialog.getByRole('status')).toContainText('photos of right hand taken.');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(page.locator('.class-card')).toHaveCount(2);
  await expect(page.getByRole('heading', { name: 'right hand', exact: true })).toBeVisible();
  // The camera is let go of.
  expect(
    await page.locator('.camera-picture').evaluate(video => /** @type {any} */ (video).srcObject),
  ).toBeNull();
  expect(heard).toEqual([]);
});

test('a camera that is refused, or is not there, is said', async ({ page, context }) => {
  await context.clearPermissions();
  await visit(page);
  await page.evaluate(() => {
    const refuse = async () => {
      throw new DOMException('no', 'NotAllowedError');
    };
    navigator.mediaDevices.getUserMedia = refuse;
  });
  const dialog = await open(page);
  await expect(dialog.getByRole('status')).toContainText('The camera was not allowed.');
  await expect(dialog.getByRole('button', { name: 'Hold to record' })).toBeDisabled();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.evaluate(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined }));
  await open(page);
  await expect(dialog.getByRole('status')).toHaveText('There is no camera here.');
});
