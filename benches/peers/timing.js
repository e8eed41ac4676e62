/** Clocks for the peers, alike for all: a call is repeated for a while after one that is not timed. */

/**
 * Milliseconds of a call.
 * @param {() => unknown} call one step, or a promise of one
 * @param {number} seconds how long to repeat it at least
 */
export async function milliseconds(call, seconds) {
  await call();
  const began = performance.now();
  for (let calls = 1; ; calls += 1) {
    await call();
    const elapsed = performance.now() - began;
    if (elapsed >= seconds * 1000) return elapsed / calls;
  }
}

/**
 * The figures that `floret bench --json` has, as far as the peer can be measured.
 * @param {{ batch: number, task: string, seconds: number }} options
 * @param {{ train?: () => unknown, infer?: () => unknown, single?: () => unknown }} calls
 */
export async function figures({ batch, task, seconds }, { train, infer, single }) {
  /** @type {Record<string, number>} */
  const result = {};
  if (train && task !== 'infer')
    result.train_images_per_s = (batch * 1000) / (await milliseconds(train, seconds));
  if (infer && single && task !== 'train') {
    result.infer_images_per_s = (batch * 1000) / (await milliseconds(infer, seconds));
    result.infer_ms_per_image = await milliseconds(single, seconds / 2);
  }
  return result;
}

/** Numbers between -1 and 1. @param {number} count */
export function photoNumbers(count) {
  return Float32Array.from({ length: count }, () => 2 * Math.random() - 1);
}

/**
 * Numbers of He's normal distribution.
 * @param {number} count
 * @param {number} fanIn
 */
export function heNumbers(count, fanIn) {
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return Float32Array.from({ length: count }, () => normal() * Math.sqrt(2 / fanIn));
}
