/** A flower model in onnxruntime-web, which classifies and does not train. */

import { figures, photoNumbers } from './timing.js';

/**
 * @param {import('./graph.js').Node[]} nodes
 * @param {{ batch: number, task: string, seconds: number, threads: number, onnx: string }} options `onnx` is the model's address
 */
export async function measure(nodes, options) {
  const ort = await import(
    new URL('./node_modules/onnxruntime-web/dist/ort.wasm.min.mjs', import.meta.url).href
  );
  ort.env.wasm.numThreads = options.threads;
  const session = await ort.InferenceSession.create(options.onnx, { executionProviders: ['wasm'] });
  const { height, width, channels } = nodes[0].shape;
  const classify = (/** @type {number} */ count) => {
    const photos = new ort.Tensor('float32', photoNumbers(count * channels * height * width), [
      count,
      channels,
      height,
      width,
    ]);
    return () => session.run({ [session.inputNames[0]]: photos });
  };
  return figures(options, { infer: classify(options.batch), single: classify(1) });
}
