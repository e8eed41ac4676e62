/** What all panels share: they draw themselves from the state, again when the language changes. */

import { fill, h } from './dom.js';
import { EngineFailure } from '../engine/engine.js';
import { languageEvents, t } from '../i18n/i18n.js';
import { store } from '../state/state.js';
import { wordError } from './words.js';

/** A part of the page. Subclasses draw all in `render` and follow the parts of the state named in `watches`. */
export class Panel extends HTMLElement {
  /** Where the panel shows what went wrong. @type {HTMLElement | undefined} */
  fault;

  /** Parts of the state that this panel shows. @returns {string[]} */
  get watches() {
    return [];
  }

  connectedCallback() {
    this.onLanguage = () => this.render();
    /** @param {Event} event */
    this.onState = event => {
      const changed = /** @type {CustomEvent<Set<string>>} */ (event).detail;
      if (this.watches.some(part => changed.has(part))) this.update(changed);
    };
    languageEvents.addEventListener('change', this.onLanguage);
    store.addEventListener('change', this.onState);
    this.render();
  }

  disconnectedCallback() {
    if (this.onLanguage) languageEvents.removeEventListener('change', this.onLanguage);
    if (this.onState) store.removeEventListener('change', this.onState);
  }

  /** Draws everything. */
  render() {}

  /** Follows a change; draws everything where a panel has no finer way. @param {Set<string>} _changed */
  update(_changed) {
    this.render();
  }

  get state() {
    return store.value;
  }

  /** Does what was asked for; a failure is shown in its place. @param {() => Promise<unknown>} work */
  async run(work) {
    if (this.fault) fill(this.fault);
    try {
      await work();
    } catch (failure) {
      if (this.fault) showFailure(this.fault, failure);
    }
  }
}

/** Shows another view. @param {string} view */
export function go(view) {
  location.hash = view;
}

/**
 * The head of a panel: which step, what to do there.
 * @param {string} name
 */
export function heading(name) {
  return h(
    'header',
    { class: 'panel-head' },
    h('h1', { tabindex: '-1' }, t(`${name}.title`)),
    h('p', { class: 'lead' }, t(`${name}.lead`)),
  );
}

/**
 * A failure, worded and announced.
 * @param {Element} place emptied first
 * @param {unknown} failure
 */
export function showFailure(place, failure) {
  if (failure instanceof EngineFailure && failure.detail.code === 'cancelled') {
    fill(place);
    return;
  }
  const detail =
    failure instanceof EngineFailure ? failure.detail : { code: 'page', message: String(failure) };
  fill(place, h('p', { class: 'fault', role: 'alert' }, wordError(detail)));
}
