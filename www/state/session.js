/** What the page does: the calls behind its buttons, and what they leave in the state. */

import { EngineFailure } from '../engine/engine.js';
import { download } from '../ui/files.js';
import { language } from '../i18n/i18n.js';
import { looked } from './signal-history.js';
import { forgetModels, openFirstModel, openedModel, origin, runBegins, runMoves } from './models.js';
import { engine, idleRun, store } from './state.js';

/** @typedef {import('../engine/protocol.js').TrainProgress} TrainProgress */
/** @typedef {import('../engine/protocol.js').Network} Network */
/** @typedef {(progress: import('../engine/protocol.js').LoadProgress) => void} Loading */

/** Milliseconds between two drawings of a run: where the processor trains, drawing holds it up. */
const DRAW_MS = 300;

let keeping = true;
/** The ready-made network that the page begins with. */
let firstNetwork = 'residual_flower';
/** When the run was drawn last. */
let drawn = 0;

/**
 * Asks the engine what it can do and chooses the first network, if there is one of that name. `keep`: whether photos and run stay here for
 * the next visit.
 */
export async function start({ keep = keeping, network = firstNetwork } = {}) {
  [keeping, firstNetwork] = [keep, network];
  const software = new URLSearchParams(location.search).has('software');
  const { build, devices, presets, reported } = await engine.call('hello', { software, keep });
  store.set({ build, devices, presets, reported });
  const preset = presets.find(({ name }) => name === network);
  if (preset && !store.value.network) await chooseNetwork(await networkOf(preset, preset.actions));
}

// An engine that had to be started again holds neither photos nor run; what was kept of them can be brought back.
engine.addEventListener('restart', async () => {
  forgetModels();
  store.set({
    library: null,
    run: idleRun(),
    report: null,
    comparison: null,
    network: null,
    structure: null,
    origin: 'scratch',
  });
  try {
    await start();
    await openFirstModel();
  } catch (failure) {
    // Whoever asks the engine next is told.
    console.info('not started again:', failure);
  }
});

/** Whether a network learns, or several do one after another: photos and settings stay as they are until then. */
export function learning() {
  const { run, comparison } = store.value;
  return ['starting', 'running', 'stopping'].includes(run.status) || comparison?.running === true;
}

/** A preset's network, its text spelt out. @param {import('../engine/protocol.js').Preset} preset @param {string} actions @returns {Promise<Network>} */
export async function networkOf({ name, input }, actions) {
  return { name, text: await engine.call('presetText', { name, actions }), size: input.height, actions };
}

/** Classes that a network will tell apart: those of the photos, five while there are none. */
export function classCount() {
  return store.value.library?.classes.length || 5;
}

/** Rows and columns that the network reads; photos are kept a little larger. */
function inputSize() {
  return store.value.network?.size ?? 64;
}

/**
 * Checks a network and makes it the one to train.
 * @param {Network} network
 */
export async function chooseNetwork(network) {
  const { text, size } = network;
  const structure = await engine.call('describe', { text, size, classes: classCount() });
  store.set({ network, structure });
}

/** Two ways to turn 64 channels of 16 × 16 pixels into 64 others: what a plain residual block and a bottleneck cost. */
export async function blockCosts() {
  const row = async (/** @type {string} */ name, /** @type {string} */ widths) => {
    const block = `['custom', {'name': '${name}', 'args': {${widths}, '#act': 'LAB'}}]`;
    const text = `['serial', ['conv', {'ksize': 1, 'chn': 64}], ${block}]`;
    const { rows } = await engine.call('describe', { text, size: 16, classes: 5 });
    return /** @type {import('../engine/protocol.js').Row} */ (rows.find(({ kind }) => kind === name));
  };
  const [plain, bottleneck] = await Promise.all([row('rf', "'#n': 64"), row('bf', "'#n1': 16, '#n4': 64")]);
  return { plain, bottleneck };
}

/** @param {import('../ui/files.js').Found[]} files @param {Loading} progress @param {AbortSignal} signal */
export async function addFiles(files, progress, signal) {
  await tookPhotos(await engine.call('addFiles', { files, size: inputSize() }, { progress, signal }));
}

/** @param {Loading} progress @param {AbortSignal} signal @param {number} [perClass] */
export async function drawFlowers(progress, signal, perClass = 100) {
  await tookPhotos(
    await engine.call(
      'drawFlowers',
      { per_class: perClass, seed: 1, size: inputSize() },
      { progress, signal },
    ),
  );
}

export async function clearPhotos() {
  await tookPhotos(await engine.call('clearPhotos', {}));
}

/** What an earlier visit left in this browser. */
export function remembered() {
  return engine.call('remembered', {});
}

/** Brings an earlier visit back. @param {Loading} progress @param {AbortSignal} signal */
export async function restore(progress, signal) {
  const { library, run, failure } = await engine.call('restore', { size: inputSize() }, { progress, signal });
  await tookPhotos(library);
  if (failure) throw new EngineFailure(failure);
  if (!run) return;
  await chooseNetwork(run.network);
  store.set({
    recipe: run.recipe,
    device: run.device,
    run: { ...idleRun(), status: run.progress.finished ? 'finished' : 'stopped', model: run.network.name },
  });
  advanced(run.progress);
  store.set({ run: { ...store.value.run, status: run.progress.finished ? 'finished' : 'stopped' } });
  if (run.progress.finished) await evaluate();
}

/** Deletes what an earlier visit left. */
export async function forget() {
  await engine.call('forget', { photos: true });
}

/** @param {import('../engine/protocol.js').LibrarySummary} library */
async function tookPhotos(library) {
  const classes = classCount();
  store.set({ library, run: idleRun(), report: null });
  const { network } = store.value;
  if (network && classes !== classCount()) await chooseNetwork(network);
}

/** @type {AbortController | null} */
let training = null;

/** Passes over the photos that a run from a trained model is offered with, and a run from chance. */
const TUNING_EPOCHS = 30;
const EPOCHS = 10;

/**
 * Chooses what the next run starts from; an opened model brings its network and settings that suit it.
 * @param {import('../engine/protocol.js').Origin} next
 */
export async function startFrom(next) {
  const { recipe } = store.value;
  const model = openedModel();
  if (next === 'scratch' || !model) {
    const settings = recipe.name === 'fine_tune' ? { ...recipe, name: 'modern', epochs: EPOCHS } : recipe;
    store.set({ origin: 'scratch', recipe: settings });
    return;
  }
  if (!origin())
    await chooseNetwork({ name: `${model.name}_tuned`, text: model.text, size: model.size, actions: null });
  const settings =
    recipe.name === 'fine_tune' ? recipe : { ...recipe, name: 'fine_tune', epochs: TUNING_EPOCHS };
  store.set({ origin: next, recipe: settings });
}

/** Starts a run from the beginning; tells whether it came to its end. */
export async function train() {
  // Another network has been chosen since.
  if (store.value.origin !== 'scratch' && !origin()) await startFrom('scratch');
  return begin('train', evaluate);
}

/** @param {'train' | 'trainInExperiment'} call @param {() => Promise<void>} judge what follows when the run has come to its end */
async function begin(call, judge) {
  const { network, recipe, device, origin: from } = store.value;
  // The last run may still be judged.
  if (!network || training) return false;
  runBegins();
  store.set({ run: { ...idleRun(), status: 'starting', model: network.name }, report: null });
  return follow(async options => {
    store.set({ library: await engine.call('fitPhotos', { size: network.size }) });
    return call === 'train'
      ? engine.call(call, { network, recipe, device, origin: from }, options)
      : engine.call(call, { network, recipe, device }, options);
  }, judge);
}

/** Trains these ready-made networks one after another, on the same photos and with the same settings. @param {string[]} names */
export async function compare(names) {
  if (training) return;
  /** @type {import('./state.js').ComparedRun[]} */
  const runs = [];
  /** @type {import('../engine/protocol.js').Experiment | null} */
  let experiment = null;
  const show = (/** @type {boolean} */ running) => store.set({ comparison: { running, runs, experiment } });
  stopAsked = false;
  // The networks start from chance, whatever the last run started from.
  await startFrom('scratch');
  await engine.call('beginExperiment', { recipe: store.value.recipe });
  let finished = false;
  try {
    for (const name of names) {
      const preset = store.value.presets.find(known => known.name === name);
      if (!preset) continue;
      await chooseNetwork(await networkOf(preset, preset.actions));
      if (stopAsked) break;
      const { parameters, flops } = store.value.structure ?? preset;
      /** @type {import('./state.js').ComparedRun} */
      const run = { name, accuracy: null, lines: [], parameters, flops };
      runs.push(run);
      const follow = () => {
        if (run.lines === store.value.run.history.lines && run.lines.length === seen) return;
        run.lines = store.value.run.history.lines;
        seen = run.lines.length;
        show(true);
      };
      let seen = -1;
      show(true);
      const record = async () => {
        const recorded = await engine.call('recordRun', { model: name });
        ({ experiment } = recorded);
        run.accuracy = recorded.report.accuracy;
        store.set({ report: recorded.report });
      };
      finished = await watching(follow, () => begin('trainInExperiment', record));
      if (!finished || stopAsked) break;
    }
  } finally {
    show(false);
  }
  // The last network is the one that stays.
  if (finished) await calibrate();
}

/** The experiment's report as one file. @param {'html' | 'md'} format */
export async function saveExperiment(format) {
  const text = await engine.call('experimentReport', { format, language: language() });
  download(text, `experiment.${format}`, format === 'md' ? 'text/markdown' : 'text/html');
}

/** Runs `work`, and `follow` whenever the run moves. @template T @param {() => void} follow @param {() => Promise<T>} work */
async function watching(follow, work) {
  /** @param {Event} event */
  const listen = event => {
    if (/** @type {CustomEvent<Set<string>>} */ (event).detail.has('run')) follow();
  };
  store.addEventListener('change', listen);
  try {
    return await work();
  } finally {
    store.removeEventListener('change', listen);
  }
}

/** Goes on with a stopped run. */
export async function resume() {
  if (training) return;
  store.set({ run: { ...store.value.run, status: 'starting' } });
  await follow(options => engine.call('resume', {}, options), evaluate);
}

/** Chooses what computes; a run that is under way moves there with its state. @param {string} device */
export async function useDevice(device) {
  const before = store.value.device;
  store.set({ device });
  if (store.value.run.status !== 'running' && store.value.run.status !== 'stopped') return;
  try {
    await engine.call('useDevice', { device });
  } catch (failure) {
    store.set({ device: before });
    throw failure;
  }
}

/** How far the answers of the processor and the GPU are apart, on the same photos. */
export function agreement() {
  return engine.call('agreement', { opened: store.value.model?.source !== 'run' });
}

/** Whether the experiment is to end with the network at hand. */
let stopAsked = false;

/** Stops the run after the step under way, and the experiment with it. */
export function stop() {
  stopAsked = true;
  const { run } = store.value;
  // A run that is being judged has come to its end.
  if (run.status === 'starting' || run.status === 'running')
    store.set({ run: { ...run, status: 'stopping' } });
  training?.abort();
}

/**
 * @param {(options: { progress: (value: TrainProgress) => void, signal: AbortSignal }) => Promise<{ finished: boolean }>} call
 * @param {() => Promise<void>} judge
 */
async function follow(call, judge) {
  training = new AbortController();
  try {
    const { finished } = await call({ progress: advanced, signal: training.signal });
    store.set({ run: { ...store.value.run, status: finished ? 'finished' : 'stopped' } });
    if (finished) await judge();
    if (finished && !store.value.comparison?.running) calibrate();
    return finished;
  } catch (failure) {
    store.set({ run: { ...store.value.run, status: store.value.run.last ? 'stopped' : 'idle' } });
    throw failure;
  } finally {
    training = null;
  }
}

/** Takes back what came after the state that a run goes on from; all of that state's lines come again. @param {import('./state.js').History} history @param {TrainProgress} progress */
function rewind(history, { step, steps_per_epoch }) {
  const kept = history.step.filter(at => at <= step / steps_per_epoch).length;
  for (const points of [history.step, history.loss, history.accuracy]) points.length = kept;
  history.lines.length = 0;
}

/** Takes the news of a run in; the page draws them now and then only. @param {TrainProgress} progress */
function advanced(progress) {
  const { run } = store.value;
  if (progress.recovered) rewind(run.history, progress);
  const { step, loss, accuracy, lines } = run.history;
  if (progress.loss !== null && progress.accuracy !== null) {
    step.push(progress.step / progress.steps_per_epoch);
    loss.push(progress.loss);
    accuracy.push(progress.accuracy);
  }
  lines.push(...progress.lines);
  if (progress.signals) looked(progress.signals, progress.step);
  if (progress.step > 0) runMoves();
  const speed = progress.images / Math.max(progress.seconds, 1e-6);
  const imagesPerSecond = run.imagesPerSecond > 0 ? 0.9 * run.imagesPerSecond + 0.1 * speed : speed;
  const status = run.status === 'stopping' ? 'stopping' : 'running';
  const recovered = run.recovered || progress.recovered === true;
  const tried = progress.tried ?? run.tried;
  store.take({
    run: {
      ...run,
      status,
      recovered,
      tried,
      last: progress,
      imagesPerSecond: progress.images > 0 ? imagesPerSecond : run.imagesPerSecond,
    },
  });
  const now = performance.now();
  if (
    now - drawn < DRAW_MS &&
    run.status === status &&
    progress.step > 0 &&
    !progress.finished &&
    !progress.recovered
  )
    return;
  drawn = now;
  store.set({ run: store.value.run });
}

/** Fits the finished run's probabilities and judges it again; without it they are only less reliable. */
async function calibrate() {
  const { report } = store.value;
  try {
    const { done } = await engine.call('calibrate', {});
    const calibrated = done ? await engine.call('evaluate', { split: 'test' }) : null;
    if (calibrated && store.value.report === report) store.set({ report: calibrated });
  } catch (failure) {
    console.info('not calibrated:', failure);
  }
}

/** Judges the model on the photos that it never saw. */
export async function evaluate() {
  const report = await engine.call('evaluate', { split: 'test' });
  store.set({ report });
}
