/** The report's experiment again: four networks on the same photos, split, seed and recipe, beside what the report measured. */

import { Chart } from '../chart.js';
import { fill, h } from '../dom.js';
import { duration, number, percent, short } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { Panel, showFailure } from '../panel.js';
import { compare, stop } from '../session.js';

/** Test accuracy and seconds of the report: 10 epochs, batch 10, NumPy. */
const REPORTED = /** @type {const} */ ({
  inception_flower: [0.306, 2860],
  plain_flower: [0.358, 1218],
  residual_flower: [0.463, 1216],
  bottleneck_flower: [0.42, 1403],
});

const COLUMNS = ['accuracy', 'report_accuracy', 'time', 'report_time', 'parameters', 'flops'];

class Compare extends Panel {
  get watches() {
    return ['comparison', 'run', 'library'];
  }

  render() {
    this.chart?.remove();
    this.chart = new Chart({
      label: t('compare.curves'),
      x: t('train.epoch_axis'),
      top: 1,
      format: (value) => percent(value, 0),
      series: Object.keys(REPORTED).map((label, index) => ({ label, colour: `--class-${index}`, look: /** @type {const} */ ('line') })),
    });
    this.button = h('button', { type: 'button', class: 'button', onclick: () => this.press() });
    this.fault = h('div', {});
    this.results = h('div', { class: 'tight' });
    fill(
      this,
      h('section', { class: 'card tight' }, h('h2', {}, t('compare.title')), h('p', { class: 'soft' }, t('compare.lead')), h('div', { class: 'row' }, this.button), this.fault, this.results, this.chart.element),
    );
    this.update();
  }

  update() {
    const { comparison, library, run } = this.state;
    if (!this.button || !this.results || !this.chart) return;
    const running = comparison?.running === true;
    fill(this.button, icon(running ? 'stop' : 'play'), t(running ? 'compare.stop' : 'compare.start'));
    this.button.disabled = !library || library.photos === 0 || (!running && ['starting', 'running', 'stopping'].includes(run.status));
    this.chart.element.hidden = !comparison;
    if (!comparison) return;
    fill(this.results, this.table(comparison));
    this.chart.show(curves(comparison.runs));
  }

  async press() {
    if (this.state.comparison?.running) {
      stop();
      return;
    }
    if (this.fault) fill(this.fault);
    try {
      await compare(Object.keys(REPORTED));
    } catch (failure) {
      if (this.fault) showFailure(this.fault, failure);
    }
  }

  /** @param {import('../state.js').Comparison} comparison */
  table({ runs }) {
    const row = (/** @type {import('../state.js').ComparedRun} */ { name, accuracy, lines, parameters, flops }) => {
      const [reportAccuracy, reportSeconds] = REPORTED[/** @type {keyof typeof REPORTED} */ (name)];
      const cells = [
        accuracy === null ? '…' : percent(accuracy),
        percent(reportAccuracy),
        duration(lines.at(-1)?.total_seconds ?? NaN),
        duration(reportSeconds),
        number(parameters),
        short(flops),
      ];
      return h('tr', {}, h('th', { scope: 'row' }, name), cells.map((cell) => h('td', { class: 'number' }, cell)));
    };
    return h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('compare.title') },
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('compare.network')), COLUMNS.map((name) => h('th', { scope: 'col', class: 'number' }, t(`compare.${name}`))))),
        h('tbody', {}, runs.map(row)),
      ),
      h('p', { class: 'small soft' }, t('compare.why')),
    );
  }
}

/** Validation accuracy of every run by epoch. @param {import('../state.js').ComparedRun[]} runs @returns {import('../chart.js').Columns} */
function curves(runs) {
  const epochs = Math.max(0, ...runs.map(({ lines }) => lines.length));
  const x = Array.from({ length: epochs }, (_, index) => index + 1);
  const names = Object.keys(REPORTED);
  return [x, ...names.map((name) => x.map((epoch) => runs.find((run) => run.name === name)?.lines[epoch - 1]?.validation_accuracy ?? null))];
}

customElements.define('floret-compare', Compare);
