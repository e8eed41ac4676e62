/** What `cargo xtask build` writes is a whole site: every listed file is there, as the list says. */
import { expect, test } from '@playwright/test';

const site = String(process.env.FLORET_DIST_URL);

test('every file of the list is served, at its length', async ({ request }) => {
  /** @type {{ version: string, files: { path: string, hash: string, bytes: number }[] }} */
  const { version, files } = await (await request.get(`${site}files.json`)).json();
  expect(version).toMatch(/^[0-9a-f]{64}$/);
  const paths = files.map(file => file.path);
  expect(paths).toEqual(
    expect.arrayContaining(['index.html', 'sw.js', 'pkg/packages.json', 'vendor/uPlot.esm.js']),
  );
  for (const { path, bytes } of files) {
    const answer = await request.get(site + path);
    expect(answer.status(), path).toBe(200);
    expect((await answer.body()).length, path).toBe(bytes);
  }
});
