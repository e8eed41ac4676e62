/** The signals of the networks of this visit: kept, so that they can be compared. */

/** @typedef {import('../engine/protocol.js').LayerSignal} LayerSignal */

/**
 * The signals of one network.
 * @typedef {object} Signals
 * @property {string} name the network's, with its actions
 * @property {LayerSignal[] | null} start before the first step; `null` where the run came from an earlier
 *   visit
 * @property {LayerSignal[]} now
 * @property {number} step when `now` was measured
 */

/** Networks compared at a time. */
const MOST = 4;

/**
 * The history with newly measured signals of the network in training.
 * @param {Signals[]} history the newest last
 * @param {{ name: string, signals: LayerSignal[], step: number }} measured
 * @returns {Signals[]}
 */
export function withSignals(history, { name, signals, step }) {
  const newest = history.at(-1);
  const goesOn = step > 0 && newest?.name === name;
  const start = goesOn ? newest.start : step === 0 ? signals : null;
  const others = history.filter(one => one.name !== name);
  return [...others, { name, start, now: signals, step }].slice(-MOST);
}

/** The layers with weights, from the photo to the answer. @param {LayerSignal[]} signals */
export function weighted(signals) {
  return signals.filter(({ gradient_norm }) => gradient_norm !== null);
}
