/** The page's words for errors are held to the engine's: same keys, same values. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { errors as en } from './en.js';
import { errors as ko } from './ko.js';

/** @param {string} path of the repository */
const source = path => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

/** The names of the values in a sentence. @param {import('../i18n.js').Words} words */
const valuesOf = words =>
  [...new Set([...JSON.stringify(words).matchAll(/\{([a-z_]+)\}/g)].map(([, name]) => name))].sort();

/** Key and phrase of the engine's table. */
const PHRASES = [
  ...source('src/error/english.rs').matchAll(/\(\s*"([a-z_.]+)",\s*("(?:[^"\\]|\\.)*"),?\s*\)/g),
].map(([, key, phrase]) => ({ key, phrase: JSON.parse(phrase) }));

/** Code and fields of every variant of the engine's error. */
const VARIANTS = [...source('src/error.rs').matchAll(/^ {4}([A-Z]\w+)(?: \{ (.*) \})?,$/gm)].map(
  ([, name, fields = '']) => ({
    code: name.replace(/(?<=.)[A-Z]/g, '_$&').toLowerCase(),
    fields: [...fields.matchAll(/(\w+):/g)].map(([, field]) => field),
  }),
);

/** What the page says of errors of its own, and the parts of a sentence. */
const OF_THE_PAGE = /^error\.(crashed|fetch_\w+|no_engine|page|memory_\w+)$/;

test('both languages have the same keys', () => {
  assert.deepEqual(Object.keys(ko).sort(), Object.keys(en).sort());
});

test('both languages name the same values', () => {
  for (const [key, words] of Object.entries(en)) assert.deepEqual(valuesOf(ko[key]), valuesOf(words), key);
});

test('the page has every phrase of the engine with its values, and no other', () => {
  assert.equal(PHRASES.length, Number(source('src/error/english.rs').match(/PHRASES: .*; (\d+)\]/)?.[1]));
  const known = Object.keys(en).filter(key => !key.startsWith('error.'));
  assert.deepEqual(known.sort(), PHRASES.map(({ key }) => key).sort());
  for (const { key, phrase } of PHRASES) assert.deepEqual(valuesOf(en[key]), valuesOf(phrase), key);
});

test('every error of the engine that can reach the page has a sentence of its fields', () => {
  assert.ok(VARIANTS.length > 14, JSON.stringify(VARIANTS));
  // Files have paths in the terminal only; who cancels knows it.
  const worded = VARIANTS.filter(({ code }) => code !== 'cancelled');
  for (const { code, fields } of worded) {
    const words = en[`error.${code}`];
    assert.ok(words, code);
    for (const name of valuesOf(words)) assert.ok(fields.includes(name), `${name} of ${code}`);
  }
  const keys = Object.keys(en).filter(key => key.startsWith('error.') && !OF_THE_PAGE.test(key));
  assert.deepEqual(keys.sort(), worded.map(({ code }) => `error.${code}`).sort());
});
