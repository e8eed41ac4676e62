/** A graph as an ONNX model (Node): what onnxruntime-web classifies with. */

import onnxProto from 'onnx-proto';
import { CLASSES, length, padding } from './graph.js';
import { heNumbers } from './timing.js';

const { onnx } = onnxProto;
const { FLOAT } = onnx.TensorProto.DataType;
const { INT, INTS } = onnx.AttributeProto.AttributeType;

/**
 * The bytes of a .onnx file: NCHW photos, any number of them, to logits. Normalisation has the statistics of a fresh model.
 * @param {import('./graph.js').Node[]} nodes
 */
export function onnxModel(nodes) {
  /** @type {any[]} */
  const node = [];
  /** @type {any[]} */
  const initializer = [];
  const constant = (
    /** @type {string} */ name,
    /** @type {number[]} */ dims,
    /** @type {Float32Array} */ numbers,
  ) => {
    initializer.push({ name, dims, dataType: FLOAT, rawData: new Uint8Array(numbers.buffer) });
    return name;
  };
  const apply = (
    /** @type {string} */ opType,
    /** @type {string[]} */ input,
    /** @type {string} */ output,
    attributes = {},
  ) => {
    const attribute = Object.entries(attributes).map(([name, value]) =>
      Array.isArray(value) ? { name, type: INTS, ints: value } : { name, type: INT, i: value },
    );
    node.push({ opType, input, output: [output], attribute });
  };
  for (const [number, layer] of nodes.entries()) {
    if (number === 0) continue;
    const [out, input, channels] = [String(number), nodes[layer.inputs[0]], layer.shape.channels];
    const inputs = layer.inputs.map(String);
    const window = () => {
      const { before, after } = padding(layer, input);
      return {
        kernel_shape: layer.kernel_size,
        strides: layer.stride,
        pads: [...before, ...after].map(n => Math.max(0, n)),
      };
    };
    switch (layer.kind) {
      case 'conv': {
        const size = [channels, input.shape.channels, ...(layer.kernel_size ?? [])];
        const count = size.reduce((product, n) => product * n, 1);
        const kernel = constant(`${out}.kernel`, size, heNumbers(count, count / channels));
        apply(
          'Conv',
          [...inputs, kernel, constant(`${out}.bias`, [channels], new Float32Array(channels))],
          `${out}.linear`,
          window(),
        );
        apply('Relu', [`${out}.linear`], out);
        break;
      }
      case 'batch_normal': {
        const [zeros, ones] = [new Float32Array(channels), new Float32Array(channels).fill(1)];
        apply(
          'BatchNormalization',
          [
            ...inputs,
            constant(`${out}.scale`, [channels], ones),
            constant(`${out}.shift`, [channels], zeros),
            constant(`${out}.mean`, [channels], zeros),
            constant(`${out}.variance`, [channels], ones),
          ],
          out,
        );
        break;
      }
      case 'max':
        apply('MaxPool', inputs, out, window());
        break;
      case 'avg':
        apply('AveragePool', inputs, out, window());
        break;
      case 'dropout':
        apply('Identity', inputs, out);
        break;
      case 'parallel':
        apply('Concat', inputs, out, { axis: 1 });
        break;
      case 'add': {
        const tiled = layer.inputs.map((summand, index) => {
          const times = channels / nodes[summand].shape.channels;
          if (times === 1) return inputs[index];
          apply('Concat', Array(times).fill(inputs[index]), `${out}.${index}`, { axis: 1 });
          return `${out}.${index}`;
        });
        tiled.slice(1).reduce((sum, summand, index) => {
          const name = index === tiled.length - 2 ? out : `${out}.sum${index}`;
          apply('Add', [sum, summand], name);
          return name;
        }, tiled[0]);
        break;
      }
      case 'full':
        apply('Flatten', inputs, `${out}.flat`, { axis: 1 });
        apply(
          'MatMul',
          [
            `${out}.flat`,
            constant(
              `${out}.kernel`,
              [length(input), CLASSES],
              heNumbers(length(input) * CLASSES, length(input)),
            ),
          ],
          `${out}.linear`,
        );
        apply('Add', [`${out}.linear`, constant(`${out}.bias`, [CLASSES], new Float32Array(CLASSES))], out);
        break;
      default:
        throw new Error(`no layer ${layer.kind}`);
    }
  }
  const { height, width, channels } = nodes[0].shape;
  const value = (/** @type {string} */ name, /** @type {number[]} */ rest) => {
    const dim = [{ dimParam: 'batch' }, ...rest.map(dimValue => ({ dimValue }))];
    return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
  };
  const graph = {
    name: 'flower',
    node,
    initializer,
    input: [value('0', [channels, height, width])],
    output: [value(String(nodes.length - 1), [CLASSES])],
  };
  return onnx.ModelProto.encode(
    onnx.ModelProto.create({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }], graph }),
  ).finish();
}
