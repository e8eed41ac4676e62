/**
 * Photos from files to the engine, in the worker: the engine opens archives and decodes; the browser decodes
 * what the engine does not read.
 */

import * as persistence from './persistence.js';

/** Larger photos are not decoded by the browser: this many pixels take 256 MiB. */
const MOST_PIXELS = 64e6;
/** Why a file that the browser does not hand out cannot be read. */
const UNREADABLE = { key: 'reason.unreadable', values: {} };
/** Milliseconds of work between two messages. */
const STEP_MS = 50;
/** Milliseconds between two photos that the page is shown while they come. */
const SHOW_MS = 200;
/** Files and bytes of files that are asked of the browser before the engine needs them. */
const AHEAD = { files: 32, bytes: 32 << 20 };

/** A list of edits without any, as the engine reads it. */
const NO_EDITS = '{"edits": [], "made": 0}';
/** What a data set brings is taken until somebody declines it. @type {Accepted} */
const EVERYTHING = { split: true, table: true, names: true };

const ARCHIVE = /\.(zip|tar|tgz|tar\.gz)$/i;

/** @typedef {import('./protocol.js').Source} Source */
/** @typedef {import('./worker.js').Context} Context */
/** @typedef {import('./protocol.js').Accepted} Accepted */
/** @typedef {import('./protocol.js').LibrarySummary} LibrarySummary */
/** @typedef {import('./bindings.js').Engine} Engine */
/** @typedef {import('./bindings.js').Step} Step */
/** @typedef {import('./persistence.js').Drawing} Drawing */

/**
 * The photos under way to the engine: where they come from is kept, so that another input size can read them
 * again.
 */
export class Photos {
  constructor() {
    /** @type {Source[]} */
    this.sources = [];
    /** @type {Drawing | null} */
    this.drawing = null;
    /** What of a data set's own arrangement is taken. @type {Accepted} */
    this.accepted = EVERYTHING;
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
      if (summary.photos > 0) await persistence.quietly(() => persistence.keepPhotos(files));
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
    await persistence.quietly(() => persistence.keep('drawn', drawing));
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
    return context.exclusive(() => context.engine.sum_up_photos());
  }

  /**
   * Takes or declines what the photos came with: a split, a table, classes in names. No photo is read again.
   * @param {Accepted} accepted
   * @param {Context} context
   * @returns {Promise<LibrarySummary>}
   */
  async arrange(accepted, { engine, exclusive }) {
    this.accepted = accepted;
    await persistence.quietly(() => persistence.keep('accepted', accepted));
    return exclusive(() => {
      engine.accept_layout(accepted);
      return engine.finish_photos();
    });
  }

  /** @param {Context} context @returns {Promise<LibrarySummary>} */
  async clear({ engine, exclusive }) {
    this.sources = [];
    this.drawing = null;
    this.accepted = EVERYTHING;
    this.size = 0;
    await persistence.quietly(() => persistence.forget(true));
    await exclusive(() => {
      engine.accept_layout(this.accepted);
      engine.set_edits('', NO_EDITS);
      engine.begin_photos(64);
    });
    return exclusive(() => engine.finish_photos());
  }

  /**
   * What was kept from an earlier visit, without reading it.
   * @param {Drawing | undefined} drawing
   * @param {Source[]} sources
   * @param {Accepted} [accepted]
   */
  recall(drawing, sources, accepted = EVERYTHING) {
    this.accepted = accepted;
    this.drawing = drawing ?? null;
    this.sources = sources;
    this.size = 0;
  }

  /** @param {Drawing} drawing @param {number} size @param {Context} context */
  async drawAt(drawing, size, { engine, exclusive, progress, cancelled, breathe }) {
    this.drawing = drawing;
    await this.begin(size, engine, exclusive);
    const total = await exclusive(() => engine.begin_drawing(drawing.per_class, drawing.seed));
    const show = new Show(engine);
    for (let done = 0; done < total && !cancelled(); ) {
      const shown = await exclusive(() => {
        done = engine.draw_some(STEP_MS);
        return show.newest(done);
      });
      progress({ done, part: done / total, name: '', shown });
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
    const { engine, exclusive } = context;
    if (this.size !== size) await this.begin(size, engine, exclusive);
    try {
      await new Reading(files, context).all();
    } catch (failure) {
      // A part of the photos is not what was asked for: the next time they are all read again.
      this.size = 0;
      throw failure;
    }
    return exclusive(() => engine.finish_photos());
  }

  /** @param {number} size @param {Engine} engine @param {Context['exclusive']} exclusive */
  async begin(size, engine, exclusive) {
    this.size = size;
    await exclusive(() => {
      engine.accept_layout(this.accepted);
      engine.begin_photos(size);
    });
  }
}

/**
 * Files on their way into the engine. Progress counts bytes, since an archive does not always tell how many
 * files it has.
 */
class Reading {
  /** @param {Source[]} files @param {Context} context */
  constructor(files, context) {
    this.files = files.filter(({ path }) => !context.module.is_clutter(path));
    this.context = context;
    this.bytes = this.files.reduce((sum, { file }) => sum + file.size, 0);
    /** Bytes of the files that are dealt with. */
    this.before = 0;
    this.told = performance.now();
    this.show = new Show(context.engine);
  }

  async all() {
    const { engine, cancelled } = this.context;
    this.context.progress({ done: 0, part: 0, name: '', shown: [] });
    for await (const { path, file, content } of ahead(this.files)) {
      if (cancelled()) break;
      if (content) await this.one(path, content);
      else await this.archive(path, file);
      this.before += file.size;
    }
    while (!(await this.step(() => engine.settle(STEP_MS))).finished);
  }

  /** @param {string} path @param {Promise<ArrayBuffer>} content */
  async one(path, content) {
    const { engine, exclusive } = this.context;
    /** @type {ArrayBuffer} */
    let bytes;
    try {
      bytes = await content;
    } catch {
      await exclusive(() => engine.skip(path, UNREADABLE));
      return;
    }
    await exclusive(() => engine.take_file(path, new Uint8Array(bytes)));
    if (performance.now() - this.told > STEP_MS) await this.step(() => engine.settle(0));
  }

  /** @param {string} path @param {Blob} file */
  async archive(path, file) {
    const { engine, exclusive, cancelled } = this.context;
    try {
      await exclusive(() => engine.open_archive(path, file));
      while (!cancelled() && !(await this.step(() => engine.read_archive(STEP_MS))).finished);
    } catch (failure) {
      // What came before the damage stays.
      const { code, reason } = /** @type {import('./protocol.js').EngineError} */ (failure);
      if (code !== 'archive') throw failure;
      await exclusive(() => engine.skip(path, reason));
    }
  }

  /**
   * Lets the engine work for a while, tells the page how far it is, and lets messages in.
   * @param {() => Step} work
   */
  async step(work) {
    const { engine, exclusive, progress, breathe } = this.context;
    const { step, shown, foreign } = await exclusive(() => {
      const step = work();
      const foreign = step.foreign ? engine.take_foreign() : [];
      return { step, shown: this.show.newest(step.photos), foreign };
    });
    for (const photo of foreign) await this.foreign(photo);
    const part = this.bytes > 0 ? Math.min((this.before + step.bytes) / this.bytes, 1) : 1;
    progress({ done: step.photos, part, name: step.name, shown });
    await breathe();
    this.told = performance.now();
    return step;
  }

  /** A photo that the browser may be able to decode. @param {import('./bindings.js').Foreign} photo */
  async foreign({ path, name, bytes, reason }) {
    const { engine, exclusive } = this.context;
    try {
      const { width, height, pixels } = await decode(new Blob([/** @type {BlobPart} */ (bytes)]));
      await exclusive(() => engine.add_photo(path, bytes, width, height, pixels));
    } catch (failure) {
      if (!(failure instanceof Error)) throw failure;
      await exclusive(() => engine.skip(name, reason));
    }
  }
}

/** The photos that the page is shown while they come: the newest, a few times a second. */
class Show {
  /** @param {Engine} engine */
  constructor(engine) {
    this.engine = engine;
    this.next = 0;
    this.seen = 0;
  }

  /** @param {number} photos photos in the engine @returns {import('./protocol.js').Thumbnail[]} */
  newest(photos) {
    const now = performance.now();
    if (now < this.next || photos <= this.seen) return [];
    [this.next, this.seen] = [now + SHOW_MS, photos];
    return this.engine.thumbnails(new Uint32Array([photos - 1]));
  }
}

/**
 * The files, the contents of those that come next on their way already; archives without, since they are read
 * piece by piece.
 * @param {Source[]} files
 * @returns {AsyncGenerator<Source & { content: Promise<ArrayBuffer> | null }, void>}
 */
async function* ahead(files) {
  /** @type {(Source & { content: Promise<ArrayBuffer> | null })[]} */
  const asked = [];
  let [next, bytes] = [0, 0];
  for (;;) {
    while (next < files.length && asked.length < AHEAD.files && (bytes < AHEAD.bytes || asked.length === 0)) {
      const { path, file } = files[next];
      const content = ARCHIVE.test(path) ? null : file.arrayBuffer();
      // Whoever takes it hears of a failure; until then nobody need.
      content?.catch(() => {});
      if (content) bytes += file.size;
      asked.push({ path, file, content });
      next += 1;
    }
    const first = asked.shift();
    if (!first) return;
    if (first.content) bytes -= first.file.size;
    yield first;
  }
}

/**
 * An image as RGBA bytes by the browser's decoder, upright as its EXIF orientation says.
 * @param {Blob} file
 */
async function decode(file) {
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

/**
 * A photo that is asked about, as RGBA bytes: decoded by the engine, which has the size that its model keeps,
 * or by the browser.
 * @param {File} file
 * @param {import('./protocol.js').ModelId} model the one that is asked
 * @param {Context} context
 */
export async function photoToAsk(file, model, { engine, exclusive }) {
  const failed = (/** @type {import('./protocol.js').Words} */ reason) => ({
    code: 'photo',
    name: file.name,
    reason,
  });
  const bytes = await file.arrayBuffer().catch(() => {
    throw failed(UNREADABLE);
  });
  const asked = await exclusive(() => engine.photo_to_ask(model, file.name, new Uint8Array(bytes)));
  if ('pixels' in asked) return { width: asked.size, height: asked.size, pixels: asked.pixels };
  return decode(file).catch(() => {
    throw failed(asked.reason);
  });
}
