/** Network: nine presets, the notation with a live check, the structure listing and the picture. */

import { fill, h } from '../ui/dom.js';
import { EngineFailure } from '../engine/engine.js';
import { bytes, number, short } from '../ui/format.js';
import { drawGraph } from '../ui/graph-picture.js';
import { glyph } from '../ui/glyphs.js';
import { known, t } from '../i18n/i18n.js';
import { icon } from '../ui/icons.js';
import { Panel, heading } from '../ui/panel.js';
import { chooseNetwork, networkOf } from '../state/session.js';
import { wordError } from '../ui/words.js';

/** Above this, a preset is marked as heavy: training it takes hours on a laptop. */
const HEAVY_FLOPS = 1e9;

/** Orders of linear part, activation and batch normalisation that a preset can take. */
const ACTIONS = ['LA', 'LAB', 'LBA', 'BLA'];

const COLUMNS = ['layer', 'shapes', 'formula', 'parameters', 'flops', 'memory', 'field'];

class NetworkPanel extends Panel {
  get watches() {
    return ['presets', 'structure'];
  }

  render() {
    const written = this.text?.value;
    this.cards = h('div', { class: 'presets' });
    this.heavy = h('div', { class: 'presets' });
    this.problem = h('div', { class: 'problem', role: 'status', id: 'notation-problem' });
    this.text = h('textarea', {
      id: 'notation',
      class: 'mono notation',
      spellcheck: 'false',
      autocapitalize: 'off',
      rows: 12,
      'aria-describedby': 'notation-problem',
      oninput: () => this.edited(),
    });
    this.structure = h('div', { class: 'stack' });
    fill(
      this,
      heading('network'),
      h(
        'div',
        { class: 'stack' },
        h(
          'fieldset',
          {},
          h('legend', { class: 'sr' }, t('network.presets')),
          this.cards,
          h(
            'details',
            { class: 'heavy' },
            h('summary', {}, t('network.heavy')),
            h('p', { class: 'soft' }, t('network.heavy_lead')),
            this.heavy,
          ),
        ),
        h(
          'section',
          { class: 'columns wide' },
          h(
            'div',
            { class: 'card tight' },
            this.problem,
            h(
              'div',
              { class: 'field' },
              h('label', { for: 'notation' }, t('network.notation')),
              this.text,
              h('p', { class: 'small soft' }, t('network.notation_hint')),
            ),
            this.inputs(),
          ),
          (this.picture = h('div', { class: 'card picture' })),
        ),
        this.structure,
        h(
          'div',
          { class: 'next' },
          h('a', { class: 'button primary big', href: '#train' }, t('network.next'), icon('arrow')),
        ),
      ),
    );
    this.showPresets();
    this.showNetwork(true);
    // Another language leaves what is being written alone.
    if (written && this.text && written !== this.text.value) {
      this.text.value = written;
      this.edited();
    }
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (changed.has('presets')) this.showPresets();
    if (changed.has('structure')) this.showNetwork(document.activeElement !== this.text);
  }

  /** Actions of a preset, and the input's size. */
  inputs() {
    this.actions = h(
      'select',
      { id: 'actions', onchange: () => this.chooseActions() },
      ACTIONS.map(actions => h('option', { value: actions }, actions)),
    );
    this.size = h('input', {
      type: 'number',
      id: 'input-size',
      min: 8,
      max: 512,
      step: 1,
      onchange: () => this.edited(),
    });
    return h(
      'div',
      { class: 'fields' },
      h(
        'div',
        { class: 'field' },
        h('label', { for: 'actions' }, t('network.actions')),
        this.actions,
        h('p', { class: 'small soft' }, t('network.actions_hint')),
      ),
      h(
        'div',
        { class: 'field' },
        h('label', { for: 'input-size' }, t('network.size')),
        this.size,
        h('p', { class: 'small soft' }, t('network.size_hint')),
      ),
    );
  }

  showPresets() {
    const card = (/** @type {import('../engine/protocol.js').Preset} */ preset) => {
      const chosen = this.state.network?.name === preset.name;
      return h(
        'label',
        { class: 'preset' },
        h('input', {
          type: 'radio',
          name: 'preset',
          value: preset.name,
          checked: chosen,
          onchange: () => this.choose(preset, preset.actions),
        }),
        glyph(preset.name),
        h('span', { class: 'preset-name' }, preset.name),
        h('span', { class: 'preset-what' }, known(`preset.${preset.name}`) ? t(`preset.${preset.name}`) : ''),
        h(
          'span',
          { class: 'preset-facts' },
          h('span', {}, `${preset.input.height} × ${preset.input.width}`),
          h('span', {}, t('network.parameters', { n: short(preset.parameters) })),
          h('span', {}, t('network.flops', { n: short(preset.flops) })),
        ),
      );
    };
    const light = this.state.presets.filter(({ flops }) => flops < HEAVY_FLOPS);
    const heavy = this.state.presets.filter(({ flops }) => flops >= HEAVY_FLOPS);
    if (this.cards) fill(this.cards, light.map(card));
    if (this.heavy) fill(this.heavy, heavy.map(card));
  }

  /** @param {import('../engine/protocol.js').Preset} preset @param {string} actions */
  async choose(preset, actions) {
    if (this.problem) fill(this.problem);
    await this.check(await networkOf(preset, actions));
  }

  /** The same preset with other actions. */
  chooseActions() {
    const preset = this.state.presets.find(({ name }) => name === this.state.network?.name);
    if (preset && this.actions) this.choose(preset, this.actions.value);
  }

  /** Waits for a pause in typing, then checks. */
  edited() {
    clearTimeout(this.pause);
    this.pause = setTimeout(() => {
      const { network } = this.state;
      const text = this.text?.value ?? '';
      const same = network !== null && text === network.text;
      const [name, actions] = same ? [network.name, network.actions] : [t('network.own'), null];
      this.check({ name, text, size: Number(this.size?.value), actions });
    }, 250);
  }

  /** @param {import('../engine/protocol.js').Network} network */
  async check(network) {
    try {
      await chooseNetwork(network);
      if (this.problem)
        fill(this.problem, h('p', { class: 'fine small' }, icon('check'), t('network.reads_well')));
      this.text?.removeAttribute('aria-invalid');
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
    if (!this.problem || !this.text) return;
    const detail =
      failure instanceof EngineFailure ? failure.detail : { code: 'page', message: String(failure) };
    this.text.setAttribute('aria-invalid', 'true');
    // What is written is none of the ready-made ones: choosing one takes its text back.
    for (const radio of this.radios()) radio.checked = false;
    const line =
      typeof detail.line === 'number' ? (this.text.value.split('\n')[detail.line - 1] ?? '') : null;
    const column = Math.max((detail.column ?? 1) - 1, 0);
    const start = Math.max(0, column - 24);
    const excerpt =
      line === null
        ? null
        : h(
            'pre',
            { class: 'slip', 'aria-hidden': 'true' },
            start > 0 ? '…' : '',
            line.slice(start, column),
            h('mark', {}, line.slice(column, column + 1) || ' '),
            line.slice(column + 1, column + 40),
          );
    const jump =
      line === null
        ? null
        : h(
            'button',
            { type: 'button', class: 'button', onclick: () => this.jump(detail.line, column) },
            t('network.jump', { line: detail.line, column: column + 1 }),
          );
    fill(this.problem, h('div', { class: 'fault tight' }, h('p', {}, wordError(detail)), excerpt, jump));
  }

  /** @param {number} line from 1 @param {number} column from 0 */
  jump(line, column) {
    if (!this.text) return;
    const before =
      this.text.value
        .split('\n')
        .slice(0, line - 1)
        .join('\n').length + (line > 1 ? 1 : 0);
    this.text.focus();
    this.text.setSelectionRange(before + column, before + column + 1);
  }

  /** @param {boolean} withText whether the editor takes the network's text */
  showNetwork(withText) {
    const { network, structure } = this.state;
    if (!network || !structure || !this.text || !this.structure || !this.picture) return;
    if (withText) {
      this.text.value = network.text;
      this.text.removeAttribute('aria-invalid');
    }
    if (this.actions) {
      this.actions.disabled = network.actions === null;
      this.actions.value = network.actions ?? '';
    }
    if (this.size) this.size.value = String(network.size);
    for (const radio of this.radios()) radio.checked = radio.value === network.name;
    fill(
      this.picture,
      h('h2', {}, t('network.picture')),
      h(
        'p',
        { class: 'small soft' },
        t('network.totals', {
          parameters: number(structure.parameters),
          flops: short(structure.flops),
          layers: structure.rows.filter(({ index }) => index !== null).length,
        }),
      ),
      drawGraph(structure, t('network.picture_label', { name: network.name })),
    );
    fill(this.structure, this.listing(structure));
  }

  /** @param {import('../engine/protocol.js').Structure} structure */
  listing(structure) {
    const most = Math.max(
      ...structure.rows.filter(({ index }) => index !== null).map(({ flops }) => flops),
      1,
    );
    return h(
      'details',
      { class: 'card' },
      h('summary', {}, t('network.structure')),
      h(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('network.structure') },
        h(
          'table',
          { class: 'structure' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              COLUMNS.map((name, index) =>
                h('th', { scope: 'col', class: index > 2 ? 'number' : null }, t(`network.col_${name}`)),
              ),
            ),
          ),
          h(
            'tbody',
            {},
            structure.rows.map(row => listingRow(row, most)),
          ),
        ),
      ),
    );
  }
}

/** @param {import('../engine/protocol.js').Row} row @param {number} most FLOPs of the heaviest layer */
function listingRow(row, most) {
  const { index, depth, kind, input, output, kernel, parameters, flops, activation_bytes, receptive_field } =
    row;
  const name = h(
    'th',
    { scope: 'row', class: 'mono layer-name' },
    index === null ? kind : `${index}: ${kind}`,
  );
  name.style.setProperty('--depth', String(depth));
  const share = h('span', { class: 'share' });
  share.style.setProperty('--share', String(index === null ? 0 : flops / most));
  return h(
    'tr',
    { class: index === null ? 'group' : null },
    name,
    h('td', { class: 'mono' }, `[${shapeWords(input)}] ⇒ [${shapeWords(output)}]`),
    h('td', { class: 'mono' }, kernel ? `${kernel.join('×')} + ${kernel.at(-1)}` : ''),
    h('td', { class: 'number' }, parameters > 0 ? number(parameters) : ''),
    h('td', { class: 'number' }, flops > 0 ? short(flops) : '', share),
    h('td', { class: 'number' }, bytes(activation_bytes)),
    h('td', { class: 'number' }, receptive_field.join('×')),
  );
}

/** @param {import('../engine/protocol.js').Shape} shape */
function shapeWords({ height, width, channels }) {
  return `${height}, ${width}, ${channels}`;
}

customElements.define('floret-network', NetworkPanel);
