import { defineConfig } from '@playwright/test';
import { args, executablePath } from './chromium.js';

/** Started by `cargo xtask test browser`, which builds the page and serves it on ports of its own. */
export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.js',
  outputDir: '../../test-results',
  forbidOnly: Boolean(process.env.CI),
  // Training takes the whole machine; two tests at a time would only slow each other down.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  use: {
    baseURL: process.env.FLORET_URL,
    screenshot: 'only-on-failure',
    launchOptions: { executablePath, args },
  },
});
