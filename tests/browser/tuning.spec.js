/** A few photos of other classes, and an open model to start from. */
import { expect, test } from '@playwright/test';
import { flower, zip } from './photos.js';
import { answers, complaints, go, visit } from './visit.js';

test.use({ locale: 'en-US' });

/** Own names for three of the drawn flowers. */
const OWN = { aster: 'daisy', poppy: 'rose', iris: 'tulip' };
const PHOTOS = 20;

test('an open model learns classes of its own from twenty photos each', async ({ page }) => {
  const heard = complaints(page);
  await visit(page);
  await go(page, 'classify');
  await page.locator('#model-choice').selectOption('residual_flower.safetensors');
  await expect(page.locator('#model-choice')).toHaveValue('residual_flower.safetensors');
  await expect(page.locator('floret-model progress')).toHaveCount(0);

  await go(page, 'photos');
  const files = Object.entries(OWN).flatMap(([name, drawn], kind) =>
    Array.from(
      { length: PHOTOS },
      (_, index) =>
        /** @type {[string, Buffer]} */ ([`mine/${name}/${index}.png`, flower(drawn, 500 * kind + index)]),
    ),
  );
  await page
    .locator('input[name="archive"]')
    .setInputFiles({ name: 'mine.zip', mimeType: 'application/zip', buffer: zip(files) });
  await expect(page.locator('.class-card')).toHaveCount(3);

  await go(page, 'train');
  await page.getByText('Model, last layer').click();
  await expect(page.locator('#set-epochs')).toHaveValue('30');
  await expect(page.getByRole('radio', { name: 'Modern' })).toBeHidden();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('floret-report .figure')).toHaveCount(1, { timeout: 90_000 });
  await expect(page.locator('.log li').last()).toHaveText(/^Epoch 30:/);
  await go(page, 'report');
  const accuracy = Number.parseFloat((await page.locator('floret-report .figure').textContent()) ?? '');
  // Nine test photos of three classes: better than chance, from a last layer alone.
  expect(accuracy).toBeGreaterThan(40);

  await go(page, 'classify');
  await page
    .locator('input[name="photo"]')
    .setInputFiles({ name: 'new.png', mimeType: 'image/png', buffer: flower('rose', 4242) });
  expect(Object.keys(await answers(page)).sort()).toEqual(Object.keys(OWN).sort());

  // From nothing, the settings are those of a run from nothing again.
  await go(page, 'train');
  await page.getByText('Scratch', { exact: true }).click();
  await expect(page.locator('#set-epochs')).toHaveValue('10');
  await expect(page.getByRole('radio', { name: 'Modern' })).toBeChecked();
  expect(heard).toEqual([]);
});
