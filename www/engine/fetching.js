/**
 * Fetches the models that come with the page, in the worker: with progress, and checked before anything reads
 * them.
 */

/**
 * The content of a shipped model file.
 * @param {{ file: string, bytes: number, hash: string }} listed
 * @param {Pick<import('./worker.js').Context, 'module' | 'progress' | 'cancelled'>} context
 * @returns {Promise<Uint8Array>}
 */
export async function fetchModel({ file, bytes, hash }, { module, progress, cancelled }) {
  const content = new Uint8Array(bytes);
  let done = 0;
  try {
    const response = await fetch(new URL(`../models/${file}`, import.meta.url));
    if (!response.ok || !response.body) throw broken(file, 'status', response.status);
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (cancelled()) {
        await reader.cancel();
        throw { code: 'cancelled' };
      }
      // What is longer than listed is not the file that is meant, and is not kept.
      if (done + part.value.length > bytes) throw broken(file, 'content', '');
      content.set(part.value, done);
      done += part.value.length;
      progress({ done, total: bytes });
    }
  } catch (failure) {
    throw failure instanceof Error ? broken(file, 'network', failure.message) : failure;
  }
  if (done < bytes || module.content_hash(content) !== hash) throw broken(file, 'content', '');
  return content;
}

/**
 * @param {string} file
 * @param {'network' | 'status' | 'content'} kind
 * @param {string | number} detail
 */
function broken(file, kind, detail) {
  return { code: `fetch_${kind}`, message: `${file}: ${detail}`, file, detail };
}
