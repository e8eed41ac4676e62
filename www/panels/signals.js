/** What passes through the layers: how large a gradient comes back to each, how widely its outputs spread. */

import { Chart } from '../ui/chart.js';
import { fill, h } from '../ui/dom.js';
import { number, percent, significant, tenTo } from '../ui/format.js';
import { t } from '../i18n/i18n.js';
import { weighted } from '../state/signal-history.js';
import { Panel } from '../ui/panel.js';

/** @typedef {import('../state/state.js').Look} Look */
/** @typedef {import('../engine/protocol.js').LayerSignal} LayerSignal */

const COLOURS = ['--petal', '--sky', '--leaf', '--pollen'];

/** What the charts show of a layer. */
const VALUES = /** @type {const} */ ({
  gradient: (/** @type {LayerSignal} */ { gradient_norm }) => gradient_norm ?? 0,
  spread: (/** @type {LayerSignal} */ { outputs }) => outputs.deviation,
});

/** @typedef {keyof typeof VALUES} Shown */

class Signals extends Panel {
  get watches() {
    return ['looks', 'run'];
  }

  /** @type {{ name: Shown, chart: Chart, says: HTMLElement }[]} */
  charts = [];
  /** Which look of each network is drawn. @type {'start' | 'now'} */
  when = 'now';

  connectedCallback() {
    this.onShown = () => this.update(new Set(['looks']));
    document.addEventListener('viewshown', this.onShown);
    super.connectedCallback();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    if (this.onShown) document.removeEventListener('viewshown', this.onShown);
  }

  render() {
    const { looks } = this.state;
    this.charts.forEach(({ chart }) => chart.remove());
    this.drawn = names(looks);
    if (looks.length === 0) {
      this.charts = [];
      fill(
        this,
        h(
          'section',
          { class: 'card tight' },
          h('h2', {}, t('signals.title')),
          h('p', { class: 'soft' }, t('signals.empty')),
          h('div', { class: 'row' }, h('a', { class: 'button', href: '#train' }, t('report.go'))),
        ),
      );
      return;
    }
    this.charts = /** @type {Shown[]} */ (Object.keys(VALUES)).map(name => ({
      name,
      chart: this.chart(name),
      says: h('ul', { class: 'small soft plain' }),
    }));
    const radio = (/** @type {'start' | 'now'} */ when) =>
      h(
        'label',
        {},
        h('input', {
          type: 'radio',
          name: 'look',
          value: when,
          checked: this.when === when,
          onchange: () => this.choose(when),
        }),
        t(`signals.${when}`),
      );
    this.tables = h('div', { class: 'tight' });
    this.at = h('p', { class: 'small soft' });
    fill(
      this,
      h(
        'section',
        { class: 'card tight' },
        h('h2', {}, t('signals.title')),
        h('p', { class: 'soft' }, t('signals.lead')),
        h(
          'div',
          { class: 'row look-row' },
          h(
            'fieldset',
            { class: 'look-choice' },
            h('legend', { class: 'sr' }, t('signals.when')),
            h('div', { class: 'segments' }, radio('start'), radio('now')),
          ),
          this.at,
        ),
        h(
          'div',
          { class: 'charts' },
          this.charts.map(({ name, chart, says }) =>
            h(
              'div',
              { class: 'tight' },
              chart.element,
              h('p', { class: 'small' }, t(`signals.${name}_how`)),
              says,
            ),
          ),
        ),
        this.tables,
        h('p', { class: 'small soft' }, t('signals.more')),
      ),
    );
    this.show();
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
      series: this.state.looks.map((look, index) => ({
        label: look.name,
        colour: COLOURS[index],
        look: /** @type {const} */ ('marks'),
      })),
    });
  }

  /** @param {'start' | 'now'} when */
  choose(when) {
    this.when = when;
    this.show();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (!changed.has('looks') || this.offsetParent === null) return;
    if (this.drawn !== names(this.state.looks)) this.render();
    else this.show();
  }

  show() {
    const { looks, run } = this.state;
    const seen = looks.map(look => (this.when === 'start' ? look.start : look.now) ?? []);
    const depth = Math.max(0, ...seen.map(signals => weighted(signals).length));
    const x = Array.from({ length: depth }, (_, index) => index + 1);
    for (const { name, chart, says } of this.charts) {
      const columns = seen.map(signals => {
        const values = weighted(signals).map(VALUES[name]);
        return x.map((_, index) => (values[index] > 0 ? values[index] : null));
      });
      chart.show([x, ...columns]);
      fill(
        says,
        looks.map((look, index) =>
          h('li', {}, sentence(name, look.name, weighted(seen[index]).map(VALUES[name]))),
        ),
      );
    }
    const newest = looks.at(-1);
    if (this.at && newest)
      this.at.textContent =
        this.when === 'start'
          ? t('signals.at_start')
          : t(run.status === 'running' ? 'signals.at_live' : 'signals.at_step', {
              step: number(newest.step),
            });
    this.showTables(looks);
  }

  /** The same in numbers, a table a network; one that is folded is left alone. @param {Look[]} looks */
  showTables(looks) {
    if (!this.tables) return;
    if (this.tables.childElementCount !== looks.length) {
      fill(
        this.tables,
        looks.map(look => {
          const body = h('tbody', {});
          const details = h(
            'details',
            { ontoggle: () => details.open && fill(body, tableRows(look.name, this.state.looks)) },
            h('summary', {}, t('signals.numbers', { name: look.name })),
            h(
              'div',
              {
                class: 'scroll',
                tabindex: '0',
                role: 'region',
                'aria-label': t('signals.numbers', { name: look.name }),
              },
              h('table', { class: 'structure' }, tableHead(), body),
            ),
          );
          return details;
        }),
      );
    }
    for (const details of this.tables.querySelectorAll('details')) {
      const name = looks[[...this.tables.children].indexOf(details)].name;
      const body = details.querySelector('tbody');
      if (details.open && body) fill(body, tableRows(name, looks));
    }
  }
}

/** @param {Look[]} looks */
function names(looks) {
  return looks.map(({ name }) => name).join('\n');
}

/** What the chart shows of a network, in a sentence. @param {Shown} name @param {string} network @param {number[]} values */
function sentence(name, network, values) {
  const [first, last] = [values[0], values.at(-2)];
  if (first === undefined || last === undefined) return t('signals.not_seen', { network });
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
  return h(
    'thead',
    {},
    h('tr', {}, h('td', {}), group('start'), group('now')),
    h('tr', {}, h('th', { scope: 'col' }, t('network.col_layer')), columns.map(column), columns.map(column)),
  );
}

/** @param {string} name @param {Look[]} looks */
function tableRows(name, looks) {
  const look = looks.find(one => one.name === name);
  if (!look) return [];
  const cells = (/** @type {LayerSignal | undefined} */ signal) =>
    [
      signal && signal.gradient_norm !== null ? significant(signal.gradient_norm) : '',
      signal ? significant(signal.outputs.deviation) : '',
      signal ? percent(signal.outputs.zeros, 0) : '',
    ].map(words => h('td', { class: 'number' }, words));
  return look.now.map((signal, index) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row', class: 'mono' }, `${signal.index}: ${signal.kind}`),
      cells(look.start?.[index]),
      cells(signal),
    ),
  );
}

customElements.define('floret-signals', Signals);
