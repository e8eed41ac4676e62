/** What the page does: the calls behind its buttons, and what they leave in the state. */

import { EngineFailure } from '../engine/engine.js';
import { modelInTraining, openFirstModel, origin } from './models.js';
import { isBusy, isLearning, reduce } from './run.js';
import { withSignals } from './signal-history.js';
import { engine, store } from './state.js';

/** @typedef {import('../engine/protocol.js').TrainProgress} TrainProgress */
/** @typedef {import('../engine/protocol.js').Network} Network */
/** @typedef {(progress: import('../engine/protocol.js').LoadProgress) => void} Loading */

/** Milliseconds between two drawings of a run: where the processor trains, drawing holds it up. */
const DRAW_MS = 300;

/** Parts of the state that events of runs change. */
const PARTS = /** @type {const} */ (['run', 'comparison', 'report', 'trained', 'model']);

/** Passes over the photos that a run from a trained model is offered with, and a run from chance. */
const TUNING_EPOCHS = 30;
const EPOCHS = 10;

/**
 * Takes an event into the state; tells whether it changed anything.
 * @param {import('./run.js').Event} event
 * @param {(changed: Partial<import('./state.js').State>) => void} [tell] how the panels hear of it
 */
function apply(event, tell = changed => store.set(changed)) {
  const before = store.value;
  const after = reduce(before, event);
  const changed = PARTS.filter(part => after[part] !== before[part]);
  if (changed.length > 0) tell(Object.fromEntries(changed.map(part => [part, after[part]])));
  return changed.length > 0;
}

/**
 * Asks the engine what it can do and chooses the first network, if there is one of that name.
 * @param {Partial<import('./state.js').Visit>} [visit]
 */
export async function start(visit = {}) {
  const { keep, network } = { ...store.value.visit, ...visit };
  store.take({ visit: { keep, network } });
  const software = new URLSearchParams(location.search).has('software');
  const { build, devices, presets, actions, reported } = await engine.call('hello', { software, keep });
  store.set({ build, devices, presets, actions, reported });
  const preset = presets.find(({ name }) => name === network);
  if (preset && !store.value.network) await chooseNetwork(await networkOf(preset, preset.actions));
}

// An engine that had to be started again holds neither photos nor run; what was kept of them can be brought
// back.
engine.addEventListener('restart', async () => {
  apply({ type: 'forgotten' });
  store.set({
    library: null,
    network: null,
    structure: null,
    origin: 'scratch',
    opened: null,
    opening: false,
  });
  try {
    await start();
    await openFirstModel();
  } catch (failure) {
    // Whoever asks the engine next is told.
    console.info('not started again:', failure);
  }
});

/**
 * Whether a network learns, or several do one after another: photos and settings stay as they are until then.
 */
export function learning() {
  return isBusy(store.value);
}

/**
 * A ready-made network, its text spelt out.
 * @param {import('../engine/protocol.js').Preset} preset
 * @param {string} actions
 * @returns {Promise<Network>}
 */
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

/**
 * Two ways to turn 64 channels of 16 × 16 pixels into 64 others: what a plain residual block and a bottleneck
 * cost.
 */
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

/**
 * @param {import('../engine/protocol.js').Source[]} files
 * @param {Loading} progress
 * @param {AbortSignal} signal
 */
export async function addFiles(files, progress, signal) {
  await tookPhotos(await engine.call('addFiles', { files, size: inputSize() }, { progress, signal }));
}

/** @param {Loading} progress @param {AbortSignal} signal @param {number} [perClass] */
export async function drawFlowers(progress, signal, perClass = 100) {
  const drawing = { per_class: perClass, seed: 1, size: inputSize() };
  await tookPhotos(await engine.call('drawFlowers', drawing, { progress, signal }));
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
  store.set({ recipe: run.recipe, device: run.device });
  apply({ type: 'restored', model: modelInTraining(run.network), progress: run.progress });
  if (!run.progress.finished) return;
  const { id } = store.value.run;
  await evaluate(id).catch(failure => {
    apply({ type: 'failed', id });
    throw failure;
  });
}

/** Deletes what an earlier visit left. */
export async function forget() {
  await engine.call('forget', { photos: true });
}

/** @param {import('../engine/protocol.js').LibrarySummary} library */
async function tookPhotos(library) {
  const classes = classCount();
  apply({ type: 'photos' }, changed => store.set({ library, ...changed }));
  const { network } = store.value;
  if (network && classes !== classCount()) await chooseNetwork(network);
}

/**
 * Chooses what the next run starts from; an opened model brings its network and settings that suit it.
 * @param {import('../engine/protocol.js').Origin} next
 */
export async function startFrom(next) {
  const { recipe, opened } = store.value;
  const tuning = recipe.name === 'fine_tune';
  if (next === 'scratch' || !opened) {
    const settings = tuning ? { ...recipe, name: 'modern', epochs: EPOCHS } : recipe;
    store.set({ origin: 'scratch', recipe: settings });
    return;
  }
  if (!origin()) {
    const { name, text, size } = opened;
    await chooseNetwork({ name: `${name}_tuned`, text, size, actions: null });
  }
  const settings = tuning ? recipe : { ...recipe, name: 'fine_tune', epochs: TUNING_EPOCHS };
  store.set({ origin: next, recipe: settings });
}

/** Starts a run from the beginning; tells whether it came to its end. */
export async function train() {
  // Another network has been chosen since.
  if (store.value.origin !== 'scratch' && !origin()) await startFrom('scratch');
  const { network, recipe, device, origin: from } = store.value;
  if (!network) return false;
  return begin(
    network,
    options => engine.call('train', { network, recipe, device, origin: from }, options),
    evaluate,
  );
}

/**
 * @param {Network} network
 * @param {Learn} learn
 * @param {Judge} judge
 * @param {boolean} [inExperiment]
 */
async function begin(network, learn, judge, inExperiment = false) {
  // Refused while a run learns or is judged.
  if (!apply({ type: 'start', model: modelInTraining(network), inExperiment })) return false;
  return follow(async options => {
    store.set({ library: await engine.call('fitPhotos', { size: network.size }) });
    return learn(options);
  }, judge);
}

/** Goes on with a stopped run. */
export async function resume() {
  if (apply({ type: 'resume' })) await follow(options => engine.call('resume', {}, options), evaluate);
}

/** @typedef {{ progress: (value: TrainProgress) => void, signal: AbortSignal }} Options */
/** @typedef {(options: Options) => Promise<{ finished: boolean }>} Learn */
/** What follows when a run has come to its end. @typedef {(id: number) => Promise<void>} Judge */

/**
 * Follows a run that has just been started or continued; tells whether it came to its end.
 * @param {Learn} learn
 * @param {Judge} judge
 */
async function follow(learn, judge) {
  const { id } = store.value.run;
  const training = new AbortController();
  store.take({ training });
  try {
    const progress = (/** @type {TrainProgress} */ value) => advanced(id, value);
    const { finished } = await learn({ progress, signal: training.signal });
    apply({ type: 'ended', id, finished });
    if (finished) await judge(id);
    if (finished && !store.value.comparison?.running) calibrate();
    return finished;
  } catch (failure) {
    apply({ type: 'failed', id });
    throw failure;
  } finally {
    if (store.value.training === training) store.take({ training: null });
  }
}

/**
 * Takes the news of a run in; the page draws them now and then only.
 * @param {number} id
 * @param {TrainProgress} progress
 */
function advanced(id, progress) {
  const { step, steps_per_epoch, recovered, signals, finished } = progress;
  if (recovered) apply({ type: 'lost', id, step, stepsPerEpoch: steps_per_epoch }, part => store.take(part));
  const { phase, model } = store.value.run;
  if (signals && model) {
    const name = [model.name, model.actions].filter(Boolean).join(' ');
    store.set({ signals: withSignals(store.value.signals, { name, signals, step }) });
  }
  apply({ type: 'progress', id, progress }, changed => {
    const turn = phase !== 'running' || step === 0 || finished || recovered || changed.model !== undefined;
    if (turn || performance.now() - store.told >= DRAW_MS) store.set(changed);
    else store.take(changed);
  });
}

/** Stops the run after the step under way, and the experiment with it. */
export function stop() {
  apply({ type: 'stop' });
  if (isLearning(store.value.run)) store.value.training?.abort();
}

/** Judges the run on the photos that it never saw. @param {number} id */
async function evaluate(id) {
  apply({ type: 'judged', id, report: await engine.call('evaluate', { split: 'test' }) });
}

/** Fits the finished run's probabilities and judges it again; without it they are only less reliable. */
async function calibrate() {
  const before = store.value.report;
  try {
    const { done } = await engine.call('calibrate', {});
    const report = done ? await engine.call('evaluate', { split: 'test' }) : null;
    if (report) apply({ type: 'calibrated', before, report });
  } catch (failure) {
    console.info('not calibrated:', failure);
  }
}

/**
 * Trains these ready-made networks one after another, on the same photos and with the same settings.
 * @param {string[]} names
 */
export async function compare(names) {
  if (!apply({ type: 'experimentBegan' })) return;
  let finished = false;
  try {
    // The networks start from chance, whatever the last run started from.
    await startFrom('scratch');
    await engine.call('beginExperiment', { recipe: store.value.recipe });
    for (const name of names) {
      const preset = store.value.presets.find(known => known.name === name);
      if (!preset) continue;
      finished = await trainCompared(preset);
      if (!finished || store.value.comparison?.stopAsked) break;
    }
  } finally {
    apply({ type: 'experimentEnded' });
  }
  // The last network is the one that stays.
  if (finished) await calibrate();
}

/**
 * Trains one network of the experiment; tells whether it came to its end.
 * @param {import('../engine/protocol.js').Preset} preset
 */
async function trainCompared(preset) {
  const { name } = preset;
  const network = await networkOf(preset, preset.actions);
  await chooseNetwork(network);
  if (store.value.comparison?.stopAsked) return false;
  const { parameters, flops } = store.value.structure ?? preset;
  apply({ type: 'experimentWentOn', name, parameters, flops });
  const { recipe, device } = store.value;
  return begin(
    network,
    options => engine.call('trainInExperiment', { network, recipe, device }, options),
    async id => {
      apply({ type: 'judged', id, ...(await engine.call('recordRun', { model: name })) });
    },
    true,
  );
}

/**
 * The experiment's report as one file.
 * @param {'html' | 'md'} format
 * @param {import('../i18n/i18n.js').Language} language
 */
export function experimentReport(format, language) {
  return engine.call('experimentReport', { format, language });
}

/** Chooses what computes; a run that is under way moves there with its state. @param {string} device */
export async function useDevice(device) {
  const { device: before } = store.value;
  store.set({ device });
  // A run that is just starting was told the earlier choice: it moves as soon as it can.
  await store.until(({ run }) => run.phase !== 'starting');
  const { device: chosen, run } = store.value;
  const underWay = run.phase === 'stopped' || (run.phase === 'running' && !run.stopAsked);
  if (!underWay || chosen !== device) return;
  try {
    await engine.call('useDevice', { device });
  } catch (failure) {
    store.set({ device: before });
    throw failure;
  }
}
