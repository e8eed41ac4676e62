/** Engine errors and remarks in the reader's language. */

import { bytes, number } from './format.js';
import { known, t } from './i18n.js';

/** @param {import('./protocol.js').EngineError} error */
export function wordError(error) {
  const key = `error.${error.code}`;
  if (!known(key)) return error.message ?? error.code;
  const values = Object.fromEntries(
    Object.entries(error).map(([name, value]) => [name, typeof value === 'number' ? number(value) : String(value ?? '')]),
  );
  if (error.code === 'memory') {
    values.needed = bytes(error.needed);
    values.available = bytes(error.available);
    const fits = error.batch_that_fits;
    return `${t(key, values)} ${fits ? t('error.memory_fits', { batch: fits }) : t('error.memory_never')}`;
  }
  return error.suggestion ? `${t(key, values)} ${error.suggestion}` : t(key, values);
}

/** A remark of the data doctor. @param {import('./protocol.js').Note} note */
export function wordNote(note) {
  const key = `note.${note.code}`;
  if (!known(key)) return note.message ?? note.code;
  return t(key, Object.fromEntries(Object.entries(note).map(([name, value]) => [name, typeof value === 'number' ? number(value) : String(value)])));
}
