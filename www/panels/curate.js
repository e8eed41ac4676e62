/** Photos in the hand: chosen in a grid, moved to another class, left out, put back; a class renamed. */

import { nameOf, t } from '../i18n/i18n.js';
import { edit, photosOfClass, stepEdits, thumbnails } from '../state/edits.js';
import { learning } from '../state/session.js';
import { ClassChoice } from '../ui/class-choice.js';
import { fill, h } from '../ui/dom.js';
import { Modal } from '../ui/modal.js';
import { button, Panel, say } from '../ui/panel.js';
import { PhotoGrid } from '../ui/photo-grid.js';

/** Which photos are shown: a class, those left out, or some that the doctor found. */
/** @typedef {{ class: string } | { removed: true } | { found: () => number[], title: string }} Choice */

/** Styles of the tools' buttons. */
const [SMALL, QUIET] = ['button small-button', 'button quiet small-button'];

export class Curate extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['library', 'run', 'comparison'];

  /** @type {Choice | null} */
  choice = null;
  modal = new Modal();
  grid = new PhotoGrid({
    load: thumbnails,
    changed: () => this.showChosen(),
    remove: () => this.remove(),
  });
  count = h('p', { class: 'small soft', role: 'status' });
  target = new ClassChoice(() => this.showChosen());
  rename = h('input', { type: 'text', maxlength: 100 });
  tools = h('fieldset', { class: 'curate-tools' });
  move = button('', () => this.moveChosen(), null, SMALL);
  leave = button('', () => this.remove(), null, SMALL);
  back = button('', () => this.putBack(), null, SMALL);
  undo = button('', () => this.run(() => stepEdits(true)), null, QUIET);
  redo = button('', () => this.run(() => stepEdits(false)), null, QUIET);

  render() {
    fill(this, this.modal.element);
    if (this.choice && this.modal.element.open) this.open(this.choice);
  }

  update() {
    if (this.modal.element.open) this.refresh();
  }

  /** @param {Choice} choice */
  open(choice) {
    this.choice = choice;
    this.grid.pictures.clear();
    this.grid.choose(false);
    this.word();
    fill(this.fault);
    this.modal.open(this.heading(), this.tools, this.fault, this.count, this.grid.element);
    this.refresh();
  }

  heading() {
    const { choice } = this;
    if (!choice) return '';
    if ('class' in choice) return nameOf('class', choice.class);
    return 'title' in choice ? choice.title : t('curate.removed');
  }

  /** Words the tools for what is shown. */
  word() {
    const removed = this.choice !== null && 'removed' in this.choice;
    const one = this.choice !== null && 'class' in this.choice;
    fill(this.move, t('curate.move'));
    fill(this.leave, t('curate.remove'));
    fill(this.back, t('curate.restore'));
    fill(this.undo, t('curate.undo'));
    fill(this.redo, t('curate.redo'));
    const { select, name } = this.target;
    select.setAttribute('aria-label', t('curate.target'));
    name.setAttribute('aria-label', t('curate.new_name'));
    name.placeholder = t('curate.new_name');
    this.rename.setAttribute('aria-label', t('curate.rename_label'));
    const all = button(t('curate.all'), () => this.grid.choose(true), null, QUIET);
    const none = button(t('curate.none'), () => this.grid.choose(false), null, QUIET);
    const rename = h(
      'form',
      { class: 'row', onsubmit: (/** @type {Event} */ event) => this.renameClass(event) },
      this.rename,
      h('button', { type: 'submit', class: SMALL }, t('curate.rename')),
    );
    fill(
      this.tools,
      h('div', { class: 'row' }, all, none, this.undo, this.redo),
      h('div', { class: 'row' }, select, name, this.move, removed ? this.back : this.leave),
      one && rename,
    );
  }

  /** Shows the photos and classes that there are now. */
  async refresh() {
    const { choice } = this;
    const { library } = this.state;
    if (!choice || !library) return;
    const classes = library.classes.map(({ label }) => label);
    const own = 'class' in choice ? choice.class : null;
    // The class was renamed, moved away whole, or an edit that made it was taken back.
    if (own !== null && !classes.includes(own)) {
      this.modal.element.close();
      return;
    }
    this.target.offer(classes.filter(label => label !== own));
    if (own !== null && this.rename !== document.activeElement) this.rename.value = own;
    this.tools.disabled = learning();
    const [made, undone] = library.edits;
    this.undo.disabled = made === 0;
    this.redo.disabled = undone === 0;
    const photos =
      'found' in choice ? choice.found() : await photosOfClass('class' in choice ? choice.class : null);
    if (this.choice === choice) this.grid.show(photos, this.heading());
  }

  showChosen() {
    say(this.count, this.grid.words());
    const some = this.grid.chosen.size > 0;
    this.target.name.hidden = !this.target.isNew;
    this.move.disabled = !some || this.target.label === '';
    this.leave.disabled = !some;
    this.back.disabled = !some;
  }

  chosen() {
    return [...this.grid.chosen];
  }

  moveChosen() {
    const [photos, { label }] = [this.chosen(), this.target];
    this.run(() => edit({ edit: 'label', photos, class: label }));
    this.target.name.value = '';
  }

  remove() {
    const photos = this.chosen();
    if (photos.length > 0 && !learning()) this.run(() => edit({ edit: 'remove', photos }));
  }

  putBack() {
    const photos = this.chosen();
    this.run(() => edit({ edit: 'restore', photos }));
  }

  /** @param {Event} event */
  renameClass(event) {
    event.preventDefault();
    const { choice } = this;
    const to = this.rename.value.trim();
    if (!choice || !('class' in choice) || to === choice.class) return;
    this.run(async () => {
      const from = choice.class;
      // What is shown from here on is the class under its new name.
      this.choice = { class: to };
      try {
        await edit({ edit: 'rename', from, to });
      } catch (failure) {
        this.choice = choice;
        throw failure;
      }
      this.open(this.choice);
    });
  }
}

customElements.define('floret-curate', Curate);
