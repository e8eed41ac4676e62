/** A flower model in jax-js, one compiled step of training or inference; photos are NCHW. */

import { CLASSES, length, padding } from './graph.js';
import { figures, heNumbers, photoNumbers } from './timing.js';

const [BETA1, BETA2, RATE, EPSILON] = [0.9, 0.999, 0.001, 1e-8];

/**
 * @param {import('./graph.js').Node[]} nodes
 * @param {{ batch: number, task: string, seconds: number, backend: 'wasm' | 'webgpu' }} options
 */
export async function measure(nodes, options) {
  const jax = await import(new URL('./node_modules/@jax-js/jax/dist/index.js', import.meta.url).href);
  if (!(await jax.init(options.backend)).includes(options.backend))
    throw new Error(`jax-js has no ${options.backend} here`);
  jax.defaultDevice(options.backend);
  const { numpy: np, nn, tree } = jax;
  const { height, width, channels } = nodes[0].shape;
  const batchOf = (/** @type {number} */ count) =>
    np.array(photoNumbers(count * channels * height * width)).reshape([count, channels, height, width]);
  const loss = (/** @type {any} */ weights, /** @type {any} */ photos, /** @type {any} */ targets) => {
    const logits = forward(jax, nodes, weights, photos, true);
    return np.mean(np.sum(nn.logSoftmax(logits).mul(targets), 1)).mul(-1);
  };
  const step = jax.jit(
    (
      /** @type {any} */ weights,
      /** @type {any} */ first,
      /** @type {any} */ second,
      /** @type {any} */ photos,
      /** @type {any} */ targets,
    ) => {
      const slopes = jax.grad(loss)(tree.ref(weights), photos, targets);
      const moments = tree.map(
        (/** @type {any} */ m, /** @type {any} */ g) => m.mul(BETA1).add(g.mul(1 - BETA1)),
        first,
        tree.ref(slopes),
      );
      const squares = tree.map(
        (/** @type {any} */ v, /** @type {any} */ g) => v.mul(BETA2).add(np.square(g).mul(1 - BETA2)),
        second,
        slopes,
      );
      const moved = tree.map(
        (/** @type {any} */ w, /** @type {any} */ m, /** @type {any} */ v) =>
          w.sub(m.mul(RATE).div(np.sqrt(v).add(EPSILON))),
        weights,
        tree.ref(moments),
        tree.ref(squares),
      );
      return [moved, moments, squares];
    },
  );
  const run = jax.jit((/** @type {any} */ weights, /** @type {any} */ photos) =>
    forward(jax, nodes, weights, photos, false),
  );
  let weights = parameters(np, nodes);
  let [first, second] = [
    tree.map((/** @type {any} */ w) => np.zerosLike(w), tree.ref(weights)),
    tree.map((/** @type {any} */ w) => np.zerosLike(w), tree.ref(weights)),
  ];
  const [photos, photo] = [batchOf(options.batch), batchOf(1)];
  const targets = nn.oneHot(np.zeros([options.batch], { dtype: np.int32 }), CLASSES);
  const train = async () => {
    [weights, first, second] = step(weights, first, second, photos.ref, targets.ref);
    await jax.blockUntilReady(weights);
  };
  const classify = (/** @type {any} */ batch) => run(tree.ref(weights), batch.ref).data();
  return figures(options, { train, infer: () => classify(photos), single: () => classify(photo) });
}

/** Kernels and biases by the numbers of their nodes. @param {any} np @param {import('./graph.js').Node[]} nodes */
function parameters(np, nodes) {
  /** @type {Record<string, { kernel: any, bias: any }>} */
  const weights = {};
  for (const [number, { kind, kernel_size, inputs, shape }] of nodes.entries()) {
    if (kind !== 'conv' && kind !== 'full') continue;
    const input = nodes[inputs[0]];
    const size =
      kind === 'conv'
        ? [shape.channels, input.shape.channels, ...(kernel_size ?? [])]
        : [length(input), CLASSES];
    const outputs = kind === 'conv' ? shape.channels : CLASSES;
    const count = size.reduce((product, n) => product * n, 1);
    const bias = kind === 'conv' ? [1, outputs, 1, 1] : [outputs];
    weights[number] = {
      kernel: np.array(heNumbers(count, count / outputs)).reshape(size),
      bias: np.zeros(bias),
    };
  }
  return weights;
}

/** Logits. Every use of an array but the last takes a reference, as jax-js asks. @param {any} jax @param {import('./graph.js').Node[]} nodes @param {any} weights @param {any} photos @param {boolean} training */
function forward(jax, nodes, weights, photos, training) {
  const uses = nodes.map(
    (_, number) => nodes.flatMap(({ inputs }) => inputs).filter(input => input === number).length,
  );
  const values = [photos];
  const take = (/** @type {number} */ number) => {
    uses[number] -= 1;
    return uses[number] > 0 ? values[number].ref : values[number];
  };
  for (const [number, node] of nodes.entries()) {
    if (number === 0) continue;
    values.push(layer(jax, node, nodes, node.inputs.map(take), weights[number], training));
  }
  return values[values.length - 1];
}

/** @param {any} jax @param {import('./graph.js').Node} node @param {import('./graph.js').Node[]} nodes @param {any[]} inputs @param {any} weights @param {boolean} training */
function layer({ numpy: np, nn, lax }, node, nodes, inputs, weights, training) {
  const [x] = inputs;
  const input = nodes[node.inputs[0]];
  const { before, after } = padding(node, input);
  const pads = [0, 1].map(axis => [Math.max(0, before[axis]), Math.max(0, after[axis])]);
  const pooled = (/** @type {(window: any) => any} */ reduce) =>
    lax.reduceWindow(np.pad(x, [[0, 0], [0, 0], ...pads]), reduce, node.kernel_size, node.stride);
  switch (node.kind) {
    case 'conv':
      return nn.relu(lax.conv(x, weights.kernel, node.stride, pads).add(weights.bias));
    case 'batch_normal': {
      if (!training) return x.mul(1 / Math.sqrt(1 + 1e-5));
      const centred = x.ref.sub(np.mean(x, [0, 2, 3], { keepdims: true }));
      const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
      return centred.div(np.sqrt(variance.add(1e-5)));
    }
    case 'max':
      return pooled(np.max);
    case 'avg':
      return pooled(np.mean);
    case 'dropout':
      return x;
    case 'parallel':
      return np.concatenate(inputs, 1);
    case 'add':
      return inputs
        .map((summand, index) =>
          np.tile(summand, [1, node.shape.channels / nodes[node.inputs[index]].shape.channels, 1, 1]),
        )
        .reduce((a, b) => a.add(b));
    case 'full':
      return np.matmul(x.reshape([-1, length(input)]), weights.kernel).add(weights.bias);
    default:
      throw new Error(`no layer ${node.kind}`);
  }
}
