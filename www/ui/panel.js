/** What all panels share: they draw themselves from the state, again when the language changes. */

import { EngineFailure } from '../engine/engine.js';
import { languageEvents, t } from '../i18n/i18n.js';
import { store } from '../state/state.js';
import { fill, h } from './dom.js';
import { wordError } from './words.js';

/** @typedef {keyof import('../state/state.js').State} Part */

/**
 * A part of the page. Its elements are fields, made once; subclasses word and arrange them in `render`, and
 * follow the parts
 * of the state named in `watches`.
 */
export class Panel extends HTMLElement {
  /** Where the panel shows what went wrong. */
  fault = h('div', { class: 'tight' });
  /** Parts of the state that this panel shows. @type {Part[]} */
  watches = [];

  #onLanguage = () => {
    fill(this.fault);
    this.render();
  };

  /** @param {Event} event */
  #onState = event => {
    const changed = /** @type {CustomEvent<Set<Part>>} */ (event).detail;
    if (this.watches.some(part => changed.has(part))) this.update(changed);
  };

  connectedCallback() {
    languageEvents.addEventListener('change', this.#onLanguage);
    store.addEventListener('change', this.#onState);
    this.render();
  }

  disconnectedCallback() {
    languageEvents.removeEventListener('change', this.#onLanguage);
    store.removeEventListener('change', this.#onState);
  }

  /** Draws everything. */
  render() {}

  /** Follows a change; draws everything where a panel has no finer way. @param {Set<Part>} _changed */
  update(_changed) {
    this.render();
  }

  get state() {
    return store.value;
  }

  /** Does what was asked for; a failure is shown in its place. @param {() => Promise<unknown>} work */
  async run(work) {
    fill(this.fault);
    try {
      await work();
    } catch (failure) {
      showFailure(this.fault, failure);
      const remedy = this.remedy(failure);
      if (remedy) this.fault.append(remedy);
    }
  }

  /** A way out of a failure, to be shown below it. @param {unknown} _failure @returns {Element | null} */
  remedy(_failure) {
    return null;
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
 * A button with its icon.
 * @param {string} words
 * @param {() => void} press
 * @param {Element | null} [icon]
 * @param {string} [style]
 */
export function button(words, press, icon = null, style = 'button') {
  return h('button', { type: 'button', class: style, onclick: press }, icon, words);
}

/**
 * Writes text where it changed: a screen reader says it once.
 * @param {Element} place
 * @param {string} words
 */
export function say(place, words) {
  if (place.textContent !== words) place.textContent = words;
}

/**
 * A failure as its code with values.
 * @param {unknown} failure
 * @returns {import('../engine/protocol.js').EngineError}
 */
export function detailOf(failure) {
  return failure instanceof EngineFailure ? failure.detail : { code: 'page', message: String(failure) };
}

/**
 * A failure, worded and announced.
 * @param {Element} place emptied first
 * @param {unknown} failure
 */
export function showFailure(place, failure) {
  const detail = detailOf(failure);
  // Who cancels knows it.
  if (detail.code === 'cancelled') {
    fill(place);
    return;
  }
  // What a driver, a host or the browser says is no sentence for a reader, yet helps who looks for the cause.
  const cause = detail.message || detail.detail;
  if (cause) console.info(`${detail.code}:`, cause);
  fill(place, h('p', { class: 'fault', role: 'alert' }, wordError(detail)));
}
