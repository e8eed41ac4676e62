/** Grad-CAM: where in a photo the model sees a class, drawn over the photo. */

import { nameOf, t } from '../i18n/i18n.js';
import { attend, samplePhoto } from '../state/models.js';
import { fill, h } from '../ui/dom.js';
import { picker, takesDrops } from '../ui/dropzone.js';
import { percent } from '../ui/format.js';
import { heatColour, whereStrongest } from '../ui/heat.js';
import { icon } from '../ui/icons.js';
import { mark } from '../ui/mark.js';
import { Panel, say, showFailure } from '../ui/panel.js';
import { SampleButtons, wordTruth } from '../ui/samples.js';

/** @typedef {import('../engine/protocol.js').Attention} Attention */

/** Pixels a side of the drawn pictures. */
const SIDE = 480;
/** How much of the heat's colour covers the photo. */
const COVER = 0.62;

class AttentionPanel extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['model', 'library'];

  /** @type {File | null} */
  file = null;
  /** What the photo's label says, where it has one. @type {string | null} */
  truth = null;
  /** The class asked about; the model's own answer if none. @type {number | null} */
  asked = null;
  /** The model that was asked. @type {import('../state/state.js').ModelAtHand | null} */
  answers = null;

  original = h('div', { class: 'heat-place' }, mark(89));
  heat = h('div', { class: 'heat-place' }, mark(89));
  choice = h('select', { id: 'attention-class', disabled: true, onchange: () => this.choose() });
  says = h('p', { class: 'says', role: 'status' });
  label = h('p', { class: 'small' });
  samples = new SampleButtons(source => this.bring(source));

  render() {
    this.samples.word();
    const take = (/** @type {import('../ui/files.js').Found[]} */ found) => this.take(found[0]?.file);
    if (!this.file) say(this.says, t('attention.waiting'));
    const caption = h('figcaption', { class: 'small soft' }, t('attention.original'));
    const pictures = [h('figure', {}, this.original, caption), h('figure', {}, this.heat, heatKey())];
    const choosePhoto = picker({
      label: t('classify.choose'),
      name: 'attention-photo',
      class: 'button primary',
      content: [icon('photos')],
      accept: 'image/*',
      take,
    });
    const label = h('label', { for: 'attention-class' }, t('attention.class'));
    const words = h(
      'div',
      { class: 'tight' },
      this.says,
      this.label,
      h('div', { class: 'field' }, label, this.choice),
      h('div', { class: 'row' }, choosePhoto, this.samples.heldBack, this.samples.drawn),
      h('p', { class: 'small soft' }, t('attention.how')),
    );
    const zone = h(
      'section',
      { class: 'card tight attention', 'aria-label': t('attention.title') },
      h('h2', {}, t('attention.title')),
      h('p', { class: 'soft' }, t('attention.lead')),
      h('div', { class: 'attention-pictures' }, pictures, words),
      this.fault,
    );
    takesDrops(zone, take);
    fill(this, zone);
    this.answers = this.state.model;
    this.ask();
  }

  update() {
    this.samples.update();
    if (this.answers === this.state.model) return;
    this.answers = this.state.model;
    this.asked = null;
    if (this.answers) this.ask();
  }

  /** @param {import('../engine/protocol.js').SampleSource} source */
  bring(source) {
    this.run(async () => {
      const { file, truth } = await samplePhoto(source);
      this.take(file, truth);
    });
  }

  /** @param {File | undefined} file @param {string | null} [truth] */
  take(file, truth = null) {
    if (!file) return;
    this.file = file;
    this.truth = truth;
    this.asked = null;
    this.ask();
  }

  /** Asks about the class that is chosen: its number, or nothing for the model's own answer. */
  choose() {
    const { value } = this.choice;
    this.asked = value === '' ? null : Number(value);
    this.ask();
  }

  async ask() {
    const { file, asked } = this;
    if (!file) return;
    fill(this.fault);
    if (!this.state.model) {
      say(this.says, t('attention.no_model'));
      return;
    }
    try {
      const attention = await attend(file, asked);
      // A newer question may have come meanwhile.
      if (this.file === file && this.asked === asked) this.show(attention);
    } catch (failure) {
      showFailure(this.fault, failure);
    }
  }

  /** @param {Attention} attention */
  show({ classes, probabilities, heat, size, pixels }) {
    const name = nameOf('class', classes[heat.class]);
    const where = t(`where.${whereStrongest(heat)}`);
    const share = percent(probabilities[heat.class], 0);
    const photo = pictureOf(pixels, size, size);
    const label = t('attention.label', { class: name, where });
    fill(this.original, drawn(t('attention.original'), [{ picture: photo, cover: 1 }]));
    fill(
      this.heat,
      drawn(label, [
        { picture: photo, cover: 1 },
        { picture: heatPicture(heat), cover: COVER },
      ]),
    );
    const some = Math.max(...heat.values) > 0;
    say(this.says, t(some ? 'attention.says' : 'attention.nothing', { class: name, share, where }));
    const best = classes[probabilities.indexOf(Math.max(...probabilities))];
    say(this.label, this.truth ? wordTruth(this.truth, classes, best) : '');
    this.showChoice(classes, probabilities);
  }

  /** @param {string[]} classes @param {number[]} probabilities */
  showChoice(classes, probabilities) {
    const order = classes.map((_, index) => index).sort((a, b) => probabilities[b] - probabilities[a]);
    const own = t('attention.own', { class: nameOf('class', classes[order[0]]) });
    const option = (/** @type {number} */ index) => {
      const words = `${nameOf('class', classes[index])} · ${percent(probabilities[index], 0)}`;
      return h('option', { value: index, selected: this.asked === index }, words);
    };
    fill(this.choice, h('option', { value: '', selected: this.asked === null }, own), order.map(option));
    this.choice.disabled = false;
  }
}

/** What the heat's colours mean. */
function heatKey() {
  return h(
    'figcaption',
    { class: 'small soft heat-key' },
    h('span', {}, t('attention.least')),
    h('span', { class: 'heat-scale', 'aria-hidden': 'true' }),
    h('span', {}, t('attention.most')),
  );
}

/**
 * A canvas with these pictures over one another, each as far as it covers.
 * @param {string} label
 * @param {{ picture: HTMLCanvasElement, cover: number }[]} layers
 */
function drawn(label, layers) {
  const canvas = h('canvas', { width: SIDE, height: SIDE, role: 'img', 'aria-label': label });
  const context = canvas.getContext('2d');
  if (context) {
    context.imageSmoothingQuality = 'high';
    for (const { picture, cover } of layers) {
      context.globalAlpha = cover;
      context.drawImage(picture, 0, 0, SIDE, SIDE);
    }
  }
  return canvas;
}

/** @param {ArrayLike<number>} rgba @param {number} width @param {number} height */
function pictureOf(rgba, width, height) {
  const canvas = h('canvas', { width, height });
  canvas.getContext('2d')?.putImageData(new ImageData(Uint8ClampedArray.from(rgba), width, height), 0, 0);
  return canvas;
}

/** @param {Attention['heat']} heat */
function heatPicture({ values, width, height }) {
  return pictureOf(
    values.flatMap(value => [...heatColour(value), 255]),
    width,
    height,
  );
}

customElements.define('floret-attention', AttentionPanel);
