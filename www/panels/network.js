/** Network: nine presets, the notation with a live check, the structure listing and the picture. */

import { known, t } from '../i18n/i18n.js';
import { chooseNetwork, networkOf } from '../state/session.js';
import { fill, h } from '../ui/dom.js';
import { bytes, number, short } from '../ui/format.js';
import { glyph } from '../ui/glyphs.js';
import { drawGraph } from '../ui/graph-picture.js';
import { icon } from '../ui/icons.js';
import { button, detailOf, heading, Panel } from '../ui/panel.js';
import { numberCell, rowHead, scrollTable, tableRow } from '../ui/table.js';
import { wordError } from '../ui/words.js';

/** @typedef {import('../engine/protocol.js').Network} Network */
/** @typedef {import('../engine/protocol.js').Preset} Preset */
/** @typedef {import('../engine/protocol.js').Row} Row */
/** @typedef {import('../engine/protocol.js').Structure} Structure */

/** Above this, a preset is marked as heavy: training it takes hours on a laptop. */
const HEAVY_FLOPS = 1e9;

/** Milliseconds without a key after which the notation is checked. */
const PAUSE_MS = 250;

/** Columns of the listing: words first, then numbers. */
const COLUMNS = ['layer', 'shapes', 'formula', 'parameters', 'flops', 'memory', 'field'];
const WORD_COLUMNS = 3;

class NetworkPanel extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['presets', 'actions', 'structure'];

  light = h('div', { class: 'presets' });
  heavy = h('div', { class: 'presets' });
  problem = h('div', { class: 'problem', role: 'status', id: 'notation-problem' });
  text = h('textarea', {
    id: 'notation',
    class: 'mono notation',
    spellcheck: 'false',
    autocapitalize: 'off',
    rows: 12,
    'aria-describedby': 'notation-problem',
    oninput: () => this.edited(),
  });
  actions = h('select', { id: 'actions', onchange: () => this.chooseActions() });
  size = h('input', {
    type: 'number',
    id: 'input-size',
    min: 8,
    max: 512,
    step: 1,
    onchange: () => this.edited(),
  });
  picture = h('div', { class: 'card picture' });
  structure = h('div', { class: 'stack' });
  /** The wait for a pause in typing. */
  pause = 0;

  render() {
    // Another language leaves what is being written alone.
    const written = this.text.value !== (this.state.network?.text ?? '');
    const heavy = h(
      'details',
      { class: 'heavy' },
      h('summary', {}, t('network.heavy')),
      h('p', { class: 'soft' }, t('network.heavy_lead')),
      this.heavy,
    );
    const presets = h('fieldset', {}, h('legend', { class: 'sr' }, t('network.presets')), this.light, heavy);
    const notation = field('notation', this.text, t('network.notation'), t('network.notation_hint'));
    const inputs = h(
      'div',
      { class: 'fields' },
      field('actions', this.actions, t('network.actions'), t('network.actions_hint')),
      field('input-size', this.size, t('network.size'), t('network.size_hint')),
    );
    const editor = h('div', { class: 'card tight' }, this.problem, notation, inputs);
    const next = h('a', { class: 'button primary big', href: '#train' }, t('network.next'), icon('arrow'));
    fill(
      this,
      heading('network'),
      h(
        'div',
        { class: 'stack' },
        presets,
        h('section', { class: 'columns wide' }, editor, this.picture),
        this.structure,
        h('div', { class: 'next' }, next),
      ),
    );
    fill(this.problem);
    this.showPresets();
    this.showNetwork(!written);
    if (written) this.edited();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (changed.has('presets') || changed.has('actions')) this.showPresets();
    if (changed.has('structure')) this.showNetwork(document.activeElement !== this.text);
  }

  showPresets() {
    const { presets, actions } = this.state;
    const card = (/** @type {Preset} */ preset) => this.presetCard(preset);
    const chosen = this.actions.value;
    fill(this.light, presets.filter(({ flops }) => flops < HEAVY_FLOPS).map(card));
    fill(this.heavy, presets.filter(({ flops }) => flops >= HEAVY_FLOPS).map(card));
    fill(
      this.actions,
      actions.map(order => h('option', { value: order }, order)),
    );
    this.actions.value = chosen;
  }

  /** @param {Preset} preset */
  presetCard(preset) {
    const { name, input, parameters, flops } = preset;
    const radio = h('input', {
      type: 'radio',
      name: 'preset',
      value: name,
      checked: this.state.network?.name === name,
      onchange: () => this.choose(preset, preset.actions),
    });
    const facts = [
      `${input.height} × ${input.width}`,
      t('network.parameters', { n: short(parameters) }),
      t('network.flops', { n: short(flops) }),
    ];
    return h(
      'label',
      { class: 'preset' },
      radio,
      glyph(name),
      h('span', { class: 'preset-name' }, name),
      h('span', { class: 'preset-what' }, known(`preset.${name}`) ? t(`preset.${name}`) : ''),
      h(
        'span',
        { class: 'preset-facts' },
        facts.map(fact => h('span', {}, fact)),
      ),
    );
  }

  /** @param {Preset} preset @param {string} actions */
  async choose(preset, actions) {
    fill(this.problem);
    await this.check(await networkOf(preset, actions));
  }

  /** The same preset with other actions. */
  chooseActions() {
    const preset = this.state.presets.find(({ name }) => name === this.state.network?.name);
    if (preset) this.choose(preset, this.actions.value);
  }

  /** Waits for a pause in typing, then checks. */
  edited() {
    clearTimeout(this.pause);
    this.pause = window.setTimeout(() => {
      const { network } = this.state;
      const text = this.text.value;
      const same = network !== null && text === network.text;
      const [name, actions] = same ? [network.name, network.actions] : [t('network.own'), null];
      this.check({ name, text, size: Number(this.size.value), actions });
    }, PAUSE_MS);
  }

  /** @param {Network} network */
  async check(network) {
    try {
      await chooseNetwork(network);
      fill(this.problem, h('p', { class: 'fine small' }, icon('check'), t('network.reads_well')));
      this.text.removeAttribute('aria-invalid');
    } catch (failure) {
      this.showProblem(failure);
    }
  }

  /** The radio buttons of the ready-made networks. @returns {NodeListOf<HTMLInputElement>} */
  radios() {
    return this.querySelectorAll('input[name="preset"]');
  }

  /** Words the slip and shows the line with its column marked. @param {unknown} failure */
  showProblem(failure) {
    const detail = detailOf(failure);
    const { line, column = 1 } = detail;
    this.text.setAttribute('aria-invalid', 'true');
    // What is written is none of the ready-made ones: choosing one takes its text back.
    for (const radio of this.radios()) radio.checked = false;
    const words = h('p', {}, wordError(detail));
    if (typeof line !== 'number') {
      fill(this.problem, h('div', { class: 'fault tight' }, words));
      return;
    }
    const at = Math.max(column - 1, 0);
    const written = this.text.value.split('\n')[line - 1] ?? '';
    const jump = button(t('network.jump', { line, column: at + 1 }), () => this.jump(line, at));
    fill(this.problem, h('div', { class: 'fault tight' }, words, excerpt(written, at), jump));
  }

  /** @param {number} line from 1 @param {number} column from 0 */
  jump(line, column) {
    const lines = this.text.value.split('\n').slice(0, line - 1);
    const start = lines.reduce((sum, { length }) => sum + length + 1, column);
    this.text.focus();
    this.text.setSelectionRange(start, start + 1);
  }

  /** @param {boolean} withText whether the editor takes the network's text */
  showNetwork(withText) {
    const { network, structure } = this.state;
    if (!network || !structure) return;
    if (withText) {
      this.text.value = network.text;
      this.text.removeAttribute('aria-invalid');
    }
    this.actions.disabled = network.actions === null;
    this.actions.value = network.actions ?? '';
    this.size.value = String(network.size);
    for (const radio of this.radios()) radio.checked = radio.value === network.name;
    const totals = t('network.totals', {
      parameters: number(structure.parameters),
      flops: short(structure.flops),
      n: layersOf(structure).length,
    });
    fill(
      this.picture,
      h('h2', {}, t('network.picture')),
      h('p', { class: 'small soft' }, totals),
      drawGraph(structure, t('network.picture_label', { name: network.name })),
    );
    fill(this.structure, listing(structure));
  }
}

/** @param {string} id @param {Element} input @param {string} label @param {string} hint */
function field(id, input, label, hint) {
  const words = h('p', { class: 'small soft' }, hint);
  return h('div', { class: 'field' }, h('label', { for: id }, label), input, words);
}

/** The line around a slip, its column marked. @param {string} line @param {number} column from 0 */
function excerpt(line, column) {
  const start = Math.max(0, column - 24);
  return h(
    'pre',
    { class: 'slip', 'aria-hidden': 'true' },
    start > 0 ? '…' : '',
    line.slice(start, column),
    h('mark', {}, line.slice(column, column + 1) || ' '),
    line.slice(column + 1, column + 40),
  );
}

/** The rows that are layers, not groups of them. @param {Structure} structure */
function layersOf({ rows }) {
  return rows.filter(({ index }) => index !== null);
}

/** @param {Structure} structure */
function listing(structure) {
  const most = Math.max(...layersOf(structure).map(({ flops }) => flops), 1);
  const columns = COLUMNS.map((name, index) => ({
    words: t(`network.col_${name}`),
    number: index >= WORD_COLUMNS,
  }));
  const rows = structure.rows.map(row => listingRow(row, most));
  const table = scrollTable(t('network.structure'), columns, rows, { style: 'structure' });
  return h('details', { class: 'card' }, h('summary', {}, t('network.structure')), table);
}

/** @param {Row} row @param {number} most FLOPs of the heaviest layer */
function listingRow(row, most) {
  const { index, depth, kind, input, output, kernel, parameters, flops, activation_bytes } = row;
  const name = rowHead(index === null ? kind : `${index}: ${kind}`, 'mono layer-name');
  name.style.setProperty('--depth', String(depth));
  const share = h('span', { class: 'share' });
  share.style.setProperty('--share', String(index === null ? 0 : flops / most));
  const line = tableRow(name, [
    h('td', { class: 'mono' }, `[${shapeWords(input)}] ⇒ [${shapeWords(output)}]`),
    h('td', { class: 'mono' }, kernel ? `${kernel.join('×')} + ${kernel.at(-1)}` : ''),
    numberCell(parameters > 0 ? number(parameters) : ''),
    h('td', { class: 'number' }, flops > 0 ? short(flops) : '', share),
    numberCell(bytes(activation_bytes)),
    numberCell(row.receptive_field.join('×')),
  ]);
  if (index === null) line.className = 'group';
  return line;
}

/** @param {import('../engine/protocol.js').Shape} shape */
function shapeWords({ height, width, channels }) {
  return `${height}, ${width}, ${channels}`;
}

customElements.define('floret-network', NetworkPanel);
