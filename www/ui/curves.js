/** A run as it goes: the curves of loss and accuracy, and the figures of the moment. */

import { t } from '../i18n/i18n.js';
import { Chart, smooth } from './chart.js';
import { h } from './dom.js';
import { duration, number, percent } from './format.js';

/** Points that the drawn curve averages over. */
const SMOOTHING = 9;

/** Loss and accuracy by epoch, in training and on the validation photos. */
export class Curves {
  constructor() {
    const series = [
      { label: t('train.training'), colour: '--petal', style: /** @type {const} */ ('line') },
      { label: t('train.validation'), colour: '--sky', style: /** @type {const} */ ('dots') },
    ];
    const x = t('train.epoch_axis');
    this.loss = new Chart({
      label: t('train.loss'),
      x,
      format: value => number(value, { maximumFractionDigits: 2 }),
      series,
    });
    this.accuracy = new Chart({
      label: t('train.accuracy'),
      x,
      top: 1,
      format: value => percent(value, 0),
      series,
    });
    this.element = h(
      'section',
      { class: 'card charts', 'aria-label': t('train.curves') },
      this.loss.element,
      this.accuracy.element,
    );
  }

  /** @param {import('../state/run.js').History} history */
  show({ step, loss, accuracy, lines }) {
    const checks = lines.filter(({ validation_loss }) => validation_loss != null);
    this.loss.show(
      merged(
        step,
        smooth(loss, SMOOTHING),
        checks.map(({ epoch, validation_loss }) => [epoch, validation_loss ?? null]),
      ),
    );
    this.accuracy.show(
      merged(
        step,
        smooth(accuracy, SMOOTHING),
        checks.map(({ epoch, validation_accuracy }) => [epoch, validation_accuracy ?? null]),
      ),
    );
  }

  remove() {
    this.loss.remove();
    this.accuracy.remove();
  }
}

/**
 * The figures of the moment, for a `dl`.
 * @param {import('../state/run.js').Run} run
 * @param {import('../engine/protocol.js').RecipeChoice} recipe
 */
export function factsOf({ last, history, imagesPerSecond }, { batch_size }) {
  const fact = (/** @type {string} */ name, /** @type {string} */ value) =>
    h('div', {}, h('dt', {}, t(`train.${name}`)), h('dd', {}, value));
  const recent = (/** @type {number[]} */ values) => smooth(values, SMOOTHING).at(-1);
  // A run that came back has its epochs and no steps.
  const line = history.lines.at(-1);
  const [loss, accuracy] = [recent(history.loss) ?? line?.loss, recent(history.accuracy) ?? line?.accuracy];
  const perStep = last && last.images > 0 && imagesPerSecond > 0 ? batch_size / imagesPerSecond : NaN;
  return [
    fact(
      'loss',
      loss === undefined ? '–' : number(loss, { minimumFractionDigits: 3, maximumFractionDigits: 3 }),
    ),
    fact('accuracy_now', accuracy === undefined ? '–' : percent(accuracy)),
    fact('speed', imagesPerSecond > 0 ? number(imagesPerSecond, { maximumFractionDigits: 0 }) : '–'),
    fact('left', last && !last.finished ? duration((last.steps - last.step) * perStep) : '–'),
  ];
}

/**
 * Columns of a chart: the curve, and the checks at the ends of epochs.
 * @param {number[]} x
 * @param {number[]} curve
 * @param {[number, number | null][]} checks
 * @returns {import('./chart.js').Columns}
 */
function merged(x, curve, checks) {
  /** @type {Map<number, [number | null, number | null]>} */
  const points = new Map(x.map((at, index) => [at, [curve[index], null]]));
  for (const [at, value] of checks) points.set(at, [points.get(at)?.[0] ?? null, value]);
  const order = [...points.keys()].sort((a, b) => a - b);
  return [order, order.map(at => points.get(at)?.[0] ?? null), order.map(at => points.get(at)?.[1] ?? null)];
}
