/** The worker: it alone holds the engine. One call at a time touches it; training lets others in between steps. */

import { fetchModel } from './fetching.js';
import { Photos, photoToAsk, quietly } from './loading.js';
import { measure } from './measuring.js';
import { loadEngine } from './packages.js';
import { stretch } from './progress.js';
import { PROTOCOL_VERSION } from './protocol.js';
import * as persistence from './persistence.js';

/** @typedef {import('./protocol.js').Request} Request */
/** @typedef {import('./protocol.js').EngineError} EngineError */

/** Milliseconds of training between two messages. */
const BUDGET_MS = 100;
/** Milliseconds between two savings of a run that goes on. */
const AUTOSAVE_MS = 20_000;
/** Milliseconds between two looks into the network, at least. */
const LOOK_MS = 1000;
/** Looking may take this share of the time. */
const LOOK_SHARE = 0.02;

/**
 * What a call may use.
 * @typedef {object} Context
 * @property {any} module the crate's bindings
 * @property {any} engine its boundary, which holds photos and run
 * @property {(value: any) => void} progress
 * @property {() => boolean} cancelled
 * @property {<T>(work: () => T | Promise<T>) => Promise<T>} exclusive runs when the engine is free
 * @property {() => Promise<void>} breathe lets waiting messages in
 */

const loading = loadEngine().then(({ module, build }) => ({ module, engine: new module.Engine(), build }));
const photos = new Photos();
/** @type {Set<number>} */
const cancelled = new Set();
/** @type {Promise<unknown>} */
let last = Promise.resolve();
/** A run as `persistence.keep` takes it, its checkpoint left out. @typedef {Omit<persistence.SavedRun, 'checkpoint' | 'epoch' | 'saved'>} Run */

/** The run under way. @type {Run | null} */
let run = null;
/** The run's last whole state. @type {Uint8Array | null} */
let checkpoint = null;
/** Whether the run learns now: then `learn` alone puts it back after the loss of a device, and tells the page. */
let underway = false;

/** @type {(work: () => any) => Promise<any>} */
function exclusive(work) {
  const mine = last.then(work);
  last = mine.catch(() => {});
  return mine;
}

/** Lets waiting messages in; a timer would wait at least four milliseconds. @returns {Promise<void>} */
function breathe() {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** @type {Record<string, (value: any, context: Context) => Promise<any>>} */
const CALLS = {
  hello: async ({ software, keep }, { engine }) => {
    if (!keep) persistence.keepNothing();
    return { build: (await loading).build, ...(await exclusive(() => engine.hello(software))) };
  },
  presetText: ({ name, actions }, { engine }) => exclusive(() => engine.preset_text(name, actions)),
  describe: ({ text, size, classes }, { engine }) => exclusive(() => engine.describe(text, size, classes)),
  addFiles: ({ files, size }, context) => photos.add(files, size, context),
  drawFlowers: ({ per_class, seed, size }, context) => photos.draw({ per_class, seed }, size, context),
  fitPhotos: ({ size }, context) => photos.fit(size, context),
  clearPhotos: (_, context) => photos.clear(context),
  thumbnails: ({ class: name, count, photos: numbers }, { engine }) =>
    exclusive(() =>
      numbers ? engine.thumbnails(new Uint32Array(numbers)) : engine.thumbnails_of_class(name, count),
    ),
  train: async ({ network, recipe, device, origin }, context) => {
    const { engine } = context;
    await exclusive(() =>
      origin === 'scratch'
        ? engine.start(network.text, network.size, recipe, device)
        : engine.start_from_opened(recipe, origin === 'head', device),
    );
    return begin({ network, recipe, device }, context);
  },
  beginExperiment: ({ recipe }, { engine }) => exclusive(() => engine.begin_experiment(recipe)),
  trainInExperiment: async ({ network, recipe, device }, context) => {
    await exclusive(() => context.engine.start_in_experiment(network.text, network.size, device));
    return begin({ network, recipe, device }, context);
  },
  recordRun: ({ model }, { engine }) => surviving(engine, () => engine.record_run(model)),
  experimentReport: ({ format, language }, { engine }) =>
    exclusive(() => engine.experiment_report(format, language)),
  resume: (_, context) => learn(context),
  useDevice: ({ device }, { engine }) => exclusive(() => move(engine, device)),
  agreement: ({ opened }, { engine }) => exclusive(() => engine.agreement(opened)),
  calibrate: async (_, { engine }) => {
    const done = await surviving(engine, () => engine.calibrate());
    if (done) await autosave(engine);
    return { done };
  },
  evaluate: ({ split }, { engine }) => surviving(engine, () => engine.evaluate(split)),
  classify: async ({ file, opened }, context) => {
    const { engine } = context;
    const { width, height, pixels } = await photoToAsk(file, opened, context);
    return surviving(engine, () => engine.classify(opened, width, height, pixels));
  },
  attention: async ({ file, opened, class: asked }, context) => {
    const { engine } = context;
    const { width, height, pixels } = await photoToAsk(file, opened, context);
    return surviving(engine, () => engine.attention(opened, width, height, pixels, asked ?? undefined));
  },
  save: ({ opened }, { engine }) =>
    surviving(engine, () => (opened ? engine.opened_file() : engine.save(false))),
  open: ({ bytes }, { engine }) => exclusive(() => engine.open(new Uint8Array(bytes))),
  openShipped: async (listed, context) => {
    const bytes = await fetchModel(listed, context);
    return exclusive(() => {
      if (context.cancelled()) throw { code: 'cancelled' };
      return context.engine.open(bytes);
    });
  },
  remembered: async () => {
    const [saved, drawn, count] = await Promise.all([
      persistence.kept('run'),
      persistence.kept('drawn'),
      persistence.countPhotos(),
    ]);
    if (!saved && !drawn && count === 0) return null;
    return {
      files: count,
      drawn: drawn !== undefined,
      run: saved ? { network: saved.network, epoch: saved.epoch, epochs: saved.recipe.epochs } : null,
    };
  },
  restore: ({ size }, context) => restore(size, context),
  forget: ({ photos: all }) => {
    photos.recall(undefined, []);
    return persistence.forget(all);
  },
  bench: (options, context) => measure(options, context),
};

/** Trains a run that the engine has just started. @param {Run} begun @param {Context} context */
async function begin(begun, context) {
  run = begun;
  await autosave(context.engine);
  return learn(context);
}

/** @param {Context} context */
async function learn(context) {
  if (!run) return { finished: false };
  underway = true;
  try {
    return await advance(run, context);
  } finally {
    underway = false;
  }
}

/** @param {Run} run @param {Context} context */
async function advance(run, context) {
  const { engine, progress, cancelled, breathe } = context;
  const looks = new Looks(engine);
  let device = await exclusive(() => engine.device());
  /** @type {import('./progress.js').EngineProgress} */
  let before = await exclusive(() => engine.progress());
  progress({
    ...stretch(null, { ...before, history: [] }, run.recipe, 0, device),
    tried: await exclusive(() => engine.tried()),
  });
  let [saved, finished] = [performance.now(), before.finished];
  /** Where the last loss of a device left the run. */
  let lostAt = -1;
  const look = async (/** @type {boolean} */ now) => {
    const signals = await looks.take(now);
    if (signals) progress({ ...stretch(before, before, run.recipe, 0, device), signals });
  };
  await look(true);
  /** When the stretch began that the page has not heard of. */
  let began = performance.now();
  for (;;) {
    try {
      if (finished || cancelled()) {
        await autosave(engine);
        return { finished };
      }
      const after = await exclusive(async () => {
        const state = await engine.advance(BUDGET_MS);
        device = engine.device();
        return state;
      });
      finished = after.finished;
      // A small network ends many epochs in the time of one message: the page hears of them together.
      if (!finished && !cancelled() && performance.now() - began < BUDGET_MS) continue;
      progress(stretch(before, after, run.recipe, (performance.now() - began) / 1000, device));
      before = after;
      await look(finished || cancelled());
      if (performance.now() - saved > AUTOSAVE_MS) {
        await autosave(engine);
        saved = performance.now();
      }
    } catch (failure) {
      if (!canPutBack(failure)) throw failure;
      // A device that is lost again before it came any further is not tried a third time.
      await rebuild(engine, before.step === lostAt ? 'cpu' : run.device);
      [device, before] = await exclusive(async () => [engine.device(), await engine.progress()]);
      [lostAt, finished] = [before.step, before.finished];
      progress({ ...stretch(null, before, run.recipe, 0, device), recovered: true });
    }
    await breathe();
    began = performance.now();
  }
}

/**
 * Asks something of the run that has ended or waits; where its device is lost, once more of the run put back.
 * @template T @param {any} engine @param {() => T | Promise<T>} work @returns {Promise<T>}
 */
async function surviving(engine, work) {
  try {
    return await exclusive(work);
  } catch (failure) {
    if (underway || !run || !canPutBack(failure)) throw failure;
    const { device } = run;
    return exclusive(async () => {
      await putBack(engine, device);
      return work();
    });
  }
}

/** Whether a device was lost and the run's last state is there. @param {unknown} failure */
function canPutBack(failure) {
  return errorOf(failure).code === 'device_lost' && checkpoint !== null;
}

/** Looks into the network while it learns, as often as they cost next to nothing. */
class Looks {
  /** @param {any} engine */
  constructor(engine) {
    this.engine = engine;
    this.next = 0;
    this.looked = false;
  }

  /** @param {boolean} now whether to look though it is not yet time @returns {Promise<import('./protocol.js').LayerSignal[] | null>} */
  async take(now) {
    const began = performance.now();
    if (this.next === Infinity || (!now && began < this.next)) return null;
    try {
      const signals = await exclusive(() => this.engine.look());
      const ended = performance.now();
      // The first look lays out memory; the others show what one costs.
      this.next = ended + (this.looked ? Math.max(LOOK_MS, (ended - began) / LOOK_SHARE) : LOOK_MS);
      this.looked = true;
      return signals;
    } catch (failure) {
      const { code } = errorOf(failure);
      if (code === 'crashed') throw failure;
      // A network too large to be looked into beside its training is trained all the same; a lost device shows in the next step.
      if (code !== 'device_lost') this.next = Infinity;
      return null;
    }
  }
}

/** After the loss of a device: the run's last state on that kind of device, else on the processor. @param {any} engine @param {string} device */
function rebuild(engine, device) {
  return exclusive(() => putBack(engine, device));
}

/** As `rebuild`, for who has the engine already. @param {any} engine @param {string} device */
async function putBack(engine, device) {
  try {
    await engine.continue_run(checkpoint, device);
  } catch {
    await engine.continue_run(checkpoint, 'cpu');
  }
}

/** Puts the run on another device, its state kept; where that fails it stays where it was. @param {any} engine @param {string} device */
async function move(engine, device) {
  if (!run) return;
  try {
    checkpoint = await engine.save(true);
  } catch (failure) {
    // A run that waits leaves a device that was lost with its last state.
    if (underway || !canPutBack(failure)) throw failure;
  }
  try {
    await engine.continue_run(checkpoint, device);
    run.device = device;
  } catch (failure) {
    await engine.continue_run(checkpoint, run.device);
    throw failure;
  }
}

/** Takes the run's whole state, and keeps it for the next visit. @param {any} engine */
async function autosave(engine) {
  checkpoint = await exclusive(() => engine.save(true));
  const { epoch } = await exclusive(() => engine.progress());
  await quietly(() => persistence.keep('run', { ...run, checkpoint, epoch, saved: Date.now() }));
}

/** Brings back the photos and the run of an earlier visit. @param {number} size @param {Context} context */
async function restore(size, context) {
  const { engine } = context;
  const [saved, drawn, sources] = await Promise.all([
    persistence.kept('run'),
    persistence.kept('drawn'),
    persistence.keptPhotos(),
  ]);
  photos.recall(drawn, sources);
  const library = await photos.fit(saved?.network.size ?? size, context);
  if (!saved || context.cancelled()) return { library, run: null, failure: null };
  const { network, recipe, device } = saved;
  run = { network, recipe, device };
  checkpoint = saved.checkpoint;
  try {
    await rebuild(engine, device);
  } catch (failure) {
    // The photos are there all the same.
    [run, checkpoint] = [null, null];
    return { library, run: null, failure: errorOf(failure) };
  }
  const state = await exclusive(() => engine.progress());
  const name = await exclusive(() => engine.device());
  return {
    library,
    run: { network, recipe, device, progress: stretch(null, state, recipe, 0, name) },
    failure: null,
  };
}

/** @param {unknown} failure @returns {EngineError} */
function errorOf(failure) {
  if (
    typeof failure === 'object' &&
    failure !== null &&
    'code' in failure &&
    typeof failure.code === 'string'
  ) {
    return /** @type {EngineError} */ (failure);
  }
  // A trap leaves the engine in an unknown state; the page replaces this worker.
  const crashed = failure instanceof WebAssembly.RuntimeError;
  return {
    code: crashed ? 'crashed' : 'page',
    message: String(failure instanceof Error ? failure.message : failure),
  };
}

/** @param {Request} request */
async function answer({ session, id, type, value }) {
  const reply = (/** @type {object} */ rest) =>
    self.postMessage({ version: PROTOCOL_VERSION, session, id, ...rest });
  const progress = (/** @type {any} */ state) => reply({ kind: 'progress', value: state });
  try {
    const { module, engine } = await loading;
    const context = { module, engine, exclusive, breathe, progress, cancelled: () => cancelled.has(id) };
    reply({ kind: 'done', value: await CALLS[type](value, context) });
  } catch (failure) {
    reply({ kind: 'error', error: errorOf(failure) });
  } finally {
    cancelled.delete(id);
  }
}

self.addEventListener('message', ({ data }) => {
  const request = /** @type {Request} */ (data);
  if (request.version !== PROTOCOL_VERSION) return;
  if (request.type === 'cancel') cancelled.add(request.value.request);
  else answer(request);
});
