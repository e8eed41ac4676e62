/**
 * Real photos: the folder is chosen, ten epochs with the settings as they are, and what the test report then
 * says.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from '@playwright/test';
import { complaints, go, visit } from './visit.js';

const FLOWERS = resolve(process.env.FLORET_FLOWERS ?? '../shared/flowers');
/** `FLORET_SEEDS=1,2,3` trains anew for each of them; the mean is what counts. */
const SEEDS = (process.env.FLORET_SEEDS ?? '1').split(',');
/** Per cent of the test photos, twelve more than the report had. */
const LEAST_ACCURACY = 58;

test.use({ locale: 'en-US' });

test('ten epochs of residual_flower on real photos', async ({ page }) => {
  test.skip(!existsSync(FLOWERS), `no photos in ${FLOWERS}; FLORET_FLOWERS says where they are`);
  test.setTimeout(900_000 * SEEDS.length);
  const heard = complaints(page);
  await visit(page);
  await page.locator('input[name="folder"]').setInputFiles(FLOWERS);
  await expect(page.locator('.class-card canvas').first()).toBeVisible({ timeout: 300_000 });

  const found = [];
  for (const seed of SEEDS) {
    await go(page, 'train');
    await page.locator('#set-seed').fill(seed);
    await page.locator('#set-seed').blur();
    await page.getByRole('button', { name: /^(Start|Start over)$/ }).click();
    await expect(page.locator('.log li').first()).toBeVisible();
    await expect(page.locator('.log li')).toHaveCount(11, { timeout: 800_000 });
    await go(page, 'report');
    await expect(page.locator('floret-report .figure')).toHaveCount(1);
    found.push(Number.parseFloat((await page.locator('floret-report .figure').textContent()) ?? ''));
  }
  console.log(`test accuracy with seeds ${SEEDS.join(', ')}: ${found.join(', ')}%`);
  expect(found.reduce((sum, accuracy) => sum + accuracy, 0) / found.length).toBeGreaterThan(LEAST_ACCURACY);
  expect(heard).toEqual([]);
});
