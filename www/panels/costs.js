/**
 * What each layer costs and sees: arithmetic, memory, receptive field; and a bottleneck beside a plain block.
 */

import { t } from '../i18n/i18n.js';
import { blockCosts } from '../state/session.js';
import { fill, h } from '../ui/dom.js';
import { bytes, number, short } from '../ui/format.js';
import { Panel } from '../ui/panel.js';
import { barCell, numbers, rowHead, scrollTable, tableRow } from '../ui/table.js';

/** @typedef {import('../engine/protocol.js').Row} Row */

/** What a row is compared by. */
const MEASURES = /** @type {const} */ ({
  flops: (/** @type {Row} */ { flops }) => flops,
  memory: (/** @type {Row} */ { activation_bytes }) => activation_bytes,
  field: (/** @type {Row} */ { receptive_field }) => Math.max(...receptive_field),
});

/** The heads of the columns, after that of the rows. @param {string} rows */
function columns(rows) {
  return [{ words: rows }, ...numbers(Object.keys(MEASURES).map(name => t(`network.col_${name}`)))];
}

/**
 * A row with bars as long as its share of the most.
 * @param {Element} head
 * @param {Row} row
 * @param {Record<keyof typeof MEASURES, number>} most
 */
function rowOf(head, row, most) {
  const share = (/** @type {keyof typeof MEASURES} */ name) => MEASURES[name](row) / most[name];
  return tableRow(head, [
    barCell(short(row.flops), share('flops')),
    barCell(bytes(row.activation_bytes), share('memory')),
    barCell(row.receptive_field.join(' × '), share('field')),
  ]);
}

/** The most of each measure. @param {Row[]} rows */
function mostOf(rows) {
  const most = (/** @type {keyof typeof MEASURES} */ name) => Math.max(...rows.map(MEASURES[name]), 1);
  return { flops: most('flops'), memory: most('memory'), field: most('field') };
}

class Costs extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['structure', 'presets'];

  blocks = h('section', { class: 'card tight' });

  render() {
    const { structure, network } = this.state;
    const rows = structure?.rows.filter(({ index }) => index !== null) ?? [];
    const layers = network && rows.length > 0 ? this.layers(rows, network) : null;
    fill(this, h('div', { class: 'columns' }, layers, this.blocks));
    this.showBlocks();
  }

  /** @param {Row[]} rows @param {import('../engine/protocol.js').Network} network */
  layers(rows, { name, size }) {
    // A receptive field is held against the photo.
    const most = { ...mostOf(rows), field: size };
    const row = (/** @type {Row} */ layer) =>
      rowOf(rowHead(`${layer.index}: ${layer.kind}`, 'mono'), layer, most);
    return h(
      'section',
      { class: 'card tight' },
      h('h2', {}, t('costs.title')),
      h('p', { class: 'soft' }, t('costs.lead', { name, size: number(size) })),
      scrollTable(t('costs.title'), columns(t('network.col_layer')), rows.map(row), {
        style: 'costs',
        place: 'costs-place',
      }),
    );
  }

  async showBlocks() {
    if (this.state.presets.length === 0) return;
    const { plain, bottleneck } = await blockCosts();
    const most = mostOf([plain, bottleneck]);
    const rows = Object.entries({ plain, bottleneck }).map(([name, row]) =>
      rowOf(rowHead(t(`costs.${name}`)), row, most),
    );
    const times = (/** @type {keyof typeof MEASURES} */ name) =>
      number(MEASURES[name](plain) / MEASURES[name](bottleneck), { maximumFractionDigits: 1 });
    const says = t('costs.block_says', {
      flops: times('flops'),
      memory: times('memory'),
      plain: plain.receptive_field.join(' × '),
      bottleneck: bottleneck.receptive_field.join(' × '),
    });
    fill(
      this.blocks,
      h('h2', {}, t('costs.block_title')),
      h('p', { class: 'soft' }, t('costs.block_lead')),
      scrollTable(t('costs.block_title'), columns(t('costs.block')), rows, { style: 'costs' }),
      h('p', {}, says),
    );
  }
}

customElements.define('floret-costs', Costs);
