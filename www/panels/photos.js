/** Photos: where they come from, what classes they make, what could not be read. */

import './class-camera.js';
import './curate.js';
import './settle.js';
import { nameOf, t } from '../i18n/i18n.js';
import { editsFile, stepEdits, useEdits } from '../state/edits.js';
import { askAbout } from '../state/models.js';
import {
  addFiles,
  arrange,
  clearPhotos,
  drawFlowers,
  forget,
  learning,
  remembered,
  restore,
} from '../state/session.js';
import { engine } from '../state/state.js';
import { fill, h } from '../ui/dom.js';
import { photoPickers, picker, takesDrops } from '../ui/dropzone.js';
import { download } from '../ui/files.js';
import { bytes, number } from '../ui/format.js';
import { icon } from '../ui/icons.js';
import { mark } from '../ui/mark.js';
import { button, go, heading, Panel } from '../ui/panel.js';
import { thumbnail } from '../ui/thumbnail.js';
import { harmless, wordDoctor, wordValue, wordWarnings } from '../ui/words.js';

/** @typedef {import('../ui/files.js').Found} Found */
/** @typedef {import('../engine/protocol.js').ClassCount} ClassCount */
/** @typedef {import('../engine/protocol.js').LibrarySummary} LibrarySummary */
/** @typedef {import('../engine/protocol.js').LoadProgress} LoadProgress */
/** @typedef {import('../engine/protocol.js').Remembered} Remembered */
/** @typedef {import('../engine/protocol.js').Layout} Layout */
/** @typedef {import('../state/session.js').Loading} Loading */

/** Thumbnails shown of a class. */
const SHOWN = 8;

/** Photos shown while they come. */
const NEWEST = 8;

/** What photos may come with. @type {(keyof Layout)[]} */
const LAYOUT = ['split', 'table', 'names'];

/** Skipped files that are listed. */
const SKIPPED = 200;

class Photos extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['library', 'run', 'comparison'];

  /** Whether photos were there when this was drawn. */
  filled = false;
  view = h('div', { class: 'photos-view' });
  loading = h('div', { class: 'loading', 'aria-live': 'polite' });
  content = h('div', { class: 'stack' });
  intake = h('fieldset', { class: 'row' });
  waits = h('p', { class: 'small soft' });
  layout = h('fieldset', { class: 'card tight layout' });
  lastVisit = h('div', { class: 'last-visit', hidden: true });
  curate = /** @type {import('./curate.js').Curate} */ (document.createElement('floret-curate'));
  camera = /** @type {import('./class-camera.js').ClassCamera} */ (
    document.createElement('floret-class-camera')
  );
  settle = /** @type {import('./settle.js').Settle} */ (document.createElement('floret-settle'));

  render() {
    const { library } = this.state;
    fill(this.loading);
    const places = h('div', { class: 'stack' }, this.fault, this.loading, this.content);
    this.filled = library !== null && library.photos + library.removed > 0;
    if (this.filled) fill(this.view, heading('photos'), h('div', { class: 'stack' }, this.more(), places));
    else fill(this.view, this.welcome(), places);
    this.showLibrary();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (changed.has('library')) this.show();
    else this.showIntake();
  }

  /** Shows the photos that there are now; what is open over them stays open. */
  show() {
    const { library } = this.state;
    if (this.filled && library && library.photos + library.removed > 0) {
      this.showLibrary();
      this.showIntake();
    } else this.render();
  }

  connectedCallback() {
    this.camera.take = found => this.take(found);
    // Dialogs stay where they are whatever is drawn behind them: one that is open would close.
    fill(this, this.view, this.curate, this.settle, this.camera);
    super.connectedCallback();
  }

  /** A run keeps the photos that it began with: others can come when it has ended. */
  showIntake() {
    this.intake.disabled = learning();
    this.layout.disabled = learning();
    this.waits.hidden = !this.intake.disabled;
  }

  /** @param {Found[]} found */
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
    const record = button(t('camera.open'), () => this.camera.open(null), icon('camera'));
    return [...photoPickers(found => this.take(found)), record];
  }

  /** The first sight of the page: what it is for, and three ways to begin. */
  welcome() {
    const draw = button(t('photos.draw'), () => this.load(drawFlowers), icon('seed'), 'button primary big');
    const ask = picker({
      label: t('photos.ask'),
      name: 'question',
      class: 'button big',
      content: [icon('classify')],
      accept: 'image/*',
      take: found => this.ask(found[0].file),
    });
    const own = h(
      'div',
      { class: 'tight own' },
      h('h2', {}, t('photos.own')),
      h('p', { class: 'soft' }, t('photos.how')),
      h('div', { class: 'row' }, this.pickers()),
    );
    const actions = h('div', { class: 'row' }, draw, ask);
    const words = h('div', { class: 'welcome-words' }, heading('welcome'), actions, this.lastVisit, own);
    const flower = mark(233);
    flower.classList.add('opening');
    const hint = h('p', { class: 'drop-hint', 'aria-hidden': 'true' }, t('photos.drop'));
    const picture = h('div', { class: 'welcome-flower' }, flower, hint);
    const zone = h('section', { class: 'welcome dropzone', 'aria-label': t('photos.drop') }, words, picture);
    takesDrops(zone, found => this.take(found));
    this.showLastVisit();
    return zone;
  }

  /** What an earlier visit left in this browser, if anything. */
  async showLastVisit() {
    this.lastVisit.hidden = true;
    // A browser that keeps nothing, or may not be asked, left nothing.
    const left = await remembered().catch(() => null);
    if (!left) return;
    fill(
      this.lastVisit,
      h('h2', {}, t('back.title')),
      h('p', { class: 'soft' }, leftWords(left)),
      h(
        'div',
        { class: 'row' },
        button(t('back.continue'), () => this.comeBack(), icon('arrow')),
        button(t('back.delete'), () => this.forget(), icon('bin'), 'button quiet'),
      ),
    );
    this.lastVisit.hidden = false;
  }

  /** Brings the earlier visit back, and goes to its run if it had one. */
  async comeBack() {
    await this.load(restore);
    if (this.state.run.last) go('train');
  }

  async forget() {
    await forget();
    this.lastVisit.hidden = true;
    this.querySelector('button')?.focus();
  }

  /** Where more photos come from. */
  more() {
    const clear = button(t('photos.clear'), () => this.clear(), icon('bin'), 'button quiet');
    fill(this.intake, this.pickers(), clear);
    fill(this.waits, t('photos.waits'));
    const title = h('h2', {}, t('photos.more'));
    const attributes = { class: 'dropzone small-zone', 'aria-label': t('photos.more') };
    const zone = h('section', attributes, title, this.intake, this.waits);
    this.showIntake();
    takesDrops(zone, found => this.take(found));
    return zone;
  }

  /**
   * Runs a load with its progress bar and its way out.
   * @param {(progress: Loading, signal: AbortSignal) => Promise<void>} work
   */
  async load(work) {
    const abort = new AbortController();
    const bar = h('progress', { max: 1, 'aria-label': t('photos.loading') });
    const words = h('p', { class: 'small soft' }, t('photos.loading'));
    const newest = h('div', { class: 'newest', 'aria-hidden': 'true' });
    const card = h('div', { class: 'card loading-card' });
    card.append(
      h('div', { class: 'tight' }, bar, words, newest),
      button(t('cancel'), () => abort.abort()),
    );
    fill(this.loading, card);
    this.loading.scrollIntoView({ block: 'nearest' });
    const progress = (/** @type {LoadProgress} */ { done, part, name, shown }) => {
      bar.value = part;
      words.textContent = t('photos.progress', { done: number(done), name });
      newest.append(...shown.map(photo => thumbnail(photo)));
      while (newest.childElementCount > NEWEST) newest.firstElementChild?.remove();
    };
    await this.run(() => work(progress, abort.signal));
    const part = abort.signal.aborted && (this.state.library?.photos ?? 0) > 0;
    fill(this.loading, part && h('p', { class: 'card small' }, t('photos.part')));
    this.focusAgain();
  }

  /** Where the button that was pressed is gone by now, the heading has the focus. */
  focusAgain() {
    if (document.activeElement === document.body) this.querySelector('h1')?.focus({ preventScroll: true });
  }

  /** What the photos came with, each to be taken or not. @param {LibrarySummary} library */
  showLayout({ layout }) {
    const names = LAYOUT.filter(name => layout[name] !== null);
    if (names.length === 0) return null;
    const taken = (/** @type {keyof Layout} */ name) => layout[name]?.taken ?? true;
    const choice = (/** @type {keyof Layout} */ name) => {
      const change = () => {
        const accepted = { split: taken('split'), table: taken('table'), names: taken('names') };
        this.run(async () => {
          await arrange({ ...accepted, [name]: box.checked });
          /** @type {HTMLElement | null} */ (this.querySelector(`input[name="layout-${name}"]`))?.focus();
        });
      };
      const attributes = { type: 'checkbox', name: `layout-${name}`, checked: taken(name), onchange: change };
      const box = h('input', attributes);
      return h('label', { class: 'check' }, box, h('span', {}, layoutWords(layout, name)));
    };
    fill(this.layout, h('legend', {}, t('layout.title')), names.map(choice));
    this.layout.disabled = learning();
    return this.layout;
  }

  async clear() {
    await this.run(clearPhotos);
    this.focusAgain();
  }

  showLibrary() {
    const { library } = this.state;
    if (!library || library.photos + library.removed === 0) {
      fill(this.content, library && skipped(library));
      return;
    }
    const next = h('a', { class: 'button primary big', href: '#network' }, t('photos.next'), icon('arrow'));
    fill(
      this.content,
      summary(library),
      this.showLayout(library),
      warnings(library),
      h(
        'ul',
        { class: 'classes' },
        library.classes.map((entry, index) => this.classCard(entry, index)),
      ),
      this.edits(library),
      this.notes(library),
      skipped(library),
      h('div', { class: 'next' }, next),
    );
  }

  /** @param {ClassCount} entry @param {number} index */
  classCard({ label, total, train, validation, test }, index) {
    const strip = h('div', { class: 'strip' });
    const show = (/** @type {import('../engine/protocol.js').Thumbnail[]} */ photos) =>
      fill(
        strip,
        photos.map(photo => thumbnail(photo)),
      );
    engine.call('thumbnails', { class: label, count: SHOWN }).then(show, () => fill(strip));
    const split = { train: number(train), validation: number(validation), test: number(test) };
    const title = nameOf('class', label);
    const open = button(
      t('curate.open'),
      () => this.curate.open({ class: label }),
      null,
      'button quiet small-button',
    );
    open.setAttribute('aria-label', t('curate.open_class', { class: title }));
    const record = button('', () => this.camera.open(label), icon('camera'), 'button quiet small-button');
    record.setAttribute('aria-label', t('camera.open_class', { class: title }));
    const name = h(
      'div',
      { class: 'class-name' },
      h('span', { class: 'dot', 'aria-hidden': 'true' }),
      h('h3', {}, title),
      h('span', { class: 'count' }, number(total)),
    );
    const words = h('p', { class: 'small soft' }, t('photos.class_split', split));
    const card = h(
      'li',
      { class: `card class-card class-${index % 8}` },
      strip,
      name,
      h('div', { class: 'class-foot' }, words, h('div', { class: 'row tight-row' }, record, open)),
    );
    // Photos that are dropped on a class are of that class.
    const into = (/** @type {Found} */ { path, file }) => ({
      path: `${label}/${path.split('/').pop()}`,
      file,
    });
    takesDrops(card, found => this.take(found.map(into)));
    return card;
  }

  /** What was changed by hand: to be looked at, taken back, saved as a file. @param {LibrarySummary} library */
  edits({ edits: [made, undone], removed }) {
    const load = picker({
      label: t('edits.load'),
      name: 'edits',
      class: 'button quiet',
      accept: '.json,application/json',
      take: ([{ file }]) => this.run(() => useEdits(file)),
    });
    const save = async () => download(await editsFile(), 'floret-edits.json', 'application/json');
    const some = made + undone > 0;
    return h(
      'section',
      { class: 'row edits', 'aria-label': t('edits.title') },
      h('p', { class: 'small soft' }, made > 0 ? t('edits.made', { n: made }) : t('edits.none')),
      some && button(t('curate.undo'), () => this.run(() => stepEdits(true)), null, 'button quiet'),
      undone > 0 && button(t('curate.redo'), () => this.run(() => stepEdits(false)), null, 'button quiet'),
      removed > 0 &&
        button(
          t('edits.removed', { n: removed }),
          () => this.curate.open({ removed: true }),
          null,
          'button quiet',
        ),
      some && button(t('edits.save'), () => this.run(save), icon('save'), 'button quiet'),
      load,
    );
  }

  /** What the data doctor found, each with a way to mend it. @param {LibrarySummary} library */
  notes({ doctor }) {
    const found = wordDoctor(doctor);
    if (found.length === 0) return null;
    const list = found.map(({ name, words }) => h('li', {}, words, ' ', this.mend(name, words)));
    return h('section', { class: 'notes' }, h('h2', {}, t('photos.notes')), h('ul', {}, list));
  }

  /** The button that opens what the doctor found. @param {string} name @param {string} title */
  mend(name, title) {
    const style = 'button small-button';
    if (name === 'conflicts' || name === 'near_duplicates')
      return button(t(`mend.${name}`), () => this.settle.open(name), null, style);
    if (name !== 'blank' && name !== 'tiny' && name !== 'unlabelled') return null;
    const found = () => this.state.library?.doctor[name] ?? [];
    return button(t('mend.look'), () => this.curate.open({ found, title }), null, style);
  }
}

/** What is to be known of the photos before training. @param {LibrarySummary} library */
function warnings({ warnings }) {
  // The doctor's notes tell of the files that were left out.
  const grave = warnings.filter(({ kind }) => kind !== 'left_out');
  if (grave.length === 0) return null;
  const list = wordWarnings(grave).map(words => h('li', {}, words));
  return h('section', { class: 'notes warnings' }, h('h2', {}, t('warning.title')), h('ul', {}, list));
}

/** What was recognised, in words. @param {Layout} layout @param {keyof Layout} name */
function layoutWords({ split, table, names }, name) {
  if (name === 'split' && split) {
    const parts = split.folders.map(({ name, split, photos }) =>
      t(`layout.${split}`, { name: harmless(name), n: photos }),
    );
    const words = t('layout.split', { parts: parts.join(', ') });
    return split.validation_is_test ? `${words} ${t('layout.validation_is_test')}` : words;
  }
  if (name === 'table' && table) {
    const values = {
      names: table.names.map(harmless).join(', '),
      photos: t('count.photos', { n: table.photos }),
    };
    const words = t('layout.table', { ...values, classes: t('count.classes', { n: table.classes }) });
    return table.unlisted > 0 ? `${words} ${t('layout.unlisted', { n: table.unlisted })}` : words;
  }
  return t('layout.names', {
    classes: (names?.classes ?? []).map(label => harmless(nameOf('class', label))).join(', '),
  });
}

/** @param {Remembered} left */
function leftWords({ files, drawn, run }) {
  const what = t(drawn ? 'back.drawn' : 'back.files', { n: files });
  if (!run) return t('back.photos', { what });
  return t('back.run', { what, model: run.network.name, epoch: run.epoch, epochs: run.epochs });
}

/** @param {LibrarySummary} library */
function summary({ photos, classes, bytes: memory, stored_size: size }) {
  const count = t('photos.count', {
    photos: t('count.photos', { n: photos }),
    classes: t('count.classes', { n: classes.length }),
  });
  const total = (/** @type {'train' | 'validation' | 'test'} */ split) =>
    number(classes.reduce((sum, entry) => sum + entry[split], 0));
  const split = t('photos.split', {
    train: total('train'),
    validation: total('validation'),
    test: total('test'),
  });
  const kept = t('photos.memory', { bytes: bytes(memory), size });
  return h('section', { class: 'tight' }, h('h2', {}, count), h('p', { class: 'soft' }, split, ' ', kept));
}

/** @param {LibrarySummary} library */
function skipped({ skipped: files, photos }) {
  if (files.length === 0) return null;
  const list = files
    .slice(0, SKIPPED)
    .map(({ name, reason }) => h('li', {}, h('code', {}, harmless(name)), ' — ', wordValue(reason)));
  const title = h('summary', {}, t('photos.skipped', { n: files.length }));
  return h('details', { class: 'skipped', open: photos === 0 }, title, h('ul', {}, list));
}

customElements.define('floret-photos', Photos);
