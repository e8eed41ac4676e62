/** Classify: a photo in, a probability for each class out. */

import { fill, h } from '../ui/dom.js';
import { picker, takesDrops } from '../ui/dropzone.js';
import { imageOfPaste } from '../ui/files.js';
import { number, percent } from '../ui/format.js';
import { nameOf, t } from '../i18n/i18n.js';
import { icon } from '../ui/icons.js';
import { mark } from '../ui/mark.js';
import { askAbout, classify } from '../state/models.js';
import { Panel, heading } from '../ui/panel.js';

class Classify extends Panel {
  get watches() {
    return ['model', 'shipped', 'photo'];
  }

  /** The photo that was asked about last. @type {File | null} */
  asked = null;

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener('paste', event => {
      const image = imageOfPaste(event);
      if (image && !this.hidden) askAbout(image);
    });
  }

  render() {
    this.ready = this.expectsModel();
    this.fault = h('div', {});
    this.answer = h('div', { class: 'answer', 'aria-live': 'polite' });
    if (!this.ready) {
      fill(
        this,
        heading('classify'),
        h(
          'div',
          { class: 'card empty' },
          mark(55),
          h('p', { class: 'lead' }, t('classify.empty')),
          h('a', { class: 'button primary', href: '#photos' }, t('classify.go')),
        ),
        document.createElement('floret-model'),
      );
      return;
    }
    const take = (/** @type {import('../ui/files.js').Found[]} */ found) =>
      found[0] && askAbout(found[0].file);
    const zone = h(
      'section',
      { class: 'dropzone photo-zone', 'aria-label': t('classify.drop') },
      (this.preview = h('div', { class: 'preview' }, mark(89))),
      h('h2', {}, t('classify.drop')),
      h(
        'div',
        { class: 'row centre' },
        picker({
          label: t('classify.choose'),
          name: 'photo',
          class: 'button primary',
          content: [icon('photos')],
          accept: 'image/*',
          take,
        }),
        picker({
          label: t('classify.camera'),
          name: 'camera',
          content: [icon('camera')],
          accept: 'image/*',
          capture: 'environment',
          take,
        }),
      ),
    );
    takesDrops(zone, take);
    fill(
      this,
      heading('classify'),
      h(
        'div',
        { class: 'stack' },
        h(
          'div',
          { class: 'columns' },
          zone,
          h('section', { class: 'card tight' }, h('h2', {}, t('classify.answer')), this.answer),
        ),
        this.fault,
        document.createElement('floret-model'),
      ),
    );
    fill(this.answer, h('p', { class: 'soft' }, t('classify.waiting')));
    this.ask();
  }

  /** Whether a model is there, or on its way. */
  expectsModel() {
    const { model, shipped } = this.state;
    return model !== null || shipped.models === null || shipped.loading !== null;
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (this.ready !== this.expectsModel()) this.render();
    else if (changed.has('photo') || changed.has('model')) this.ask();
  }

  /** Asks the model about the photo; another model that comes to answer is asked about the same one. */
  ask() {
    const { photo, model } = this.state;
    if (!photo) return;
    this.run(async () => {
      this.showPhoto(photo);
      // What was said of another photo is no answer to this one.
      if (photo !== this.asked && this.answer)
        fill(this.answer, h('p', { class: 'soft' }, t('classify.waiting')));
      this.asked = photo;
      if (!model) {
        if (this.answer) fill(this.answer, h('p', { class: 'soft' }, t('classify.soon')));
        return;
      }
      const answer = await classify(photo);
      // A slow answer must not take the place of a later one.
      if (this.state.photo === photo && this.state.model === model) this.showAnswer(answer);
    });
  }

  /** @param {File} file */
  showPhoto(file) {
    const address = URL.createObjectURL(file);
    const image = h('img', { src: address, alt: t('classify.photo', { name: file.name }) });
    image.addEventListener('load', () => URL.revokeObjectURL(address));
    image.addEventListener('error', () => {
      URL.revokeObjectURL(address);
      if (this.preview?.contains(image)) fill(this.preview, mark(89));
    });
    if (this.preview) fill(this.preview, image);
  }

  /** @param {import('../engine/protocol.js').Answer} answer */
  showAnswer({ classes, probabilities, outlier, milliseconds }) {
    if (!this.answer) return;
    const order = probabilities.map((_, index) => index).sort((a, b) => probabilities[b] - probabilities[a]);
    const bar = (/** @type {number} */ index, /** @type {number} */ rank) => {
      const fillBar = h('span', { class: 'bar-fill' });
      fillBar.style.setProperty('--share', String(probabilities[index]));
      return h(
        'li',
        { class: `class-${index % 8}${rank === 0 ? ' best' : ''}` },
        h('span', { class: 'bar-name' }, nameOf('class', classes[index])),
        h('span', { class: 'bar', 'aria-hidden': 'true' }, fillBar),
        h('span', { class: 'bar-value' }, percent(probabilities[index])),
      );
    };
    const first = nameOf('class', classes[order[0]]);
    const verdict = outlier?.none_of_these
      ? [
          h('p', { class: 'figure none-of-these' }, t('classify.none')),
          h(
            'p',
            { class: 'small soft' },
            t('classify.none_why', {
              score: number(outlier.score, { maximumFractionDigits: 1, minimumFractionDigits: 1 }),
            }),
          ),
          h('p', { class: 'small' }, t('classify.none_still', { class: first })),
        ]
      : [h('p', { class: 'figure' }, first)];
    fill(
      this.answer,
      verdict,
      h('ol', { class: 'bars' }, order.map(bar)),
      h(
        'p',
        { class: 'small soft' },
        t('classify.time', { ms: number(milliseconds, { maximumFractionDigits: 1 }) }),
      ),
    );
  }
}

customElements.define('floret-classify', Classify);
