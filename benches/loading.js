/**
 * Loads an archive of photos into Floret's page in one headless Chromium, and prints as JSON how long that took, the
 * longest gap between two frames meanwhile, and the memory that the browser took. Started by
 * `cargo xtask bench --loading`, which builds and serves the page and lets the terminal take turns.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { args, executablePath } from '../tests/browser/chromium.js';

const { FLORET_URL = '', FLORET_ARCHIVE = '' } = process.env;
/** Milliseconds for one archive. */
const PATIENCE = 1_200_000;

/** Bytes that all processes of the browser have in memory, where the system tells; of shared ones each its share. */
function memoryOf(/** @type {string} */ program) {
  let bytes = 0;
  for (const id of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(program)) continue;
      bytes +=
        1024 * Number(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)?.[1] ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  return bytes;
}

const browser = await chromium.launch({ executablePath, args });
try {
  const page = await browser.newPage({ locale: 'en-US' });
  await page.goto(FLORET_URL);
  await page.locator('footer span').last().filter({ hasText: /./ }).waitFor();
  await page.evaluate(() => {
    const scope = /** @type {any} */ (globalThis);
    let last = performance.now();
    scope.gap = 0;
    const frame = () => {
      const now = performance.now();
      scope.gap = Math.max(scope.gap, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  let most = 0;
  const look = () => {
    try {
      most = Math.max(most, memoryOf('chrom'));
    } catch {
      // No such files on this system.
    }
  };
  const looking = setInterval(look, 500);
  const before = performance.now();
  await page.locator('input[name="archive"]').setInputFiles(FLORET_ARCHIVE);
  await page.locator('.class-card canvas').first().waitFor({ timeout: PATIENCE });
  const seconds = (performance.now() - before) / 1000;
  clearInterval(looking);
  const photos = await page.evaluate(async () => {
    const { store } = await import(new URL('./state/state.js', location.href).href);
    return store.value.library.photos;
  });
  const gap = await page.evaluate(() => /** @type {any} */ (globalThis).gap);
  const version = browser.version();
  console.log(JSON.stringify({ photos, seconds, longest_gap_ms: gap, memory_bytes: most, version }));
} finally {
  await browser.close();
}
