/**
 * A run from its start to its verdict, and the experiment that several runs make: an event and the state
 * before it give the
 * state after it. Nothing here waits, draws or asks the engine, so the page, the worker and the tests share
 * it.
 */

/** @typedef {import('../engine/protocol.js').EpochLine} EpochLine */
/** @typedef {import('../engine/protocol.js').Evaluation} Evaluation */
/** @typedef {import('../engine/protocol.js').Experiment} Experiment */
/** @typedef {import('../engine/protocol.js').TrainProgress} TrainProgress */
/** @typedef {import('../engine/protocol.js').Tried} Tried */
/** @typedef {import('./state.js').ModelAtHand} ModelAtHand */

/**
 * The curve of a run: one point a progress message, one line a finished epoch.
 * @typedef {object} History
 * @property {number[]} step epochs done, in fractions
 * @property {number[]} loss
 * @property {number[]} accuracy
 * @property {EpochLine[]} lines
 */

/**
 * Where a run stands. It is judged on the test photos when its last epoch is done.
 * @typedef {'idle' | 'starting' | 'running' | 'stopped' | 'judging' | 'finished'} Phase
 */

/** What people are told of it. @typedef {Phase | 'stopping'} Status */

/**
 * @typedef {object} Run
 * @property {number} id counts runs, so that news of a run that was replaced is known as such
 * @property {Phase} phase
 * @property {boolean} stopAsked whether it is to stop after the step under way
 * @property {ModelAtHand | null} model what it trains
 * @property {History} history
 * @property {TrainProgress | null} last
 * @property {number} imagesPerSecond a running average
 * @property {boolean} recovered whether a device was lost under way
 * @property {number | null} lostAt the step at which a device was lost last, since it was started or
 *   continued
 * @property {Tried[]} tried what was tried before a device was chosen
 */

/**
 * A network of the experiment; `accuracy` is on the test photos, once it is trained.
 * @typedef {{ name: string, accuracy: number | null, lines: EpochLine[], parameters: number, flops: number }}
 *   ComparedRun
 */

/**
 * The experiment: its networks so far, and what the engine holds of those that came to their end.
 * @typedef {object} Comparison
 * @property {boolean} running
 * @property {boolean} stopAsked whether it is to end with the network at hand
 * @property {ComparedRun[]} runs
 * @property {Experiment | null} experiment
 */

/**
 * The parts of the page's state that follow runs.
 * @typedef {object} Runs
 * @property {Run} run
 * @property {Comparison | null} comparison
 * @property {Evaluation | null} report of the run
 * @property {ModelAtHand | null} trained the run's model, once it has made a step; it stays when the photos
 *   change
 * @property {ModelAtHand | null} model what answers now
 */

/**
 * What can happen. Events of a run carry its `id`.
 * @typedef {{ type: 'start', model: ModelAtHand, inExperiment: boolean }
 *   | { type: 'resume' }
 *   | { type: 'restored', model: ModelAtHand, progress: TrainProgress }
 *   | { type: 'progress', id: number, progress: TrainProgress }
 *   | { type: 'lost', id: number, step: number, stepsPerEpoch: number }
 *   | { type: 'stop' }
 *   | { type: 'ended', id: number, finished: boolean }
 *   | { type: 'judged', id: number, report: Evaluation, experiment?: Experiment }
 *   | { type: 'calibrated', before: Evaluation | null, report: Evaluation }
 *   | { type: 'failed', id: number }
 *   | { type: 'photos' }
 *   | { type: 'forgotten' }
 *   | { type: 'experimentBegan' }
 *   | { type: 'experimentWentOn', name: string, parameters: number, flops: number }
 *   | { type: 'experimentEnded' }} Event
 */

/** The share of the newest message in the running average of the speed. */
const NEWEST = 0.1;

/** Before anything was trained. @returns {Runs} */
export function noRuns() {
  return { run: idle(0), comparison: null, report: null, trained: null, model: null };
}

/** @param {number} id @returns {Run} */
function idle(id) {
  return {
    id,
    phase: 'idle',
    stopAsked: false,
    model: null,
    history: { step: [], loss: [], accuracy: [], lines: [] },
    last: null,
    imagesPerSecond: 0,
    recovered: false,
    lostAt: null,
    tried: [],
  };
}

/** @param {Run} run @returns {Status} */
export function statusOf({ phase, stopAsked }) {
  return stopAsked && (phase === 'starting' || phase === 'running') ? 'stopping' : phase;
}

/** Whether the run takes steps, or is about to. @param {Run} run */
export function isLearning({ phase }) {
  return phase === 'starting' || phase === 'running';
}

/** Whether all epochs are done. @param {Run} run */
export function isOver({ phase }) {
  return phase === 'judging' || phase === 'finished';
}

/** The share of the run's steps that are done, 0 to 1. @param {Run} run */
export function shareDone({ last }) {
  return last ? last.step / Math.max(last.steps, 1) : 0;
}

/** Whether photos and settings must stay as they are. @param {Pick<Runs, 'run' | 'comparison'>} runs */
export function isBusy({ run, comparison }) {
  return isLearning(run) || comparison?.running === true;
}

/**
 * What a run goes on with that lost its device at a step: one that is lost there again is not tried a third
 * time.
 * @param {Run} run
 * @param {number} step
 * @param {string} device
 */
export function deviceAfterLoss({ lostAt }, step, device) {
  return lostAt === step ? 'cpu' : device;
}

/**
 * The state after an event; the very state before where the event changes nothing, such as a second start.
 * @param {Runs} runs
 * @param {Event} event
 * @returns {Runs}
 */
export function reduce(runs, event) {
  // What is said of a run that was replaced meanwhile is no news.
  if ('id' in event && event.id !== runs.run.id) return runs;
  const { run, comparison } = runs;
  switch (event.type) {
    case 'start': {
      const among = comparison?.running === true;
      if (isLearning(run) || run.phase === 'judging' || event.inExperiment !== among) return runs;
      const next = { ...idle(run.id + 1), phase: /** @type {const} */ ('starting'), model: event.model };
      return { ...runs, run: next, report: null, trained: null, model: null };
    }
    case 'resume':
      if ((run.phase !== 'stopped' && run.phase !== 'finished') || comparison?.running) return runs;
      return { ...runs, run: { ...run, phase: 'starting', stopAsked: false, lostAt: null } };
    case 'restored':
      return restored(runs, event.model, event.progress);
    case 'progress':
      return isLearning(run) ? progressed(runs, event.progress) : runs;
    case 'lost':
      return followed({
        ...runs,
        run: {
          ...run,
          history: rewound(run.history, event.step / event.stepsPerEpoch),
          recovered: true,
          lostAt: event.step,
        },
      });
    case 'stop': {
      const stopped = isLearning(run) ? { ...runs, run: { ...run, stopAsked: true } } : runs;
      // A run that is being judged has come to its end; the experiment ends with it.
      return comparison?.running ? { ...stopped, comparison: { ...comparison, stopAsked: true } } : stopped;
    }
    case 'ended':
      return { ...runs, run: { ...run, phase: event.finished ? 'judging' : 'stopped', stopAsked: false } };
    case 'judged':
      return judged(runs, event);
    case 'calibrated':
      return runs.report === event.before ? { ...runs, report: event.report } : runs;
    case 'failed':
      return { ...runs, run: { ...run, phase: run.last ? 'stopped' : 'idle', stopAsked: false } };
    case 'photos':
      return { ...runs, run: idle(run.id + 1), report: null };
    case 'forgotten':
      return { ...noRuns(), run: idle(run.id + 1) };
    case 'experimentBegan':
      if (isBusy(runs) || run.phase === 'judging') return runs;
      return { ...runs, comparison: { running: true, stopAsked: false, runs: [], experiment: null } };
    case 'experimentWentOn': {
      if (!comparison?.running) return runs;
      const { name, parameters, flops } = event;
      const next = { name, accuracy: null, lines: [], parameters, flops };
      return { ...runs, comparison: { ...comparison, runs: [...comparison.runs, next] } };
    }
    case 'experimentEnded':
      return comparison ? { ...runs, comparison: { ...comparison, running: false } } : runs;
  }
}

/** @param {Runs} runs @param {TrainProgress} progress @returns {Runs} */
function progressed(runs, progress) {
  const { run } = runs;
  const speed = progress.images / Math.max(progress.seconds, 1e-6);
  const before = run.imagesPerSecond;
  const average = before > 0 ? (1 - NEWEST) * before + NEWEST * speed : speed;
  /** @type {Run} */
  const next = {
    ...run,
    phase: 'running',
    history: grown(run.history, progress),
    last: progress,
    imagesPerSecond: progress.images > 0 ? average : before,
    tried: progress.tried ?? run.tried,
  };
  const moved = followed({ ...runs, run: next });
  // From its first step on the run's model answers.
  return progress.step > 0 && !runs.trained ? { ...moved, trained: run.model, model: run.model } : moved;
}

/** @param {Runs} runs @param {ModelAtHand} model @param {TrainProgress} progress @returns {Runs} */
function restored(runs, model, progress) {
  const started = { ...runs, run: { ...idle(runs.run.id + 1), model }, report: null, trained: null };
  const { run, ...rest } = progressed(started, progress);
  return { ...rest, run: { ...run, phase: progress.finished ? 'judging' : 'stopped' } };
}

/** @param {Runs} runs @param {{ report: Evaluation, experiment?: Experiment }} verdict @returns {Runs} */
function judged(runs, { report, experiment }) {
  if (runs.run.phase !== 'judging') return runs;
  const { comparison } = runs;
  const done = { ...runs, run: { ...runs.run, phase: /** @type {const} */ ('finished') }, report };
  if (!comparison || !experiment) return done;
  const { accuracy } = report;
  return { ...done, comparison: { ...comparison, experiment, runs: newest(comparison, { accuracy }) } };
}

/** The experiment with the epochs of the run at hand. @param {Runs} runs @returns {Runs} */
function followed(runs) {
  const { run, comparison } = runs;
  const { lines } = run.history;
  if (!comparison?.running || comparison.runs.at(-1)?.lines === lines) return runs;
  return { ...runs, comparison: { ...comparison, runs: newest(comparison, { lines }) } };
}

/**
 * An experiment's networks, the last of them changed.
 * @param {Comparison} comparison
 * @param {Partial<ComparedRun>} part
 */
function newest({ runs }, part) {
  return runs.map((one, index) => (index === runs.length - 1 ? { ...one, ...part } : one));
}

/** @param {History} history @param {TrainProgress} progress @returns {History} */
function grown({ step, loss, accuracy, lines }, progress) {
  const drawn = progress.loss !== null && progress.accuracy !== null;
  return {
    step: drawn ? [...step, progress.step / progress.steps_per_epoch] : step,
    loss: drawn ? [...loss, /** @type {number} */ (progress.loss)] : loss,
    accuracy: drawn ? [...accuracy, /** @type {number} */ (progress.accuracy)] : accuracy,
    lines: progress.lines.length > 0 ? [...lines, ...progress.lines] : lines,
  };
}

/**
 * The curve up to the state that a run goes on from; all of that state's lines come again.
 * @param {History} history
 * @param {number} epochs
 */
function rewound({ step, loss, accuracy }, epochs) {
  const kept = step.filter(at => at <= epochs).length;
  return {
    step: step.slice(0, kept),
    loss: loss.slice(0, kept),
    accuracy: accuracy.slice(0, kept),
    lines: [],
  };
}
