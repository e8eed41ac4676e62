/** What a stretch of training gave: the difference between two states of the engine's progress. */

/**
 * The engine's progress, as its serde form spells it.
 * @typedef {object} EngineProgress
 * @property {number} step
 * @property {number} steps_per_epoch
 * @property {number} epoch
 * @property {{ loss: number, weight: number, correct: number, samples: number }} sums of the unfinished epoch
 * @property {import('./protocol.js').EpochLine[]} history
 * @property {boolean} finished
 * @property {boolean} stopped_early
 */

/**
 * @param {EngineProgress | null} before `null` where nothing was told yet: all lines are new then
 * @param {EngineProgress} after
 * @param {{ epochs: number, batch_size: number }} recipe
 * @param {number} seconds that lie between
 * @param {import('./protocol.js').DeviceName} device what computes
 * @returns {import('./protocol.js').TrainProgress}
 */
export function stretch(before, after, { epochs, batch_size }, seconds, device) {
  const lines = after.history.slice(before?.history.length ?? 0);
  return {
    epoch: after.epoch,
    step: after.step,
    steps: after.steps_per_epoch * epochs,
    steps_per_epoch: after.steps_per_epoch,
    ...means(before, after, lines),
    images: before ? (after.step - before.step) * batch_size : 0,
    seconds,
    device,
    lines,
    finished: after.finished,
  };
}

/**
 * Mean loss and accuracy of the stretch, `null` where only the end of an epoch is known.
 * @param {EngineProgress | null} before
 * @param {EngineProgress} after
 * @param {import('./protocol.js').EpochLine[]} lines
 */
function means(before, after, lines) {
  if (!before) return { loss: null, accuracy: null };
  if (lines.length > 0) {
    // An epoch's sums are gone when it ends; one that fits into the stretch is known by its line.
    const whole = before.sums.samples === 0 || lines.length > 1 ? lines[lines.length - 1] : null;
    return { loss: whole?.loss ?? null, accuracy: whole?.accuracy ?? null };
  }
  const weight = after.sums.weight - before.sums.weight;
  const samples = after.sums.samples - before.sums.samples;
  if (weight <= 0 || samples <= 0) return { loss: null, accuracy: null };
  return {
    loss: (after.sums.loss - before.sums.loss) / weight,
    accuracy: (after.sums.correct - before.sums.correct) / samples,
  };
}
