/** Whether the model's probabilities can be taken at their word: a diagram, and the same as a table. */

import { h, svg } from './dom.js';
import { number, percent } from './format.js';
import { t } from '../i18n/i18n.js';

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
  const bar = (
    /** @type {{ count: number, accuracy: number }} */ { count, accuracy },
    /** @type {number} */ index,
  ) =>
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
  const error = (
    /** @type {import('../engine/protocol.js').Reliability} */ { expected_calibration_error: share },
  ) => percent(share);
  const calibrated = table.expected_calibration_error < uncalibrated.expected_calibration_error;
  const rows = table.bins.filter(({ count }) => count > 0);
  return h(
    'section',
    { class: 'card tight' },
    h('h2', {}, t('report.reliability')),
    h('p', { class: 'small soft' }, t('report.reliability_how')),
    h(
      'p',
      {},
      calibrated
        ? t('report.ece_both', { before: error(uncalibrated), after: error(table) })
        : t('report.ece', { share: error(table) }),
    ),
    h(
      'div',
      { class: 'columns' },
      h(
        'figure',
        { class: 'reliability-figure' },
        diagram(table),
        h('figcaption', { class: 'small soft' }, t('report.reliability_axes')),
      ),
      h(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('report.reliability') },
        h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ['stated', 'right', 'support'].map(name =>
                h('th', { scope: 'col', class: 'number' }, t(`report.${name}`)),
              ),
            ),
          ),
          h(
            'tbody',
            {},
            rows.map(({ confidence, accuracy, count }) =>
              h(
                'tr',
                {},
                [percent(confidence, 0), percent(accuracy, 0), number(count)].map(cell =>
                  h('td', { class: 'number' }, cell),
                ),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}
