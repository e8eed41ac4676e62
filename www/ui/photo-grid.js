/**
 * Photos to choose from, thousands of them: only those in sight are drawn. A list box for the keyboard and
 * for screen readers: arrows go from photo to photo, Space chooses, Shift extends, Ctrl+A takes all.
 */

import { t } from '../i18n/i18n.js';
import { fill, freshId, h } from './dom.js';
import { number } from './format.js';
import { thumbnail } from './thumbnail.js';

/** @typedef {import('../engine/protocol.js').Thumbnail} Thumbnail */

/** Rows drawn above and below those in sight. */
const AHEAD = 2;
/** Pixels a side of a photo's place, at least. */
const LEAST = 92;
/** Small pictures that are kept, at most. */
const KEPT = 1200;

export class PhotoGrid {
  /** The photos, by number. @type {number[]} */
  photos = [];
  /** @type {Set<number>} */
  chosen = new Set();
  /** Place of the photo that the keyboard is at. */
  at = 0;
  /** Place where a range begins. */
  from = 0;
  /** @type {Map<number, HTMLCanvasElement>} */
  pictures = new Map();
  loading = false;

  /**
   * @param {object} options
   * @param {(photos: number[]) => Promise<Thumbnail[]>} options.load
   * @param {() => void} options.changed after another choice
   * @param {() => void} options.remove what the Delete key does
   */
  constructor({ load, changed, remove }) {
    this.load = load;
    this.changed = changed;
    this.remove = remove;
    this.id = freshId('photo-grid');
    this.field = h('div', { class: 'photo-grid-field', role: 'presentation' });
    this.element = h(
      'div',
      {
        class: 'photo-grid',
        role: 'listbox',
        tabindex: '0',
        'aria-multiselectable': 'true',
        onscroll: () => this.draw(),
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
        onclick: (/** @type {MouseEvent} */ event) => this.click(event),
      },
      this.field,
    );
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /**
   * Shows these photos; what was chosen stays so where it is still there.
   * @param {number[]} photos
   * @param {string} label
   */
  show(photos, label) {
    this.photos = photos;
    const there = new Set(photos);
    this.chosen = new Set([...this.chosen].filter(photo => there.has(photo)));
    this.at = Math.max(0, Math.min(this.at, photos.length - 1));
    this.element.setAttribute('aria-label', label);
    this.draw();
    this.changed();
  }

  /** @param {boolean} all */
  choose(all) {
    this.chosen = new Set(all ? this.photos : []);
    this.draw();
    this.changed();
  }

  /** Columns, and the pixels of a photo's place: as many as fit, filling the width. */
  measure() {
    const width = this.field.clientWidth || LEAST;
    const columns = Math.max(1, Math.floor(width / LEAST));
    return { side: Math.floor(width / columns), columns };
  }

  draw() {
    const { side, columns } = this.measure();
    const rows = Math.ceil(this.photos.length / columns);
    this.field.style.setProperty('height', `${rows * side}px`);
    this.field.style.setProperty('--side', `${side}px`);
    const first = Math.max(0, Math.floor(this.element.scrollTop / side) - AHEAD);
    const last = Math.ceil((this.element.scrollTop + this.element.clientHeight) / side) + AHEAD;
    const shown = this.photos.slice(first * columns, last * columns);
    fill(
      this.field,
      shown.map((photo, index) => this.cell(photo, first * columns + index, { side, columns })),
    );
    const there = this.photos.length > 0 && this.field.querySelector(`#${this.id}-${this.at}`);
    if (there) this.element.setAttribute('aria-activedescendant', `${this.id}-${this.at}`);
    else this.element.removeAttribute('aria-activedescendant');
    this.fetch(shown);
  }

  /**
   * @param {number} photo
   * @param {number} place
   * @param {{ side: number, columns: number }} grid
   */
  cell(photo, place, { side, columns }) {
    const picture = this.pictures.get(photo);
    const chosen = this.chosen.has(photo);
    const cell = h(
      'div',
      {
        id: `${this.id}-${place}`,
        class: `photo-cell${place === this.at ? ' at' : ''}`,
        role: 'option',
        'aria-selected': String(chosen),
        'aria-posinset': place + 1,
        'aria-setsize': this.photos.length,
        'aria-label': picture?.getAttribute('aria-label') ?? number(place + 1),
        'data-place': place,
      },
      picture,
    );
    const [x, y] = [(place % columns) * side, Math.floor(place / columns) * side];
    cell.style.setProperty('transform', `translate(${x}px, ${y}px)`);
    return cell;
  }

  /** Brings the pictures that are in sight and missing. @param {number[]} shown */
  async fetch(shown) {
    const missing = shown.filter(photo => !this.pictures.has(photo));
    if (missing.length === 0 || this.loading) return;
    this.loading = true;
    try {
      for (const each of await this.load(missing)) this.pictures.set(each.photo, thumbnail(each));
    } catch {
      // The photos have changed meanwhile: whoever changed them shows others.
      return;
    } finally {
      this.loading = false;
    }
    for (const photo of this.pictures.keys()) {
      if (this.pictures.size <= KEPT) break;
      if (!shown.includes(photo)) this.pictures.delete(photo);
    }
    this.draw();
  }

  /** @param {MouseEvent} event */
  click(event) {
    const cell = /** @type {Element} */ (event.target).closest('[data-place]');
    if (!cell) return;
    this.at = Number(cell.getAttribute('data-place'));
    if (event.shiftKey) this.extend();
    else this.toggle();
  }

  toggle() {
    const photo = this.photos[this.at];
    if (photo === undefined) return;
    if (!this.chosen.delete(photo)) this.chosen.add(photo);
    this.from = this.at;
    this.draw();
    this.changed();
  }

  /** Chooses from where the range began to here. */
  extend() {
    const [low, high] = [Math.min(this.from, this.at), Math.max(this.from, this.at)];
    for (const photo of this.photos.slice(low, high + 1)) this.chosen.add(photo);
    this.draw();
    this.changed();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { columns, side } = this.measure();
    const page = columns * Math.max(1, Math.floor(this.element.clientHeight / side));
    /** @type {Record<string, number>} */
    const steps = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
      PageUp: -page,
      PageDown: page,
      Home: -this.photos.length,
      End: this.photos.length,
    };
    if (event.key in steps) this.step(steps[event.key], event.shiftKey);
    else if (event.key === ' ') this.toggle();
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) this.choose(true);
    else if (event.key === 'Delete' && this.chosen.size > 0) this.remove();
    else return;
    event.preventDefault();
  }

  /** @param {number} by @param {boolean} extend */
  step(by, extend) {
    if (this.photos.length === 0) return;
    this.at = Math.max(0, Math.min(this.at + by, this.photos.length - 1));
    const { columns, side } = this.measure();
    const top = Math.floor(this.at / columns) * side;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + side > scrollTop + clientHeight) this.element.scrollTop = top + side - clientHeight;
    if (extend) this.extend();
    else this.draw();
  }

  /** How many are chosen, in words. */
  words() {
    return t('curate.chosen', { n: this.chosen.size, all: number(this.photos.length) });
  }
}
