/** Line icons of the page, 24 × 24. */

import { svg } from './dom.js';

/** @type {Record<string, string>} */
const PATHS = {
  photos: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01',
  network: 'M5 6h4v4H5zM15 4h4v4h-4zM15 16h4v4h-4zM9 8h3v10h3M12 8V6h3',
  train: 'M4 19V5M4 19h16M7 9c3 6 6 7 12 7.5',
  report: 'M6 4h12v16H6zM9 9h6M9 13h6M9 17h3',
  why: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5M8 11h6M11 8v6',
  classify:
    'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4',
  moon: 'M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4',
  play: 'M8 5l11 7-11 7z',
  stop: 'M7 7h10v10H7z',
  folder: 'M3 6h6l2 2h10v11H3z',
  archive: 'M4 4h16v5H4zM6 9v11h12V9M10 13h4',
  camera: 'M4 8h4l2-3h4l2 3h4v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z',
  save: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  open: 'M12 16V5M7 9l5-5 5 5M5 20h14',
  check: 'M5 13l4 4L19 7',
  arrow: 'M5 12h14M13 6l6 6-6 6',
  bin: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13',
  seed: 'M12 20V10M12 10c0-4 3-6 7-6 0 5-3 7-7 6zM12 14c0-3-2.5-5-6-5 0 4 2.5 6 6 5z',
};

/** A decorative icon. @param {keyof typeof PATHS} name */
export function icon(name) {
  return svg(
    'svg',
    { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true', focusable: 'false' },
    svg('path', { d: PATHS[name] }),
  );
}
