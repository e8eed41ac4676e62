/** A stored photo as a small picture. */

import { h } from './dom.js';

/**
 * @param {import('./protocol.js').Thumbnail} photo
 * @param {string} [label] what a screen reader says; the photo's name otherwise
 */
export function thumbnail(photo, label) {
  const canvas = h('canvas', { width: photo.size, height: photo.size, class: 'thumbnail', role: 'img', 'aria-label': label ?? photo.name });
  const pixels = new Uint8ClampedArray(photo.pixels);
  canvas.getContext('2d')?.putImageData(new ImageData(pixels, photo.size, photo.size), 0, 0);
  return canvas;
}
