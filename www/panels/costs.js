/** What each layer costs and sees: arithmetic, memory, receptive field; and a bottleneck beside a plain block. */

import { fill, h } from '../ui/dom.js';
import { bytes, number, short } from '../ui/format.js';
import { t } from '../i18n/i18n.js';
import { Panel } from '../ui/panel.js';
import { blockCosts } from '../state/session.js';

/** @typedef {import('../engine/protocol.js').Row} Row */

const COLUMNS = ['flops', 'memory', 'field'];

class Costs extends Panel {
  get watches() {
    return ['structure', 'presets'];
  }

  render() {
    const { structure, network } = this.state;
    this.blocks = h('section', { class: 'card tight' });
    const layers =
      structure && network
        ? this.layers(
            structure.rows.filter(({ index }) => index !== null),
            network,
          )
        : null;
    fill(this, h('div', { class: 'columns' }, layers, this.blocks));
    this.showBlocks();
  }

  /** @param {Row[]} rows @param {import('../engine/protocol.js').Network} network */
  layers(rows, { name, size }) {
    const most = {
      flops: Math.max(...rows.map(({ flops }) => flops), 1),
      memory: Math.max(...rows.map(({ activation_bytes }) => activation_bytes), 1),
    };
    const row = (/** @type {Row} */ { index, kind, flops, activation_bytes, receptive_field }) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row', class: 'mono' }, `${index}: ${kind}`),
        barCell(short(flops), flops / most.flops),
        barCell(bytes(activation_bytes), activation_bytes / most.memory),
        barCell(receptive_field.join(' × '), Math.max(...receptive_field) / size),
      );
    return h(
      'section',
      { class: 'card tight' },
      h('h2', {}, t('costs.title')),
      h('p', { class: 'soft' }, t('costs.lead', { name, size: number(size) })),
      h(
        'div',
        { class: 'scroll costs-place', tabindex: '0', role: 'region', 'aria-label': t('costs.title') },
        h(
          'table',
          { class: 'costs' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('th', { scope: 'col' }, t('network.col_layer')),
              COLUMNS.map(column => h('th', { scope: 'col', class: 'number' }, t(`network.col_${column}`))),
            ),
          ),
          h('tbody', {}, rows.map(row)),
        ),
      ),
    );
  }

  async showBlocks() {
    if (this.state.presets.length === 0) return;
    const place = this.blocks;
    const { plain, bottleneck } = await blockCosts();
    if (!place || place !== this.blocks) return;
    const most = [plain, bottleneck];
    const share = (/** @type {(row: Row) => number} */ of, /** @type {Row} */ row) =>
      of(row) / Math.max(...most.map(of));
    const row = (/** @type {'plain' | 'bottleneck'} */ name, /** @type {Row} */ block) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, t(`costs.${name}`)),
        barCell(
          short(block.flops),
          share(({ flops }) => flops, block),
        ),
        barCell(
          bytes(block.activation_bytes),
          share(({ activation_bytes }) => activation_bytes, block),
        ),
        barCell(
          block.receptive_field.join(' × '),
          share(({ receptive_field }) => receptive_field[0], block),
        ),
      );
    fill(
      place,
      h('h2', {}, t('costs.block_title')),
      h('p', { class: 'soft' }, t('costs.block_lead')),
      h(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('costs.block_title') },
        h(
          'table',
          { class: 'costs' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('th', { scope: 'col' }, t('costs.block')),
              COLUMNS.map(column => h('th', { scope: 'col', class: 'number' }, t(`network.col_${column}`))),
            ),
          ),
          h('tbody', {}, row('plain', plain), row('bottleneck', bottleneck)),
        ),
      ),
      h(
        'p',
        {},
        t('costs.block_says', {
          flops: number(plain.flops / bottleneck.flops, { maximumFractionDigits: 1 }),
          memory: number(plain.activation_bytes / bottleneck.activation_bytes, { maximumFractionDigits: 1 }),
          plain: plain.receptive_field.join(' × '),
          bottleneck: bottleneck.receptive_field.join(' × '),
        }),
      ),
    );
  }
}

/** @param {string} words @param {number} share */
function barCell(words, share) {
  const cell = h('td', { class: 'number bar-cell' }, words);
  cell.style.setProperty('--share', Math.min(share, 1).toFixed(3));
  return cell;
}

customElements.define('floret-costs', Costs);
