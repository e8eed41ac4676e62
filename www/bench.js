/**
 * The speed of this browser: training and inference on the processor and by WebGPU, side by side.
 * `?model=&batch=&backend=cpu|gpu&steps=&task=train|infer&run=1`; the numbers are JSON in the element
 * `result`.
 */

import { language, t } from './i18n/i18n.js';
import { engine, store } from './state/state.js';
import { fill, h } from './ui/dom.js';
import { number } from './ui/format.js';
import { detailOf, heading, Panel, showFailure } from './ui/panel.js';
import { numberCell, numbers, rowHead, tableHead, tableRow } from './ui/table.js';
import { wordDevice } from './ui/words.js';

/** @typedef {import('./engine/protocol.js').BenchResult} BenchResult */

const query = new URLSearchParams(location.search);
const KEYS = /** @type {const} */ (['train_images_per_s', 'infer_images_per_s', 'infer_ms_per_image']);

/** A field for a count. @param {string} id @param {number} max @param {number} value */
function countOf(id, max, value) {
  return h('input', { id, type: 'number', min: 1, max, value: query.get(id) ?? value });
}

class Bench extends Panel {
  /** @type {import('./ui/panel.js').Part[]} */
  watches = ['presets'];

  model = h('select', { id: 'model' });
  batch = countOf('batch', 512, 10);
  steps = countOf('steps', 10_000, 100);
  output = h('pre', { id: 'result', class: 'card mono', tabindex: '0', hidden: true });
  results = h('div', { class: 'scroll', 'aria-live': 'polite' });
  go = h('button', { type: 'button', class: 'button primary big', onclick: () => this.measure() });
  started = false;

  render() {
    const { presets, devices } = this.state;
    const first = query.get('model') ?? 'residual_flower';
    fill(
      this.model,
      presets.map(({ name }) => h('option', { selected: name === first }, name)),
    );
    fill(this.go, t('bench.run'));
    this.go.disabled = presets.length === 0;
    const fields = [this.model, this.batch, this.steps].map(input =>
      h('div', { class: 'field' }, h('label', { for: input.id }, t(`bench.${input.id}`)), input),
    );
    const settings = h('div', { class: 'card tight' }, h('div', { class: 'fields' }, fields));
    settings.append(h('div', { class: 'row' }, this.go));
    const stack = h('div', { class: 'stack' }, settings, this.fault, this.results, this.output);
    fill(this, h('main', {}, heading('bench'), stack));
    if (query.get('run') === '1' && devices.length > 0 && !this.started) this.measure();
  }

  async measure() {
    this.started = true;
    this.go.disabled = true;
    fill(this.fault);
    const wanted = query.get('backend');
    /** @type {BenchResult[]} */
    const results = [];
    try {
      for (const { id } of this.state.devices.filter(device => !wanted || device.id === wanted)) {
        this.showTable(results, id);
        const options = {
          model: this.model.value,
          batch: Number(this.batch.value),
          steps: Number(this.steps.value),
          task: query.get('task') ?? 'both',
          device: id,
        };
        results.push(await engine.call('bench', options));
      }
      this.showTable(results, null);
      this.output.textContent = JSON.stringify(results.length === 1 ? results[0] : results, null, 2);
      this.output.hidden = false;
    } catch (failure) {
      showFailure(this.fault, failure);
      this.output.textContent = JSON.stringify({ error: detailOf(failure) }, null, 2);
    } finally {
      this.go.disabled = false;
    }
  }

  /** @param {BenchResult[]} results @param {string | null} running */
  showTable(results, running) {
    const words = (/** @type {number | undefined} */ value) =>
      value === undefined ? '–' : number(value, { maximumFractionDigits: 2 });
    const rows = results.map(result =>
      tableRow(
        rowHead(wordDevice(result.device)),
        KEYS.map(key => numberCell(words(result[key]))),
      ),
    );
    if (running) rows.push(h('tr', {}, h('td', { colspan: '4' }, t('bench.running', { device: running }))));
    const columns = [{ words: t('bench.device') }, ...numbers(KEYS.map(key => t(`bench.${key}`)))];
    fill(this.results, h('table', { class: 'card' }, tableHead(columns), h('tbody', {}, rows)));
  }
}

customElements.define('floret-bench', Bench);
document.documentElement.lang = language();
engine.call('hello', { software: false, keep: false }).then(
  ({ build, devices, presets }) => store.set({ build, devices, presets }),
  failure => {
    console.info('the engine did not start:', detailOf(failure).message);
    document.body.append(h('p', { class: 'fault', role: 'alert' }, t('error.no_engine')));
  },
);
