/** Files from the hands of the user: dropped folders, pickers, the clipboard. */

/** @typedef {{ path: string, file: File }} Found */

/**
 * All files of a drop, folders opened.
 * @param {DataTransfer} transfer
 * @returns {Promise<Found[]>}
 */
export async function filesOfDrop(transfer) {
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry?.()).filter(entry => entry != null);
  if (entries.length === 0) return filesOfList(transfer.files);
  /** @type {Found[]} */
  const found = [];
  for (const entry of entries) await collect(entry, found);
  return found;
}

/** @param {FileSystemEntry} entry @param {Found[]} found */
async function collect(entry, found) {
  if (entry.name.startsWith('.')) return;
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) =>
      /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject),
    );
    found.push({ path: entry.fullPath.replace(/^\//, ''), file });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    // A reader hands out at most 100 entries a call.
    const some = /** @type {FileSystemEntry[]} */ (
      await new Promise((resolve, reject) => reader.readEntries(resolve, reject))
    );
    if (some.length === 0) return;
    for (const child of some) await collect(child, found);
  }
}

/** @param {FileList | File[]} list @returns {Found[]} */
export function filesOfList(list) {
  return [...list]
    .map(file => ({ path: file.webkitRelativePath || file.name, file }))
    .filter(({ path }) => !path.split('/').some(part => part.startsWith('.')));
}

/** The first image of a paste. @param {ClipboardEvent} event */
export function imageOfPaste(event) {
  return [...(event.clipboardData?.files ?? [])].find(file => file.type.startsWith('image/')) ?? null;
}

/** Gives the user a file. @param {BlobPart} content @param {string} name @param {string} type */
export function download(content, name, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // Revoked later: the download reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Gives the user a model's file. @param {string} name @param {Uint8Array<ArrayBuffer>} bytes */
export function saveModel(name, bytes) {
  download(bytes, `${name || 'floret'}.safetensors`, 'application/octet-stream');
}
