/** What the peers need to know of a graph, as the page's `describe` lists its nodes. */

/**
 * @typedef {object} Node
 * @property {string} kind
 * @property {number[]} inputs numbers of the nodes it reads
 * @property {{ height: number, width: number, channels: number }} shape of its output
 * @property {[number, number] | null} kernel_size
 * @property {[number, number] | null} stride
 */

/** Classes that the last layer tells apart. */
export const CLASSES = 5;

/**
 * Pixels that a window reaches over the edges, as Floret places it under SAME.
 * @param {Node} node
 * @param {Node} input
 * @returns {{ before: [number, number], after: [number, number] }} each of rows and columns; negative where it stays inside
 */
export function padding({ kernel_size, stride, shape }, input) {
  const along = (/** @type {0 | 1} */ axis, /** @type {number} */ size, /** @type {number} */ out) => {
    const [k, s] = [kernel_size?.[axis] ?? 1, stride?.[axis] ?? 1];
    const before = Math.floor((k - 1) / 2) - Math.floor((s - 1) / 2);
    return [before, (out - 1) * s + k - before - size];
  };
  const rows = along(0, input.shape.height, shape.height);
  const columns = along(1, input.shape.width, shape.width);
  return { before: [rows[0], columns[0]], after: [rows[1], columns[1]] };
}

/** Numbers in a node's output for one photo. @param {Node} node */
export function length({ shape: { height, width, channels } }) {
  return height * width * channels;
}
