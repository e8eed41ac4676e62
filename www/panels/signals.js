/** What passes through the layers: how large a gradient comes back to each, how widely its outputs spread. */

import { t } from '../i18n/i18n.js';
import { weighted } from '../state/signal-history.js';
import { Chart } from '../ui/chart.js';
import { fill, h } from '../ui/dom.js';
import { number, percent, significant, tenTo } from '../ui/format.js';
import { Panel, say } from '../ui/panel.js';
import { numberCell, rowHead, scrolling, tableRow } from '../ui/table.js';

/** @typedef {import('../state/signal-history.js').Signals} Signals */
/** @typedef {import('../engine/protocol.js').LayerSignal} LayerSignal */

const COLOURS = ['--petal', '--sky', '--leaf', '--pollen'];

/** What the charts show of a layer. */
const VALUES = /** @type {const} */ ({
  gradient: (/** @type {LayerSignal} */ { gradient_norm }) => gradient_norm ?? 0,
  spread: (/** @type {LayerSignal} */ { outputs }) => outputs.deviation,
});

/** @typedef {keyof typeof VALUES} Shown */
/** @typedef {'start' | 'now'} When */

/** @type {When[]} */
const TIMES = ['start', 'now'];

class SignalsPanel extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['signals', 'run'];

  /** @type {{ name: Shown, chart: Chart, says: HTMLElement }[]} */
  charts = [];
  /** Which signals of each network are drawn. @type {When} */
  when = 'now';
  /** Names of the networks that are drawn. */
  drawn = '';
  tables = h('div', { class: 'tight' });
  at = h('p', { class: 'small soft' });
  radios = TIMES.map(when =>
    h('input', { type: 'radio', name: 'signals-when', value: when, onchange: () => this.choose(when) }),
  );
  #onShown = () => this.update(new Set(['signals']));

  connectedCallback() {
    document.addEventListener('viewshown', this.#onShown);
    super.connectedCallback();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener('viewshown', this.#onShown);
  }

  render() {
    const { signals } = this.state;
    for (const { chart } of this.charts) chart.remove();
    this.charts = [];
    this.drawn = names(signals);
    fill(this.tables);
    const title = h('h2', {}, t('signals.title'));
    if (signals.length === 0) {
      const train = h('a', { class: 'button', href: '#train' }, t('report.go'));
      const empty = h('p', { class: 'soft' }, t('signals.empty'));
      fill(this, h('section', { class: 'card tight' }, title, empty, h('div', { class: 'row' }, train)));
      return;
    }
    this.charts = /** @type {Shown[]} */ (Object.keys(VALUES)).map(name => ({
      name,
      chart: this.chart(name),
      says: h('ul', { class: 'small soft plain' }),
    }));
    const charts = this.charts.map(({ name, chart, says }) => {
      const how = h('p', { class: 'small' }, t(`signals.${name}_how`));
      return h('div', { class: 'tight' }, chart.element, how, says);
    });
    fill(
      this,
      h(
        'section',
        { class: 'card tight' },
        title,
        h('p', { class: 'soft' }, t('signals.lead')),
        h('div', { class: 'row signals-row' }, this.timeChoice(), this.at),
        h('div', { class: 'charts' }, charts),
        this.tables,
        h('p', { class: 'small soft' }, t('signals.more')),
      ),
    );
    this.show();
  }

  timeChoice() {
    for (const radio of this.radios) radio.checked = radio.value === this.when;
    const labels = this.radios.map(radio => h('label', {}, radio, t(`signals.${radio.value}`)));
    const legend = h('legend', { class: 'sr' }, t('signals.when'));
    return h('fieldset', { class: 'signals-when' }, legend, h('div', { class: 'segments' }, labels));
  }

  /** @param {Shown} name */
  chart(name) {
    return new Chart({
      label: t(`signals.${name}`),
      x: t('signals.depth'),
      log: true,
      whole: true,
      format: value =>
        value >= 0.01 && value < 1000
          ? number(value, { maximumSignificantDigits: 1 })
          : tenTo(Math.round(Math.log10(value))),
      series: this.state.signals.map((network, index) => ({
        label: network.name,
        colour: COLOURS[index],
        style: 'marks',
      })),
    });
  }

  /** @param {When} when */
  choose(when) {
    this.when = when;
    this.show();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (!changed.has('signals') || this.offsetParent === null) return;
    if (this.drawn !== names(this.state.signals)) this.render();
    else this.show();
  }

  show() {
    const { signals } = this.state;
    const measured = signals.map(network =>
      weighted((this.when === 'start' ? network.start : network.now) ?? []),
    );
    const depth = Math.max(0, ...measured.map(layers => layers.length));
    const x = Array.from({ length: depth }, (_, index) => index + 1);
    for (const { name, chart, says } of this.charts) {
      const values = measured.map(layers => layers.map(VALUES[name]));
      const columns = values.map(all => x.map((_, index) => (all[index] > 0 ? all[index] : null)));
      chart.show([x, ...columns]);
      const sentences = signals.map((network, index) => sentence(name, network.name, values[index]));
      fill(
        says,
        sentences.map(words => h('li', {}, words)),
      );
    }
    this.showWhen();
    this.showTables();
  }

  showWhen() {
    const { signals, run } = this.state;
    const newest = signals.at(-1);
    if (!newest) return;
    const live = run.phase === 'running' && !run.stopAsked;
    const now = t(live ? 'signals.at_live' : 'signals.at_step', { n: newest.step });
    say(this.at, this.when === 'start' ? t('signals.at_start') : now);
  }

  /** The same in numbers, a table a network; one that is folded is left alone. */
  showTables() {
    const { signals } = this.state;
    if (this.tables.childElementCount !== signals.length) {
      fill(
        this.tables,
        signals.map((_, index) => this.tableOf(index)),
      );
    }
    for (const [index, details] of [...this.tables.querySelectorAll('details')].entries()) {
      const body = details.querySelector('tbody');
      if (details.open && body) fill(body, tableRows(signals[index]));
    }
  }

  /** @param {number} index of the network */
  tableOf(index) {
    const words = t('signals.numbers', { name: this.state.signals[index].name });
    const body = h('tbody', {});
    const table = h('table', { class: 'structure' }, tableHead(), body);
    const details = h('details', {
      ontoggle: () => details.open && fill(body, tableRows(this.state.signals[index])),
    });
    details.append(h('summary', {}, words), scrolling(words, table));
    return details;
  }
}

/** @param {Signals[]} signals */
function names(signals) {
  return signals.map(({ name }) => name).join('\n');
}

/**
 * What the chart shows of a network, in a sentence.
 * @param {Shown} name
 * @param {string} network
 * @param {number[]} values
 */
function sentence(name, network, values) {
  const [first, last] = [values[0], values.at(-2)];
  if (first === undefined || last === undefined) return t('signals.not_measured', { network });
  return t(`signals.${name}_says`, {
    network,
    first: significant(first),
    last: significant(last),
    ratio: last > 0 ? significant(first / last) : '–',
  });
}

function tableHead() {
  const group = (/** @type {string} */ name) =>
    h('th', { scope: 'colgroup', colspan: 3 }, t(`signals.${name}`));
  const column = (/** @type {string} */ name) =>
    h('th', { scope: 'col', class: 'number' }, t(`signals.col_${name}`));
  const columns = ['gradient', 'deviation', 'zeros'];
  const layer = h('th', { scope: 'col' }, t('network.col_layer'));
  return h(
    'thead',
    {},
    h('tr', {}, h('td', {}), TIMES.map(group)),
    h('tr', {}, layer, columns.map(column), columns.map(column)),
  );
}

/** @param {Signals} signals */
function tableRows({ start, now }) {
  const cells = (/** @type {LayerSignal | undefined} */ signal) =>
    [
      signal && signal.gradient_norm !== null ? significant(signal.gradient_norm) : '',
      signal ? significant(signal.outputs.deviation) : '',
      signal ? percent(signal.outputs.zeros, 0) : '',
    ].map(numberCell);
  return now.map((signal, index) =>
    tableRow(rowHead(`${signal.index}: ${signal.kind}`, 'mono'), [
      ...cells(start?.[index]),
      ...cells(signal),
    ]),
  );
}

customElements.define('floret-signals', SignalsPanel);
