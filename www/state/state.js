/** What the page knows; panels read it and are told when it changes. */

import { Engine } from '../engine/engine.js';

/** @typedef {import('../engine/protocol.js').TrainProgress} TrainProgress */
/** @typedef {import('../engine/protocol.js').EpochLine} EpochLine */

/**
 * The curve of a run: one point a progress message, one a finished epoch.
 * @typedef {object} History
 * @property {number[]} step epochs done, in fractions
 * @property {number[]} loss
 * @property {number[]} accuracy
 * @property {EpochLine[]} lines
 */

/**
 * @typedef {object} Run
 * @property {'idle' | 'starting' | 'running' | 'stopping' | 'stopped' | 'finished'} status
 * @property {History} history
 * @property {TrainProgress | null} last
 * @property {number} imagesPerSecond
 * @property {string} model
 * @property {boolean} recovered whether a device was lost under way
 * @property {import('../engine/protocol.js').Tried[]} tried what was tried before a device was chosen
 */

/**
 * What answers; `source` is `run`, `file` for one that the user opened, or the file of a shipped one.
 * @typedef {import('../engine/protocol.js').ModelSummary & { name: string, source: string }} ModelAtHand
 */

/**
 * The models that come with the page, and the one on its way.
 * @typedef {object} Shipped
 * @property {import('../engine/protocol.js').ShippedModel[] | null} models `null` until their list has come
 * @property {{ file: string, done: number, total: number } | null} loading
 * @property {{ file: string, reason: unknown } | null} failure the one that did not come, and why
 */

/**
 * A network of the experiment; `accuracy` is on the test photos, once it is trained.
 * @typedef {{ name: string, accuracy: number | null, lines: EpochLine[], parameters: number, flops: number }} ComparedRun
 */

/**
 * The experiment: its networks so far, and what the engine holds of those that came to their end.
 * @typedef {{ running: boolean, runs: ComparedRun[], experiment: import('../engine/protocol.js').Experiment | null }} Comparison
 */

/**
 * What was seen inside a network in this visit.
 * @typedef {object} Look
 * @property {string} name the network's, with its actions
 * @property {import('../engine/protocol.js').LayerSignal[] | null} start before the first step; `null` where the run came from an earlier visit
 * @property {import('../engine/protocol.js').LayerSignal[]} now
 * @property {number} step when `now` was seen
 */

/**
 * @typedef {object} State
 * @property {string} build
 * @property {import('../engine/protocol.js').Device[]} devices
 * @property {string} device
 * @property {import('../engine/protocol.js').Preset[]} presets
 * @property {import('../engine/protocol.js').LibrarySummary | null} library
 * @property {import('../engine/protocol.js').Network | null} network
 * @property {import('../engine/protocol.js').Structure | null} structure
 * @property {import('../engine/protocol.js').RecipeChoice} recipe
 * @property {import('../engine/protocol.js').Origin} origin what the next run starts from
 * @property {Run} run
 * @property {import('../engine/protocol.js').Evaluation | null} report
 * @property {import('../engine/protocol.js').Reported[]} reported what the report measured
 * @property {Comparison | null} comparison
 * @property {Look[]} looks the last ones, the newest last
 * @property {ModelAtHand | null} model what answers now
 * @property {Shipped} shipped
 * @property {File | null} photo the one being asked about
 */

/** @returns {History} */
export function emptyHistory() {
  return { step: [], loss: [], accuracy: [], lines: [] };
}

/** @returns {Run} */
export function idleRun() {
  return {
    status: 'idle',
    history: emptyHistory(),
    last: null,
    imagesPerSecond: 0,
    model: '',
    recovered: false,
    tried: [],
  };
}

/** The page's state. Fires `change` with the names of the changed parts in `detail`. */
class Store extends EventTarget {
  constructor() {
    super();
    /** @type {State} */
    this.value = {
      build: '',
      devices: [],
      device: 'auto',
      presets: [],
      library: null,
      network: null,
      structure: null,
      recipe: { name: 'modern', epochs: 10, batch_size: 10, seed: 1 },
      origin: 'scratch',
      run: idleRun(),
      report: null,
      reported: [],
      comparison: null,
      looks: [],
      model: null,
      shipped: { models: null, loading: null, failure: null },
      photo: null,
    };
  }

  /** Takes changes of which the panels hear with the next `set`. @param {Partial<State>} part */
  take(part) {
    Object.assign(this.value, part);
  }

  /** @param {Partial<State>} part */
  set(part) {
    Object.assign(this.value, part);
    this.dispatchEvent(new CustomEvent('change', { detail: new Set(Object.keys(part)) }));
  }
}

export const store = new Store();
export const engine = new Engine();
