import assert from 'node:assert/strict';
import test from 'node:test';
import { Photos } from './loading.js';

/** An engine that takes nothing, and refuses the file `big`. @returns {any} */
function context() {
  const refuse = () => {
    throw { code: 'photo_memory' };
  };
  return {
    module: { is_clutter: (/** @type {string} */ path) => path === 'clutter' },
    engine: {
      begin_photos: () => {},
      accept_layout: () => {},
      finish_photos: () => ({ photos: 0 }),
      sum_up_photos: () => ({ photos: 0 }),
      take_file: (/** @type {string} */ path) => path === 'big' && refuse(),
      settle: () => ({ finished: true, bytes: 0, photos: 0, name: '', foreign: false }),
    },
    exclusive: async (/** @type {() => unknown} */ work) => work(),
    progress: () => {},
    breathe: async () => {},
    cancelled: () => false,
  };
}

/** @param {string} path @returns {any} */
const source = path => ({ path, file: new Blob() });

test('files that do not fit are not read again', async () => {
  const photos = new Photos();
  await photos.add([source('small')], 64, context());
  await assert.rejects(photos.add([source('big')], 64, context()));
  assert.deepEqual(
    photos.sources.map(({ path }) => path),
    ['small'],
  );
  // What was read until then is a fragment: the next fit reads the others again.
  assert.equal(photos.size, 0);
  await photos.fit(64, context());
  assert.equal(photos.size, 64);
});

test('clutter is passed over, progress counts bytes and ends at the whole', async () => {
  /** @type {string[]} */
  const taken = [];
  /** @type {number[]} */
  const parts = [];
  const told = context();
  told.engine.take_file = (/** @type {string} */ path) => taken.push(path);
  told.progress = (/** @type {{ part: number }} */ { part }) => parts.push(part);
  const files = ['a', 'clutter', 'b'].map(path => ({ path, file: new Blob([path]) }));
  await new Photos().add(files, 64, told);
  assert.deepEqual(taken, ['a', 'b']);
  assert.deepEqual(parts, [0, 1]);
});

test('what the engine does not read goes to the browser, and is listed where that fails too', async () => {
  const AVIF = { key: 'reason.avif', values: {} };
  /** @type {unknown[][]} */
  const skipped = [];
  const asked = context();
  let foreign = true;
  asked.engine.settle = () => ({ finished: !foreign, bytes: 0, photos: 0, name: '', foreign });
  asked.engine.take_foreign = () => {
    foreign = false;
    return [{ name: 'a.avif', bytes: new Uint8Array(), reason: AVIF }];
  };
  asked.engine.skip = (/** @type {string} */ name, /** @type {unknown} */ reason) =>
    skipped.push([name, reason]);
  await new Photos().add([source('a.avif')], 64, asked);
  assert.deepEqual(skipped, [['a.avif', AVIF]]);
});
