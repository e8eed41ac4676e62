/** Start from: chance, or the model that was opened, so that a few photos are enough. */

import { fill, h } from '../ui/dom.js';
import { t } from '../i18n/i18n.js';
import { openedModel, origin, titleAtHand } from '../state/models.js';
import { Panel } from '../ui/panel.js';
import { startFrom } from '../state/session.js';

/** @typedef {import('../engine/protocol.js').Origin} Origin */

/** @type {Origin[]} */
const ORIGINS = ['scratch', 'head', 'whole'];

class OriginChoice extends Panel {
  get watches() {
    return ['model', 'network', 'origin'];
  }

  render() {
    this.fault = h('div', {});
    this.words = h('p', { class: 'small soft' });
    this.radios = ORIGINS.map(name =>
      h('input', { type: 'radio', name: 'origin', value: name, onchange: () => this.choose(name) }),
    );
    const radio = (/** @type {Origin} */ name, /** @type {number} */ index) =>
      h('label', {}, this.radios?.[index], t(`origin.${name}`));
    fill(
      this,
      h(
        'fieldset',
        {},
        h('legend', {}, t('origin.title')),
        h('div', { class: 'segments stacked' }, ORIGINS.map(radio)),
      ),
      this.words,
      this.fault,
    );
    this.update();
  }

  update() {
    const model = openedModel();
    this.hidden = model === null;
    // Another network that was chosen since starts from chance.
    const now = origin() ? this.state.origin : 'scratch';
    this.radios?.forEach(radio => (radio.checked = radio.value === now));
    if (this.words)
      this.words.textContent = t(`origin.${now}_words`, { model: model ? titleAtHand(model) : '' });
  }

  /** @param {Origin} name */
  async choose(name) {
    await this.run(() => startFrom(name));
    this.update();
  }
}

customElements.define('floret-origin', OriginChoice);
