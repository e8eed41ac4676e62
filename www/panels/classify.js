/** Classify: a photo in, a probability for each class out. */

import { fill, h } from '../dom.js';
import { picker, takesDrops } from '../dropzone.js';
import { imageOfPaste } from '../files.js';
import { number, percent } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { mark } from '../mark.js';
import { Panel, heading, showFailure } from '../panel.js';
import { classify, openModel, saveModel } from '../session.js';

class Classify extends Panel {
  get watches() {
    return ['model'];
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener('paste', (event) => {
      const image = imageOfPaste(event);
      if (image && !this.hidden) this.take(image);
    });
  }

  render() {
    this.ready = this.hasModel();
    this.fault = h('div', {});
    this.answer = h('div', { class: 'answer', 'aria-live': 'polite' });
    const open = picker({ label: t('model.open'), name: 'model', content: [icon('open')], accept: '.safetensors', take: (found) => this.run(() => openModel(found[0].file)) });
    if (!this.ready) {
      fill(
        this,
        heading('classify'),
        h('div', { class: 'card empty' }, mark(55), h('p', { class: 'lead' }, t('classify.empty')), h('div', { class: 'row centre' }, h('a', { class: 'button primary', href: '#photos' }, t('classify.go')), open)),
        this.fault,
      );
      return;
    }
    const take = (/** @type {import('../files.js').Found[]} */ found) => found[0] && this.take(found[0].file);
    const zone = h(
      'section',
      { class: 'dropzone photo-zone', 'aria-label': t('classify.drop') },
      (this.preview = h('div', { class: 'preview' }, mark(89))),
      h('h2', {}, t('classify.drop')),
      h(
        'div',
        { class: 'row centre' },
        picker({ label: t('classify.choose'), name: 'photo', class: 'button primary', content: [icon('photos')], accept: 'image/*', take }),
        picker({ label: t('classify.camera'), name: 'camera', content: [icon('camera')], accept: 'image/*', capture: 'environment', take }),
      ),
    );
    takesDrops(zone, take);
    fill(
      this,
      heading('classify'),
      h('div', { class: 'columns' }, zone, h('section', { class: 'card tight' }, h('h2', {}, t('classify.answer')), this.answer)),
      this.fault,
      h('section', { class: 'card row model-row' }, h('div', { class: 'grow' }, h('h2', {}, t('model.title')), (this.modelWords = h('p', { class: 'soft small' }))), this.saveButton(), open),
    );
    fill(this.answer, h('p', { class: 'soft' }, t('classify.waiting')));
    this.describeModel();
  }

  hasModel() {
    return this.state.model !== null;
  }

  update() {
    if (this.ready !== this.hasModel()) this.render();
    else this.describeModel();
  }

  describeModel() {
    const { model } = this.state;
    if (this.modelWords && model) this.modelWords.textContent = t('model.words', { name: model.name, classes: model.classes.join(', ') });
  }

  saveButton() {
    return h('button', { type: 'button', class: 'button', onclick: () => this.run(saveModel) }, icon('save'), t('model.save'));
  }

  /** @param {() => Promise<void>} work */
  async run(work) {
    if (this.fault) fill(this.fault);
    try {
      await work();
    } catch (failure) {
      if (this.fault) showFailure(this.fault, failure);
    }
  }

  /** @param {File} file */
  take(file) {
    this.run(async () => {
      await this.showPhoto(file);
      this.showAnswer(await classify(file));
    });
  }

  /** @param {File} file */
  async showPhoto(file) {
    const address = URL.createObjectURL(file);
    const image = h('img', { src: address, alt: t('classify.photo', { name: file.name }) });
    image.addEventListener('load', () => URL.revokeObjectURL(address));
    image.addEventListener('error', () => URL.revokeObjectURL(address));
    if (this.preview) fill(this.preview, image);
  }

  /** @param {import('../protocol.js').Answer} answer */
  showAnswer({ classes, probabilities, milliseconds }) {
    if (!this.answer) return;
    const order = probabilities.map((_, index) => index).sort((a, b) => probabilities[b] - probabilities[a]);
    const bar = (/** @type {number} */ index, /** @type {number} */ rank) => {
      const fillBar = h('span', { class: 'bar-fill' });
      fillBar.style.setProperty('--share', String(probabilities[index]));
      return h(
        'li',
        { class: `class-${index % 8}${rank === 0 ? ' best' : ''}` },
        h('span', { class: 'bar-name' }, classes[index]),
        h('span', { class: 'bar', 'aria-hidden': 'true' }, fillBar),
        h('span', { class: 'bar-value' }, percent(probabilities[index])),
      );
    };
    fill(
      this.answer,
      h('p', { class: 'figure' }, classes[order[0]]),
      h('ol', { class: 'bars' }, order.map(bar)),
      h('p', { class: 'small soft' }, t('classify.time', { ms: number(milliseconds, { maximumFractionDigits: 1 }) })),
    );
  }
}

customElements.define('floret-classify', Classify);
