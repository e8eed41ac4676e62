/** After one visit the published page works without a network, its engine included. */
import { createServer, get } from 'node:http';
import { expect, test } from '@playwright/test';

const site = String(process.env.FLORET_DIST_URL);

test.use({ locale: 'en-US' });

test('the page opens and its engine answers without a network', async ({ page, context }) => {
  await page.goto(`${site}?offline=1`);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.waitForFunction(async () => {
    const { active } = await navigator.serviceWorker.ready;
    return active?.state === 'activated';
  });
  await context.setOffline(true);
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Teach a network to recognise flowers' })).toBeVisible();
  await page.locator('.steps a[href="#network"]').click();
  await expect(page.locator('.graph .knot')).toHaveCount(6);
});

test('a host that sends no headers gets isolation from the service worker', async ({ page }) => {
  await page.goto(`${site}?offline=1`);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await expect.poll(() => page.evaluate(() => crossOriginIsolated).catch(() => false)).toBe(true);
});

test('what the page has fetched is not sent again to be kept', async ({ page }) => {
  /** Paths whose content was sent. @type {string[]} */
  const sent = [];
  const host = createServer(({ url = '/', headers }, response) => {
    get(new URL(url, site), { headers }, answer => {
      if (answer.statusCode === 200) sent.push(url);
      response.writeHead(Number(answer.statusCode), answer.headers);
      answer.pipe(response);
    });
  });
  await new Promise(resolve => host.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (host.address());
  await page.goto(`http://localhost:${port}/?offline=1`);
  await expect.poll(() => page.evaluate(() => crossOriginIsolated).catch(() => false)).toBe(true);
  await page.locator('.steps a[href="#classify"]').click();
  await expect(page.locator('#model-choice option:checked')).not.toBeDisabled();
  host.close();
  const large = sent.filter(path => /\.(safetensors|wasm)$/.test(path));
  expect(large).toContainEqual(expect.stringContaining('.safetensors'));
  expect(large).toEqual([...new Set(large)]);
});
