/**
 * The page opens with a model of its own: a photo has its answer before any training, without a network too.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from '@playwright/test';
import { CLASSES, flower, house } from './photos.js';
import { answers, complaints, go, loadPhotos, visit } from './visit.js';

const site = String(process.env.FLORET_DIST_URL);
const MODELS = 'models';
/** @type {{ file: string, title: { en: string }, card: string }[]} */
const index = JSON.parse(readFileSync(resolve(MODELS, 'index.json'), 'utf8'));
const photo = { name: 'new.png', mimeType: 'image/png', buffer: flower('sunflower', 7, 200) };

test.use({ locale: 'en-US' });

/** What the first model answers to the photo. @param {import('@playwright/test').Page} page */
async function ask(page) {
  await go(page, 'classify');
  await page.locator('input[name="photo"]').setInputFiles(photo);
  return answers(page);
}

test('a photo is classified before any training, as its file classifies it', async ({ page }) => {
  const heard = complaints(page);
  await visit(page);
  const shipped = await ask(page);
  expect(Object.keys(shipped).sort()).toEqual(CLASSES);
  const sum = Object.values(shipped).reduce((total, value) => total + Number.parseFloat(value), 0);
  expect(sum).toBeCloseTo(100, 0);

  // The very file from the disk answers alike.
  const buffer = readFileSync(resolve(MODELS, index[0].file));
  await page
    .locator('input[name="model"]')
    .setInputFiles({ name: 'mine.safetensors', mimeType: 'application/octet-stream', buffer });
  await expect(page.locator('#model-choice')).toHaveValue('file');
  await expect.poll(() => answers(page)).toEqual(shipped);
  expect(heard).toEqual([]);
});

test('a picture without a flower is called none of these, and what it would be if it had to', async ({
  page,
}) => {
  await visit(page);
  await go(page, 'classify');
  await page
    .locator('input[name="photo"]')
    .setInputFiles({ name: 'house.png', mimeType: 'image/png', buffer: house() });
  await expect(page.locator('.none-of-these')).toHaveText('None of these');
  expect(Object.keys(await answers(page)).sort()).toEqual(CLASSES);
});

test('without a file, drawn flowers and held-back photos can be asked about', async ({ page }) => {
  const heard = complaints(page);
  const label = /(Right|Wrong): its label says (daisy|dandelion|rose|sunflower|tulip)\./;
  await visit(page);
  await go(page, 'classify');
  const drawn = page.getByRole('button', { name: 'A drawn flower' });
  const heldBack = page.getByRole('button', { name: 'A held-back photo' });
  await expect(heldBack).toBeHidden();
  await drawn.click();
  await expect(page.locator('.answer')).toContainText(label);
  await expect(page.locator('.preview img')).toHaveAttribute('alt', /The photo .+/);

  await go(page, 'photos');
  await loadPhotos(page, 12);
  await go(page, 'classify');
  await heldBack.click();
  await expect(page.locator('.answer')).toContainText(label);
  // A photo of one's own has no label.
  await page.locator('input[name="photo"]').setInputFiles(photo);
  await expect(page.locator('.answer')).not.toContainText('its label says');

  await go(page, 'why');
  for (const button of [drawn, heldBack]) {
    await button.click();
    await expect(page.locator('floret-attention')).toContainText(label);
    await expect(page.locator('.attention-pictures canvas')).toHaveCount(2);
  }
  expect(heard).toEqual([]);
});

test('every model that the page lists opens, with its card', async ({ page, request }) => {
  await visit(page);
  await go(page, 'classify');
  const choice = page.locator('#model-choice');
  await expect(choice.locator('option:not([disabled])')).toHaveCount(index.length);
  for (const { file, card } of index) {
    await choice.selectOption(file);
    await expect(page.locator('floret-model progress')).toHaveCount(0);
    await expect(page.locator('floret-model a')).toHaveAttribute(
      'href',
      `models/${card.replace('.md', '.html')}`,
    );
    await expect(choice).toHaveValue(file);
    const told = await request.get(`${process.env.FLORET_URL}models/${card.replace('.md', '.html')}`);
    expect(await told.text()).toContain('<table>');
  }
});

test('a model that does not come whole is thrown away, said, and harmless', async ({ page }) => {
  const served = `**/models/${index[0].file}`;
  await page.route(served, async route => {
    const response = await route.fetch();
    const body = await response.body();
    body[body.length - 1] ^= 1;
    await route.fulfill({ response, body });
  });
  await visit(page);
  await go(page, 'classify');
  await expect(page.locator('floret-model .fault')).toContainText('came damaged');
  await page.unroute(served);
  await page.route(served, route => route.abort());
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('floret-model .fault')).toContainText('the network is away');
  await page.unroute(served);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('floret-model .fault')).toHaveCount(0);
  expect(Object.keys(await ask(page)).sort()).toEqual(CLASSES);
});

test('training lets the run answer, and the shipped model stays at hand', async ({ page }) => {
  await visit(page);
  const shipped = await ask(page);
  await go(page, 'photos');
  await page.getByRole('button', { name: 'Start with drawn flowers' }).click();
  await expect(page.locator('.class-card').first()).toBeVisible();
  await go(page, 'train');
  await page.locator('#set-epochs').fill('1');
  await page.locator('#set-epochs').blur();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('floret-report .figure')).toHaveCount(1);
  await go(page, 'classify');
  await expect(page.locator('#model-choice')).toHaveValue('run');
  await expect.poll(() => answers(page)).not.toEqual(shipped);
  await page.locator('#model-choice').selectOption(index[0].file);
  await expect.poll(() => answers(page)).toEqual(shipped);
});

test('without a network the model that was kept answers', async ({ page, context }) => {
  await page.goto(`${site}?offline=1`);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.waitForFunction(async () => (await navigator.serviceWorker.ready).active?.state === 'activated');
  await context.setOffline(true);
  await page.reload();
  expect(Object.keys(await ask(page)).sort()).toEqual(CLASSES);
});
