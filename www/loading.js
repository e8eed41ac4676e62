/** Photos from files to the engine, in the worker: archives opened, images decoded by the browser, memory bounded. */

/** Photos decoded at a time: each holds its full size as RGBA until the engine has resized it. */
const DECODING = 4;
/** Larger photos are refused: this many pixels take 256 MiB. */
const MOST_PIXELS = 64e6;

const ARCHIVE = /\.(zip|tar|tgz|tar\.gz)$/i;

/** @typedef {{ path: string, content: () => Promise<Uint8Array> }} Entry */

/**
 * @param {{ path: string, file: Blob }[]} files
 * @param {import('./worker.js').Context} context
 */
export async function loadFiles(files, { engine, exclusive, progress, cancelled }) {
  const entries = await listed(files, engine, exclusive);
  await exclusive(() => engine.begin_loading());
  let [next, done] = [0, 0];
  const lane = async () => {
    while (next < entries.length && !cancelled()) {
      const { path, content } = entries[next];
      next += 1;
      await one(path, content, engine, exclusive);
      done += 1;
      if (done % 8 === 0 || done === entries.length) progress({ done, total: entries.length, name: path });
    }
  };
  progress({ done, total: entries.length, name: '' });
  await Promise.all(Array.from({ length: DECODING }, lane));
  return exclusive(() => engine.finish_loading());
}

/**
 * One photo: a broken one is listed and skipped.
 * @param {string} path
 * @param {Entry['content']} content
 * @param {any} engine
 * @param {import('./worker.js').Context['exclusive']} exclusive
 */
async function one(path, content, engine, exclusive) {
  let bytes;
  let image;
  try {
    bytes = await content();
    image = await decode(new Blob([/** @type {BlobPart} */ (bytes)]));
  } catch (failure) {
    await exclusive(() => engine.skip(path, failure instanceof Error ? failure.message : String(failure)));
    return;
  }
  const { width, height, pixels } = image;
  await exclusive(() => engine.add_photo(path, bytes, width, height, pixels));
}

/**
 * The images among the files, those inside archives too.
 * @param {{ path: string, file: Blob }[]} files
 * @param {any} engine
 * @param {import('./worker.js').Context['exclusive']} exclusive
 * @returns {Promise<Entry[]>}
 */
async function listed(files, engine, exclusive) {
  /** @type {Entry[]} */
  const entries = [];
  for (const { path, file } of files) {
    if (!ARCHIVE.test(path)) {
      entries.push({ path, content: async () => new Uint8Array(await file.arrayBuffer()) });
      continue;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    const archive = await exclusive(() => engine.open_archive(path, bytes));
    const paths = /** @type {string[]} */ (archive.paths());
    paths.forEach((inner, index) => entries.push({ path: inner, content: async () => archive.content(index) }));
  }
  return entries;
}

/**
 * An image as RGBA bytes, upright as its EXIF orientation says.
 * @param {Blob} file
 */
export async function decode(file) {
  const image = await createImageBitmap(file, { imageOrientation: 'from-image', premultiplyAlpha: 'none', colorSpaceConversion: 'default' });
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
