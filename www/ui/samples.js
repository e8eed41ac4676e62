/** Buttons that bring a photo to try a model on where nobody has a file at hand, and what its label says. */

import { nameOf, t } from '../i18n/i18n.js';
import { store } from '../state/state.js';
import { fill } from './dom.js';
import { icon } from './icons.js';
import { button } from './panel.js';

/** The two buttons; that for held-back photos shows where there are any. */
export class SampleButtons {
  /** @param {(source: import('../engine/protocol.js').SampleSource) => void} bring */
  constructor(bring) {
    this.heldBack = button('', () => bring('held_back'));
    this.drawn = button('', () => bring('drawn'));
  }

  /** Words them in the reader's language. */
  word() {
    fill(this.heldBack, icon('photos'), t('sample.held_back'));
    fill(this.drawn, icon('seed'), t('sample.drawn'));
    this.update();
  }

  /** Follows the photos. */
  update() {
    this.heldBack.hidden = !store.value.library?.classes.some(({ test }) => test > 0);
  }
}

/**
 * What the label of a photo says to an answer.
 * @param {string} truth
 * @param {string[]} classes that the model knows
 * @param {string | null} answer a class, or none of them
 */
export function wordTruth(truth, classes, answer) {
  const words = { class: nameOf('class', truth) };
  // The folders that a model learned from may be named in the plural.
  const says = (/** @type {string | null} */ name) => name === truth || name === `${truth}s`;
  if (!classes.some(says)) return t('sample.unknown', words);
  return t(says(answer) ? 'sample.right' : 'sample.wrong', words);
}
