/** After one visit the published page works without a network, its engine included. */
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
  await expect(page.getByRole('heading', { name: 'Teach a network to know flowers' })).toBeVisible();
  await page.locator('.steps a[href="#network"]').click();
  await expect(page.locator('.graph .knot')).toHaveCount(6);
});

test('a host that sends no headers gets isolation from the service worker', async ({ page }) => {
  await page.goto(`${site}?offline=1`);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await expect.poll(() => page.evaluate(() => crossOriginIsolated).catch(() => false)).toBe(true);
});
