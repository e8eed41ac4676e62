/** Heat maps: their colours, and where they are strongest, in words. */

/**
 * From cold to hot; lightness rises all the way, so that it reads without colour too (after matplotlib's
 * inferno).
 */
const STOPS = [
  [6, 4, 24],
  [68, 16, 98],
  [150, 38, 103],
  [218, 76, 66],
  [250, 150, 28],
  [252, 250, 164],
];

/** The colour of a heat. @param {number} value 0 to 1 @returns {number[]} red, green, blue */
export function heatColour(value) {
  const place = Math.min(Math.max(value, 0), 1) * (STOPS.length - 1);
  const from = Math.min(Math.floor(place), STOPS.length - 2);
  return STOPS[from].map((start, channel) =>
    Math.round(start + (STOPS[from + 1][channel] - start) * (place - from)),
  );
}

/**
 * Which of nine fields holds the heat's centre: `middle`, `top`, `top_left` …
 * @param {{ values: number[], width: number, height: number }} heat row by row
 */
export function whereStrongest({ values, width, height }) {
  let [sum, x, y] = [0, 0, 0];
  values.forEach((value, index) => {
    // Squared: the hottest parts decide.
    const weight = value * value;
    sum += weight;
    x += weight * (((index % width) + 0.5) / width);
    y += weight * ((Math.floor(index / width) + 0.5) / height);
  });
  if (sum === 0) return 'middle';
  const third = (/** @type {number} */ at, /** @type {string} */ low, /** @type {string} */ high) =>
    at < 0.4 ? low : at > 0.6 ? high : '';
  return (
    [third(y / sum, 'top', 'bottom'), third(x / sum, 'left', 'right')].filter(Boolean).join('_') || 'middle'
  );
}
