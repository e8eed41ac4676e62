/** Words of the page in the reader's language. */

import { en } from './en.js';
import { ko } from './ko.js';

/** @typedef {'en' | 'ko'} Language */

/** @type {Record<Language, Record<string, string>>} */
const WORDS = { en, ko };
const KEY = 'floret.language';

/** @type {Language} */
let current = chosen();

/** Fires `change` when the language does. */
export const languageEvents = new EventTarget();

/** @returns {Language} */
function chosen() {
  const asked = globalThis.location ? new URLSearchParams(location.search).get('lang') : null;
  if (asked === 'en' || asked === 'ko') return asked;
  const stored = readSetting(KEY);
  if (stored === 'en' || stored === 'ko') return stored;
  return navigator.language.toLowerCase().startsWith('ko') ? 'ko' : 'en';
}

/** The language of the page. */
export function language() {
  return current;
}

/** @param {Language} next */
export function setLanguage(next) {
  current = next;
  writeSetting(KEY, next);
  document.documentElement.lang = next;
  languageEvents.dispatchEvent(new Event('change'));
}

/**
 * A sentence by its key, `{name}` replaced from `values`.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const words = WORDS[current][key] ?? en[/** @type {keyof typeof en} */ (key)] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Whether a sentence of that key exists. @param {string} key */
export function known(key) {
  return key in WORDS[current];
}

/** A name by its key, or the name itself where nobody translated it. @param {string} stem @param {string} name */
export function nameOf(stem, name) {
  const key = `${stem}.${name}`;
  return known(key) ? t(key) : name;
}

/** A remembered setting; storage may be forbidden. @param {string} key */
export function readSetting(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
export function writeSetting(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Without storage the setting lasts as long as the page.
  }
}
