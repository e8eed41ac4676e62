/** The report's experiment again: four networks on the same photos, split, seed and recipe, beside what the report measured. */

import { Chart } from '../ui/chart.js';
import { fill, h } from '../ui/dom.js';
import { duration, number, percent, short } from '../ui/format.js';
import { nameOf, t } from '../i18n/i18n.js';
import { icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { compare, learning, saveExperiment, stop } from '../state/session.js';
import { pictureOf } from '../ui/thumbnail.js';

const COLUMNS = ['accuracy', 'report_accuracy', 'time', 'report_time', 'parameters', 'flops'];

/** What is done otherwise than in the report. */
const REASONS = ['pixels', 'normalisation', 'initialisation', 'pooling'];

class Compare extends Panel {
  get watches() {
    return ['comparison', 'run', 'library', 'reported'];
  }

  render() {
    const names = this.names();
    this.chart?.remove();
    this.chart = new Chart({
      label: t('compare.curves'),
      x: t('train.epoch_axis'),
      top: 1,
      whole: true,
      format: value => percent(value, 0),
      series: names.map((label, index) => ({
        label,
        colour: `--class-${index}`,
        look: /** @type {const} */ ('marks'),
      })),
    });
    this.button = h('button', { type: 'button', class: 'button', onclick: () => this.press() });
    this.says = h('p', { class: 'small', role: 'status' });
    this.bar = h('progress', { max: 1, 'aria-label': t('compare.title') });
    this.fault = h('div', {});
    this.results = h('div', { class: 'tight' });
    this.answers = h('div', { class: 'tight' });
    this.told = null;
    const save = (/** @type {'html' | 'md'} */ format) =>
      h(
        'button',
        { type: 'button', class: 'button', onclick: () => this.run(() => saveExperiment(format)) },
        icon('save'),
        t(`compare.save_${format}`),
      );
    this.saving = h('div', { class: 'row' }, save('html'), save('md'));
    fill(
      this,
      h(
        'section',
        { class: 'card tight' },
        h('h2', {}, t('compare.title')),
        h('p', { class: 'soft' }, t('compare.lead')),
        h('div', { class: 'row' }, this.button),
        this.says,
        this.bar,
        this.fault,
        this.results,
        this.chart.element,
        this.answers,
        this.saving,
        h(
          'details',
          {},
          h('summary', {}, t('compare.why')),
          h(
            'ul',
            { class: 'small' },
            REASONS.map(name =>
              h('li', {}, h('strong', {}, t(`compare.why_${name}`)), ' ', t(`compare.why_${name}_words`)),
            ),
          ),
        ),
      ),
    );
    this.update(new Set(['comparison']));
  }

  /** The networks of the report, in its order. */
  names() {
    return this.state.reported.map(({ model }) => model);
  }

  /** @param {Set<string>} changed */
  update(changed) {
    const { comparison, library } = this.state;
    if (changed.has('reported')) {
      this.render();
      return;
    }
    if (!this.button || !this.results || !this.chart || !this.answers || !this.saving) return;
    const running = comparison?.running === true;
    const words = t(running ? 'compare.stop' : 'compare.start');
    if (this.button.textContent !== words) fill(this.button, icon(running ? 'stop' : 'play'), words);
    this.button.disabled = !library || library.photos === 0 || (!running && learning());
    this.showProgress();
    if (!changed.has('comparison')) return;
    const runs = comparison?.runs ?? [];
    this.chart.element.hidden = runs.length === 0;
    this.saving.hidden = !comparison?.experiment;
    fill(this.results, runs.length > 0 && this.table(runs));
    this.chart.show(this.curves(runs));
    if (this.told !== (comparison?.experiment ?? null)) {
      this.told = comparison?.experiment ?? null;
      fill(this.answers, this.told && answers(this.told));
    }
  }

  /** Which network learns, and how far the whole has come. */
  showProgress() {
    const { comparison, run } = this.state;
    if (!this.says || !this.bar) return;
    const running = comparison?.running === true;
    this.bar.hidden = !running;
    const all = this.names().length;
    const current = comparison?.runs.length ?? 0;
    const says = running
      ? t('compare.says', { n: current, all, name: comparison.runs.at(-1)?.name ?? '' })
      : '';
    if (this.says.textContent !== says) this.says.textContent = says;
    const share = run.last ? run.last.step / Math.max(run.last.steps, 1) : 0;
    if (running) this.bar.value = Math.max(current - 1 + share, 0) / all;
  }

  press() {
    if (this.state.comparison?.running) stop();
    else this.run(() => compare(this.names()));
  }

  /** @param {import('../state/state.js').ComparedRun[]} runs */
  table(runs) {
    const row = (
      /** @type {import('../state/state.js').ComparedRun} */ { name, accuracy, lines, parameters, flops },
    ) => {
      const reported = this.state.reported.find(({ model }) => model === name);
      const cells = [
        accuracy === null ? '…' : percent(accuracy),
        reported ? percent(reported.accuracy) : '–',
        duration(lines.at(-1)?.total_seconds ?? NaN),
        duration(reported?.seconds ?? NaN),
        number(parameters),
        short(flops),
      ];
      return h(
        'tr',
        {},
        h('th', { scope: 'row' }, name),
        cells.map(cell => h('td', { class: 'number' }, cell)),
      );
    };
    return h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('compare.title') },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, t('compare.network')),
            COLUMNS.map(name => h('th', { scope: 'col', class: 'number' }, t(`compare.${name}`))),
          ),
        ),
        h('tbody', {}, runs.map(row)),
      ),
    );
  }

  /** Validation accuracy of every run by epoch. @param {import('../state/state.js').ComparedRun[]} runs @returns {import('../ui/chart.js').Columns} */
  curves(runs) {
    const epochs = Math.max(0, ...runs.map(({ lines }) => lines.length));
    const x = Array.from({ length: epochs }, (_, index) => index + 1);
    return [
      x,
      ...this.names().map(name =>
        x.map(epoch => runs.find(run => run.name === name)?.lines[epoch - 1]?.validation_accuracy ?? null),
      ),
    ];
  }
}

/** The same test photos, every network's answer. @param {import('../engine/protocol.js').Experiment} experiment */
function answers({ classes, samples, runs }) {
  const answer = (
    /** @type {import('../engine/protocol.js').Prediction} */ { truth, predicted, probabilities },
  ) => {
    const right = truth === predicted;
    return h(
      'td',
      { class: right ? 'answered right' : 'answered' },
      h('span', { 'aria-hidden': 'true' }, right ? '✓ ' : '✗ '),
      h('span', { class: 'sr' }, t(right ? 'compare.right' : 'compare.wrong')),
      `${nameOf('class', classes[predicted])} ${percent(probabilities[predicted], 0)}`,
    );
  };
  const row = (
    /** @type {import('../engine/protocol.js').Sample} */ { picture, name, truth },
    /** @type {number} */ number,
  ) =>
    h(
      'tr',
      {},
      h('td', {}, pictureOf(picture, name)),
      h('th', { scope: 'row' }, nameOf('class', classes[truth])),
      runs.map(run => run.answers[number] && answer(run.answers[number])),
    );
  return [
    h('h3', {}, t('compare.answers')),
    h('p', { class: 'small soft' }, t('compare.answers_how')),
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('compare.answers') },
      h(
        'table',
        { class: 'answers-table' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, t('compare.photo')),
            h('th', { scope: 'col' }, t('compare.truth')),
            runs.map(({ model }) => h('th', { scope: 'col' }, model)),
          ),
        ),
        h('tbody', {}, samples.map(row)),
      ),
    ),
  ];
}

customElements.define('floret-compare', Compare);
