import assert from 'node:assert/strict';
import test from 'node:test';
import { keepNothing } from './persistence.js';
import { Running } from './running.js';

keepNothing();

/** @typedef {import('./protocol.js').TrainProgress} TrainProgress */

const network = { name: 'plain_flower', text: '', size: 64, actions: 'LAB' };
const recipe = { name: 'modern', epochs: 2, batch_size: 10, seed: 1, mirror: /** @type {const} */ ('auto') };
const choice = { network, recipe, device: 'gpu' };
const lost = { code: 'device_lost' };

/** An engine of eight steps, and what a call to it may use; `fail` may throw what a device does. */
function setUp(fail = (/** @type {string} */ _method, /** @type {number} */ _step) => {}) {
  let step = 0;
  /** Devices that the run was put on again. @type {string[]} */
  const continued = [];
  const state = () => ({
    step,
    steps_per_epoch: 4,
    epoch: 0,
    sums: { loss: 0, weight: 0, correct: 0, samples: 0 },
    history: [],
    finished: step >= 8,
    stopped_early: false,
  });
  const engine = {
    save: async () => Uint8Array.of(step),
    progress: state,
    device: () => ({ kind: 'gpu', name: 'WebGPU, a card' }),
    tried: () => [],
    layer_signals: async () => [],
    advance: async () => {
      fail('advance', step);
      step += 1;
      return state();
    },
    continue_run: async (/** @type {Uint8Array} */ [kept], /** @type {string} */ device) => {
      continued.push(device);
      fail('continue_run', step);
      step = kept;
    },
  };
  const exclusive = async (/** @type {() => unknown} */ work) => work();
  /** @type {TrainProgress[]} */
  const told = [];
  const context = /** @type {any} */ ({
    progress: (/** @type {TrainProgress} */ progress) => told.push(progress),
    breathe: async () => {},
    cancelled: () => false,
  });
  const running = new Running(/** @type {any} */ (engine), /** @type {any} */ (exclusive));
  return { running, context, told, continued };
}

test('a run comes to its end, and is judged once', async () => {
  const { running, context, told } = setUp();
  assert.deepEqual(await running.begin(choice, context), { finished: true });
  assert.equal(told.at(-1)?.step, 8);
  assert.equal(running.runs.run.phase, 'judging');
  const report = /** @type {import('./protocol.js').Evaluation} */ ({ accuracy: 1 });
  assert.equal(await running.judge(async () => report), report);
  assert.equal(running.runs.run.phase, 'finished');
});

test('a run whose device is lost is put back once by itself, and tells the page', async () => {
  let losses = 0;
  const { running, context, told, continued } = setUp((method, step) => {
    if (method !== 'advance' || step !== 3 || losses > 0) return;
    losses += 1;
    throw lost;
  });
  // Whoever asks for something meanwhile hears of the loss, and leaves the run alone.
  const asked = {
    ...context,
    breathe: async () => assert.rejects(running.surviving(() => Promise.reject(lost))),
  };
  assert.deepEqual(await running.begin(choice, asked), { finished: true });
  assert.deepEqual(continued, ['gpu']);
  assert.equal(told.filter(({ recovered }) => recovered).length, 1);
});

test('a device that is lost again at the same step gives way to the processor', async () => {
  const { running, context, continued } = setUp((method, step) => {
    if (method === 'advance' && step === 0 && continued.length < 2) throw lost;
  });
  await running.begin(choice, context);
  assert.deepEqual(continued, ['gpu', 'cpu']);
});

test('a device that was lost after the run is put back before the question is asked once more', async () => {
  const { running, context, continued } = setUp();
  await running.begin(choice, context);
  let asked = 0;
  const answer = await running.surviving(async () => {
    asked += 1;
    if (asked === 1) throw lost;
    return 'answer';
  });
  assert.deepEqual([answer, continued], ['answer', ['gpu']]);
});

test('a move that fails leaves the run where it was', async () => {
  const { running, context, continued } = setUp((method, step) => {
    if (method === 'continue_run' && step === 8 && continued.at(-1) === 'cpu') throw { code: 'memory' };
  });
  await running.begin(choice, context);
  await assert.rejects(running.move('cpu'));
  assert.deepEqual([continued, running.choice?.device], [['cpu', 'gpu'], 'gpu']);
});

test('a run that was judged in vain goes on to be judged again', async () => {
  const { running, context } = setUp();
  await running.begin(choice, context);
  await assert.rejects(running.judge(() => Promise.reject({ code: 'memory' })));
  assert.deepEqual(await running.resume(context), { finished: true });
  assert.equal(running.runs.run.phase, 'judging');
});
