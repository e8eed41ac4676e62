/** The web packages load where their needs are met, and the page gets the isolation that threads need. */
import { expect, test } from '@playwright/test';

/**
 * @typedef {{ name: string, needs: string[], module: string, wasm: string, bytes: number, brotli_bytes:
 *   number }} Package
 */

const sites = {
  isolated: String(process.env.FLORET_URL),
  plain: String(process.env.FLORET_PLAIN_URL),
};

for (const [kind, site] of Object.entries(sites)) {
  test(`packages load on a host that is ${kind}`, async ({ page, request }) => {
    const listed = await request.get(`${site}pkg/packages.json`);
    /** @type {Package[]} */
    const packages = await listed.json();
    expect(packages.length).toBeGreaterThan(0);

    await page.goto(`${site}pkg/packages.json`);
    const isolated = await page.evaluate(() => crossOriginIsolated);
    expect(isolated).toBe(kind === 'isolated');
    for (const { name, needs, module, wasm } of packages) {
      if (needs.includes('cross-origin-isolation') && !isolated) continue;
      const shared = await page.evaluate(
        async ([module, wasm]) => {
          const { default: init } = await import(module);
          const { memory } = await init({ module_or_path: wasm });
          return memory.buffer.constructor.name === 'SharedArrayBuffer';
        },
        [`/pkg/${module}`, `/pkg/${wasm}`],
      );
      expect(shared, name).toBe(needs.includes('cross-origin-isolation'));
    }
  });
}
