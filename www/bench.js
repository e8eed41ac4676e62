/**
 * The speed of this browser: training and inference on the processor and by WebGPU, side by side.
 * `?model=&batch=&backend=cpu|gpu&steps=&task=train|infer&run=1`; the numbers are JSON in the element `result`.
 */

import { fill, h } from './ui/dom.js';
import { EngineFailure } from './engine/engine.js';
import { number } from './ui/format.js';
import { language, t } from './i18n/i18n.js';
import { Panel, heading, showFailure } from './ui/panel.js';
import { engine, store } from './state/state.js';

/** @typedef {import('./engine/protocol.js').BenchResult} BenchResult */

const query = new URLSearchParams(location.search);
const KEYS = /** @type {const} */ (['train_images_per_s', 'infer_images_per_s', 'infer_ms_per_image']);

class Bench extends Panel {
  get watches() {
    return ['presets'];
  }

  render() {
    const { presets, devices } = this.state;
    this.model = h(
      'select',
      { id: 'model' },
      presets.map(({ name }) =>
        h('option', { selected: name === (query.get('model') ?? 'residual_flower') }, name),
      ),
    );
    this.batch = h('input', {
      id: 'batch',
      type: 'number',
      min: 1,
      max: 512,
      value: query.get('batch') ?? 10,
    });
    this.steps = h('input', {
      id: 'steps',
      type: 'number',
      min: 1,
      max: 10_000,
      value: query.get('steps') ?? 100,
    });
    this.output = h('pre', { id: 'result', class: 'card mono', tabindex: '0', hidden: true });
    this.table = h('div', { class: 'scroll', 'aria-live': 'polite' });
    this.fault = h('div', {});
    this.button = h(
      'button',
      {
        type: 'button',
        class: 'button primary big',
        disabled: presets.length === 0,
        onclick: () => this.measure(),
      },
      t('bench.run'),
    );
    const field = (/** @type {string} */ id, /** @type {Element} */ input) =>
      h('div', { class: 'field' }, h('label', { for: id }, t(`bench.${id}`)), input);
    fill(
      this,
      h(
        'main',
        {},
        heading('bench'),
        h(
          'div',
          { class: 'stack' },
          h(
            'div',
            { class: 'card tight' },
            h(
              'div',
              { class: 'fields' },
              field('model', this.model),
              field('batch', this.batch),
              field('steps', this.steps),
            ),
            h('div', { class: 'row' }, this.button),
          ),
          this.fault,
          this.table,
          this.output,
        ),
      ),
    );
    if (query.get('run') === '1' && devices.length > 0 && !this.started) this.measure();
  }

  async measure() {
    if (!this.model || !this.button || !this.fault || !this.output) return;
    this.started = true;
    this.button.disabled = true;
    fill(this.fault);
    const wanted = query.get('backend');
    /** @type {BenchResult[]} */
    const results = [];
    try {
      for (const { id } of this.state.devices.filter(device => !wanted || device.id === wanted)) {
        this.showTable(results, id);
        const options = {
          model: this.model.value,
          batch: Number(this.batch?.value),
          steps: Number(this.steps?.value),
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
      const detail =
        failure instanceof EngineFailure ? failure.detail : { code: 'page', message: String(failure) };
      this.output.textContent = JSON.stringify({ error: detail }, null, 2);
    } finally {
      this.button.disabled = false;
    }
  }

  /** @param {BenchResult[]} results @param {string | null} running */
  showTable(results, running) {
    if (!this.table) return;
    const digits = { maximumFractionDigits: 2 };
    const row = (/** @type {BenchResult} */ result) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, result.device),
        KEYS.map(key =>
          h('td', { class: 'number' }, result[key] === undefined ? '–' : number(result[key], digits)),
        ),
      );
    fill(
      this.table,
      h(
        'table',
        { class: 'card' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, t('bench.device')),
            KEYS.map(key => h('th', { scope: 'col', class: 'number' }, t(`bench.${key}`))),
          ),
        ),
        h(
          'tbody',
          {},
          results.map(row),
          running ? h('tr', {}, h('td', { colspan: '4' }, t('bench.running', { device: running }))) : null,
        ),
      ),
    );
  }
}

customElements.define('floret-bench', Bench);
document.documentElement.lang = language();
engine.call('hello', { software: false, keep: false }).then(
  ({ build, devices, presets }) => store.set({ build, devices, presets }),
  failure =>
    document.body.append(
      h('p', { class: 'fault', role: 'alert' }, t('error.no_engine', { why: failure.message })),
    ),
);
