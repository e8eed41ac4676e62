/** Whether the model's probabilities can be taken at their word: a diagram, and the same as a table. */

import { t } from '../i18n/i18n.js';
import { h, svg } from './dom.js';
import { number, percent } from './format.js';
import { numberCell, numbers, scrollTable } from './table.js';

/** @typedef {import('../engine/protocol.js').Reliability['bins'][number]} Bin */

/** Side of the square in its own units. */
const SIDE = 300;
/** Answers that make a bin's share reliable itself: to within some 14 points. */
const MANY = 50;

/**
 * A bar a bin, as high as its share of right answers; the diagonal is what its probabilities promise.
 * @param {import('../engine/protocol.js').Reliability} table
 */
function diagram({ bins }) {
  const width = SIDE / bins.length;
  const bar = (/** @type {Bin} */ { count, accuracy }, /** @type {number} */ index) =>
    svg('rect', {
      x: index * width + 1,
      y: SIDE * (1 - accuracy),
      width: width - 2,
      height: SIDE * accuracy,
      class: 'reliability-bar',
      // A bin of few answers tells little, and looks like it.
      'fill-opacity': count === 0 ? 0 : (0.25 + 0.75 * Math.sqrt(Math.min(count / MANY, 1))).toFixed(2),
    });
  return svg(
    'svg',
    {
      viewBox: `-1 -1 ${SIDE + 2} ${SIDE + 2}`,
      class: 'reliability',
      role: 'img',
      'aria-label': t('report.reliability_picture'),
    },
    svg('rect', { x: 0, y: 0, width: SIDE, height: SIDE, class: 'reliability-frame' }),
    bins.map(bar),
    svg('line', { x1: 0, y1: SIDE, x2: SIDE, y2: 0, class: 'reliability-promise' }),
  );
}

/**
 * The card of the test report.
 * @param {import('../engine/protocol.js').Evaluation} report
 */
export function reliability({ reliability: table, uncalibrated }) {
  const [before, after] = [uncalibrated, table].map(one => one.expected_calibration_error);
  const values = { before: percent(before), after: percent(after) };
  const better = before !== null && after !== null && after < before;
  const words = better ? t('report.ece_both', values) : t('report.ece', { share: percent(after) });
  const rows = table.bins
    .filter(({ count }) => count > 0)
    .map(({ confidence, accuracy, count }) =>
      h('tr', {}, [percent(confidence, 0), percent(accuracy, 0), number(count)].map(numberCell)),
    );
  const columns = numbers(['stated', 'right', 'support'].map(name => t(`report.${name}`)));
  const axes = h('figcaption', { class: 'small soft' }, t('report.reliability_axes'));
  const figure = h('figure', { class: 'reliability-figure' }, diagram(table), axes);
  return h(
    'section',
    { class: 'card tight' },
    h('h2', {}, t('report.reliability')),
    h('p', { class: 'small soft' }, t('report.reliability_how')),
    after !== null && h('p', {}, words),
    h('div', { class: 'columns' }, figure, scrollTable(t('report.reliability'), columns, rows)),
  );
}
