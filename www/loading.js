/** Photos from files to the engine, in the worker: archives opened, images decoded by the browser, memory bounded. */

import * as store from './store.js';

/** Photos decoded at a time: each holds its full size as RGBA until the engine has resized it. */
const DECODING = 4;
/** Larger photos are refused: this many pixels take 256 MiB. */
const MOST_PIXELS = 64e6;
/** Milliseconds of drawing between two messages. */
const DRAWING_MS = 60;

const ARCHIVE = /\.(zip|tar|tgz|tar\.gz)$/i;

/** @typedef {import('./store.js').Source} Source */
/** @typedef {import('./worker.js').Context} Context */
/** @typedef {import('./protocol.js').LibrarySummary} LibrarySummary */
/** @typedef {{ path: string, content: () => Promise<Uint8Array> }} Entry */
/** @typedef {{ per_class: number, seed: number }} Drawing */

/** The photos under way to the engine: where they come from is kept, so that another input size can read them again. */
export class Photos {
  constructor() {
    /** @type {Source[]} */
    this.sources = [];
    /** @type {Drawing | null} */
    this.drawing = null;
    /** Input size that the engine's photos are kept for; 0 while there are none. */
    this.size = 0;
  }

  /**
   * Adds files, and remembers them for tomorrow.
   * @param {Source[]} files
   * @param {number} size
   * @param {Context} context
   * @returns {Promise<LibrarySummary>}
   */
  async add(files, size, context) {
    if (this.drawing) await this.clear(context);
    const before = this.sources;
    this.sources = [...before, ...files];
    try {
      const summary = await this.read(this.size === size ? files : this.sources, size, context);
      if (summary.photos > 0) await quietly(() => store.keepPhotos(files));
      return summary;
    } catch (failure) {
      // What did not fit is not read again.
      this.sources = before;
      throw failure;
    }
  }

  /**
   * Draws flowers in place of what was there.
   * @param {Drawing} drawing
   * @param {number} size
   * @param {Context} context
   * @returns {Promise<LibrarySummary>}
   */
  async draw(drawing, size, context) {
    await this.clear(context);
    await this.drawAt(drawing, size, context);
    await quietly(() => store.keep('drawn', drawing));
    return context.exclusive(() => context.engine.finish_photos());
  }

  /**
   * Reads everything again where the network's input has another size.
   * @param {number} size
   * @param {Context} context
   * @returns {Promise<LibrarySummary>}
   */
  async fit(size, context) {
    if (this.size !== size && this.drawing) await this.drawAt(this.drawing, size, context);
    else if (this.size !== size && this.sources.length > 0) return this.read(this.sources, size, context);
    return context.exclusive(() => context.engine.finish_photos());
  }

  /** @param {Context} context @returns {Promise<LibrarySummary>} */
  async clear({ engine, exclusive }) {
    this.sources = [];
    this.drawing = null;
    this.size = 0;
    await quietly(() => store.forget(true));
    await exclusive(() => engine.begin_photos(64));
    return exclusive(() => engine.finish_photos());
  }

  /**
   * What was kept from an earlier visit, without reading it.
   * @param {Drawing | undefined} drawing
   * @param {Source[]} sources
   */
  recall(drawing, sources) {
    this.drawing = drawing ?? null;
    this.sources = sources;
    this.size = 0;
  }

  /** @param {Drawing} drawing @param {number} size @param {Context} context */
  async drawAt(drawing, size, { engine, exclusive, progress, cancelled, breathe }) {
    this.drawing = drawing;
    await this.begin(size, engine, exclusive);
    const total = await exclusive(() => engine.begin_drawing(drawing.per_class, drawing.seed));
    for (let done = 0; done < total && !cancelled(); ) {
      done = await exclusive(() => engine.draw_some(DRAWING_MS));
      progress({ done, total, name: '' });
      await breathe();
    }
  }

  /**
   * @param {Source[]} files
   * @param {number} size
   * @param {Context} context
   * @returns {Promise<LibrarySummary>}
   */
  async read(files, size, context) {
    const { engine, exclusive, progress, cancelled } = context;
    if (this.size !== size) await this.begin(size, engine, exclusive);
    const tally = { done: 0, total: 0 };
    const entries = listed(files, tally, context);
    const lane = async () => {
      for (;;) {
        // A generator answers one `next` after another, so lanes can share it.
        const { value: entry, done } = await entries.next();
        if (done || cancelled()) return;
        await readOne(entry, context);
        tally.done += 1;
        if (tally.done % 8 === 0 || tally.done === tally.total) progress({ ...tally, name: entry.path });
      }
    };
    progress({ ...tally, name: '' });
    try {
      await Promise.all(Array.from({ length: DECODING }, lane));
    } catch (failure) {
      // A part of the photos is not what was asked for: the next time they are all read again.
      this.size = 0;
      throw failure;
    }
    return exclusive(() => engine.finish_photos());
  }

  /** @param {number} size @param {any} engine @param {Context['exclusive']} exclusive */
  async begin(size, engine, exclusive) {
    this.size = size;
    await exclusive(() => engine.begin_photos(size));
  }
}

/**
 * One photo: a broken one is listed and skipped.
 * @param {Entry} entry
 * @param {Context} context
 */
async function readOne({ path, content }, { module, engine, exclusive }) {
  /** @type {Uint8Array} */
  let bytes;
  /** @type {Awaited<ReturnType<typeof decode>>} */
  let image;
  try {
    bytes = await content();
    image = await decode(new Blob([/** @type {BlobPart} */ (bytes)]), module);
  } catch (failure) {
    await exclusive(() => engine.skip(path, failure instanceof Error ? failure.message : String(failure)));
    return;
  }
  await exclusive(() => engine.add_photo(path, bytes, image.width, image.height, image.pixels));
}

/**
 * The photos among the files, those inside archives too; counts them as far as they are known beforehand.
 * @param {Source[]} files
 * @param {{ total: number }} tally
 * @param {Context} context
 * @returns {AsyncGenerator<Entry, void>}
 */
async function* listed(files, tally, { module, engine, exclusive }) {
  tally.total += files.filter(({ path }) => !ARCHIVE.test(path)).length;
  for (const { path, file } of files) {
    if (!ARCHIVE.test(path)) {
      if (module.is_clutter(path)) tally.total -= 1;
      else yield { path, content: async () => new Uint8Array(await file.arrayBuffer()) };
      continue;
    }
    let archive;
    try {
      archive = new module.PhotoArchive(path, file);
      tally.total += archive.entries() ?? 0;
      for (let item = archive.next(); item; item = archive.next()) {
        const { name, bytes, reason } = item;
        if (bytes) yield { path: name, content: async () => bytes };
        else await exclusive(() => engine.skip(name, reason));
      }
    } catch (failure) {
      // What came before the damage stays.
      const { code, reason } = /** @type {import('./protocol.js').EngineError} */ (failure);
      if (code !== 'archive') throw failure;
      await exclusive(() => engine.skip(path, reason));
    } finally {
      archive?.free();
    }
  }
}

/**
 * An image as RGBA bytes, upright as its EXIF orientation says; the formats are those that the terminal reads too.
 * @param {Blob} file
 * @param {any} module the crate's bindings
 */
export async function decode(file, module) {
  const reason = module.unreadable(new Uint8Array(await file.slice(0, 16).arrayBuffer()));
  if (reason) throw new Error(reason);
  const image = await createImageBitmap(file, { imageOrientation: 'from-image', premultiplyAlpha: 'none' });
  try {
    const { width, height } = image;
    if (width * height > MOST_PIXELS) throw new Error(`${width} × ${height} pixels are too many`);
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no memory for the photo');
    context.drawImage(image, 0, 0);
    return { width, height, pixels: new Uint8Array(context.getImageData(0, 0, width, height).data.buffer) };
  } finally {
    image.close();
  }
}

/** Keeping things for tomorrow may be forbidden or full; today goes on. @param {() => Promise<unknown>} work */
export async function quietly(work) {
  try {
    await work();
  } catch (failure) {
    console.info('not kept for the next visit:', failure);
  }
}
