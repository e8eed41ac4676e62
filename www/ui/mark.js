/**
 * The floret mark: a flower head grown at the golden angle, one floret after another. It is also the page's
 * progress.
 */

import { svg } from './dom.js';

const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));

/**
 * Centre and radius of floret `index` of `count` in a 100 × 100 square (Vogel, 1979).
 * @param {number} index
 * @param {number} count
 */
export function floretAt(index, count) {
  const distance = 42 * Math.sqrt((index + 0.6) / count);
  const angle = index * GOLDEN_ANGLE;
  return {
    x: 50 + distance * Math.cos(angle),
    y: 50 + distance * Math.sin(angle),
    r: (42 / Math.sqrt(count)) * (0.5 + 0.3 * Math.sqrt(index / count)),
  };
}

/**
 * The mark as a picture; decorative, so hidden from screen readers.
 * @param {number} [count] florets
 */
export function mark(count = 34) {
  const florets = Array.from({ length: count }, (_, index) => {
    const { x, y, r } = floretAt(index, count);
    const ring = index < count * 0.3 ? 'core' : index < count * 0.62 ? 'inner' : 'outer';
    const floret = svg('circle', {
      cx: x.toFixed(2),
      cy: y.toFixed(2),
      r: r.toFixed(2),
      class: `floret ${ring}`,
    });
    floret.style.setProperty('--order', (index / count).toFixed(3));
    return floret;
  });
  return svg(
    'svg',
    { viewBox: '0 0 100 100', class: 'mark', 'aria-hidden': 'true', focusable: 'false' },
    florets,
  );
}

/** A flower head that blooms with progress. */
export class Bloom {
  /** @param {number} [count] florets */
  constructor(count = 144) {
    this.element = mark(count);
    this.element.classList.add('bloom');
    this.florets = [...this.element.children];
  }

  /** @param {number} share 0 to 1 */
  show(share) {
    const open = Math.round(Math.min(Math.max(share, 0), 1) * this.florets.length);
    for (const [index, floret] of this.florets.entries()) floret.classList.toggle('closed', index >= open);
  }
}
