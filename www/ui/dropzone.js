/** A place to drop files on, and the buttons that do the same without a mouse. */

import { t } from '../i18n/i18n.js';
import { h } from './dom.js';
import { filesOfDrop, filesOfList } from './files.js';
import { icon } from './icons.js';

/**
 * Makes an element take drops.
 * @param {HTMLElement} element
 * @param {(found: import('./files.js').Found[]) => void} take
 */
export function takesDrops(element, take) {
  let depth = 0;
  const lit = (/** @type {boolean} */ on) => element.classList.toggle('dropping', on);
  element.addEventListener('dragenter', () => {
    depth += 1;
    lit(true);
  });
  element.addEventListener('dragleave', () => {
    depth -= 1;
    lit(depth > 0);
  });
  element.addEventListener('dragover', event => event.preventDefault());
  element.addEventListener('drop', async event => {
    event.preventDefault();
    depth = 0;
    lit(false);
    if (event.dataTransfer) take(await filesOfDrop(event.dataTransfer));
  });
}

/**
 * A button that opens a file picker.
 * @param {{ label: string, class?: string, content?: Node[], accept?: string, folder?: boolean, multiple?:
 *   boolean,
 *   capture?: string, name: string, take: (found: import('./files.js').Found[]) => void }} options
 */
export function picker({
  label,
  class: style = 'button',
  content = [],
  accept,
  folder,
  multiple,
  capture,
  name,
  take,
}) {
  const input = h('input', {
    type: 'file',
    name,
    accept: accept ?? null,
    multiple: multiple ?? false,
    webkitdirectory: folder ?? false,
    capture: capture ?? null,
    hidden: true,
    'aria-label': label,
    onchange: () => {
      const found = filesOfList(input.files ?? []);
      input.value = '';
      if (found.length > 0) take(found);
    },
  });
  return h(
    'span',
    { class: 'picker' },
    h('button', { type: 'button', class: style, onclick: () => input.click() }, ...content, label),
    input,
  );
}

/**
 * The pickers for photos to learn from: a folder with a folder for each class, or an archive of that.
 * @param {(found: import('./files.js').Found[]) => void} take
 */
export function photoPickers(take) {
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
