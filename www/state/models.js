/** Which model answers: the run's, one that comes with the page, or a file that someone saved. */

import { engine, store } from './state.js';

/** @typedef {import('../engine/protocol.js').ModelId} ModelId */
/** @typedef {import('../engine/protocol.js').ShippedModel} ShippedModel */
/** @typedef {import('./state.js').ModelAtHand} ModelAtHand */

/**
 * Lists the models that come with the page and opens the preferred file or else the first, so that a photo
 * has its answer
 * before any training.
 */
export async function openFirstModel(preferred = '') {
  /** @type {ShippedModel[]} */
  let models = [];
  try {
    const response = await fetch('models/index.json');
    if (response.ok) models = await response.json();
  } catch {
    // Without the list there is nothing to offer; training and opening a file go on.
  }
  store.set({ shipped: { ...store.value.shipped, models } });
  const first = models.find(({ file }) => file === preferred) ?? models[0];
  // Whoever opened a model before the list was there wants that one.
  if (first && !store.value.opening)
    await openShipped(first, () => store.value.model === null && store.value.run.phase === 'idle');
}

/**
 * Fetches a shipped model and lets it answer.
 * @param {ShippedModel} shipped
 * @param {() => boolean} [wanted] whether it is still to answer when it has come
 */
export async function openShipped({ file, bytes, hash }, wanted = () => true) {
  store.value.fetching?.abort();
  const fetching = new AbortController();
  store.take({ fetching, opening: true });
  const { signal } = fetching;
  const show = (/** @type {Partial<import('./state.js').Shipped>} */ part) => {
    if (store.value.fetching === fetching) store.set({ shipped: { ...store.value.shipped, ...part } });
  };
  show({ loading: { file, done: 0, total: bytes }, failure: null });
  try {
    const progress = ({ done = 0, total = 1 }) => show({ loading: { file, done, total } });
    const summary = await engine.call('openShipped', { file, bytes, hash }, { progress, signal });
    opened({ ...summary, name: nameOfFile(file), file }, wanted());
    show({ loading: null });
  } catch (failure) {
    show({ loading: null, failure: signal.aborted ? null : { file, reason: failure } });
  }
}

/** Opens a model file that someone saved. @param {File} file */
export async function openModel(file) {
  // A model that is on its way need not come any more.
  store.value.fetching?.abort();
  store.take({ opening: true });
  const bytes = await file.arrayBuffer();
  const summary = await engine.call('open', { bytes }, { transfer: [bytes] });
  opened({ ...summary, name: nameOfFile(file.name), file: null }, true);
}

/** @param {Omit<ModelAtHand, 'id' | 'actions'>} facts @param {boolean} answers */
function opened(facts, answers) {
  /** @type {ModelAtHand} */
  const model = { ...facts, id: 'opened', actions: null };
  store.set(answers ? { opened: model, model } : { opened: model });
}

/** @param {string} file */
function nameOfFile(file) {
  return file.replace(/\.safetensors$/, '');
}

/**
 * The model that a run of this network trains.
 * @param {import('../engine/protocol.js').Network} network
 * @returns {ModelAtHand}
 */
export function modelInTraining({ name, text, size, actions }) {
  const { library, structure } = store.value;
  return {
    id: 'run',
    name,
    actions,
    file: null,
    text,
    size,
    classes: library?.classes.map(({ label }) => label) ?? [],
    parameters: structure?.parameters ?? 0,
  };
}

/** The models that can answer at once: the run's and the opened one, as far as there are any. */
export function modelsAtHand() {
  const { trained, opened } = store.value;
  return [trained, opened].filter(model => model !== null);
}

/** The model that a run can start from, if its network is the one to train. */
export function origin() {
  const { network, opened } = store.value;
  return opened && network?.text === opened.text && network.size === opened.size ? opened : null;
}

/** Lets one of {@link modelsAtHand} answer. @param {ModelAtHand} model */
export function answerBy(model) {
  store.set({ model });
}

/**
 * Makes a photo the one being asked about.
 * @param {File} photo
 * @param {string | null} [truth] what its label says
 */
export function askAbout(photo, truth = null) {
  store.set({ photo, truth });
}

/**
 * Takes a photo to try a model on without a file, as a file: a held-back one or a drawn flower, another one
 * each time.
 * @param {import('../engine/protocol.js').SampleSource} source
 */
export async function samplePhoto(source) {
  const number = Math.floor(Math.random() * 2 ** 31);
  const { name, class: truth, size, pixels } = await engine.call('sample', { source, number });
  const canvas = new OffscreenCanvas(size, size);
  const picture = new ImageData(Uint8ClampedArray.from(pixels), size, size);
  canvas.getContext('2d')?.putImageData(picture, 0, 0);
  const file = new File([await canvas.convertToBlob()], name, { type: 'image/png' });
  return { file, truth };
}

/** The engine's name for the model that answers. @returns {ModelId} */
function answering() {
  return store.value.model?.id ?? 'opened';
}

/** @param {File} file */
export function classify(file) {
  return engine.call('classify', { file, model: answering() });
}

/**
 * Where in a photo the model sees a class; the one that it takes the photo for if none is asked about.
 * @param {File} file
 * @param {number | null} asked
 */
export function attend(file, asked) {
  return engine.call('attention', { file, model: answering(), class: asked });
}

/** How far the answers of the processor and the GPU are apart, on the same photos. */
export function agreement() {
  return engine.call('agreement', { model: answering() });
}

/** A model's file. @param {ModelAtHand} model */
export function fileOf({ id }) {
  return engine.call('save', { model: id });
}
