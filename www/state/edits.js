/** Changes of the photos by hand, each of which can be taken back. */

import { learning, tookPhotos } from './session.js';
import { engine } from './state.js';

/** @param {import('../engine/protocol.js').Edit} edit */
export async function edit(edit) {
  if (!learning()) await tookPhotos(await engine.call('edit', { edit }));
}

/** Takes the last edit back, or makes it again. @param {boolean} back */
export async function stepEdits(back) {
  if (!learning()) await tookPhotos(await engine.call('stepEdits', { back }));
}

/** The photos of a class, or those that were left out by hand. @param {string | null} name */
export function photosOfClass(name) {
  return engine.call('photosOfClass', { class: name });
}

/** Small pictures of these photos. @param {number[]} photos */
export function thumbnails(photos) {
  return engine.call('thumbnails', { photos });
}

/** All edits, as a file for `floret doctor` and another visit. */
export async function editsFile() {
  const text = await engine.call('editsText', {});
  return new Blob([text], { type: 'application/json' });
}

/** Makes the edits of a file in place of all others. @param {File} file */
export async function useEdits(file) {
  if (learning()) return;
  await tookPhotos(await engine.call('useEdits', { name: file.name, text: await file.text() }));
}
