import assert from 'node:assert/strict';
import test from 'node:test';
import { Photos } from './loading.js';

/** An engine that takes nothing, and refuses the file `big`. @returns {any} */
function context() {
  const refuse = () => {
    throw { code: 'photo_memory' };
  };
  return {
    module: { is_clutter: (/** @type {string} */ path) => (path === 'big' ? refuse() : true) },
    engine: { begin_photos: () => {}, finish_photos: () => ({ photos: 0 }) },
    exclusive: async (/** @type {() => unknown} */ work) => work(),
    progress: () => {},
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
