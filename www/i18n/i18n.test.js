import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { en } from './en.js';
import { ko } from './ko.js';

test('both languages say the same things', () => {
  assert.deepEqual(Object.keys(ko).sort(), Object.keys(en).sort());
});

test('both languages name the same values', () => {
  /** @param {string} words */
  const values = words => [...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const key of Object.keys(en)) assert.deepEqual(values(ko[key]), values(en[key]), key);
});

test('every error of the engine that can reach the page has words', () => {
  const source = readFileSync(new URL('../../src/error.rs', import.meta.url), 'utf8');
  const variants = [
    ...source.slice(source.indexOf('pub enum Error')).matchAll(/^ {4}([A-Z]\w+)(?: \{|,)/gm),
  ].map(([, name]) => name);
  assert.ok(variants.length > 10, String(variants));
  // Files have paths in the terminal only; who cancels knows it.
  const worded = variants.filter(name => !['File', 'Cancelled'].includes(name));
  for (const name of worded)
    assert.ok(`error.${name.replace(/(?<=.)[A-Z]/g, '_$&').toLowerCase()}` in en, name);
});
