/** The network as a picture: blocks from top to bottom, branches side by side, skips as arcs. */

import { h, svg } from './dom.js';

/** @typedef {import('../engine/protocol.js').GraphNode} GraphNode */

/**
 * @typedef {{ kind: string, detail: string, shape: string, inputs: number[], rank: number, x: number }} Block
 */

const WIDTH = 132;
const HEIGHT = 34;
const GAP_X = 16;
const GAP_Y = 18;
/** Ops that bring branches together, drawn as a knot. */
const KNOTS = new Set(['add', 'concat']);

/**
 * @param {import('../engine/protocol.js').Structure} structure
 * @param {string} label what a screen reader says
 */
export function drawGraph({ nodes }, label) {
  const blocks = place(fold(nodes));
  const xs = blocks.map(({ x }) => x);
  const bend = WIDTH * 0.5 + GAP_X * 1.5;
  const left = Math.min(...xs) - WIDTH / 2 - GAP_X;
  const right = Math.max(...xs) + WIDTH / 2 + bend;
  const ranks = Math.max(...blocks.map(({ rank }) => rank)) + 1;
  const height = ranks * (HEIGHT + GAP_Y) + GAP_Y;
  const picture = svg(
    'svg',
    {
      viewBox: `${left} 0 ${right - left} ${height}`,
      width: right - left,
      height,
      class: 'graph',
      role: 'img',
      'aria-label': label,
    },
    blocks.flatMap(block => block.inputs.map(input => edge(blocks[input], block, blocks, bend))),
    blocks.map(drawBlock),
  );
  return h(
    'div',
    { class: 'scroll graph-place', tabindex: '0', role: 'region', 'aria-label': label },
    picture,
  );
}

/**
 * Folds activations and normalisations into the block before them.
 * @param {GraphNode[]} nodes
 * @returns {Block[]}
 */
function fold(nodes) {
  /** @type {Block[]} */
  const blocks = [];
  /** @type {number[]} */
  const blockOf = [];
  for (const node of nodes) {
    const before = node.inputs.length === 1 ? blocks[blockOf[node.inputs[0]]] : undefined;
    if (before && node.is_drawn_with_input) {
      blockOf.push(blockOf[node.inputs[0]]);
      continue;
    }
    blockOf.push(blocks.length);
    const inputs = [...new Set(node.inputs.map(input => blockOf[input]))];
    blocks.push({
      kind: node.kind,
      detail: detailOf(node),
      shape: shapeOf(node.shape),
      inputs,
      rank: 0,
      x: 0,
    });
  }
  return blocks;
}

/** Kernel and stride: `3×3 /2`. @param {GraphNode} node */
function detailOf({ kernel_size, stride }) {
  if (!kernel_size) return '';
  const step =
    stride && Math.max(...stride) > 1 ? ` /${stride[0] === stride[1] ? stride[0] : stride.join('×')}` : '';
  return `${kernel_size.join('×')}${step}`;
}

/** @param {import('../engine/protocol.js').Shape} shape */
function shapeOf({ height, width, channels }) {
  return height === 1 && width === 1 ? String(channels) : `${height}×${width}×${channels}`;
}

/**
 * Ranks by the longest way from the input; places side by side near what they read.
 * @param {Block[]} blocks
 */
function place(blocks) {
  for (const block of blocks) block.rank = Math.max(-1, ...block.inputs.map(input => blocks[input].rank)) + 1;
  const ranks = Math.max(...blocks.map(({ rank }) => rank)) + 1;
  for (let rank = 0; rank < ranks; rank += 1) {
    const row = blocks.filter(block => block.rank === rank);
    for (const block of row) {
      block.x =
        block.inputs.reduce((sum, input) => sum + blocks[input].x, 0) / Math.max(block.inputs.length, 1);
    }
    const middle = row.reduce((sum, { x }) => sum + x, 0) / row.length;
    // Stable, so that branches keep the order of the notation.
    row.sort((a, b) => a.x - b.x);
    row.forEach((block, index) => {
      if (index > 0) block.x = Math.max(block.x, row[index - 1].x + WIDTH + GAP_X);
    });
    const shift = middle - row.reduce((sum, { x }) => sum + x, 0) / row.length;
    for (const block of row) block.x += shift;
  }
  return blocks;
}

/** @param {{ rank: number }} block */
function top({ rank }) {
  return GAP_Y + rank * (HEIGHT + GAP_Y);
}

/** @param {Block} from @param {Block} to @param {Block[]} blocks @param {number} bend */
function edge(from, to, blocks, bend) {
  const [y0, y1] = [top(from) + HEIGHT, top(to)];
  const blocked = blocks.some(
    ({ rank, x }) => rank > from.rank && rank < to.rank && Math.abs(x - (from.x + to.x) / 2) < WIDTH * 0.6,
  );
  if (to.rank - from.rank > 1 && blocked) {
    const out = Math.max(from.x, to.x) + bend;
    const [start, end] = [y0 - HEIGHT / 2, y1 + HEIGHT / 2];
    const [x0, x1] = [from.x + halfWidth(from), to.x + halfWidth(to)];
    const path = `M${x0} ${start}C${out} ${start} ${out} ${start} ${out} ${start + 26}V${end - 26}C${out} ${end} ${out} ${end} ${x1} ${end}`;
    return svg('path', { class: 'edge skip-edge', d: path });
  }
  const middle = (y0 + y1) / 2;
  return svg('path', {
    class: 'edge',
    d: `M${from.x} ${y0 - inset(from)}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${y1 + inset(to)}`,
  });
}

/** @param {Block} block */
function halfWidth({ kind }) {
  return KNOTS.has(kind) ? 13 : WIDTH / 2;
}

/** @param {Block} block */
function inset({ kind }) {
  return KNOTS.has(kind) ? HEIGHT / 2 - 13 : 0;
}

/** @param {Block} block */
function drawBlock(block) {
  const y = top(block);
  const title = svg('title', {}, `${block.kind} ${block.detail} → ${block.shape}`);
  if (KNOTS.has(block.kind)) {
    return svg(
      'g',
      { class: `block knot ${block.kind}` },
      title,
      svg('circle', { cx: block.x, cy: y + HEIGHT / 2, r: 13 }),
      svg(
        'text',
        { x: block.x, y: y + HEIGHT / 2 + 5, 'text-anchor': 'middle' },
        block.kind === 'add' ? '+' : '∪',
      ),
    );
  }
  const words = [block.kind, block.detail].filter(Boolean).join(' ');
  return svg(
    'g',
    { class: `block ${block.kind}` },
    title,
    svg('rect', { x: block.x - WIDTH / 2, y, width: WIDTH, height: HEIGHT, rx: 10 }),
    svg('text', { x: block.x, y: y + 14, 'text-anchor': 'middle' }, words),
    svg('text', { x: block.x, y: y + 27, 'text-anchor': 'middle', class: 'shape' }, block.shape),
  );
}
