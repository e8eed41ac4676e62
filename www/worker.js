/** The worker: it alone holds the engine. One call at a time touches it; training lets others in between steps. */

import { loadEngine } from './packages.js';
import { decode, loadFiles } from './loading.js';
import { PROTOCOL_VERSION } from './protocol.js';

/** @typedef {import('./protocol.js').Request} Request */
/** @typedef {import('./protocol.js').EngineError} EngineError */

/** Milliseconds of training between two messages. */
const BUDGET_MS = 100;

/**
 * What a call may use.
 * @typedef {object} Context
 * @property {any} engine the boundary of the crate
 * @property {(value: any) => void} progress
 * @property {() => boolean} cancelled
 * @property {<T>(work: () => T | Promise<T>) => Promise<T>} exclusive runs when the engine is free
 */

const loading = start();
/** @type {Set<number>} */
const cancelled = new Set();
/** @type {Promise<unknown>} */
let last = Promise.resolve();

async function start() {
  const { module, build } = await loadEngine();
  return { engine: new module.Engine(), build };
}

/** @type {(work: () => any) => Promise<any>} */
function exclusive(work) {
  const mine = last.then(work);
  last = mine.catch(() => {});
  return mine;
}

/** @type {Record<string, (value: any, context: Context) => Promise<any>>} */
const CALLS = {
  hello: async (_, { engine, exclusive }) => ({ build: (await loading).build, ...(await exclusive(() => engine.hello())) }),
  describe: ({ text, actions, input, classes }, { engine, exclusive }) =>
    exclusive(() => engine.describe(text, actions, input[0], input[1], input[2], classes)),
  addFiles: ({ files }, context) => loadFiles(files, context),
  drawFlowers: ({ per_class, seed }, context) => drawFlowers(per_class, seed, context),
  clearPhotos: (_, { engine, exclusive }) => exclusive(() => engine.clear_photos()),
  thumbnails: ({ class: name, count, photos }, { engine, exclusive }) =>
    exclusive(() => (photos ? engine.thumbnails(photos) : engine.thumbnails_of_class(name, count))),
  train: async ({ network, recipe, device }, context) => {
    await context.exclusive(() => context.engine.start(network, recipe, device));
    return learn(context);
  },
  resume: (_, context) => learn(context),
  evaluate: ({ split }, { engine, exclusive }) => exclusive(() => engine.evaluate(split)),
  classify: async ({ file }, { engine, exclusive }) => {
    const { width, height, pixels } = await decode(file);
    return exclusive(() => engine.classify(width, height, pixels));
  },
  save: (_, { engine, exclusive }) => exclusive(() => engine.save()),
  open: ({ bytes }, { engine, exclusive }) => exclusive(() => engine.open(new Uint8Array(bytes))),
};

/** @param {Context} context */
async function learn({ engine, exclusive, progress, cancelled }) {
  while (!cancelled()) {
    const state = await exclusive(() => engine.advance(BUDGET_MS));
    progress(state);
    if (state.finished) return { finished: true };
    await breathe();
  }
  return { finished: false };
}

/** @param {number} perClass @param {number} seed @param {Context} context */
async function drawFlowers(perClass, seed, { engine, exclusive, progress, cancelled }) {
  const total = await exclusive(() => engine.begin_drawing(perClass, seed));
  for (let done = 0; done < total && !cancelled(); ) {
    const drawn = await exclusive(() => engine.draw_some(BUDGET_MS));
    done = drawn.done;
    progress({ done, total, name: drawn.name });
    await breathe();
  }
  return exclusive(() => engine.finish_loading());
}

/** Lets waiting messages in; a timer would wait at least four milliseconds. */
function breathe() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(null);
  });
}

/** @param {unknown} failure @returns {EngineError} */
function errorOf(failure) {
  if (typeof failure === 'object' && failure !== null && 'code' in failure && typeof failure.code === 'string') {
    return /** @type {EngineError} */ (failure);
  }
  // A trap leaves the engine in an unknown state; the page replaces this worker.
  const crashed = failure instanceof WebAssembly.RuntimeError;
  return { code: crashed ? 'crashed' : 'page', message: String(failure instanceof Error ? failure.message : failure) };
}

/** @param {Request} request */
async function answer({ session, id, type, value }) {
  const reply = (/** @type {object} */ rest) => self.postMessage({ version: PROTOCOL_VERSION, session, id, ...rest });
  try {
    const { engine } = await loading;
    const context = { engine, exclusive, progress: (/** @type {any} */ state) => reply({ kind: 'progress', value: state }), cancelled: () => cancelled.has(id) };
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
