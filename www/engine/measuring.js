/** How fast the engine is here: training steps and answers a second, on drawn flowers. Runs in the worker. */

/** Photos that inference is timed over. */
const INFER_PHOTOS = 320;
/** Answers to single photos that are timed; the median counts. */
const SINGLE_PHOTOS = 30;
/** Steps before the clock starts: compilation, caches, the browser's own optimizer. */
const WARM_UP_STEPS = 5;

/** @typedef {import('./bindings.js').Engine} Engine */

/**
 * @param {import('./protocol.js').BenchOptions} options
 * @param {import('./worker.js').Context} context
 * @returns {Promise<import('./protocol.js').BenchResult>}
 */
export async function measure({ model, batch, steps, task, device }, { engine, exclusive }) {
  const { presets } = await exclusive(() => engine.hello(false));
  const preset = presets.find(({ name }) => name === model);
  if (!preset)
    throw {
      code: 'setting',
      name: { key: 'what.model', values: {} },
      expected: names(presets),
      found: model,
    };
  const size = preset.input.height;
  await exclusive(() => engine.begin_photos(size));
  await exclusive(() => engine.begin_drawing(INFER_PHOTOS / 5, 1));
  await exclusive(() => engine.draw_some(Infinity));
  await exclusive(() => engine.finish_photos());
  const text = await exclusive(() => engine.preset_text(model, preset.actions));
  const recipe = { name: 'textbook', epochs: 10_000, batch_size: batch, seed: 1, mirror: 'auto' };
  await exclusive(() => engine.start(text, size, recipe, device));
  /** @type {import('./protocol.js').BenchResult} */
  const result = { model, batch, steps, device: await exclusive(() => engine.device()) };
  if (task !== 'infer') result.train_images_per_s = await training(engine, exclusive, batch, steps);
  if (task !== 'train') Object.assign(result, await inference(engine, exclusive, size));
  return result;
}

/**
 * @param {Engine} engine
 * @param {import('./worker.js').Context['exclusive']} exclusive
 * @param {number} batch
 * @param {number} steps
 */
async function training(engine, exclusive, batch, steps) {
  let { step } = await exclusive(() => engine.progress());
  while (step < WARM_UP_STEPS) ({ step } = await exclusive(() => engine.advance(0)));
  // Whole stretches are timed; validation at the end of an epoch is part of training.
  const [first, began] = [step, performance.now()];
  while (step < first + steps) ({ step } = await exclusive(() => engine.advance(50)));
  return ((step - first) * batch * 1000) / (performance.now() - began);
}

/**
 * @param {Engine} engine
 * @param {import('./worker.js').Context['exclusive']} exclusive
 * @param {number} size
 */
async function inference(engine, exclusive, size) {
  await exclusive(() => engine.evaluate('train'));
  const { n, seconds } = await exclusive(() => engine.evaluate('train'));
  const photo = new Uint8Array(size * size * 4).fill(128);
  /** @type {number[]} */
  const times = [];
  for (let count = 0; count < SINGLE_PHOTOS; count += 1) {
    const { milliseconds } = await exclusive(() => engine.classify('run', size, size, photo));
    times.push(milliseconds);
  }
  times.sort((a, b) => a - b);
  return { infer_images_per_s: n / seconds, infer_ms_per_image: times[SINGLE_PHOTOS / 2] };
}

/** @param {{ name: string }[]} presets */
function names(presets) {
  return presets.map(({ name }) => name).join(', ');
}
