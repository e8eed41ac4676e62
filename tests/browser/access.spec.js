/**
 * Everyone can use the page: no serious fault by axe, in both languages and themes; a whole run by keyboard
 * alone.
 */
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { complaints, go, loadPhotos, setEpochs, visit } from './visit.js';

for (const locale of ['en-US', 'ko-KR']) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test.describe(`${locale}, ${colorScheme}`, () => {
      test.use({ locale, colorScheme });

      test('axe finds no serious fault', async ({ page }) => {
        // Colours are judged at rest, not half way through an animation.
        await page.emulateMedia({ reducedMotion: 'reduce' });
        await visit(page);
        expect(await page.evaluate(() => document.documentElement.lang)).toBe(locale.slice(0, 2));
        await check(page, 'welcome');
        await loadPhotos(page, 8);
        await check(page, 'photos');
        await go(page, 'network');
        await page.locator('floret-network details').last().locator('summary').click();
        await check(page, 'network');
        await go(page, 'train');
        await setEpochs(page, 1);
        await check(page, 'train');
        await page.locator('.stage button.primary').click();
        await expect(page.locator('floret-report .figure')).toHaveCount(1);
        await check(page, 'trained');
        await go(page, 'report');
        await check(page, 'report');
        await go(page, 'classify');
        await check(page, 'classify');
      });
    });
  }
}

/** @param {import('@playwright/test').Page} page @param {string} where */
async function check(page, where) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(
    serious.map(
      ({ id, nodes }) => `${where}: ${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
    ),
  ).toEqual([]);
}

test.describe('by keyboard', () => {
  test.use({ locale: 'en-US' });

  test('drawn flowers are loaded, a network learns, all by keyboard', async ({ page }) => {
    const heard = complaints(page);
    await visit(page);
    await press(page, 'Start with drawn flowers');
    await expect(page.locator('.class-card').first()).toBeVisible();
    await press(page, 'Choose a network');
    await expect(page.locator('floret-network h1')).toBeFocused();
    await press(page, 'Train it');
    await tabTo(page, () => document.activeElement?.id === 'set-epochs');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('1');
    await page.keyboard.press('Tab');
    await page.locator('floret-train h1').focus();
    await press(page, 'Start');
    await expect(page.locator('floret-report .figure')).toHaveCount(1);
    expect(heard).toEqual([]);
  });

  test('the language changes, and focus stays', async ({ page }) => {
    await visit(page);
    await press(page, '한국어');
    await expect(page.locator('html')).toHaveAttribute('lang', 'ko');
    await expect(page.locator(':focus')).toHaveText('English');
    await expect(page.locator('floret-photos h1')).toHaveText('꽃을 알아보는 신경망을 길러 보세요');
  });
});

/**
 * Tabs to a button or link by its words and presses it.
 * @param {import('@playwright/test').Page} page
 * @param {string} words
 */
async function press(page, words) {
  await tabTo(page, wanted => document.activeElement?.textContent?.trim() === wanted, words);
  await page.keyboard.press('Enter');
}

/**
 * @param {import('@playwright/test').Page} page
 * @param {(value: string) => boolean} found
 * @param {string} [value]
 */
async function tabTo(page, found, value = '') {
  for (let presses = 0; presses < 80; presses += 1) {
    if (await page.evaluate(found, value)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`not reached by Tab: ${value}`);
}
