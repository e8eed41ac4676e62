/** A visit to the page: what every test of it begins with. */
import { expect } from '@playwright/test';
import { garden, zip } from './photos.js';

/** @typedef {import('@playwright/test').Page} Page */

/** Collects what the page complains about. @param {Page} page */
export function complaints(page) {
  /** @type {string[]} */
  const heard = [];
  page.on('pageerror', error => heard.push(error.message));
  page.on('console', message => {
    if (message.type() === 'error') heard.push(message.text());
  });
  return heard;
}

/** Opens the page and waits for the engine. @param {Page} page */
export async function visit(page) {
  await page.goto('/');
  await expect(page.locator('footer span').last()).not.toBeEmpty();
}

/**
 * Gives the page a zip of flowers, some of them broken.
 * @param {Page} page
 * @param {number} count photos a class
 * @param {[string, Buffer][]} [more]
 */
export async function loadPhotos(page, count, more = []) {
  await page.locator('input[name="archive"]').setInputFiles({
    name: 'garden.zip',
    mimeType: 'application/zip',
    buffer: zip([...garden(count), ...more]),
  });
  await expect(page.locator('.class-card canvas').first()).toBeVisible();
}

/**
 * Goes to a step as a reader does, by its link.
 * @param {Page} page
 * @param {string} step its name in `www/panels/views.js`
 */
export async function go(page, step) {
  await page.locator(`.steps a[href="#${step}"]`).click();
  await expect(page.locator(`floret-${step}`)).toBeVisible();
}

/** The share of the run that is done, as the step's link says. @param {Page} page */
export async function share(page) {
  return Number.parseFloat((await page.locator('.steps a[href="#train"] .status').textContent()) ?? '');
}

/** Sets the number of epochs. @param {Page} page @param {number} epochs */
export async function setEpochs(page, epochs) {
  await page.locator('#set-epochs').fill(String(epochs));
  await page.locator('#set-epochs').blur();
}

/** Probabilities that the page shows, by class. @param {Page} page */
export async function answers(page) {
  await expect(page.locator('.bars li').first()).toBeVisible();
  const names = await page.locator('.bar-name').allTextContents();
  const values = await page.locator('.bar-value').allTextContents();
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}
