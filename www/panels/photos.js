/** Photos: where they come from, what classes they make, what could not be read. */

import { fill, h } from '../dom.js';
import { picker, takesDrops } from '../dropzone.js';
import { bytes, number } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { mark } from '../mark.js';
import { Panel, heading, showFailure } from '../panel.js';
import { addFiles, clearPhotos, drawFlowers } from '../session.js';
import { engine } from '../state.js';
import { thumbnail } from '../thumbnail.js';
import { wordNote } from '../words.js';

/** Thumbnails shown of a class. */
const SHOWN = 8;

class Photos extends Panel {
  get watches() {
    return ['library'];
  }

  render() {
    this.loading = h('div', { class: 'loading', 'aria-live': 'polite' });
    this.fault = h('div', {});
    this.content = h('div', { class: 'stack' });
    fill(this, heading('photos'), h('div', { class: 'stack' }, this.source(), this.fault, this.loading, this.content));
    this.showLibrary();
  }

  update() {
    this.render();
  }

  /** Where photos come from. */
  source() {
    const { library } = this.state;
    const some = library !== null && library.photos > 0;
    const take = (/** @type {import('../files.js').Found[]} */ found) => this.load((progress, signal) => addFiles(found, progress, signal));
    const zone = h(
      'section',
      { class: some ? 'dropzone small-zone' : 'dropzone', 'aria-label': t('photos.drop') },
      some ? null : mark(89),
      h('div', { class: 'dropzone-words' }, h('h2', {}, t(some ? 'photos.more' : 'photos.drop')), some ? null : h('p', { class: 'soft' }, t('photos.how'))),
      h(
        'div',
        { class: 'row centre' },
        some ? null : h('button', { type: 'button', class: 'button primary', onclick: () => this.load(drawFlowers) }, icon('seed'), t('photos.draw')),
        picker({ label: t('photos.folder'), name: 'folder', content: [icon('folder')], folder: true, multiple: true, take }),
        picker({ label: t('photos.archive'), name: 'archive', content: [icon('archive')], accept: '.zip,.tar,.tgz,.gz,image/*', multiple: true, take }),
        some ? h('button', { type: 'button', class: 'button quiet', onclick: () => this.load(clearPhotos) }, icon('bin'), t('photos.clear')) : null,
      ),
    );
    takesDrops(zone, take);
    return zone;
  }

  /**
   * Runs a load with its progress bar and its way out.
   * @param {(progress: import('../session.js').Loading, signal: AbortSignal) => Promise<void>} work
   */
  async load(work) {
    const abort = new AbortController();
    const bar = h('progress', { max: 1, 'aria-label': t('photos.loading') });
    const words = h('p', { class: 'small soft' }, t('photos.loading'));
    if (this.loading) {
      fill(
        this.loading,
        h('div', { class: 'card loading-card' }, h('div', { class: 'tight' }, bar, words), h('button', { type: 'button', class: 'button', onclick: () => abort.abort() }, t('cancel'))),
      );
    }
    if (this.fault) fill(this.fault);
    try {
      await work(({ done, total, name }) => {
        bar.max = Math.max(total, 1);
        bar.value = done;
        words.textContent = t('photos.progress', { done: number(done), total: number(total), name });
      }, abort.signal);
    } catch (failure) {
      if (this.fault) showFailure(this.fault, failure);
    } finally {
      if (this.loading) fill(this.loading);
    }
  }

  showLibrary() {
    const { library } = this.state;
    if (!this.content || !library) return;
    if (library.photos === 0) {
      fill(this.content, this.skipped(library));
      return;
    }
    const shares = library.classes.reduce(
      (sum, { train, validation, test }) => ({ train: sum.train + train, validation: sum.validation + validation, test: sum.test + test }),
      { train: 0, validation: 0, test: 0 },
    );
    fill(
      this.content,
      h(
        'section',
        { class: 'tight' },
        h('h2', {}, t('photos.count', { photos: number(library.photos), classes: number(library.classes.length) })),
        h(
          'p',
          { class: 'soft' },
          t('photos.split', { train: number(shares.train), validation: number(shares.validation), test: number(shares.test) }),
          ' ',
          t('photos.memory', { bytes: bytes(library.bytes), size: library.stored_size }),
        ),
      ),
      h('ul', { class: 'classes' }, library.classes.map((entry, index) => this.classCard(entry, index))),
      this.notes(library),
      this.skipped(library),
      h('div', { class: 'next' }, h('a', { class: 'button primary big', href: '#network' }, t('photos.next'), icon('arrow'))),
    );
  }

  /** @param {import('../protocol.js').ClassCount} entry @param {number} index */
  classCard(entry, index) {
    const strip = h('div', { class: 'strip' });
    engine.call('thumbnails', { class: entry.name, count: SHOWN }).then(
      (photos) => fill(strip, photos.map((photo) => thumbnail(photo))),
      () => fill(strip),
    );
    const splitWords = t('photos.class_split', { train: number(entry.train), validation: number(entry.validation), test: number(entry.test) });
    return h(
      'li',
      { class: `card class-card class-${index % 8}` },
      strip,
      h('div', { class: 'class-name' }, h('span', { class: 'dot', 'aria-hidden': 'true' }), h('h3', {}, entry.name), h('span', { class: 'count' }, number(entry.count))),
      h('p', { class: 'small soft' }, splitWords),
    );
  }

  /** @param {import('../protocol.js').LibrarySummary} library */
  notes(library) {
    if (library.notes.length === 0) return null;
    return h('section', { class: 'notes' }, h('h2', {}, t('photos.notes')), h('ul', {}, library.notes.map((note) => h('li', {}, wordNote(note)))));
  }

  /** @param {import('../protocol.js').LibrarySummary} library */
  skipped(library) {
    if (library.skipped.length === 0) return null;
    return h(
      'details',
      { class: 'skipped', open: library.photos === 0 },
      h('summary', {}, t('photos.skipped', { n: number(library.skipped.length) })),
      h('ul', {}, library.skipped.slice(0, 200).map(({ name, reason }) => h('li', {}, h('code', {}, name), ' — ', reason))),
    );
  }
}

customElements.define('floret-photos', Photos);
