/** Engine errors and remarks in the reader's language. */

import { known, t } from '../i18n/i18n.js';
import { bytes, number } from './format.js';

/** @param {import('../engine/protocol.js').EngineError} error */
export function wordError(error) {
  const key = `error.${error.code}`;
  if (!known(key)) return error.message ?? error.code;
  const values = Object.fromEntries(
    Object.entries(error).map(([name, value]) => [
      name,
      typeof value === 'number' ? number(value) : String(value ?? ''),
    ]),
  );
  if (error.code === 'memory' || error.code === 'photo_memory') {
    values.needed = bytes(error.needed);
    values.available = bytes(error.available);
  }
  if (error.code === 'memory') {
    const fits = error.batch_that_fits;
    return `${t(key, values)} ${fits ? t('error.memory_fits', { batch: fits }) : t('error.memory_never')}`;
  }
  return error.suggestion ? `${t(key, values)} ${wordSuggestion(error.suggestion)}` : t(key, values);
}

/** The engine suggests names in English. @param {string} suggestion */
function wordSuggestion(suggestion) {
  const meant = suggestion.match(/^did you mean `(.+)`\?$/);
  return meant ? t('error.did_you_mean', { name: meant[1] }) : suggestion;
}

/** A device in the reader's language: the engine names threads in English. @param {string} name */
export function wordDevice(name) {
  const threads = name.match(/^CPU, (\d+) threads?$/);
  if (!threads) return name;
  return threads[1] === '1' ? t('device.one_thread') : t('device.threads', { n: number(Number(threads[1])) });
}

/**
 * What the data doctor has to say: a sentence each, and the name of what was found.
 * @param {import('../engine/protocol.js').DoctorReport} report
 */
export function wordDoctor({
  duplicates,
  conflicts,
  near_duplicates,
  small_classes,
  imbalance,
  blank,
  tiny,
  unlabelled,
}) {
  const counted = { duplicates, conflicts, near_duplicates, blank, tiny, unlabelled };
  const notes = Object.entries(counted)
    .filter(([, found]) => found.length > 0)
    .map(([name, found]) => ({ name, words: t(`doctor.${name}`, { n: number(found.length) }) }));
  const classes = small_classes.join(', ');
  if (classes) notes.push({ name: 'small_classes', words: t('doctor.small_classes', { classes }) });
  if (imbalance) {
    const [most, least] = imbalance;
    notes.push({ name: 'imbalance', words: t('doctor.imbalance', { most, least }) });
  }
  return notes;
}
