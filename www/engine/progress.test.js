import assert from 'node:assert/strict';
import test from 'node:test';
import { stretch } from './progress.js';

const recipe = { epochs: 2, batch_size: 10 };
const line = { epoch: 1, loss: 1.5, accuracy: 0.4, seconds: 3, total_seconds: 3 };
/**
 * @param {number} step
 * @param {import('./progress.js').EngineProgress['sums']} sums
 * @param {import('./progress.js').EngineProgress['history']} history
 */
const state = (step, sums, history = []) => ({
  step,
  steps_per_epoch: 4,
  epoch: history.length,
  sums,
  history,
  finished: false,
  stopped_early: false,
});

/** @type {import('./protocol.js').DeviceName} */
const cpu = { kind: 'cpu', threads: 1 };

test('a stretch within an epoch has the means of what lies between', () => {
  const before = state(1, { loss: 20, weight: 10, correct: 2, samples: 10 });
  const after = state(3, { loss: 50, weight: 30, correct: 12, samples: 30 });
  const { loss, accuracy, images, steps } = stretch(before, after, recipe, 0.5, cpu);
  assert.deepEqual([loss, accuracy, images, steps], [1.5, 0.5, 20, 8]);
});

test('the end of an epoch brings its line and no point of its own', () => {
  const before = state(3, { loss: 50, weight: 30, correct: 12, samples: 30 });
  const after = state(4, { loss: 0, weight: 0, correct: 0, samples: 0 }, [line]);
  const { loss, lines } = stretch(before, after, recipe, 0.5, cpu);
  assert.deepEqual([loss, lines], [null, [line]]);
});

test('an epoch within one stretch is drawn by its line', () => {
  const empty = { loss: 0, weight: 0, correct: 0, samples: 0 };
  const { loss, accuracy } = stretch(state(0, empty), state(4, empty, [line]), recipe, 0.1, cpu);
  assert.deepEqual([loss, accuracy], [1.5, 0.4]);
});

test('of several epochs within one stretch the last is drawn', () => {
  const empty = { loss: 0, weight: 0, correct: 0, samples: 0 };
  const before = state(3, { loss: 50, weight: 30, correct: 12, samples: 30 });
  const { loss, lines } = stretch(
    before,
    state(12, empty, [line, line, { ...line, loss: 1.1 }]),
    recipe,
    0.1,
    cpu,
  );
  assert.deepEqual([loss, lines.length], [1.1, 3]);
});
