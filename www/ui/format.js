/** Numbers and durations in the reader's language. */

import { language, t } from '../i18n/i18n.js';

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export function number(value, options) {
  return new Intl.NumberFormat(language(), options).format(value);
}

/**
 * A share as a percentage; a dash where there is none, as of no photos.
 * @param {number | null} share 0 to 1
 * @param {number} [digits]
 */
export function percent(share, digits = 1) {
  if (share === null) return '–';
  return new Intl.NumberFormat(language(), {
    style: 'percent',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(share);
}

/** Bytes in the unit that reads best. @param {number} bytes */
export function bytes(bytes) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  const step = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)), units.length - 1);
  const options = /** @type {Intl.NumberFormatOptions} */ ({
    style: 'unit',
    unit: units[step],
    maximumFractionDigits: step > 1 ? 1 : 0,
  });
  return new Intl.NumberFormat(language(), options).format(bytes / 1024 ** step);
}

/** A count with its SI letter: 24.3 M. @param {number} count */
export function short(count) {
  const units = ['', 'k', 'M', 'G', 'T'];
  const step = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1);
  const digits = step === 0 || count / 1000 ** step >= 100 ? 0 : 1;
  return `${number(count / 1000 ** step, { maximumFractionDigits: digits })}${units[step] ? ` ${units[step]}` : ''}`;
}

/** A number of any size in three digits: 0.0312, 4.1 × 10⁻⁷. @param {number} value */
export function significant(value) {
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e4)) return number(value, { maximumSignificantDigits: 3 });
  const power = Math.floor(Math.log10(size));
  return `${number(value / 10 ** power, { maximumSignificantDigits: 2 })} × ${tenTo(power)}`;
}

/** A power of ten: 10⁻³. @param {number} power */
export function tenTo(power) {
  const digits = [...String(Math.abs(power))].map(digit => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('');
  return `10${power < 0 ? '⁻' : ''}${digits}`;
}

/** A span of time. @param {number} seconds */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 60) return t('time.seconds', { n: Math.max(0, Math.round(seconds)) });
  if (seconds < 3600) return t('time.minutes', { m: Math.floor(seconds / 60), s: Math.round(seconds % 60) });
  return t('time.hours', { h: Math.floor(seconds / 3600), m: Math.round((seconds % 3600) / 60) });
}
