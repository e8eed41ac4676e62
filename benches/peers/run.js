/**
 * Runs Floret's page and other frameworks in turn in one headless Chromium, and prints what was measured as JSON.
 * Started by `cargo xtask bench --page`, which builds the page, serves it and this folder, and makes the tables.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { args, executablePath } from '../../tests/browser/chromium.js';
import { onnxModel } from './onnx.js';

/** @typedef {{ name: string, url: (work: Work) => string, module?: string, options?: Record<string, unknown> }} Peer */
/** @typedef {{ model: string, batch: number, task: string, seconds: number }} Work */
/** @typedef {{ model: string, batch: number, peer: string, pass: number, error?: string, train_images_per_s?: number, infer_images_per_s?: number, infer_ms_per_image?: number }} Row */

const { FLORET_URL = '', FLORET_PLAIN_URL = '', FLORET_PEERS_URL = '', FLORET_BENCH = '{}' } = process.env;
/** @type {{ models: string[], batches: number[], peers: string[], passes: number, seconds: number, task: string, gpu: boolean }} */
const wanted = JSON.parse(FLORET_BENCH);

/** A step of Floret's takes some 10 milliseconds on a processor, and thirty times that on a GPU in software. */
const FLORET_STEPS = wanted.gpu ? 12 : 150;
/** Milliseconds for one peer; plain JavaScript needs minutes for large batches. */
const PATIENCE = 600_000;

const peerPage = () => `${FLORET_PEERS_URL}peer.html`;
const floret =
  (/** @type {string} */ site, /** @type {string} */ backend) =>
  ({ model, batch, task }) =>
    `${site}bench.html?model=${model}&batch=${batch}&steps=${Math.ceil((FLORET_STEPS * 10) / batch)}&backend=${backend}&task=${task}&run=1`;

/** @type {Peer[]} */
const ON_CPU = [
  { name: 'Floret, threads', url: floret(FLORET_URL, 'cpu') },
  { name: 'Floret, 1 thread', url: floret(FLORET_PLAIN_URL, 'cpu') },
  { name: 'onnxruntime-web, threads', url: peerPage, module: './onnxruntime.js', options: { threads: 0 } },
  { name: 'onnxruntime-web, 1 thread', url: peerPage, module: './onnxruntime.js', options: { threads: 1 } },
  { name: 'Burn, 1 thread', url: peerPage, module: './burn.js' },
  { name: 'jax-js wasm', url: peerPage, module: './jax.js', options: { backend: 'wasm' } },
  { name: 'TensorFlow.js cpu', url: peerPage, module: './tfjs.js', options: { backend: 'cpu' } },
];
/** @type {Peer[]} */
const ON_GPU = [
  { name: 'Floret, WebGPU', url: floret(FLORET_URL, 'gpu') },
  { name: 'jax-js WebGPU', url: peerPage, module: './jax.js', options: { backend: 'webgpu' } },
  { name: 'TensorFlow.js WebGPU', url: peerPage, module: './tfjs.js', options: { backend: 'webgpu' } },
];

/** The nodes of a ready-made network, as Floret's page lists them. @param {import('playwright-core').Browser} browser @param {string} name */
async function graphOf(browser, name) {
  const page = await browser.newPage();
  try {
    await page.goto(`${FLORET_URL}bench.html`);
    return await page.evaluate(async name => {
      const { engine } = await import(new URL('./state/state.js', location.href).href);
      const { presets } = await engine.call('hello', {});
      const preset = presets.find((/** @type {{ name: string }} */ preset) => preset.name === name);
      if (!preset)
        throw new Error(
          `no model ${name}; there are ${presets.map((/** @type {{ name: string }} */ preset) => preset.name).join(', ')}`,
        );
      const text = await engine.call('presetText', { name, actions: preset.actions });
      return (await engine.call('describe', { text, size: preset.input.height, classes: preset.classes }))
        .nodes;
    }, name);
  } finally {
    await page.close();
  }
}

/**
 * One peer once: its figures, or why it has none.
 * @param {import('playwright-core').Browser} browser
 * @param {Peer} peer
 * @param {Work} work
 * @param {import('./graph.js').Node[]} nodes
 */
async function measure(browser, peer, work, nodes) {
  // A context of its own: nothing kept by an earlier page, and a worker's memory given back. TensorFlow.js needs `eval`, which
  // the server's policy forbids to Floret.
  const context = await browser.newContext({ bypassCSP: Boolean(peer.module) });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.goto(peer.url(work));
    if (!peer.module) {
      await page.waitForFunction(() => document.querySelector('#result')?.textContent);
      const result = JSON.parse((await page.locator('#result').textContent()) ?? '{}');
      return result.error ? { error: JSON.stringify(result.error) } : result;
    }
    const options = { ...work, ...peer.options, onnx: `build/${work.model}.onnx` };
    if (options.threads === 0) options.threads = await page.evaluate(() => navigator.hardwareConcurrency);
    return await page.evaluate(
      async ({ module, nodes, options }) =>
        (await import(new URL(module, location.href).href)).measure(nodes, options),
      { module: peer.module, nodes, options },
    );
  } catch (failure) {
    return { error: String(failure).split('\n')[0] };
  } finally {
    await context.close();
  }
}

const peers = (wanted.gpu ? ON_GPU : ON_CPU).filter(
  ({ name }) =>
    wanted.peers.length === 0 || wanted.peers.some(part => name.toLowerCase().includes(part.toLowerCase())),
);
const browser = await chromium.launch({ executablePath, args, timeout: 120_000 });
/** @type {Row[]} */
const rows = [];
try {
  mkdirSync(new URL('./build/', import.meta.url), { recursive: true });
  for (const model of wanted.models) {
    const nodes = await graphOf(browser, model);
    writeFileSync(new URL(`./build/${model}.onnx`, import.meta.url), onnxModel(nodes));
    for (const batch of wanted.batches) {
      for (let pass = 0; pass < wanted.passes; pass += 1) {
        for (const peer of peers) {
          const figures = await measure(
            browser,
            peer,
            { model, batch, task: wanted.task, seconds: wanted.seconds },
            nodes,
          );
          rows.push({ model, batch, peer: peer.name, pass, ...figures });
          console.error(
            `${model}, batch ${batch}, pass ${pass + 1}: ${peer.name} ${JSON.stringify(figures)}`,
          );
        }
      }
    }
  }
  console.log(JSON.stringify({ browser: browser.version(), rows }, null, 1));
} finally {
  await browser.close();
}
