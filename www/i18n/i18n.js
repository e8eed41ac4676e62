/** Words of the page in the reader's language. */

import { en } from './en.js';
import { errors as enErrors } from './errors/en.js';
import { errors as koErrors } from './errors/ko.js';
import { ko } from './ko.js';

/** @typedef {'en' | 'ko'} Language */

/**
 * A sentence, or its forms where it speaks of a count.
 * @typedef {string | { one: string, other: string }} Words
 */

/** @type {Record<Language, Record<string, Words>>} */
const WORDS = { en: { ...en, ...enErrors }, ko: { ...ko, ...koErrors } };
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
  return globalThis.navigator?.language.toLowerCase().startsWith('ko') ? 'ko' : 'en';
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
 * A sentence by its key, `{name}` replaced from `values`. A number `n` is a count: it chooses the form, and
 * is written as the
 * language writes numbers.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const { n } = values;
  const all = typeof n === 'number' ? { ...values, n: new Intl.NumberFormat(current).format(n) } : values;
  const words = formOf(WORDS[current][key] ?? WORDS.en[key] ?? key, n);
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in all ? String(all[name]) : whole));
}

/** @param {Words} words @param {string | number | undefined} count */
function formOf(words, count) {
  if (typeof words === 'string') return words;
  const rule = new Intl.PluralRules(current).select(Number(count));
  return rule === 'one' ? words.one : words.other;
}

/** Whether a sentence of that key exists. @param {string} key */
export function known(key) {
  return key in WORDS[current];
}

/**
 * A name by its key, or the name itself where nobody translated it.
 * @param {string} stem
 * @param {string} name
 */
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
