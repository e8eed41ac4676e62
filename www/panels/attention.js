/** Grad-CAM: where in a photo the model sees a class, drawn over the photo. */

import { fill, h } from '../ui/dom.js';
import { picker, takesDrops } from '../ui/dropzone.js';
import { percent } from '../ui/format.js';
import { heatColour, whereStrongest } from '../ui/heat.js';
import { nameOf, t } from '../i18n/i18n.js';
import { icon } from '../ui/icons.js';
import { mark } from '../ui/mark.js';
import { attend } from '../state/models.js';
import { Panel, showFailure } from '../ui/panel.js';

/** Pixels a side of the drawn pictures. */
const SIDE = 480;
/** How much of the heat's colour covers the photo. */
const COVER = 0.62;

class AttentionPanel extends Panel {
  get watches() {
    return ['model'];
  }

  /** @type {File | null} */
  file = null;
  /** The class asked about; the model's own answer if none. @type {number | null} */
  asked = null;
  /** The model that was asked. @type {import('../state/state.js').ModelAtHand | null} */
  answers = null;

  render() {
    const take = (/** @type {import('../ui/files.js').Found[]} */ found) =>
      found[0] && this.take(found[0].file);
    const original = h('div', { class: 'heat-place' }, mark(89));
    const heat = h('div', { class: 'heat-place' }, mark(89));
    this.places = { original, heat };
    this.choice = h('select', {
      id: 'attention-class',
      disabled: true,
      onchange: () => this.ask(this.choice?.value ?? ''),
    });
    this.says = h('p', { class: 'says', role: 'status' }, t('attention.waiting'));
    this.fault = h('div', {});
    const zone = h(
      'section',
      { class: 'card tight attention', 'aria-label': t('attention.title') },
      h('h2', {}, t('attention.title')),
      h('p', { class: 'soft' }, t('attention.lead')),
      h(
        'div',
        { class: 'attention-pictures' },
        h('figure', {}, original, h('figcaption', { class: 'small soft' }, t('attention.original'))),
        h(
          'figure',
          {},
          heat,
          h(
            'figcaption',
            { class: 'small soft heat-key' },
            h('span', {}, t('attention.least')),
            h('span', { class: 'heat-scale', 'aria-hidden': 'true' }),
            h('span', {}, t('attention.most')),
          ),
        ),
        h(
          'div',
          { class: 'tight' },
          this.says,
          h(
            'div',
            { class: 'field' },
            h('label', { for: 'attention-class' }, t('attention.class')),
            this.choice,
          ),
          h(
            'div',
            { class: 'row' },
            picker({
              label: t('classify.choose'),
              name: 'attention-photo',
              class: 'button primary',
              content: [icon('photos')],
              accept: 'image/*',
              take,
            }),
          ),
          h('p', { class: 'small soft' }, t('attention.how')),
        ),
      ),
      this.fault,
    );
    takesDrops(zone, take);
    fill(this, zone);
    this.answers = this.state.model;
    if (this.file) this.look();
  }

  update() {
    if (this.answers === this.state.model) return;
    this.answers = this.state.model;
    this.asked = null;
    if (this.file && this.answers) this.look();
  }

  /** @param {File} file */
  take(file) {
    this.file = file;
    this.asked = null;
    this.look();
  }

  /** @param {string} value of the choice: a class's number, or nothing for the model's own answer */
  ask(value) {
    this.asked = value === '' ? null : Number(value);
    this.look();
  }

  async look() {
    const { file, asked } = this;
    if (!file || !this.fault || !this.says) return;
    fill(this.fault);
    if (!this.state.model) {
      this.says.textContent = t('attention.no_model');
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

  /** @param {import('../engine/protocol.js').Attention} attention */
  show({ classes, probabilities, heat, size, pixels }) {
    if (!this.places || !this.choice || !this.says) return;
    const name = nameOf('class', classes[heat.class]);
    const where = t(`where.${whereStrongest(heat)}`);
    const photo = pictureOf(pixels, size, size);
    fill(this.places.original, drawn(t('attention.original'), [[photo, 1]]));
    const covered = drawn(t('attention.label', { class: name, where }), [
      [photo, 1],
      [heatPicture(heat), COVER],
    ]);
    fill(this.places.heat, covered);
    const strongest = Math.max(...heat.values);
    this.says.textContent = t(strongest > 0 ? 'attention.says' : 'attention.nothing', {
      class: name,
      share: percent(probabilities[heat.class], 0),
      where,
    });
    const order = classes.map((_, index) => index).sort((a, b) => probabilities[b] - probabilities[a]);
    fill(
      this.choice,
      h(
        'option',
        { value: '', selected: this.asked === null },
        t('attention.own', { class: nameOf('class', classes[order[0]]) }),
      ),
      order.map(index =>
        h(
          'option',
          { value: index, selected: this.asked === index },
          `${nameOf('class', classes[index])} · ${percent(probabilities[index], 0)}`,
        ),
      ),
    );
    this.choice.disabled = false;
  }
}

/**
 * A canvas with these pictures over one another, each as far as it covers.
 * @param {string} label
 * @param {[HTMLCanvasElement, number][]} layers
 */
function drawn(label, layers) {
  const canvas = h('canvas', { width: SIDE, height: SIDE, role: 'img', 'aria-label': label });
  const context = canvas.getContext('2d');
  if (context) {
    context.imageSmoothingQuality = 'high';
    for (const [picture, cover] of layers) {
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

/** @param {import('../engine/protocol.js').Attention['heat']} heat */
function heatPicture({ values, width, height }) {
  return pictureOf(
    values.flatMap(value => [...heatColour(value), 255]),
    width,
    height,
  );
}

customElements.define('floret-attention', AttentionPanel);
