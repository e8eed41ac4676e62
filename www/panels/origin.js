/** Start from: chance, or the model that was opened, so that a few photos are enough. */

import { t } from '../i18n/i18n.js';
import { origin } from '../state/models.js';
import { startFrom } from '../state/session.js';
import { fill, h } from '../ui/dom.js';
import { Panel, say } from '../ui/panel.js';
import { titleAtHand } from '../ui/titles.js';

/** @typedef {import('../engine/protocol.js').Origin} Origin */

/** @type {Origin[]} */
const ORIGINS = ['scratch', 'head', 'whole'];

class OriginChoice extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['opened', 'shipped', 'network', 'origin'];

  words = h('p', { class: 'small soft' });
  radios = ORIGINS.map(name =>
    h('input', { type: 'radio', name: 'origin', value: name, onchange: () => this.choose(name) }),
  );

  render() {
    const labels = this.radios.map(radio => h('label', {}, radio, t(`origin.${radio.value}`)));
    const choice = h('div', { class: 'segments stacked' }, labels);
    fill(this, h('fieldset', {}, h('legend', {}, t('origin.title')), choice), this.words, this.fault);
    this.update();
  }

  update() {
    const { opened, origin: chosen } = this.state;
    this.hidden = opened === null;
    // Another network that was chosen since starts from chance.
    const now = origin() ? chosen : 'scratch';
    for (const radio of this.radios) radio.checked = radio.value === now;
    say(this.words, t(`origin.${now}_words`, { model: opened ? titleAtHand(opened) : '' }));
  }

  /** @param {Origin} name */
  async choose(name) {
    await this.run(() => startFrom(name));
    this.update();
  }
}

customElements.define('floret-origin', OriginChoice);
