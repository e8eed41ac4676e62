/** Engine errors and remarks in the reader's language, worded from data. */

import { known, language, nameOf, t } from '../i18n/i18n.js';
import { bytes, number, percent } from './format.js';

/** @typedef {import('../engine/protocol.js').Value} Value */

/** What moves the text around it, or hides it: control characters and changes of direction. */
const HARMFUL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
/** The blocks of scripts that run from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** @param {import('../engine/protocol.js').EngineError} error */
export function wordError(error) {
  const { code, suggestion, ...rest } = error;
  const key = `error.${code}`;
  if (!known(key)) return error.message ?? code;
  const values = wordValues(rest);
  if (code === 'memory' || code === 'photo_memory') {
    values.needed = bytes(error.needed);
    values.available = bytes(error.available);
  }
  const said = [t(key, values)];
  if (code === 'memory') {
    const batch = error.batch_that_fits;
    said.push(batch ? t('error.memory_fits', { batch: number(batch) }) : t('error.memory_never'));
  }
  if (suggestion) said.push(wordValue(suggestion));
  return said.join(' ');
}

/** A value of an error: a number as the language writes it, a name, or a phrase. @param {Value} value @returns {string} */
export function wordValue(value) {
  if (typeof value === 'number') return wordNumber(value);
  if (typeof value === 'string') return harmless(value);
  return t(value.key, wordValues(value.values));
}

/** Every value worded; a count `n` stays a number, which chooses the form. @param {Record<string, Value | null>} values */
function wordValues(values) {
  const worded = Object.entries(values).map(([name, value]) => [
    name,
    name === 'n' && typeof value === 'number' ? value : wordValue(value ?? ''),
  ]);
  return /** @type {Record<string, string | number>} */ (Object.fromEntries(worded));
}

/** A number with all its digits: settings may be as small as a learning rate. @param {number} value */
function wordNumber(value) {
  const size = Math.abs(value);
  const plain = size === 0 || (size >= 1e-6 && size < 1e16);
  return number(value, { maximumSignificantDigits: 16, notation: plain ? 'standard' : 'scientific' });
}

/**
 * A name from outside as it may stand in a sentence: one that runs from right to left keeps that to itself (Unicode's
 * first strong isolate), and nothing in it turns the text around it.
 * @param {string} name
 */
export function harmless(name) {
  const shown = name.replace(HARMFUL, '\ufffd');
  return RIGHT_TO_LEFT.test(shown) ? `\u2068${shown}\u2069` : shown;
}

/** A device in the reader's language. @param {import('../engine/protocol.js').DeviceName} device */
export function wordDevice(device) {
  if (device.kind === 'gpu') return harmless(device.name);
  return device.threads === 1 ? t('device.one_thread') : t('device.threads', { n: device.threads });
}

/** A class in the reader's language. @param {string} label */
function className(label) {
  return harmless(nameOf('class', label));
}

/** Classes that a sentence names; of more it says how many. */
const NAMED = 5;

/** Classes as words of a sentence. @param {string[]} classes */
function list(classes) {
  const named = classes.slice(0, NAMED).map(className);
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
      return t('warning.one_class', { class: className(warning.class) });
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
  const [one, other] = pair ? pair.map(className) : ['', ''];
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
  if (classes.length === 1) return t('report.one_class', { class: className(classes[0]) });
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
  const classes = small_classes.map(harmless).join(', ');
  if (classes) notes.push({ name: 'small_classes', words: t('doctor.small_classes', { classes }) });
  if (imbalance) {
    const [most, least] = imbalance.map(harmless);
    notes.push({ name: 'imbalance', words: t('doctor.imbalance', { most, least }) });
  }
  return notes;
}
