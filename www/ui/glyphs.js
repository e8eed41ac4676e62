/** A little picture of each ready-made network: what its blocks look like. */

import { svg } from './dom.js';

/** @typedef {[number, number, number, number][]} Boxes x, y, width, height */

/** @type {Record<string, { boxes: Boxes, lines: string, skips?: string }>} */
const GLYPHS = {
  plain: {
    boxes: [
      [4, 12, 14, 16],
      [29, 12, 14, 16],
      [54, 12, 14, 16],
      [79, 12, 14, 16],
    ],
    lines: 'M18 20h11M43 20h11M68 20h11',
  },
  residual: {
    boxes: [
      [4, 14, 14, 16],
      [29, 14, 14, 16],
      [54, 14, 14, 16],
      [79, 14, 14, 16],
    ],
    lines: 'M18 22h11M43 22h11M68 22h11',
    skips: 'M23 22C23 -2 73 -2 73 22',
  },
  bottleneck: {
    boxes: [
      [4, 6, 14, 30],
      [29, 15, 14, 12],
      [54, 15, 14, 12],
      [79, 6, 14, 30],
    ],
    lines: 'M18 21h11M43 21h11M68 21h11',
  },
  inception: {
    boxes: [
      [4, 13, 14, 16],
      [38, 2, 18, 8],
      [38, 13, 26, 8],
      [38, 24, 12, 8],
      [38, 34, 22, 6],
      [82, 13, 14, 16],
    ],
    lines:
      'M18 21C28 21 28 6 38 6M18 21C28 21 28 17 38 17M18 21C28 21 28 28 38 28M18 21C28 21 28 37 38 37M56 6C72 6 72 21 82 21M64 17C74 17 74 21 82 21M50 28C72 28 72 21 82 21M60 37C74 37 74 21 82 21',
  },
  vgg: {
    boxes: [
      [4, 4, 10, 34],
      [20, 8, 10, 26],
      [36, 12, 10, 18],
      [52, 15, 10, 12],
      [70, 6, 4, 30],
      [82, 6, 4, 30],
    ],
    lines: 'M14 21h6M30 21h6M46 21h6M62 21h8M74 21h8',
  },
};

/** @param {string} name a preset, such as `residual_flower` */
export function glyph(name) {
  const { boxes, lines, skips } = GLYPHS[name.split('_')[0]] ?? GLYPHS.plain;
  return svg(
    'svg',
    { viewBox: '0 0 102 42', class: 'glyph', 'aria-hidden': 'true', focusable: 'false' },
    svg('path', { class: 'edge', d: lines }),
    skips ? svg('path', { class: 'edge skip-edge', d: skips }) : null,
    boxes.map(([x, y, width, height]) => svg('rect', { x, y, width, height, rx: 3 })),
  );
}
