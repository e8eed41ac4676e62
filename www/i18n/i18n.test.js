import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { en } from './en.js';
import { t } from './i18n.js';
import { ko } from './ko.js';

test('both languages say the same things', () => {
  assert.deepEqual(Object.keys(ko).sort(), Object.keys(en).sort());
});

/** The forms of a sentence. @param {import('./i18n.js').Words} words */
const formsOf = words => (typeof words === 'string' ? [words] : [words.one, words.other]);

test('both languages name the same values, in every form', () => {
  /** @param {string} words */
  const values = words => [...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const [key, words] of Object.entries(en))
    for (const form of [...formsOf(words), ...formsOf(ko[key])])
      assert.deepEqual(values(form), values(formsOf(words)[0]), key);
});

test('a count chooses the form, and is written as the language writes it', () => {
  assert.equal(t('count.classes', { n: 1 }), '1 class');
  assert.equal(t('count.photos', { n: 1234 }), '1,234 photos');
  assert.equal(t('no.such_key'), 'no.such_key');
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
