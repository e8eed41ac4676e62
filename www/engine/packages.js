/** Which build of the engine this browser can run, decided before one is loaded. */

/** @typedef {{ name: string, needs: string[], module: string, wasm: string }} Package */

/** A module with one relaxed multiply-add: it validates where the engine has relaxed SIMD. */
const RELAXED_SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2,
  253, 15, 253, 128, 2, 11,
]);

/** @type {Record<string, () => boolean>} */
const TESTS = {
  'cross-origin-isolation': () =>
    globalThis.crossOriginIsolated === true && typeof SharedArrayBuffer === 'function',
  'relaxed-simd': () => WebAssembly.validate(RELAXED_SIMD),
};

/**
 * The first package, best first, whose needs are met.
 * @param {Package[]} packages
 */
export function choosePackage(packages) {
  return packages.find(({ needs }) => needs.every(need => TESTS[need]?.() ?? false));
}

/**
 * Loads the engine; one instance a worker.
 * @returns {Promise<{ module: import('./bindings.js').Module, build: string }>}
 */
export async function loadEngine() {
  const list = new URL('../pkg/packages.json', import.meta.url);
  const response = await fetch(list);
  if (!response.ok) throw new Error(`${list.pathname}: ${response.status}`);
  const chosen = choosePackage(await response.json());
  if (!chosen) throw new Error('this browser runs none of the builds');
  const module = await import(new URL(chosen.module, list).href);
  await module.default({ module_or_path: new URL(chosen.wasm, list) });
  // This worker computes too: the pool holds the threads beside it.
  if (module.initThreadPool) await module.initThreadPool(Math.max(1, navigator.hardwareConcurrency - 1));
  return { module, build: chosen.name };
}
