/**
 * What this browser keeps until tomorrow: the photos that were loaded and the run they served. Used by the
 * worker alone.
 */

const NAME = 'floret';
const VERSION = 1;

/** @typedef {import('./protocol.js').Source} Source */
/** Flowers that were drawn. @typedef {{ per_class: number, seed: number }} Drawing */

/**
 * What a run needs to go on.
 * @typedef {object} SavedRun
 * @property {import('./protocol.js').Network} network
 * @property {import('./protocol.js').RecipeChoice} recipe
 * @property {string} device
 * @property {Uint8Array} checkpoint
 * @property {number} epoch
 * @property {number} saved milliseconds since 1970
 */

let keeping = true;

/**
 * From here on nothing is kept, and what is kept stays as it is: a page inside another's must not touch the
 * photos of this one.
 */
export function keepNothing() {
  keeping = false;
}

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('photos', { autoIncrement: true });
      request.result.createObjectStore('values');
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Runs one transaction.
 * @template T
 * @param {'photos' | 'values'} store
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T> | void} work
 * @returns {Promise<T | undefined>}
 */
async function transact(store, mode, work) {
  if (!keeping) return undefined;
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(store, mode);
      const request = work(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request ? request.result : undefined);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/** @param {Source[]} sources */
export async function keepPhotos(sources) {
  await transact('photos', 'readwrite', store => {
    for (const source of sources) store.add(source);
  });
}

/** @returns {Promise<Source[]>} */
export async function keptPhotos() {
  return (await transact('photos', 'readonly', store => store.getAll())) ?? [];
}

/** How many files are kept. */
export async function countPhotos() {
  return (await transact('photos', 'readonly', store => store.count())) ?? 0;
}

/**
 * What is kept beside photos; edits as the engine writes them.
 * @typedef {{ run: SavedRun, drawn: Drawing, edits: string, accepted: import('./protocol.js').Accepted }}
 *   Values
 */

/** @template {keyof Values} Key @param {Key} key @param {Values[Key]} value */
export async function keep(key, value) {
  await transact('values', 'readwrite', store => store.put(value, key));
}

/** @template {keyof Values} Key @param {Key} key @returns {Promise<Values[Key] | undefined>} */
export function kept(key) {
  return transact('values', 'readonly', store => store.get(key));
}

/** Deletes the run, and with `photos` everything. @param {boolean} photos */
export async function forget(photos) {
  await transact('values', 'readwrite', store => (photos ? store.clear() : store.delete('run')));
  if (photos) await transact('photos', 'readwrite', store => store.clear());
}

/**
 * Keeps something for tomorrow. That may be forbidden or full; today goes on.
 * @param {() => Promise<unknown>} work
 */
export async function quietly(work) {
  try {
    await work();
  } catch (failure) {
    console.info('not kept for the next visit:', failure);
  }
}
