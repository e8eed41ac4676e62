/**
 * A live trainer in a page of somebody else's: another origin, its own headers, nothing shared but a height.
 */
import { createServer } from 'node:http';
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { complaints } from './visit.js';

const floret = String(process.env.FLORET_URL);
/**
 * The page of course notes: another port, which makes it another origin. Its answer, and its headers, are
 * what a test last asked for.
 */
let notes = { body: '', headers: {} };
const host = createServer((_, response) =>
  response.writeHead(200, { 'Content-Type': 'text/html', ...notes.headers }).end(notes.body),
);

test.use({ locale: 'en-US' });
test.beforeAll(() => new Promise(resolve => host.listen(0, '127.0.0.1', () => resolve(undefined))));
test.afterAll(() => {
  host.close();
});

/**
 * Opens a page of notes with a trainer in it.
 * @param {import('@playwright/test').Page} page
 * @param {string} attributes
 * @param {Record<string, string>} [headers]
 */
async function open(page, attributes, headers = {}) {
  const body = `<!doctype html><html lang="en"><title>Notes</title><h1>Lecture 7</h1>
    <script type="module" src="${floret}embed.js"></script><floret-trainer ${attributes}></floret-trainer><p>Exercises</p></html>`;
  notes = { body, headers };
  const { port } = /** @type {import('node:net').AddressInfo} */ (host.address());
  await page.goto(`http://localhost:${port}/`);
  return page.frameLocator('floret-trainer iframe');
}

test('drawn flowers are learned in a page of another origin', async ({ page }) => {
  const heard = complaints(page);
  const frame = await open(page, 'network="plain_flower" photos="drawn" epochs="2"');
  expect(new URL(page.url()).origin).not.toBe(new URL(floret).origin);
  await expect(page.locator('iframe')).toHaveAttribute('title', 'Floret: plain_flower');
  await expect(frame.getByRole('heading', { name: 'plain_flower' })).toBeVisible();
  const before = (await page.locator('iframe').boundingBox())?.height ?? 0;
  await frame.getByRole('button', { name: 'Start' }).click();
  await expect(frame.locator('.says')).toHaveText(
    /^It has learned: [\d.]+% of \d+ unseen photos recognised\.$/,
    { timeout: 90_000 },
  );
  await expect(frame.locator('.chart canvas').first()).toBeVisible();
  // The frame is as tall as its page: the curves made it grow.
  const box = await page.locator('iframe').boundingBox();
  expect(box?.height).toBeGreaterThan(before);
  const inner = await frame.locator('html').evaluate(html => html.getBoundingClientRect().height);
  expect(Math.abs((box?.height ?? 0) - inner)).toBeLessThan(2);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id),
  ).toEqual([]);
  expect(heard).toEqual([]);
});

test('language, theme and what to show are attributes', async ({ page }) => {
  const frame = await open(page, 'network="residual_flower" lang="ko" theme="dark" panels="train,classify"');
  await expect(frame.locator('html')).toHaveAttribute('lang', 'ko');
  await expect(frame.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(frame.getByRole('button', { name: '시작' })).toBeEnabled();
  await expect(frame.locator('floret-classify')).toBeVisible();
  await page.locator('floret-trainer').evaluate(trainer => trainer.setAttribute('theme', 'light'));
  await expect(frame.locator('html')).toHaveAttribute('data-theme', 'light');
});

test('messages of others change nothing', async ({ page }) => {
  await open(page, 'network="plain_flower"');
  await expect.poll(async () => (await page.locator('iframe').boundingBox())?.height).not.toBe(420);
  const height = (await page.locator('iframe').boundingBox())?.height;
  await page.evaluate(() => window.postMessage({ floretHeight: 9999 }, '*'));
  await page.waitForTimeout(200);
  expect((await page.locator('iframe').boundingBox())?.height).toBe(height);
});

test('a name that is no network is said', async ({ page }) => {
  const frame = await open(page, 'network="nonsense"');
  await expect(frame.locator('.fault')).toContainText('residual_flower');
});

test('a page that is isolated gives the trainer threads', async ({ page }) => {
  const frame = await open(page, 'network="plain_flower"', {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  });
  await expect(frame.getByRole('button', { name: 'Start' })).toBeEnabled();
  expect(await frame.locator('html').evaluate(() => crossOriginIsolated)).toBe(true);
});

test('the trainer of a page leaves what the whole page keeps alone', async ({ page }) => {
  await page.goto(floret);
  await page.getByRole('button', { name: 'Start with drawn flowers' }).click();
  await expect(page.locator('.class-card').first()).toBeVisible();
  await page.goto(`${floret}embed.html?model=plain_flower&dataset=none`);
  await expect(page.getByRole('button', { name: 'Choose a folder' })).toBeVisible();
  await page.goto(`${floret}embed.html?model=plain_flower&epochs=1`);
  await page.getByRole('button', { name: 'Start' }).click();
  await expect(page.locator('.says')).toContainText('It has learned', { timeout: 90_000 });
  await page.goto(floret);
  await expect(page.locator('.last-visit')).toContainText('This browser still has the drawn flowers.');
});
