/** Why: what happens inside the network, and which of the report's claims hold. */

import { fill, h } from '../ui/dom.js';
import { t } from '../i18n/i18n.js';
import { Panel, heading } from '../ui/panel.js';

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
    const claim = (/** @type {typeof CLAIMS[number]} */ [name, verdict]) =>
      h(
        'li',
        { class: `claim ${verdict}` },
        h(
          'p',
          {},
          h('span', { class: 'sign', 'aria-hidden': 'true' }, SIGNS[verdict]),
          h('strong', {}, `${t(`claim.${verdict}`)}: `),
          t(`claim.${name}`),
        ),
        h('p', { class: 'soft small' }, t(`claim.${name}_measured`)),
      );
    fill(
      this,
      heading('why'),
      h(
        'div',
        { class: 'stack' },
        document.createElement('floret-attention'),
        document.createElement('floret-signals'),
        document.createElement('floret-costs'),
        h(
          'section',
          { class: 'card tight' },
          h('h2', {}, t('claim.title')),
          h('p', { class: 'soft' }, t('claim.lead')),
          h('ul', { class: 'claims' }, CLAIMS.map(claim)),
        ),
      ),
    );
  }
}

customElements.define('floret-why', Why);
