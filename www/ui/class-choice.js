/** A class to choose, or a new one to name. */

import { nameOf, t } from '../i18n/i18n.js';
import { fill, h } from './dom.js';

/** The value of the choice that asks for a new name: no class is called so. */
const NEW = '\n';

export class ClassChoice {
  /** @param {() => void} changed after another choice, and while a name is written */
  constructor(changed) {
    this.select = h('select', { onchange: changed });
    this.name = h('input', { type: 'text', maxlength: 100, oninput: changed });
  }

  /**
   * Offers these classes and a new one; without `chosen`, the one that was chosen stays where it can.
   * @param {string[]} classes
   * @param {string | null} [chosen] `null` chooses a new one
   */
  offer(classes, chosen) {
    const before = chosen === undefined ? this.select.value : (chosen ?? NEW);
    fill(
      this.select,
      classes.map(label => h('option', { value: label }, nameOf('class', label))),
      h('option', { value: NEW }, t('curate.new')),
    );
    if ([...classes, NEW].includes(before)) this.select.value = before;
  }

  get isNew() {
    return this.select.value === NEW;
  }

  /** The class; empty while a new one has no name. */
  get label() {
    return this.isNew ? this.name.value.trim() : this.select.value;
  }
}
