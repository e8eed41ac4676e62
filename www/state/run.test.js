import assert from 'node:assert/strict';
import test from 'node:test';
import { deviceAfterLoss, isBusy, isLearning, noRuns, reduce, shareDone, statusOf } from './run.js';

/** @typedef {import('./run.js').Event} Event */
/** @typedef {import('./run.js').Runs} Runs */

/** @type {import('./state.js').ModelAtHand} */
const model = {
  id: 'run',
  name: 'plain_flower',
  actions: 'LAB',
  file: null,
  text: '',
  size: 64,
  classes: [],
  parameters: 0,
};
const line = { epoch: 1, loss: 1.5, accuracy: 0.4, seconds: 3, total_seconds: 3 };
const report = /** @type {import('../engine/protocol.js').Evaluation} */ ({ accuracy: 0.75 });
const other = /** @type {import('../engine/protocol.js').Evaluation} */ ({ accuracy: 0.5 });
const experiment = { classes: [], samples: [], runs: [] };

/** @type {Event} */
const start = { type: 'start', model, inExperiment: false };
/** @type {Event} */
const startInExperiment = { type: 'start', model, inExperiment: true };

/**
 * News of the run with that id.
 * @param {number} id
 * @param {number} step
 * @param {Partial<import('./run.js').TrainProgress>} [more]
 * @returns {Event}
 */
const progress = (id, step, more = {}) => ({
  type: 'progress',
  id,
  progress: {
    epoch: 0,
    step,
    steps: 40,
    steps_per_epoch: 4,
    loss: 1,
    accuracy: 0.5,
    images: 10,
    seconds: 1,
    lines: [],
    finished: false,
    device: { kind: 'cpu', threads: 1 },
    ...more,
  },
});

/** The state after these events. @param {...Event} events */
const after = (...events) => events.reduce(reduce, noRuns());
/** The state of a run that has begun to learn. */
const learning = () => after(start, progress(1, 1));

test('a run learns, is judged, and has its verdict', () => {
  let runs = after(start);
  assert.deepEqual([statusOf(runs.run), isLearning(runs.run), runs.model], ['starting', true, null]);
  runs = reduce(runs, progress(1, 0));
  assert.equal(runs.model, null, 'a network that made no step does not answer');
  runs = reduce(runs, progress(1, 10));
  assert.deepEqual([statusOf(runs.run), shareDone(runs.run)], ['running', 0.25]);
  assert.deepEqual([runs.model, runs.trained], [model, model]);
  runs = reduce(runs, { type: 'ended', id: 1, finished: true });
  assert.deepEqual([statusOf(runs.run), isBusy(runs)], ['judging', false]);
  runs = reduce(runs, { type: 'judged', id: 1, report });
  assert.deepEqual([statusOf(runs.run), runs.report], ['finished', report]);
});

test('no second start while a run learns or is judged', () => {
  const runs = learning();
  assert.equal(reduce(runs, start), runs);
  const judging = reduce(runs, { type: 'ended', id: 1, finished: true });
  assert.equal(reduce(judging, start), judging);
  assert.equal(reduce(judging, { type: 'experimentBegan' }), judging);
  assert.equal(reduce(judging, { type: 'resume' }), judging);
});

test('a run that is stopped goes on from where it was', () => {
  let runs = reduce(learning(), { type: 'stop' });
  assert.equal(statusOf(runs.run), 'stopping');
  // What was under way when the button was pressed still arrives.
  runs = reduce(runs, progress(1, 2));
  assert.equal(statusOf(runs.run), 'stopping');
  runs = reduce(runs, { type: 'ended', id: 1, finished: false });
  assert.equal(statusOf(runs.run), 'stopped');
  runs = reduce(runs, { type: 'resume' });
  assert.deepEqual([statusOf(runs.run), runs.run.history.step], ['starting', [0.25, 0.5]]);
});

test('a stop before the first step is kept', () => {
  const runs = after(start, { type: 'stop' }, progress(1, 0));
  assert.equal(statusOf(runs.run), 'stopping');
});

test('a run that fails waits where it is, or is forgotten where it never moved', () => {
  assert.equal(reduce(after(start), { type: 'failed', id: 1 }).run.phase, 'idle');
  assert.equal(reduce(learning(), { type: 'failed', id: 1 }).run.phase, 'stopped');
  const judging = reduce(learning(), { type: 'ended', id: 1, finished: true });
  const unjudged = reduce(judging, { type: 'failed', id: 1 });
  assert.equal(statusOf(reduce(unjudged, { type: 'resume' }).run), 'starting', 'it can be judged again');
});

test('news of a run that was replaced changes nothing', () => {
  const judging = reduce(learning(), { type: 'ended', id: 1, finished: true });
  const others = reduce(judging, { type: 'photos' });
  assert.equal(reduce(others, { type: 'judged', id: 1, report }), others);
  assert.equal(reduce(others, { type: 'failed', id: 1 }), others);
  const again = reduce(others, start);
  assert.equal(reduce(again, progress(1, 9)), again);
});

test('other photos end the run, and its model goes on answering', () => {
  const runs = reduce(learning(), { type: 'photos' });
  assert.deepEqual([runs.run.phase, runs.trained, runs.model], ['idle', model, model]);
  assert.equal(reduce(runs, { type: 'forgotten' }).model, null);
});

test('another model that was chosen while the run learns stays chosen', () => {
  const opened = { ...model, id: /** @type {const} */ ('opened') };
  const runs = reduce({ ...learning(), model: opened }, progress(1, 2));
  assert.equal(runs.model, opened);
});

test('states that were handed out stay as they were', () => {
  const before = learning();
  const { history } = before.run;
  reduce(before, progress(1, 2, { lines: [line] }));
  assert.deepEqual([history.step, history.lines], [[0.25], []]);
});

test('a lost device takes the curve back to the state that the run goes on from', () => {
  const moved = [progress(1, 4, { lines: [line] }), progress(1, 6)].reduce(reduce, learning());
  const lost = reduce(moved, { type: 'lost', id: 1, step: 4, stepsPerEpoch: 4 });
  assert.deepEqual(lost.run.history, { step: [0.25, 1], loss: [1, 1], accuracy: [0.5, 0.5], lines: [] });
  assert.equal(lost.run.recovered, true);
  const back = reduce(lost, progress(1, 4, { loss: null, accuracy: null, lines: [line] }));
  assert.deepEqual(back.run.history.lines, [line]);
});

test('a device that is lost twice at one step is not tried a third time', () => {
  let { run } = learning();
  assert.equal(deviceAfterLoss(run, 4, 'gpu'), 'gpu');
  ({ run } = reduce(learning(), { type: 'lost', id: 1, step: 4, stepsPerEpoch: 4 }));
  assert.equal(deviceAfterLoss(run, 4, 'gpu'), 'cpu');
  assert.equal(deviceAfterLoss(run, 5, 'gpu'), 'gpu');
});

test('a run of an earlier visit comes back stopped, or to be judged', () => {
  const restored = (/** @type {boolean} */ finished) => {
    const event = progress(0, 8, { finished, lines: [line], loss: null, images: 0 });
    assert.ok(event.type === 'progress');
    return after({ type: 'restored', model, progress: event.progress });
  };
  assert.deepEqual([restored(false).run.phase, restored(true).run.phase], ['stopped', 'judging']);
  assert.deepEqual([restored(false).model, restored(false).run.history.lines], [model, [line]]);
});

test('an experiment trains one network after another and records each', () => {
  /** @type {Event} */
  const plain = { type: 'experimentWentOn', name: 'plain', parameters: 1, flops: 2 };
  let runs = after({ type: 'experimentBegan' }, plain);
  assert.equal(isBusy(runs), true);
  runs = [startInExperiment, progress(1, 4, { lines: [line] })].reduce(reduce, runs);
  assert.deepEqual(runs.comparison?.runs[0].lines, [line]);
  const same = runs.comparison;
  runs = reduce(runs, progress(1, 5));
  assert.equal(runs.comparison, same, 'a step within an epoch is no news of the experiment');
  runs = reduce(runs, { type: 'ended', id: 1, finished: true });
  runs = reduce(runs, { type: 'judged', id: 1, report, experiment });
  assert.deepEqual([runs.comparison?.runs[0].accuracy, runs.comparison?.experiment], [0.75, experiment]);
  runs = reduce(runs, { ...plain, name: 'residual' });
  assert.deepEqual(
    runs.comparison?.runs.map(({ name, accuracy }) => [name, accuracy]),
    [
      ['plain', 0.75],
      ['residual', null],
    ],
  );
});

test('between two networks of an experiment nothing else starts', () => {
  const runs = after({ type: 'experimentBegan' });
  assert.equal(reduce(runs, start), runs);
  assert.equal(reduce(runs, { type: 'experimentBegan' }), runs);
  assert.notEqual(reduce(runs, startInExperiment), runs);
});

test('a stop while a network is judged ends the experiment and leaves the run its verdict', () => {
  const judging = [
    startInExperiment,
    progress(1, 4),
    /** @type {Event} */ ({ type: 'ended', id: 1, finished: true }),
    /** @type {Event} */ ({ type: 'stop' }),
  ].reduce(reduce, after({ type: 'experimentBegan' }));
  assert.deepEqual([judging.comparison?.stopAsked, judging.run.stopAsked], [true, false]);
  const judged = reduce(judging, { type: 'judged', id: 1, report, experiment });
  assert.equal(statusOf(judged.run), 'finished');
  const ended = reduce(judged, { type: 'experimentEnded' });
  assert.equal(isBusy(ended), false);
});

test('a calibration that comes late takes no other report’s place', () => {
  const runs = { ...learning(), report: other };
  assert.equal(reduce(runs, { type: 'calibrated', before: report, report: other }), runs);
  assert.equal(reduce(runs, { type: 'calibrated', before: other, report }).report, report);
});
