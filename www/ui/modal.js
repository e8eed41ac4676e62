/** A dialog over the page: Escape and a button close it, and the focus goes back to where it was. */

import { t } from '../i18n/i18n.js';
import { fill, freshId, h } from './dom.js';

export class Modal {
  constructor() {
    const id = freshId('modal');
    this.title = h('h2', { id, tabindex: '-1' });
    this.close = h('button', { type: 'button', class: 'button quiet', onclick: () => this.element.close() });
    this.body = h('div', { class: 'modal-body' });
    this.element = h(
      'dialog',
      { class: 'modal', 'aria-labelledby': id },
      h('header', { class: 'modal-head' }, this.title, this.close),
      this.body,
    );
  }

  /** @param {string} title @param {...import('./dom.js').Child} content */
  open(title, ...content) {
    fill(this.title, title);
    fill(this.close, t('close'));
    fill(this.body, ...content);
    if (!this.element.open) this.element.showModal();
    this.title.focus({ preventScroll: true });
  }
}
