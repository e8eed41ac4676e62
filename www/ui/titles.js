/** Names of models in the reader's language. */

import { language } from '../i18n/i18n.js';
import { store } from '../state/state.js';

/** @typedef {import('../engine/protocol.js').ShippedModel} ShippedModel */

/** A shipped model's title. @param {ShippedModel} shipped */
export function titleOf({ title }) {
  return title[language()];
}

/**
 * A model's name for people: a shipped one has a title.
 * @param {import('../state/state.js').ModelAtHand} model
 */
export function titleAtHand({ name, file }) {
  const entry = store.value.shipped.models?.find(shipped => shipped.file === file);
  return entry ? titleOf(entry) : name;
}
