/** How every test starts the browser. */

/** The program that `cargo xtask test` found; where it is not set, Playwright names what is missing. */
export const executablePath = process.env.FLORET_CHROMIUM;

/** WebGPU in software, no sandbox (CI runs as root), and none of the browser's own talk with its makers. */
export const args = [
  '--headless=new',
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-unsafe-webgpu',
];
