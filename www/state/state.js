/** What the page knows; panels read it and are told when it changes. */

import { Engine } from '../engine/engine.js';
import { noRuns } from './run.js';

/**
 * A model that can answer: `id` is the engine's name for it, `actions` are those of a ready-made network that
 * is trained
 * here, `file` is set for a model that comes with the page.
 * @typedef {import('../engine/protocol.js').ModelSummary & {
 *   id: import('../engine/protocol.js').ModelId, name: string, actions: string | null, file: string | null
 * }} ModelAtHand
 */

/**
 * The models that come with the page, and the one on its way.
 * @typedef {object} Shipped
 * @property {import('../engine/protocol.js').ShippedModel[] | null} models `null` until their list has come
 * @property {{ file: string, done: number, total: number } | null} loading
 * @property {{ file: string, reason: unknown } | null} failure the one that did not come, and why
 */

/**
 * How this visit began: whether photos and run stay here for the next one, and the ready-made network to
 * begin with.
 * @typedef {{ keep: boolean, network: string }} Visit
 */

/**
 * @typedef {object} Facts
 * @property {Visit} visit
 * @property {string} build
 * @property {import('../engine/protocol.js').Device[]} devices
 * @property {string} device
 * @property {import('../engine/protocol.js').Preset[]} presets
 * @property {string[]} actions orders that a ready-made network can have
 * @property {import('../engine/protocol.js').LibrarySummary | null} library
 * @property {import('../engine/protocol.js').Network | null} network
 * @property {import('../engine/protocol.js').Structure | null} structure
 * @property {import('../engine/protocol.js').RecipeChoice} recipe
 * @property {import('../engine/protocol.js').Origin} origin what the next run starts from
 * @property {AbortController | null} training stops the run under way
 * @property {import('../engine/protocol.js').Reported[]} reported what the report measured
 * @property {import('./signal-history.js').Signals[]} signals of the last networks, the newest last
 * @property {ModelAtHand | null} opened the model that was opened last; it stays open beside the run
 * @property {boolean} opening whether a model was opened, or is about to be
 * @property {AbortController | null} fetching stops the model on its way
 * @property {Shipped} shipped
 * @property {File | null} photo the one being asked about
 * @property {string | null} truth what its label says, where it has one
 */

/** @typedef {Facts & import('./run.js').Runs} State */

/** The page's state. Fires `change` with the names of the changed parts in `detail`. */
export class Store extends EventTarget {
  /** @type {State} */
  value = {
    visit: { keep: true, network: 'residual_flower' },
    build: '',
    devices: [],
    device: 'auto',
    presets: [],
    actions: [],
    library: null,
    network: null,
    structure: null,
    recipe: { name: 'modern', epochs: 10, batch_size: 10, seed: 1 },
    origin: 'scratch',
    training: null,
    reported: [],
    signals: [],
    opened: null,
    opening: false,
    fetching: null,
    shipped: { models: null, loading: null, failure: null },
    photo: null,
    truth: null,
    ...noRuns(),
  };

  /** Parts that changed since the panels were told. @type {Set<string>} */
  untold = new Set();
  /** When the panels were told last. */
  told = 0;

  /** Takes changes of which the panels hear with the next `set`. @param {Partial<State>} part */
  take(part) {
    Object.assign(this.value, part);
    for (const name of Object.keys(part)) this.untold.add(name);
  }

  /** @param {Partial<State>} part */
  set(part) {
    this.take(part);
    const changed = this.untold;
    this.untold = new Set();
    this.told = performance.now();
    this.dispatchEvent(new CustomEvent('change', { detail: changed }));
  }

  /** Waits until the state is as wanted. @param {(state: State) => boolean} wanted @returns {Promise<void>} */
  until(wanted) {
    if (wanted(this.value)) return Promise.resolve();
    return new Promise(done => {
      const look = () => {
        if (!wanted(this.value)) return;
        this.removeEventListener('change', look);
        done();
      };
      this.addEventListener('change', look);
    });
  }
}

export const store = new Store();
export const engine = new Engine();
