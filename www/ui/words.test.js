import assert from 'node:assert/strict';
import test from 'node:test';
import { errors } from '../i18n/errors/en.js';
import { harmless, wordDevice, wordError, wordValue } from './words.js';

/** A phrase. @param {string} key @param {Record<string, import('../engine/protocol.js').Value>} [values] */
const phrase = (key, values = {}) => ({ key, values });

test('phrases stand in phrases, numbers are written in full, names as they are', () => {
  const place = phrase('place.line_column', { line: 2, column: 7 });
  assert.equal(wordValue(phrase('hint.see', { place })), 'See line 2, column 7.');
  const range = phrase('expected.option_range', { name: 'std', low: 0.0001, high: 65536 });
  assert.equal(wordValue(range), '`std` from 0.0001 to 65,536');
  const call = phrase('hint.use_macro', { name: 'conv3' });
  assert.equal(wordValue(call), "Use the macro: ['custom', {'name': 'conv3', 'args': {'#act': 'LA'}}].");
});

test('an error is one text: what was expected and found, and what may help', () => {
  const error = {
    code: 'layer',
    layer: '2.rhalf.0.conv',
    expected: phrase('expected.option', { kind: 'conv', known: 'ksize, chn' }),
    found: phrase('words.code', { code: 'chnn' }),
    suggestion: phrase('hint.did_you_mean', { name: 'chn' }),
  };
  assert.equal(
    wordError(error),
    'Layer 2.rhalf.0.conv: expected an option of `conv` (ksize, chn), found `chnn`. Did you mean `chn`?',
  );
  const setting = {
    code: 'setting',
    name: phrase('name.batch_size'),
    expected: phrase('expected.at_least', { least: 1 }),
  };
  assert.equal(
    wordError({ ...setting, found: phrase('words.value', { value: 0 }) }),
    'Setting batch size: expected at least 1, found 0.',
  );
  const memory = { code: 'memory', needed: 3 << 20, available: 1 << 20 };
  assert.equal(
    wordError({ ...memory, batch_that_fits: 4 }),
    'This needs 3 MB of memory, and 1 MB are allowed. A batch of 4 would fit.',
  );
  assert.match(wordError({ ...memory, batch_that_fits: null }), /Not even a batch of one fits\.$/);
});

test('a name from outside stays whole and moves nothing around it', () => {
  const name = 'roses/\u001b[2J\u202egpj.\r\nexe {reason} $& <b>.jpg';
  const words = wordError({ code: 'photo', name, reason: phrase('reason.no_image') });
  assert.equal(
    words,
    'The photo roses/\ufffd[2J\ufffdgpj.\ufffd\ufffdexe {reason} $& <b>.jpg cannot be used. It is not an image.',
  );
  const deep = phrase('hint.add_to_call', { name: '\u2066#n', place: 'a\u2029b' });
  assert.equal(wordValue(deep), "Add '\ufffd#n' to the args of the call at a\ufffdb.");
  assert.equal(wordDevice({ kind: 'gpu', name: 'WebGPU, \u009bcard' }), 'WebGPU, \ufffdcard');
});

test('a name that runs from right to left keeps that to itself, any other is left alone', () => {
  assert.equal(harmless('ورد 1.jpg'), '\u2068ورد 1.jpg\u2069');
  for (const name of ['장미/사진 1.jpg', 'fleur-d’été', '👩‍🌾.png', '']) assert.equal(harmless(name), name);
});

test('a device is data', () => {
  assert.equal(wordDevice({ kind: 'cpu', threads: 1 }), 'CPU, 1 thread');
  assert.equal(wordDevice({ kind: 'cpu', threads: 2 }), 'CPU, 2 threads');
  assert.equal(wordDevice({ kind: 'gpu', name: 'WebGPU, google swiftshader' }), 'WebGPU, google swiftshader');
});

test('what the page says after another sentence is a sentence', () => {
  for (const [key, words] of Object.entries(errors))
    if (/^(error|reason|problem|remedy|hint)\./.test(key))
      assert.match(String(words), /^[A-Z{].*[.?}]$/s, key);
});
