/** Photos: where they come from, what classes they make, what could not be read. */

import { fill, h } from '../ui/dom.js';
import { picker, takesDrops } from '../ui/dropzone.js';
import { bytes, number } from '../ui/format.js';
import { nameOf, t } from '../i18n/i18n.js';
import { icon } from '../ui/icons.js';
import { mark } from '../ui/mark.js';
import { askAbout } from '../state/models.js';
import { Panel, go, heading } from '../ui/panel.js';
import {
  addFiles,
  clearPhotos,
  drawFlowers,
  forget,
  learning,
  remembered,
  restore,
} from '../state/session.js';
import { engine } from '../state/state.js';
import { thumbnail } from '../ui/thumbnail.js';
import { wordDoctor } from '../ui/words.js';

/** Thumbnails shown of a class. */
const SHOWN = 8;

/** Photos shown while they come. */
const NEWEST = 8;

class Photos extends Panel {
  get watches() {
    return ['library', 'run', 'comparison'];
  }

  render() {
    const { library } = this.state;
    const some = library !== null && library.photos > 0;
    this.loading = h('div', { class: 'loading', 'aria-live': 'polite' });
    this.fault = h('div', {});
    this.content = h('div', { class: 'stack' });
    const places = h('div', { class: 'stack' }, this.fault, this.loading, this.content);
    if (some) fill(this, heading('photos'), h('div', { class: 'stack' }, this.more(), places));
    else fill(this, this.welcome(), places);
    this.showLibrary();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (changed.has('library')) this.render();
    else this.showIntake();
  }

  /** A run keeps the photos that it began with: others can come when it has ended. */
  showIntake() {
    if (!this.intake || !this.waits) return;
    this.intake.disabled = learning();
    this.waits.hidden = !this.intake.disabled;
  }

  /** @param {import('../ui/files.js').Found[]} found */
  take(found) {
    if (found.length === 0 || learning()) return;
    const [{ path, file }] = found;
    // A single photo without a folder belongs to no class: it is a question.
    if (found.length === 1 && file.type.startsWith('image/') && !path.includes('/')) this.ask(file);
    else this.load((progress, signal) => addFiles(found, progress, signal));
  }

  /** @param {File} photo */
  ask(photo) {
    askAbout(photo);
    go('classify');
  }

  pickers() {
    const take = (/** @type {import('../ui/files.js').Found[]} */ found) => this.take(found);
    return [
      picker({
        label: t('photos.folder'),
        name: 'folder',
        content: [icon('folder')],
        folder: true,
        multiple: true,
        take,
      }),
      picker({
        label: t('photos.archive'),
        name: 'archive',
        content: [icon('archive')],
        accept: '.zip,.tar,.tgz,.gz,image/*',
        multiple: true,
        take,
      }),
    ];
  }

  /** The first sight of the page: what it is for, and three ways to begin. */
  welcome() {
    const draw = h(
      'button',
      { type: 'button', class: 'button primary big', onclick: () => this.load(drawFlowers) },
      icon('seed'),
      t('photos.draw'),
    );
    const ask = picker({
      label: t('photos.ask'),
      name: 'question',
      class: 'button big',
      content: [icon('classify')],
      accept: 'image/*',
      take: found => this.ask(found[0].file),
    });
    const flower = mark(233);
    flower.classList.add('opening');
    const zone = h(
      'section',
      { class: 'welcome dropzone', 'aria-label': t('photos.drop') },
      h(
        'div',
        { class: 'welcome-words' },
        heading('welcome'),
        h('div', { class: 'row' }, draw, ask),
        this.lastVisit(),
        h(
          'div',
          { class: 'tight own' },
          h('h2', {}, t('photos.own')),
          h('p', { class: 'soft' }, t('photos.how')),
          h('div', { class: 'row' }, this.pickers()),
        ),
      ),
      h(
        'div',
        { class: 'welcome-flower' },
        flower,
        h('p', { class: 'drop-hint', 'aria-hidden': 'true' }, t('photos.drop')),
      ),
    );
    takesDrops(zone, found => this.take(found));
    return zone;
  }

  /** What an earlier visit left in this browser, if anything. */
  lastVisit() {
    const place = h('div', { class: 'last-visit', hidden: true });
    remembered().then(
      left => {
        if (!left) return;
        const { files, drawn, run } = left;
        const what = t(drawn ? 'back.drawn' : 'back.files', { n: number(files) });
        const words = run
          ? t('back.run', { what, model: run.network.name, epoch: run.epoch, epochs: run.epochs })
          : t('back.photos', { what });
        const clear = h(
          'button',
          { type: 'button', class: 'button quiet', onclick: () => this.forget(place) },
          icon('bin'),
          t('back.delete'),
        );
        fill(
          place,
          h('h2', {}, t('back.title')),
          h('p', { class: 'soft' }, words),
          h(
            'div',
            { class: 'row' },
            h(
              'button',
              { type: 'button', class: 'button', onclick: () => this.comeBack() },
              icon('arrow'),
              t('back.continue'),
            ),
            clear,
          ),
        );
        place.hidden = false;
      },
      () => {},
    );
    return place;
  }

  /** Brings the earlier visit back, and goes to its run if it had one. */
  async comeBack() {
    await this.load(restore);
    if (this.state.run.last) go('train');
  }

  /** @param {HTMLElement} place */
  async forget(place) {
    await forget();
    place.hidden = true;
    this.querySelector('button')?.focus();
  }

  /** Where more photos come from. */
  more() {
    this.intake = h(
      'fieldset',
      { class: 'row' },
      this.pickers(),
      h(
        'button',
        { type: 'button', class: 'button quiet', onclick: () => this.clear() },
        icon('bin'),
        t('photos.clear'),
      ),
    );
    this.waits = h('p', { class: 'small soft' }, t('photos.waits'));
    const zone = h(
      'section',
      { class: 'dropzone small-zone', 'aria-label': t('photos.more') },
      h('h2', {}, t('photos.more')),
      this.intake,
      this.waits,
    );
    this.showIntake();
    takesDrops(zone, found => this.take(found));
    return zone;
  }

  /**
   * Runs a load with its progress bar and its way out.
   * @param {(progress: import('../state/session.js').Loading, signal: AbortSignal) => Promise<void>} work
   */
  async load(work) {
    const abort = new AbortController();
    const bar = h('progress', { max: 1, 'aria-label': t('photos.loading') });
    const words = h('p', { class: 'small soft' }, t('photos.loading'));
    const newest = h('div', { class: 'newest', 'aria-hidden': 'true' });
    if (this.loading) {
      fill(
        this.loading,
        h(
          'div',
          { class: 'card loading-card' },
          h('div', { class: 'tight' }, bar, words, newest),
          h('button', { type: 'button', class: 'button', onclick: () => abort.abort() }, t('cancel')),
        ),
      );
      this.loading.scrollIntoView({ block: 'nearest' });
    }
    const progress = (
      /** @type {import('../engine/protocol.js').LoadProgress} */ { done, part, name, shown },
    ) => {
      bar.value = part;
      words.textContent = t('photos.progress', { done: number(done), name });
      newest.append(...shown.map(photo => thumbnail(photo)));
      while (newest.childElementCount > NEWEST) newest.firstElementChild?.remove();
    };
    await this.run(() => work(progress, abort.signal));
    const part = abort.signal.aborted && (this.state.library?.photos ?? 0) > 0;
    if (this.loading) fill(this.loading, part && h('p', { class: 'card small' }, t('photos.part')));
    this.focusAgain();
  }

  /** Where the button that was pressed is gone by now, the heading has the focus. */
  focusAgain() {
    if (document.activeElement === document.body) this.querySelector('h1')?.focus({ preventScroll: true });
  }

  async clear() {
    await this.run(clearPhotos);
    this.focusAgain();
  }

  showLibrary() {
    const { library } = this.state;
    if (!this.content || !library) return;
    if (library.photos === 0) {
      fill(this.content, this.skipped(library));
      return;
    }
    const shares = library.classes.reduce(
      (sum, { train, validation, test }) => ({
        train: sum.train + train,
        validation: sum.validation + validation,
        test: sum.test + test,
      }),
      { train: 0, validation: 0, test: 0 },
    );
    fill(
      this.content,
      h(
        'section',
        { class: 'tight' },
        h(
          'h2',
          {},
          t('photos.count', { photos: number(library.photos), classes: number(library.classes.length) }),
        ),
        h(
          'p',
          { class: 'soft' },
          t('photos.split', {
            train: number(shares.train),
            validation: number(shares.validation),
            test: number(shares.test),
          }),
          ' ',
          t('photos.memory', { bytes: bytes(library.bytes), size: library.stored_size }),
        ),
      ),
      h(
        'ul',
        { class: 'classes' },
        library.classes.map((entry, index) => this.classCard(entry, index)),
      ),
      this.notes(library),
      this.skipped(library),
      h(
        'div',
        { class: 'next' },
        h('a', { class: 'button primary big', href: '#network' }, t('photos.next'), icon('arrow')),
      ),
    );
  }

  /** @param {import('../engine/protocol.js').ClassCount} entry @param {number} index */
  classCard(entry, index) {
    const strip = h('div', { class: 'strip' });
    engine.call('thumbnails', { class: entry.label, count: SHOWN }).then(
      photos =>
        fill(
          strip,
          photos.map(photo => thumbnail(photo)),
        ),
      () => fill(strip),
    );
    const splitWords = t('photos.class_split', {
      train: number(entry.train),
      validation: number(entry.validation),
      test: number(entry.test),
    });
    return h(
      'li',
      { class: `card class-card class-${index % 8}` },
      strip,
      h(
        'div',
        { class: 'class-name' },
        h('span', { class: 'dot', 'aria-hidden': 'true' }),
        h('h3', {}, nameOf('class', entry.label)),
        h('span', { class: 'count' }, number(entry.total)),
      ),
      h('p', { class: 'small soft' }, splitWords),
    );
  }

  /** @param {import('../engine/protocol.js').LibrarySummary} library */
  notes(library) {
    const notes = wordDoctor(library.doctor);
    if (notes.length === 0) return null;
    return h(
      'section',
      { class: 'notes' },
      h('h2', {}, t('photos.notes')),
      h(
        'ul',
        {},
        notes.map(note => h('li', {}, note)),
      ),
    );
  }

  /** @param {import('../engine/protocol.js').LibrarySummary} library */
  skipped(library) {
    if (library.skipped.length === 0) return null;
    return h(
      'details',
      { class: 'skipped', open: library.photos === 0 },
      h('summary', {}, t('photos.skipped', { n: number(library.skipped.length) })),
      h(
        'ul',
        {},
        library.skipped
          .slice(0, 200)
          .map(({ name, reason }) => h('li', {}, h('code', {}, name), ' — ', reason)),
      ),
    );
  }
}

customElements.define('floret-photos', Photos);
