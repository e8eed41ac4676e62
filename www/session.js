/** What the page does: the calls behind its buttons, and what they leave in the state. */

import { download } from './files.js';
import { engine, emptyHistory, idleRun, store } from './state.js';

/** @typedef {import('./protocol.js').TrainProgress} TrainProgress */
/** @typedef {import('./protocol.js').Network} Network */
/** @typedef {(progress: import('./protocol.js').LoadProgress) => void} Loading */

/** Asks the engine what it can do and chooses the first network. */
export async function start() {
  const { build, devices, presets } = await engine.call('hello', {});
  store.set({ build, devices, presets });
  const preset = presets.find(({ name }) => name === 'residual_flower') ?? presets[0];
  if (preset && !store.value.network) await chooseNetwork(networkOf(preset));
}

/** @param {import('./protocol.js').Preset} preset @returns {Network} */
export function networkOf({ name, text, actions, input }) {
  return { name, text, actions, input };
}

/** Classes that a network will tell apart: those of the photos, five while there are none. */
export function classCount() {
  return store.value.library?.classes.length || 5;
}

/**
 * Checks a network and makes it the one to train.
 * @param {Network} network
 */
export async function chooseNetwork(network) {
  const { text, actions, input } = network;
  const structure = await engine.call('describe', { text, actions, input, classes: classCount() });
  store.set({ network, structure });
}

/** @param {import('./files.js').Found[]} files @param {Loading} progress @param {AbortSignal} signal */
export async function addFiles(files, progress, signal) {
  await tookPhotos(await engine.call('addFiles', { files }, { progress, signal }));
}

/** @param {Loading} progress @param {AbortSignal} signal */
export async function drawFlowers(progress, signal) {
  await tookPhotos(await engine.call('drawFlowers', { per_class: 100, seed: 1 }, { progress, signal }));
}

export async function clearPhotos() {
  await tookPhotos(await engine.call('clearPhotos', {}));
}

/** @param {import('./protocol.js').LibrarySummary} library */
async function tookPhotos(library) {
  const classes = classCount();
  store.set({ library, run: idleRun(), report: null });
  const { network } = store.value;
  if (network && classes !== classCount()) await chooseNetwork(network);
}

/** @type {AbortController | null} */
let training = null;

/** Starts a run from the beginning. */
export async function train() {
  const { network, recipe, device } = store.value;
  if (!network) return;
  store.set({ run: { ...idleRun(), status: 'starting', model: network.name }, report: null });
  await follow((options) => engine.call('train', { network, recipe, device }, options));
}

/** Goes on with a stopped run. */
export async function resume() {
  store.set({ run: { ...store.value.run, status: 'starting' } });
  await follow((options) => engine.call('resume', {}, options));
}

/** Stops the run after the step under way. */
export function stop() {
  store.set({ run: { ...store.value.run, status: 'stopping' } });
  training?.abort();
}

/** @param {(options: { progress: (value: TrainProgress) => void, signal: AbortSignal }) => Promise<{ finished: boolean }>} call */
async function follow(call) {
  training = new AbortController();
  const steps = store.value.run.last?.step ?? 0;
  try {
    const { finished } = await call({ progress: advanced, signal: training.signal });
    store.set({ run: { ...store.value.run, status: finished ? 'finished' : 'stopped' } });
    if (finished) await evaluate();
  } catch (failure) {
    store.set({ run: { ...store.value.run, status: steps > 0 || store.value.run.last ? 'stopped' : 'idle' } });
    throw failure;
  } finally {
    training = null;
  }
}

/** @param {TrainProgress} progress */
function advanced(progress) {
  const { run } = store.value;
  const { step, loss, accuracy, lines } = run.history;
  if (progress.images > 0) {
    step.push(progress.step / progress.steps_per_epoch);
    loss.push(progress.loss);
    accuracy.push(progress.accuracy);
  }
  lines.push(...progress.lines);
  const speed = progress.images / Math.max(progress.seconds, 1e-6);
  const imagesPerSecond = run.imagesPerSecond > 0 ? 0.9 * run.imagesPerSecond + 0.1 * speed : speed;
  const status = run.status === 'stopping' ? 'stopping' : 'running';
  store.set({ run: { ...run, status, last: progress, imagesPerSecond: progress.images > 0 ? imagesPerSecond : run.imagesPerSecond } });
}

/** Judges the model on the photos that it never saw. */
export async function evaluate() {
  const report = await engine.call('evaluate', { split: 'test' });
  store.set({ report });
}

/** @param {Blob} file */
export function classify(file) {
  return engine.call('classify', { file });
}

/** Saves the model as a file. */
export async function saveModel() {
  const { bytes, summary } = await engine.call('save', {});
  download(bytes, `${summary.name}.safetensors`, 'application/octet-stream');
}

/** @param {Blob} file */
export async function openModel(file) {
  const bytes = await file.arrayBuffer();
  const model = await engine.call('open', { bytes }, { transfer: [bytes] });
  store.set({ model, report: null, run: { ...idleRun(), history: emptyHistory() } });
}
