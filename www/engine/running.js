/**
 * The worker's run: trained stretch by stretch, kept for the next visit, put back where its device is lost.
 */

import { deviceAfterLoss, isLearning, noRuns, reduce } from '../state/run.js';
import { errorOf } from './failure.js';
import * as persistence from './persistence.js';
import { stretch } from './progress.js';

/** @typedef {import('./bindings.js').Engine} Engine */
/** @typedef {import('./worker.js').Context} Context */
/** @typedef {import('./protocol.js').Ended} Ended */
/** @typedef {import('./protocol.js').LayerSignal} LayerSignal */

/** What a run was started with. @typedef {import('./protocol.js').RunChoice} RunChoice */

/** Milliseconds of training between two messages. */
const BUDGET_MS = 100;
/** Milliseconds between two savings of a run that goes on. */
const AUTOSAVE_MS = 20_000;
/** Milliseconds between two measurements of the signals, at least. */
const SIGNALS_MS = 1000;
/** Measuring signals may take this share of the time. */
const SIGNALS_SHARE = 0.02;

/** The run that the engine holds. */
export class Running {
  /** What it was started with; `null` while there is none. @type {RunChoice | null} */
  choice = null;
  /** Its last whole state. @type {Uint8Array | null} */
  checkpoint = null;
  runs = noRuns();

  /** @param {Engine} engine @param {Context['exclusive']} exclusive */
  constructor(engine, exclusive) {
    this.engine = engine;
    this.exclusive = exclusive;
  }

  /** @param {import('../state/run.js').Event} event */
  apply(event) {
    const before = this.runs;
    this.runs = reduce(before, event);
    return this.runs !== before;
  }

  /**
   * Trains a run that the engine has just started.
   * @param {RunChoice} choice
   * @param {Context} context
   * @returns {Promise<Ended>}
   */
  async begin({ network, recipe, device }, context) {
    this.choice = { network, recipe, device };
    this.checkpoint = null;
    this.apply({ type: 'forgotten' });
    await this.save();
    this.apply({ type: 'start', model: modelOf(network), inExperiment: false });
    return this.learn(this.choice, context);
  }

  /** Goes on with a run that was stopped. @param {Context} context @returns {Promise<Ended>} */
  async resume(context) {
    if (!this.choice || !this.apply({ type: 'resume' })) return { finished: false };
    return this.learn(this.choice, context);
  }

  /** @param {RunChoice} choice @param {Context} context @returns {Promise<Ended>} */
  async learn(choice, context) {
    const { id } = this.runs.run;
    try {
      const finished = await this.advance(choice, context);
      this.apply({ type: 'ended', id, finished });
      return { finished };
    } catch (failure) {
      this.apply({ type: 'failed', id });
      throw failure;
    }
  }

  /**
   * Trains until the run has come to its end or is to stop.
   * @param {RunChoice} choice
   * @param {Context} context
   */
  async advance({ recipe, device: chosen }, { progress, cancelled, breathe }) {
    const { engine, exclusive } = this;
    const { id } = this.runs.run;
    const tell = (/** @type {import('./protocol.js').TrainProgress} */ news) => {
      this.apply({ type: 'progress', id, progress: news });
      progress(news);
    };
    const signals = new SignalProbe(engine, exclusive);
    let device = await exclusive(() => engine.device());
    let before = await exclusive(() => engine.progress());
    tell({
      ...stretch(null, { ...before, history: [] }, recipe, 0, device),
      tried: await exclusive(() => engine.tried()),
    });
    let [saved, finished] = [performance.now(), before.finished];
    const measure = async (/** @type {boolean} */ now) => {
      const measured = await signals.take(now);
      if (measured) tell({ ...stretch(before, before, recipe, 0, device), signals: measured });
    };
    await measure(true);
    /** When the stretch began that the page has not heard of. */
    let began = performance.now();
    for (;;) {
      try {
        if (finished || cancelled()) {
          await this.save();
          return finished;
        }
        const after = await exclusive(async () => {
          const state = await engine.advance(BUDGET_MS);
          device = engine.device();
          return state;
        });
        finished = after.finished;
        // A small network ends many epochs in the time of one message: the page hears of them together.
        if (!finished && !cancelled() && performance.now() - began < BUDGET_MS) continue;
        tell(stretch(before, after, recipe, (performance.now() - began) / 1000, device));
        before = after;
        await measure(finished || cancelled());
        if (performance.now() - saved > AUTOSAVE_MS) {
          await this.save();
          saved = performance.now();
        }
      } catch (failure) {
        if (!this.canPutBack(failure)) throw failure;
        await this.putBack(deviceAfterLoss(this.runs.run, before.step, this.choice?.device ?? chosen));
        before = await exclusive(() => engine.progress());
        device = await exclusive(() => engine.device());
        finished = before.finished;
        this.apply({ type: 'lost', id, step: before.step, stepsPerEpoch: before.steps_per_epoch });
        tell({ ...stretch(null, before, recipe, 0, device), recovered: true });
      }
      await breathe();
      began = performance.now();
    }
  }

  /**
   * Judges a run that has come to its end.
   * @template {import('./protocol.js').Evaluation | { report: import('./protocol.js').Evaluation }} Verdict
   * @param {() => Promise<Verdict>} work
   */
  async judge(work) {
    const { id } = this.runs.run;
    try {
      const verdict = await this.surviving(work);
      this.apply({ type: 'judged', id, report: 'report' in verdict ? verdict.report : verdict });
      return verdict;
    } catch (failure) {
      if (this.runs.run.phase === 'judging') this.apply({ type: 'failed', id });
      throw failure;
    }
  }

  /**
   * Asks something of the run that has ended or waits; where its device is lost, once more of the run put
   * back.
   * @template T
   * @param {() => T | Promise<T>} work
   * @returns {Promise<T>}
   */
  async surviving(work) {
    try {
      return await this.exclusive(work);
    } catch (failure) {
      const { choice } = this;
      // A run that learns is put back by `advance` alone, which tells the page.
      if (isLearning(this.runs.run) || !choice || !this.canPutBack(failure)) throw failure;
      return this.exclusive(async () => {
        await this.continueOn(choice.device);
        return work();
      });
    }
  }

  /** Whether a device was lost and the run's last state is there. @param {unknown} failure */
  canPutBack(failure) {
    return errorOf(failure).code === 'device_lost' && this.checkpoint !== null;
  }

  /**
   * After the loss of a device: the run's last state on that kind of device, else on the processor.
   * @param {string} device
   */
  putBack(device) {
    return this.exclusive(() => this.continueOn(device));
  }

  /** As {@link putBack}, for who has the engine already. @param {string} device */
  async continueOn(device) {
    const checkpoint = this.checkpoint ?? new Uint8Array();
    try {
      await this.engine.continue_run(checkpoint, device);
    } catch {
      await this.engine.continue_run(checkpoint, 'cpu');
    }
  }

  /**
   * Puts the run on another device, its state kept; where that fails it stays where it was.
   * @param {string} device
   */
  move(device) {
    return this.exclusive(async () => {
      const { engine, choice } = this;
      if (!choice) return;
      try {
        this.checkpoint = await engine.save(true);
      } catch (failure) {
        // A run that waits leaves a device that was lost with its last state.
        if (isLearning(this.runs.run) || !this.canPutBack(failure)) throw failure;
      }
      const checkpoint = this.checkpoint ?? new Uint8Array();
      try {
        await engine.continue_run(checkpoint, device);
        this.choice = { ...choice, device };
      } catch (failure) {
        await engine.continue_run(checkpoint, choice.device);
        throw failure;
      }
    });
  }

  /** Takes the run's whole state, and keeps it for the next visit. */
  async save() {
    const { engine, exclusive, choice } = this;
    const checkpoint = await exclusive(() => engine.save(true));
    this.checkpoint = checkpoint;
    const { epoch } = await exclusive(() => engine.progress());
    if (!choice) return;
    const saved = { ...choice, checkpoint, epoch, saved: Date.now() };
    await persistence.quietly(() => persistence.keep('run', saved));
  }

  /**
   * Brings back the run of an earlier visit.
   * @param {import('./persistence.js').SavedRun} saved
   * @returns {Promise<import('./protocol.js').RestoredRun>}
   */
  async restore({ network, recipe, device, checkpoint }) {
    const { engine, exclusive } = this;
    this.choice = { network, recipe, device };
    this.checkpoint = checkpoint;
    try {
      await this.putBack(device);
    } catch (failure) {
      [this.choice, this.checkpoint] = [null, null];
      throw failure;
    }
    const state = await exclusive(() => engine.progress());
    const name = await exclusive(() => engine.device());
    const progress = stretch(null, state, recipe, 0, name);
    this.apply({ type: 'restored', model: modelOf(network), progress });
    return { network, recipe, device, progress };
  }
}

/** Measures the signals of a network while it learns, as often as that costs next to nothing. */
class SignalProbe {
  next = 0;
  measured = false;

  /** @param {Engine} engine @param {Context['exclusive']} exclusive */
  constructor(engine, exclusive) {
    this.engine = engine;
    this.exclusive = exclusive;
  }

  /**
   * @param {boolean} now whether to measure though it is not yet time
   * @returns {Promise<LayerSignal[] | null>}
   */
  async take(now) {
    const began = performance.now();
    if (this.next === Infinity || (!now && began < this.next)) return null;
    try {
      const signals = await this.exclusive(() => this.engine.layer_signals());
      const ended = performance.now();
      // The first measurement lays out memory; the others show what one costs.
      const pause = this.measured ? Math.max(SIGNALS_MS, (ended - began) / SIGNALS_SHARE) : SIGNALS_MS;
      this.next = ended + pause;
      this.measured = true;
      return signals;
    } catch (failure) {
      const { code } = errorOf(failure);
      if (code === 'crashed') throw failure;
      // A network too large to be measured beside its training is trained all the same; a lost device shows
      // in the next step.
      if (code !== 'device_lost') this.next = Infinity;
      return null;
    }
  }
}

/** @param {import('./protocol.js').Network} network @returns {import('../state/run.js').ModelAtHand} */
function modelOf({ name, actions, text, size }) {
  return { id: 'run', name, actions, text, size, file: null, classes: [], parameters: 0 };
}
