/**
 * The worker: it alone holds the engine. One call at a time touches it; training lets others in between
 * steps.
 */

import { errorOf } from './failure.js';
import { fetchModel } from './fetching.js';
import { Photos, photoToAsk } from './loading.js';
import { measure } from './measuring.js';
import { loadEngine } from './packages.js';
import * as persistence from './persistence.js';
import { PROTOCOL_VERSION } from './protocol.js';
import { Running } from './running.js';

/** @typedef {import('./protocol.js').Calls} Calls */
/** @typedef {import('./protocol.js').Request} Request */
/** What a call may report. @typedef {Calls[keyof Calls]['progress']} Progress */

/**
 * What a call may use.
 * @typedef {object} Context
 * @property {import('./bindings.js').Module} module the crate's bindings
 * @property {import('./bindings.js').Engine} engine its boundary, which holds photos and run
 * @property {Running} running the run
 * @property {string} build name of the package that was loaded
 * @property {(value: Progress) => void} progress
 * @property {() => boolean} cancelled
 * @property {<T>(work: () => T | Promise<T>) => Promise<T>} exclusive runs when the engine is free
 * @property {() => Promise<void>} breathe lets waiting messages in
 */

const loading = loadEngine().then(({ module, build }) => {
  const engine = new module.Engine();
  return { module, engine, build, running: new Running(engine, exclusive) };
});
const photos = new Photos();
/** Calls that are to end early. @type {Set<number>} */
const cancelled = new Set();
/** The work that the next one waits for. @type {Promise<unknown>} */
let last = Promise.resolve();

/** @template T @param {() => T | Promise<T>} work @returns {Promise<T>} */
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

/**
 * @type {{ [Name in Exclude<keyof Calls, 'cancel'>]:
 *   (value: Calls[Name]['value'], context: Context) => Promise<Calls[Name]['done']> }}
 */
const CALLS = {
  hello: async ({ software, keep }, { engine, build }) => {
    if (!keep) persistence.keepNothing();
    return { build, ...(await exclusive(() => engine.hello(software))) };
  },
  presetText: ({ name, actions }, { engine }) => exclusive(() => engine.preset_text(name, actions)),
  describe: ({ text, size, classes }, { engine }) => exclusive(() => engine.describe(text, size, classes)),
  addFiles: ({ files, size }, context) => photos.add(files, size, context),
  drawFlowers: ({ per_class, seed, size }, context) => photos.draw({ per_class, seed }, size, context),
  fitPhotos: ({ size }, context) => photos.fit(size, context),
  clearPhotos: (_, context) => photos.clear(context),
  edit: ({ edit }, context) => edited(context, () => context.engine.edit(edit)),
  stepEdits: ({ back }, context) =>
    edited(context, () => (back ? context.engine.undo_edit() : context.engine.redo_edit())),
  editsText: (_, { engine }) => exclusive(() => engine.edits_text()),
  useEdits: ({ name, text }, context) =>
    edited(context, () => {
      context.engine.set_edits(name, text);
      return context.engine.sum_up_photos();
    }),
  photosOfClass: async ({ class: name }, { engine }) =>
    Array.from(await exclusive(() => engine.photos_of_class(name ?? undefined))),
  arrange: ({ accepted }, context) => photos.arrange(accepted, context),
  thumbnails: (asked, { engine }) =>
    exclusive(() =>
      'photos' in asked
        ? engine.thumbnails(new Uint32Array(asked.photos))
        : engine.thumbnails_of_class(asked.class, asked.count),
    ),
  sample: ({ source, number }, { engine }) =>
    exclusive(() => (source === 'drawn' ? engine.drawn_flower(number) : engine.held_back_photo(number))),
  train: async ({ origin, ...choice }, context) => {
    const { engine, running } = context;
    const { network, recipe, device } = choice;
    await exclusive(() =>
      origin === 'scratch'
        ? engine.start(network.text, network.size, recipe, device)
        : engine.start_from_opened(recipe, origin === 'head', device),
    );
    return running.begin(choice, context);
  },
  beginExperiment: ({ recipe }, { engine }) => exclusive(() => engine.begin_experiment(recipe)),
  trainInExperiment: async (choice, context) => {
    const { network, device } = choice;
    await exclusive(() => context.engine.start_in_experiment(network.text, network.size, device));
    return context.running.begin(choice, context);
  },
  recordRun: ({ model }, { engine, running }) => running.judge(() => engine.record_run(model)),
  experimentReport: ({ format, language }, { engine }) =>
    exclusive(() => engine.experiment_report(format, language)),
  resume: (_, context) => context.running.resume(context),
  useDevice: ({ device }, { running }) => running.move(device),
  agreement: ({ model }, { engine }) => exclusive(() => engine.agreement(model)),
  calibrate: async (_, { engine, running }) => {
    const done = await running.surviving(() => engine.calibrate());
    if (done) await running.save();
    return { done };
  },
  evaluate: ({ split }, { engine, running }) => running.judge(() => engine.evaluate(split)),
  classify: async ({ file, model }, context) => {
    const { engine, running } = context;
    const { width, height, pixels } = await photoToAsk(file, model, context);
    return running.surviving(() => engine.classify(model, width, height, pixels));
  },
  attention: async ({ file, model, class: asked }, context) => {
    const { engine, running } = context;
    const { width, height, pixels } = await photoToAsk(file, model, context);
    return running.surviving(() => engine.attention(model, width, height, pixels, asked));
  },
  save: async ({ model }, { engine, running }) => {
    const bytes = running.surviving(() => (model === 'opened' ? engine.opened_file() : engine.save(false)));
    return /** @type {Promise<Uint8Array<ArrayBuffer>>} */ (bytes);
  },
  open: ({ bytes }, { engine }) => exclusive(() => engine.open(new Uint8Array(bytes))),
  openShipped: async (listed, context) => {
    const bytes = await fetchModel(listed, context);
    return exclusive(() => {
      if (context.cancelled()) throw { code: 'cancelled' };
      return context.engine.open(bytes);
    });
  },
  remembered: async () => {
    const [saved, drawn, files] = await Promise.all([
      persistence.kept('run'),
      persistence.kept('drawn'),
      persistence.countPhotos(),
    ]);
    if (!saved && !drawn && files === 0) return null;
    const run = saved ? { network: saved.network, epoch: saved.epoch, epochs: saved.recipe.epochs } : null;
    return { files, drawn: drawn !== undefined, run };
  },
  restore: async ({ size }, context) => {
    const [saved, drawn, accepted, edits, sources] = await Promise.all([
      persistence.kept('run'),
      persistence.kept('drawn'),
      persistence.kept('accepted'),
      persistence.kept('edits'),
      persistence.keptPhotos(),
    ]);
    photos.recall(drawn, sources, accepted);
    if (edits) await exclusive(() => context.engine.set_edits('', edits));
    const library = await photos.fit(saved?.network.size ?? size, context);
    if (!saved || context.cancelled()) return { library, run: null, failure: null };
    try {
      return { library, run: await context.running.restore(saved), failure: null };
    } catch (failure) {
      // The photos are there all the same.
      return { library, run: null, failure: errorOf(failure) };
    }
  },
  forget: ({ photos: all }) => {
    photos.recall(undefined, []);
    return persistence.forget(all);
  },
  bench: (options, context) => measure(options, context),
};

/**
 * Changes the edits, and keeps them for the next visit.
 * @param {Context} context
 * @param {() => import('./protocol.js').LibrarySummary} work
 */
async function edited({ engine }, work) {
  const { summary, text } = await exclusive(() => ({ summary: work(), text: engine.edits_text() }));
  await persistence.quietly(() => persistence.keep('edits', text));
  return summary;
}

/** @param {Request} request */
async function answer({ session, id, type, value }) {
  const reply = (/** @type {object} */ rest) =>
    self.postMessage({ version: PROTOCOL_VERSION, session, id, ...rest });
  const progress = (/** @type {Progress} */ state) => reply({ kind: 'progress', value: state });
  /**
   * The types of what is asked and answered meet in `Engine.call`.
   * @type {Record<string, (value: any, context: Context) => Promise<unknown>>}
   */
  const calls = CALLS;
  try {
    const loaded = await loading;
    const context = { ...loaded, exclusive, breathe, progress, cancelled: () => cancelled.has(id) };
    reply({ kind: 'done', value: await calls[type](value, context) });
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
