import assert from 'node:assert/strict';
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
