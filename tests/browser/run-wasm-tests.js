/**
 * Opens the page of wasm-bindgen's test runner, and prints what the tests say: `node run-wasm-tests.js URL`.
 */
import { chromium } from '@playwright/test';
import { args, executablePath } from './chromium.js';

const LONGEST_SUITE_MS = 20 * 60 * 1000;

/** Waits for the server, which first writes the bindings. @param {string} url */
async function waitFor(url) {
  for (;;) {
    try {
      await fetch(url);
      return;
    } catch {
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
}

const url = process.argv[2];
await waitFor(url);
const browser = await chromium.launch({ executablePath, args });
const page = await browser.newPage();
page.on('pageerror', error => console.error(error.message));
await page.goto(url);
const output = page.locator('#output');
await output.filter({ hasText: 'test result: ' }).waitFor({ state: 'attached', timeout: LONGEST_SUITE_MS });
const text = (await output.textContent()) ?? '';
console.log(text);
await browser.close();
process.exit(text.includes('test result: ok') ? 0 : 1);
