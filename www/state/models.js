/** Which model answers: the run's, one that comes with the page, or a file that someone saved. */

import { download } from '../ui/files.js';
import { language } from '../i18n/i18n.js';
import { engine, store } from './state.js';

/** @typedef {import('../engine/protocol.js').ShippedModel} ShippedModel */
/** @typedef {import('./state.js').ModelAtHand} ModelAtHand */

/** The model that was opened last; it stays open beside the run. @type {ModelAtHand | null} */
let opened = null;
/** The run's model, once it has made a step. @type {ModelAtHand | null} */
let ofRun = null;

/** Lists the models that come with the page and opens the preferred file or else the first, so that a photo has its answer before any training. */
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
  if (first && !opening)
    await openShipped(first, () => store.value.model === null && store.value.run.status === 'idle');
}

/** Whether a model was opened, or is about to be. */
let opening = false;

/** The model on its way. @type {AbortController | null} */
let fetching = null;

/**
 * Fetches a shipped model and lets it answer.
 * @param {ShippedModel} shipped
 * @param {() => boolean} [wanted] whether it is still to answer when it has come
 */
export async function openShipped({ file, bytes, hash }, wanted = () => true) {
  fetching?.abort();
  opening = true;
  const mine = (fetching = new AbortController());
  const show = (/** @type {Partial<import('./state.js').Shipped>} */ part) => {
    if (fetching === mine) store.set({ shipped: { ...store.value.shipped, ...part } });
  };
  show({ loading: { file, done: 0, total: bytes }, failure: null });
  try {
    const progress = ({ done = 0, total = 1 }) => show({ loading: { file, done, total } });
    const summary = await engine.call(
      'openShipped',
      { file, bytes, hash },
      { progress, signal: mine.signal },
    );
    opened = { ...summary, name: file.replace(/\.safetensors$/, ''), source: file };
    if (wanted()) store.set({ model: opened });
    show({ loading: null });
  } catch (failure) {
    show({ loading: null, failure: mine.signal.aborted ? null : { file, reason: failure } });
  }
}

/** A shipped model's name in the reader's language. @param {ShippedModel} shipped */
export function titleOf({ title }) {
  return title[language()];
}

/** A model's name for people: a shipped one has a title. @param {ModelAtHand} model */
export function titleAtHand({ name, source }) {
  const entry = store.value.shipped.models?.find(({ file }) => file === source);
  return entry ? titleOf(entry) : name;
}

/** Opens a model file that someone saved. @param {File} file */
export async function openModel(file) {
  fetching?.abort();
  opening = true;
  const bytes = await file.arrayBuffer();
  const summary = await engine.call('open', { bytes }, { transfer: [bytes] });
  opened = { ...summary, name: file.name.replace(/\.safetensors$/, ''), source: 'file' };
  store.set({ model: opened });
}

/** A run begins: its model takes the place of the last run's, and answers from its first step on. */
export function runBegins() {
  ofRun = null;
  store.set({ model: null });
}

/** A run has made a step. */
export function runMoves() {
  if (ofRun) return;
  const { run, network, library, structure } = store.value;
  ofRun = {
    name: run.model,
    source: 'run',
    text: network?.text ?? '',
    size: network?.size ?? 0,
    classes: library?.classes.map(({ label }) => label) ?? [],
    parameters: structure?.parameters ?? 0,
  };
  store.set({ model: ofRun });
}

/** A new engine holds none of them. */
export function forgetModels() {
  [opened, ofRun, opening] = [null, null, false];
  store.set({ model: null });
}

/** The models that can answer at once: the run's and the opened one, as far as there are any. */
export function modelsAtHand() {
  return [ofRun, opened].filter(model => model !== null);
}

/** The model that a run can start from, if its network is the one to train. */
export function origin() {
  const { network } = store.value;
  return opened && network?.text === opened.text && network.size === opened.size ? opened : null;
}

/** The model that was opened last. */
export function openedModel() {
  return opened;
}

/** Lets one of {@link modelsAtHand} answer. @param {ModelAtHand} model */
export function answerBy(model) {
  store.set({ model });
}

/** Makes a photo the one being asked about. @param {File} photo */
export function askAbout(photo) {
  store.set({ photo });
}

/** @param {Blob} file */
export function classify(file) {
  return engine.call('classify', { file, opened: store.value.model?.source !== 'run' });
}

/** Where in a photo the model sees a class; the one that it takes the photo for if none is asked about. @param {Blob} file @param {number | null} asked */
export function attend(file, asked) {
  return engine.call('attention', { file, opened: store.value.model?.source !== 'run', class: asked });
}

/** Saves the run's model as a file. */
export async function saveRun() {
  if (ofRun) await saveModel(ofRun);
}

/** Saves a model as a file. @param {ModelAtHand} model */
export async function saveModel(model) {
  const bytes = await engine.call('save', { opened: model.source !== 'run' });
  download(bytes, `${model.name || 'floret'}.safetensors`, 'application/octet-stream');
}
