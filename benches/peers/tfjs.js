/** A flower model in TensorFlow.js. Windows lie as TensorFlow's `same` has them, which costs what Floret's cost. */

import { CLASSES, length } from './graph.js';
import { figures, heNumbers } from './timing.js';

const SCRIPTS = {
  cpu: ['tfjs/dist/tf.min.js'],
  webgpu: ['tfjs/dist/tf.min.js', 'tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js'],
};

/** @param {string} path */
function load(path) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `node_modules/@tensorflow/${path}`;
    script.addEventListener('load', resolve);
    script.addEventListener('error', reject);
    document.head.append(script);
  });
}

/**
 * @param {import('./graph.js').Node[]} nodes
 * @param {{ batch: number, task: string, seconds: number, backend: 'cpu' | 'webgpu' }} options
 */
export async function measure(nodes, options) {
  for (const path of SCRIPTS[options.backend]) await load(path);
  const { tf } = /** @type {any} */ (globalThis);
  if (!(await tf.setBackend(options.backend)))
    throw new Error(`TensorFlow.js has no backend ${options.backend} here`);
  await tf.ready();
  const { height, width, channels } = nodes[0].shape;
  const weights = nodes.map(node => parameters(tf, node, nodes[node.inputs[0]]));
  const photos = tf.randomUniform([options.batch, height, width, channels], -1, 1);
  const photo = photos.slice([0], [1]);
  const targets = tf.oneHot(tf.zeros([options.batch], 'int32'), CLASSES);
  const optimizer = tf.train.adam(0.001);
  const last = weights[weights.length - 1][1];
  const train = () => {
    optimizer.minimize(() =>
      tf.losses.softmaxCrossEntropy(targets, forward(tf, nodes, weights, photos, true)),
    );
    return last.data();
  };
  const classify = async (/** @type {any} */ batch) => {
    const logits = tf.tidy(() => forward(tf, nodes, weights, batch, false));
    await logits.data();
    logits.dispose();
  };
  // A single photo first: the plain backend is compiled by the browser and spared a whole batch that is not timed.
  if (options.backend === 'cpu') await classify(photo);
  return figures(options, { train, infer: () => classify(photos), single: () => classify(photo) });
}

/** Kernel and bias, or nothing. @returns {any[]} @param {any} tf @param {import('./graph.js').Node} node @param {import('./graph.js').Node} input */
function parameters(tf, { kind, kernel_size, shape }, input) {
  if (kind !== 'conv' && kind !== 'full') return [];
  const size =
    kind === 'conv'
      ? [...(kernel_size ?? []), input.shape.channels, shape.channels]
      : [length(input), CLASSES];
  const count = size.reduce((product, n) => product * n, 1);
  const outputs = size[size.length - 1];
  return [tf.variable(tf.tensor(heNumbers(count, count / outputs), size)), tf.variable(tf.zeros([outputs]))];
}

/** Logits. @param {any} tf @param {import('./graph.js').Node[]} nodes @param {any[][]} weights @param {any} photos @param {boolean} training */
function forward(tf, nodes, weights, photos, training) {
  const values = [photos];
  for (const [number, node] of nodes.entries()) {
    if (number === 0) continue;
    const inputs = node.inputs.map(input => values[input]);
    values.push(layer(tf, node, inputs, weights[number], training));
  }
  return values[values.length - 1];
}

/** @param {any} tf @param {import('./graph.js').Node} node @param {any[]} inputs @param {any[]} weights @param {boolean} training */
function layer(tf, { kind, kernel_size, stride, shape }, inputs, [kernel, bias], training) {
  const [x] = inputs;
  switch (kind) {
    case 'conv':
      return x.conv2d(kernel, stride, 'same').add(bias).relu();
    case 'batch_normal': {
      if (!training)
        return tf.batchNorm(x, tf.zeros([shape.channels]), tf.ones([shape.channels]), null, null, 1e-5);
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return x.sub(mean).mul(variance.add(1e-5).rsqrt());
    }
    case 'max':
      return x.maxPool(kernel_size, stride, 'same');
    case 'avg':
      return x.avgPool(kernel_size, stride, 'same');
    case 'dropout':
      return training ? tf.dropout(x, 0.3) : x;
    case 'parallel':
      return tf.concat(inputs, 3);
    case 'add':
      return inputs
        .map(input => input.tile([1, 1, 1, shape.channels / input.shape[3]]))
        .reduce((a, b) => a.add(b));
    case 'full':
      return x.reshape([x.shape[0], -1]).matMul(kernel).add(bias);
    default:
      throw new Error(`no layer ${kind}`);
  }
}
