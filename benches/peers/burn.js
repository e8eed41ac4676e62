/** A flower model in Burn, compiled to WebAssembly with simd128, on one thread. */

import { figures } from './timing.js';

/**
 * @param {import('./graph.js').Node[]} nodes
 * @param {{ batch: number, task: string, seconds: number }} options
 */
export async function measure(nodes, options) {
  const { default: init, Peer } = await import(
    new URL('./build/burn/floret_peer_burn.js', import.meta.url).href
  );
  await init({ module_or_path: new URL('./build/burn/floret_peer_burn_bg.wasm', import.meta.url) });
  const peer = new Peer(JSON.stringify(nodes), options.batch);
  return figures(options, {
    train: () => peer.train(),
    infer: () => peer.classify(options.batch),
    single: () => peer.classify(1),
  });
}
