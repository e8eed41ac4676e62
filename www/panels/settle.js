/** Groups of pictures side by side: which class is right, or which one of them stays. */

import { nameOf, t } from '../i18n/i18n.js';
import { edit, stepEdits, thumbnails } from '../state/edits.js';
import { learning } from '../state/session.js';
import { fill, h } from '../ui/dom.js';
import { number } from '../ui/format.js';
import { Modal } from '../ui/modal.js';
import { button, Panel, say } from '../ui/panel.js';
import { thumbnail } from '../ui/thumbnail.js';

/** @typedef {'conflicts' | 'near_duplicates'} Kind */
/** @typedef {import('../engine/protocol.js').Thumbnail} Thumbnail */

/** Pictures of a group that are shown. */
const SHOWN = 40;

export class Settle extends Panel {
  /** @type {import('../ui/panel.js').Part[]} */
  watches = ['library', 'run', 'comparison'];

  /** @type {Kind} */
  kind = 'conflicts';
  /** The group that is shown; those before it were left as they are. */
  at = 0;
  modal = new Modal();
  where = h('p', { class: 'soft', role: 'status' });
  pictures = h('ul', { class: 'settle-pictures' });
  choices = h('fieldset', { class: 'row' });

  render() {
    fill(this, this.modal.element);
    if (this.modal.element.open) this.open(this.kind);
  }

  update() {
    if (this.modal.element.open) this.show();
  }

  /** @param {Kind} kind */
  open(kind) {
    this.kind = kind;
    this.at = 0;
    fill(this.fault);
    this.modal.open(t(`settle.${kind}`), this.where, this.fault, this.pictures, this.choices);
    this.show();
  }

  groups() {
    return this.state.library?.doctor[this.kind] ?? [];
  }

  /** Shows the group whose turn it is, or that there is none left. */
  async show() {
    const groups = this.groups();
    const group = groups[this.at];
    this.choices.disabled = learning();
    const undo = button(t('curate.undo'), () => this.run(() => stepEdits(true)), null, 'button quiet');
    undo.disabled = this.state.library?.edits[0] === 0;
    if (!group) {
      say(this.where, t('settle.done'));
      fill(this.pictures);
      fill(this.choices, undo);
      return;
    }
    say(this.where, t('settle.where', { at: number(this.at + 1), all: number(groups.length) }));
    const photos = await thumbnails(group.slice(0, SHOWN));
    if (this.groups()[this.at] !== group) return;
    fill(
      this.pictures,
      photos.map(photo => this.picture(photo, group)),
    );
    fill(this.choices, this.ways(photos, group), undo);
  }

  /** @param {Thumbnail} photo @param {number[]} group */
  picture(photo, group) {
    const keep = () => this.leaveOut(group.filter(other => other !== photo.photo));
    return h(
      'li',
      {},
      thumbnail(photo),
      h('p', { class: 'small' }, photo.class ? nameOf('class', photo.class) : t('settle.no_class')),
      h('p', { class: 'small soft settle-name' }, photo.name),
      this.kind === 'near_duplicates' && button(t('settle.keep'), keep),
    );
  }

  /** What can be done with the whole group. @param {Thumbnail[]} photos @param {number[]} group */
  ways(photos, group) {
    const pass = button(t('settle.pass'), () => {
      this.at += 1;
      this.show();
    });
    if (this.kind === 'near_duplicates') {
      const rest = this.groups().slice(this.at);
      const firsts = () => this.leaveOut(rest.flatMap(each => each.slice(1)));
      return [pass, button(t('settle.keep_first', { n: rest.length }), firsts)];
    }
    const classes = [...new Set(photos.map(photo => photo.class))].filter(Boolean);
    const right = classes.map(name =>
      button(
        t('settle.right', { class: nameOf('class', name) }),
        () => this.run(() => edit({ edit: 'label', photos: group, class: name })),
        null,
        'button primary',
      ),
    );
    return [...right, button(t('settle.neither'), () => this.leaveOut(group)), pass];
  }

  /** @param {number[]} photos */
  leaveOut(photos) {
    this.run(() => edit({ edit: 'remove', photos }));
  }
}

customElements.define('floret-settle', Settle);
