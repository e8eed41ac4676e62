/** A stored photo as a small picture. */

import { h } from './dom.js';

/**
 * @param {import('../engine/protocol.js').Thumbnail} photo
 * @param {string} [label] what a screen reader says; the photo's name otherwise
 */
export function thumbnail(photo, label) {
  const canvas = h('canvas', {
    width: photo.size,
    height: photo.size,
    class: 'thumbnail',
    role: 'img',
    'aria-label': label ?? photo.name,
  });
  const pixels = new Uint8ClampedArray(photo.pixels);
  canvas.getContext('2d')?.putImageData(new ImageData(pixels, photo.size, photo.size), 0, 0);
  return canvas;
}

/**
 * A picture from its data URL, which the page's policy lets no image load by itself.
 * @param {string} url
 * @param {string} label
 */
export function pictureOf(url, label) {
  const [head, body] = url.split(',', 2);
  const bytes = Uint8Array.from(atob(body), digit => digit.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type: head.slice('data:'.length).split(';')[0] }));
  const image = h('img', { src: address, alt: label, class: 'thumbnail' });
  const release = () => URL.revokeObjectURL(address);
  image.addEventListener('load', release);
  image.addEventListener('error', release);
  return image;
}
