/** What was seen inside the networks of this visit: kept, so that they can be compared. */

import { store } from './state.js';

/** @typedef {import('../engine/protocol.js').LayerSignal} LayerSignal */

/** Networks compared at a time. */
const MOST = 4;

/** Keeps a look into the network in training. @param {LayerSignal[]} signals @param {number} step */
export function looked(signals, step) {
  const { network, looks } = store.value;
  const name = [network?.name, network?.actions].filter(Boolean).join(' ');
  const newest = looks.at(-1);
  const goesOn = step > 0 && newest?.name === name;
  const start = goesOn ? newest.start : step === 0 ? signals : null;
  const others = looks.filter(look => look.name !== name);
  store.set({ looks: [...others, { name, start, now: signals, step }].slice(-MOST) });
}

/** The layers with weights, from the photo to the answer. @param {LayerSignal[]} signals */
export function weighted(signals) {
  return signals.filter(({ gradient_norm }) => gradient_norm !== null);
}
