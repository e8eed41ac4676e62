/** Classify: a photo in, a probability for each class out. */

import './model.js';
import { nameOf, t } from '../i18n/i18n.js';
import { askAbout, classify, samplePhoto } from '../state/models.js';
import { fill, h } from '../ui/dom.js';
import { picker, takesDrops } from '../ui/dropzone.js';
import { imageOfPaste } from '../ui/files.js';
import { number, percent } from '../ui/format.js';
import { icon } from '../ui/icons.js';
import { mark } from '../ui/mark.js';
import { heading, Panel } from '../ui/panel.js';
import { SampleButtons, wordTruth } from '../ui/samples.js';

/** @typedef {import('../engine/protocol.js').Answer} Answer */

class Classify extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['model', 'shipped', 'photo', 'library'];

  /** Whether a model was there or on its way when this was drawn. */
  ready = false;
  /** The photo that was asked about last. @type {File | null} */
  asked = null;
  answer = h('div', { class: 'answer', 'aria-live': 'polite' });
  preview = h('div', { class: 'preview' });
  samples = new SampleButtons(source => this.bring(source));

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener('paste', event => {
      const image = imageOfPaste(event);
      if (image && !this.hidden) askAbout(image);
    });
  }

  render() {
    this.samples.word();
    this.ready = this.expectsModel();
    const model = document.createElement('floret-model');
    if (!this.ready) {
      const words = h('p', { class: 'lead' }, t('classify.empty'));
      const photos = h('a', { class: 'button primary', href: '#photos' }, t('classify.go'));
      fill(this, heading('classify'), h('div', { class: 'card empty' }, mark(55), words, photos), model);
      return;
    }
    fill(this.preview, mark(89));
    this.asked = null;
    this.say('classify.waiting');
    const answer = h('section', { class: 'card tight' }, h('h2', {}, t('classify.answer')), this.answer);
    const columns = h('div', { class: 'columns' }, this.photoZone(), answer);
    fill(this, heading('classify'), h('div', { class: 'stack' }, columns, this.fault, model));
    this.ask();
  }

  photoZone() {
    const take = (/** @type {import('../ui/files.js').Found[]} */ found) =>
      found[0] && askAbout(found[0].file);
    const choose = picker({
      label: t('classify.choose'),
      name: 'photo',
      class: 'button primary',
      content: [icon('photos')],
      accept: 'image/*',
      take,
    });
    const camera = picker({
      label: t('classify.camera'),
      name: 'camera',
      content: [icon('camera')],
      accept: 'image/*',
      capture: 'environment',
      take,
    });
    const zone = h(
      'section',
      { class: 'dropzone photo-zone', 'aria-label': t('classify.drop') },
      this.preview,
      h('h2', {}, t('classify.drop')),
      h('div', { class: 'row centre' }, choose, camera),
      h('p', { class: 'small soft' }, t('sample.lead')),
      h('div', { class: 'row centre' }, this.samples.heldBack, this.samples.drawn),
    );
    takesDrops(zone, take);
    return zone;
  }

  /** @param {import('../engine/protocol.js').SampleSource} source */
  bring(source) {
    this.run(async () => {
      const { file, truth } = await samplePhoto(source);
      askAbout(file, truth);
    });
  }

  /** Whether a model is there, or on its way. */
  expectsModel() {
    const { model, shipped } = this.state;
    return model !== null || shipped.models === null || shipped.loading !== null;
  }

  /** @param {Set<string>} changed */
  update(changed) {
    this.samples.update();
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
      if (photo !== this.asked) this.say('classify.waiting');
      this.asked = photo;
      if (!model) {
        this.say('classify.soon');
        return;
      }
      const answer = await classify(photo);
      // A slow answer must not take the place of a later one.
      if (this.state.photo === photo && this.state.model === model) this.showAnswer(answer);
    });
  }

  /** @param {string} key */
  say(key) {
    fill(this.answer, h('p', { class: 'soft' }, t(key)));
  }

  /** @param {File} file */
  showPhoto(file) {
    const address = URL.createObjectURL(file);
    const image = h('img', { src: address, alt: t('classify.photo', { name: file.name }) });
    image.addEventListener('load', () => URL.revokeObjectURL(address));
    image.addEventListener('error', () => {
      URL.revokeObjectURL(address);
      if (this.preview.contains(image)) fill(this.preview, mark(89));
    });
    fill(this.preview, image);
  }

  /** @param {Answer} answer */
  showAnswer(answer) {
    const { classes, probabilities, milliseconds, outlier } = answer;
    const { truth } = this.state;
    const order = probabilities.map((_, index) => index).sort((a, b) => probabilities[b] - probabilities[a]);
    const time = t('classify.time', { ms: number(milliseconds, { maximumFractionDigits: 1 }) });
    const said = outlier?.none_of_these ? null : classes[order[0]];
    fill(
      this.answer,
      verdict(answer, nameOf('class', classes[order[0]])),
      truth ? h('p', {}, wordTruth(truth, classes, said)) : null,
      h(
        'ol',
        { class: 'bars' },
        order.map((index, rank) => bar(answer, index, rank === 0)),
      ),
      h('p', { class: 'small soft' }, time),
    );
  }
}

/** What the model takes the photo for. @param {Answer} answer @param {string} first its likeliest class */
function verdict({ outlier }, first) {
  if (!outlier?.none_of_these) return [h('p', { class: 'figure' }, first)];
  const score = number(outlier.score, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
  return [
    h('p', { class: 'figure none-of-these' }, t('classify.none')),
    h('p', { class: 'small soft' }, t('classify.none_why', { score })),
    h('p', { class: 'small' }, t('classify.none_still', { class: first })),
  ];
}

/** A class with its probability. @param {Answer} answer @param {number} index @param {boolean} best */
function bar({ classes, probabilities }, index, best) {
  const filled = h('span', { class: 'bar-fill' });
  filled.style.setProperty('--share', String(probabilities[index]));
  return h(
    'li',
    { class: `class-${index % 8}${best ? ' best' : ''}` },
    h('span', { class: 'bar-name' }, nameOf('class', classes[index])),
    h('span', { class: 'bar', 'aria-hidden': 'true' }, filled),
    h('span', { class: 'bar-value' }, percent(probabilities[index])),
  );
}

customElements.define('floret-classify', Classify);
