/** Why: what happens inside the network, and which of the report's claims hold. */

import './attention.js';
import './costs.js';
import './signals.js';
import { t } from '../i18n/i18n.js';
import { fill, h } from '../ui/dom.js';
import { heading, Panel } from '../ui/panel.js';

/** The report's claims, and whether measuring bears them out; see docs/depth.md. */
const CLAIMS = /** @type {const} */ ([
  ['vanishing', 'partly'],
  ['depth', 'holds'],
  ['products', 'holds'],
  ['memory', 'fails'],
  ['field', 'holds'],
  ['slower', 'holds'],
  ['worse', 'fails'],
]);

const SIGNS = { holds: '✓', partly: '◐', fails: '✗' };

class Why extends Panel {
  render() {
    const claim = (/** @type {typeof CLAIMS[number]} */ [name, verdict]) => {
      const sign = h('span', { class: 'sign', 'aria-hidden': 'true' }, SIGNS[verdict]);
      const head = h('strong', {}, `${t(`claim.${verdict}`)}: `);
      return h(
        'li',
        { class: `claim ${verdict}` },
        h('p', {}, sign, head, t(`claim.${name}`)),
        h('p', { class: 'soft small' }, t(`claim.${name}_measured`)),
      );
    };
    const claims = h(
      'section',
      { class: 'card tight' },
      h('h2', {}, t('claim.title')),
      h('p', { class: 'soft' }, t('claim.lead')),
      h('ul', { class: 'claims' }, CLAIMS.map(claim)),
    );
    const parts = ['attention', 'signals', 'costs'].map(name => document.createElement(`floret-${name}`));
    fill(this, heading('why'), h('div', { class: 'stack' }, parts, claims));
  }
}

customElements.define('floret-why', Why);
