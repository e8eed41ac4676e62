/** Tables that scroll by themselves where the page is narrow, and their cells. */

import { h } from './dom.js';

/**
 * A column's head: its words, and whether numbers stand below it.
 * @typedef {{ words: string, number?: boolean }} Column
 */

/**
 * A part that scrolls, reached by the keyboard too.
 * @param {string} label what a screen reader says
 * @param {Element} content
 * @param {string} [style] more classes
 */
export function scrolling(label, content, style = '') {
  const name = style ? `scroll ${style}` : 'scroll';
  return h('div', { class: name, tabindex: '0', role: 'region', 'aria-label': label }, content);
}

/** Columns of numbers. @param {string[]} words @returns {Column[]} */
export function numbers(words) {
  return words.map(one => ({ words: one, number: true }));
}

/** @param {Column[]} columns */
export function tableHead(columns) {
  const cell = (/** @type {Column} */ { words, number = false }) =>
    h('th', { scope: 'col', class: number ? 'number' : null }, words);
  return h('thead', {}, h('tr', {}, columns.map(cell)));
}

/**
 * A table in its scrolling part.
 * @param {string} label what a screen reader says
 * @param {Column[]} columns
 * @param {Element[]} rows
 * @param {{ style?: string, place?: string }} [classes] of the table, and of the part that scrolls
 */
export function scrollTable(label, columns, rows, { style, place } = {}) {
  const table = h('table', { class: style ?? null }, tableHead(columns), h('tbody', {}, rows));
  return scrolling(label, table, place);
}

/** A row: what it is about, then its cells. @param {Element} head @param {(Element | undefined)[]} cells */
export function tableRow(head, cells) {
  return h('tr', {}, head, cells);
}

/** The head of a row. @param {string} words @param {string} [style] */
export function rowHead(words, style) {
  return h('th', { scope: 'row', class: style ?? null }, words);
}

/** @param {string} words */
export function numberCell(words) {
  return h('td', { class: 'number' }, words);
}

/** A number over a bar as long as its share, 0 to 1; none without. @param {string} words @param {number | null} share */
export function barCell(words, share) {
  const cell = h('td', { class: 'number bar-cell' }, words);
  cell.style.setProperty('--share', Math.min(share ?? 0, 1).toFixed(3));
  return cell;
}
