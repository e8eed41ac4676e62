import assert from 'node:assert/strict';
import test from 'node:test';
import { en } from './i18n/en.js';
import { ko } from './i18n/ko.js';

test('both languages say the same things', () => {
  assert.deepEqual(Object.keys(ko).sort(), Object.keys(en).sort());
});

test('both languages name the same values', () => {
  /** @param {string} words */
  const values = (words) => [...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const key of Object.keys(en)) assert.deepEqual(values(ko[key]), values(en[key]), key);
});
