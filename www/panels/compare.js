/**
 * The report's experiment again: four networks on the same photos, split, seed and recipe, beside what the
 * report measured.
 */

import { language, nameOf, t } from '../i18n/i18n.js';
import { shareDone } from '../state/run.js';
import { compare, experimentReport, learning, stop } from '../state/session.js';
import { Chart } from '../ui/chart.js';
import { fill, h } from '../ui/dom.js';
import { download } from '../ui/files.js';
import { duration, number, percent, short } from '../ui/format.js';
import { icon } from '../ui/icons.js';
import { button, Panel, say } from '../ui/panel.js';
import { numberCell, numbers, rowHead, scrollTable, tableRow } from '../ui/table.js';
import { pictureOf } from '../ui/thumbnail.js';

/** @typedef {import('../state/run.js').ComparedRun} ComparedRun */
/** @typedef {import('../engine/protocol.js').Experiment} Experiment */
/** @typedef {import('../engine/protocol.js').Prediction} Prediction */
/** @typedef {import('../engine/protocol.js').Sample} Sample */

const COLUMNS = ['accuracy', 'report_accuracy', 'time', 'report_time', 'parameters', 'flops'];

/** What is done otherwise than in the report. */
const REASONS = ['pixels', 'normalisation', 'initialisation', 'pooling'];

/** Forms that the report is saved in. */
const FORMATS = /** @type {const} */ ({ html: 'text/html', md: 'text/markdown' });

class Compare extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['comparison', 'run', 'library', 'reported'];

  /** Accuracy of every network by epoch. @type {Chart | null} */
  chart = null;
  go = h('button', { type: 'button', class: 'button', onclick: () => this.press() });
  says = h('p', { class: 'small', role: 'status' });
  bar = h('progress', { max: 1 });
  results = h('div', { class: 'tight' });
  answers = h('div', { class: 'tight' });
  saving = h('div', { class: 'row' });
  /** The experiment whose answers are shown. @type {Experiment | null} */
  answered = null;

  render() {
    this.chart?.remove();
    this.chart = this.newChart();
    this.bar.setAttribute('aria-label', t('compare.title'));
    fill(this.answers);
    this.answered = null;
    const formats = /** @type {(keyof typeof FORMATS)[]} */ (Object.keys(FORMATS));
    fill(
      this.saving,
      formats.map(format =>
        button(t(`compare.save_${format}`), () => this.run(() => this.save(format)), icon('save')),
      ),
    );
    const reason = (/** @type {string} */ name) =>
      h('li', {}, h('strong', {}, t(`compare.why_${name}`)), ' ', t(`compare.why_${name}_words`));
    const why = h('details', {}, h('summary', {}, t('compare.why')));
    why.append(h('ul', { class: 'small' }, REASONS.map(reason)));
    const section = h('section', { class: 'card tight' }, h('h2', {}, t('compare.title')));
    section.append(
      h('p', { class: 'soft' }, t('compare.lead')),
      h('div', { class: 'row' }, this.go),
      this.says,
      this.bar,
      this.fault,
      this.results,
      this.chart.element,
      this.answers,
      this.saving,
      why,
    );
    fill(this, section);
    this.update(new Set(['comparison']));
  }

  newChart() {
    return new Chart({
      label: t('compare.curves'),
      x: t('train.epoch_axis'),
      top: 1,
      whole: true,
      format: value => percent(value, 0),
      series: this.names().map((label, index) => ({ label, colour: `--class-${index}`, style: 'marks' })),
    });
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
    const running = comparison?.running === true;
    const words = t(running ? 'compare.stop' : 'compare.start');
    if (this.go.textContent !== words) fill(this.go, icon(running ? 'stop' : 'play'), words);
    this.go.disabled = !library || library.photos === 0 || (!running && learning());
    this.showProgress();
    if (changed.has('comparison')) this.showResults();
  }

  showResults() {
    const { comparison } = this.state;
    const runs = comparison?.runs ?? [];
    const experiment = comparison?.experiment ?? null;
    this.saving.hidden = experiment === null;
    fill(this.results, runs.length > 0 && this.table(runs));
    if (this.chart) {
      this.chart.element.hidden = runs.length === 0;
      this.chart.show(this.curves(runs));
    }
    if (this.answered === experiment) return;
    this.answered = experiment;
    fill(this.answers, experiment && answers(experiment));
  }

  /** Which network learns, and how far the whole has come. */
  showProgress() {
    const { comparison, run } = this.state;
    const current = comparison?.runs.at(-1);
    const running = comparison?.running === true && current !== undefined;
    this.bar.hidden = !running;
    if (!running) {
      say(this.says, '');
      return;
    }
    const [n, all] = [comparison.runs.length, this.names().length];
    say(this.says, t('compare.says', { n, all, name: current.name }));
    this.bar.value = (n - 1 + shareDone(run)) / all;
  }

  press() {
    if (this.state.comparison?.running) stop();
    else this.run(() => compare(this.names()));
  }

  /** @param {keyof typeof FORMATS} format */
  async save(format) {
    download(await experimentReport(format, language()), `experiment.${format}`, FORMATS[format]);
  }

  /** @param {ComparedRun[]} runs */
  table(runs) {
    const { experiment } = this.state.comparison ?? {};
    const judged = (/** @type {string} */ name) => experiment?.runs.some(({ model }) => model === name);
    const row = (/** @type {ComparedRun} */ { name, accuracy, lines, parameters, flops }) => {
      const reported = this.state.reported.find(({ model }) => model === name);
      const cells = [
        accuracy === null && !judged(name) ? '…' : percent(accuracy),
        reported ? percent(reported.accuracy) : '–',
        duration(lines.at(-1)?.total_seconds ?? NaN),
        duration(reported?.seconds ?? NaN),
        number(parameters),
        short(flops),
      ];
      return tableRow(rowHead(name), cells.map(numberCell));
    };
    const columns = [{ words: t('compare.network') }, ...numbers(COLUMNS.map(name => t(`compare.${name}`)))];
    return scrollTable(t('compare.title'), columns, runs.map(row));
  }

  /**
   * Validation accuracy of every run by epoch.
   * @param {ComparedRun[]} runs
   * @returns {import('../ui/chart.js').Columns}
   */
  curves(runs) {
    const epochs = Math.max(0, ...runs.map(({ lines }) => lines.length));
    const x = Array.from({ length: epochs }, (_, index) => index + 1);
    const accuracy = (/** @type {string} */ name) => {
      const lines = runs.find(run => run.name === name)?.lines ?? [];
      return x.map(epoch => lines[epoch - 1]?.validation_accuracy ?? null);
    };
    return [x, ...this.names().map(accuracy)];
  }
}

/** The same test photos, every network's answer. @param {Experiment} experiment */
function answers({ classes, samples, runs }) {
  const answer = (/** @type {Prediction} */ { truth, predicted, probabilities }) => {
    const right = truth === predicted;
    return h(
      'td',
      { class: right ? 'answered right' : 'answered' },
      h('span', { 'aria-hidden': 'true' }, right ? '✓ ' : '✗ '),
      h('span', { class: 'sr' }, t(right ? 'compare.right' : 'compare.wrong')),
      `${nameOf('class', classes[predicted])} ${percent(probabilities[predicted], 0)}`,
    );
  };
  const row = (/** @type {Sample} */ { picture, name, truth }, /** @type {number} */ index) =>
    tableRow(h('td', {}, pictureOf(picture, name)), [
      rowHead(nameOf('class', classes[truth])),
      ...runs.map(run => answer(run.answers[index])),
    ]);
  const columns = [t('compare.photo'), t('compare.truth'), ...runs.map(({ model }) => model)];
  return [
    h('h3', {}, t('compare.answers')),
    h('p', { class: 'small soft' }, t('compare.answers_how')),
    scrollTable(
      t('compare.answers'),
      columns.map(words => ({ words })),
      samples.map(row),
      { style: 'answers-table' },
    ),
  ];
}

customElements.define('floret-compare', Compare);
