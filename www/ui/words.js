/** Engine errors and remarks in the reader's language. */

import { known, language, nameOf, t } from '../i18n/i18n.js';
import { bytes, number, percent } from './format.js';

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

/** Classes that a sentence names; of more it says how many. */
const NAMED = 5;

/** Classes as words of a sentence. @param {string[]} classes */
function list(classes) {
  const named = classes.slice(0, NAMED).map(name => nameOf('class', name));
  if (classes.length > NAMED) named.push(t('warning.more', { n: classes.length - NAMED }));
  return new Intl.ListFormat(language(), { type: 'conjunction' }).format(named);
}

/**
 * What is to be known of the photos before training, a sentence or two each, with what to do.
 * @param {import('../engine/protocol.js').Warning[]} warnings
 */
export function wordWarnings(warnings) {
  return warnings.map(wordWarning);
}

/** @param {import('../engine/protocol.js').Warning} warning */
function wordWarning(warning) {
  switch (warning.kind) {
    case 'one_class':
      return t('warning.one_class', { class: nameOf('class', warning.class) });
    case 'left_out':
      return t('warning.left_out', { n: warning.photos, left: number(warning.left) });
    case 'few_test_photos':
      return t('warning.few_test_photos', { n: warning.photos, low: percent(leastOf(warning.photos), 0) });
    case 'no_test':
      return t(warning.all ? 'warning.no_test' : 'warning.class_without_test', {
        classes: list(warning.classes),
      });
    default:
      return t(`warning.${warning.kind}`, { classes: list(warning.classes) });
  }
}

/** The least share of right answers that a test without a mistake leaves possible (Wilson, 95%). @param {number} n */
function leastOf(n) {
  const square = 1.96 ** 2;
  return n / (n + square);
}

/**
 * Whether photos are mirrored in a run, and who decided it.
 * @param {import('../engine/protocol.js').RecipeChoice} recipe
 * @param {import('../engine/protocol.js').Mirror | undefined} mirror what the photos say, once there are any
 */
export function wordMirror({ name, mirror: chosen }, mirror) {
  const pair = mirror?.pair;
  const [one, other] = pair ? pair.map(label => nameOf('class', label)) : ['', ''];
  if (chosen === true) return t(pair ? 'mirror.yes_although' : 'mirror.yes', { one, other });
  if (chosen === false) return t('mirror.no');
  if (name === 'textbook') return t('mirror.textbook');
  if (!mirror || mirror.photos === 0) return t('mirror.undecided');
  return t(pair ? 'mirror.apart' : 'mirror.alike', { one, other });
}

/**
 * How little an accuracy says where it was measured on no photos or on few; `null` where it says enough.
 * @param {import('../engine/protocol.js').Evaluation} report
 */
export function wordDoubt({ classes, n, interval }) {
  if (classes.length === 1) return t('report.one_class', { class: nameOf('class', classes[0]) });
  if (!interval) return t('report.no_test');
  if (!interval.wide) return null;
  return t('report.few', { n, low: percent(interval.low, 0), high: percent(interval.high, 0) });
}

/**
 * What the data doctor has to say: a sentence each, and the name of what was found.
 * @param {import('../engine/protocol.js').DoctorReport} report
 */
export function wordDoctor({
  duplicates,
  conflicts,
  near_duplicates,
  series,
  small_classes,
  imbalance,
  blank,
  tiny,
  unlabelled,
}) {
  const counted = { duplicates, conflicts, near_duplicates, series, blank, tiny, unlabelled };
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
