/**
 * The service worker: the page without a network, and cross-origin isolation where the host cannot send its
 * headers.
 * One version of the page is one address of this script and one cache, so versions never mix.
 */

const scope = /** @type {any} */ (self);
const VERSION = new URL(scope.location.href).searchParams.get('version') ?? '';
const CACHE = `floret-${VERSION}`;

/** @typedef {{ version: string, files: { path: string }[] }} Listing */

/** @returns {Promise<Listing>} */
async function fileList() {
  return (await fetch('files.json', { cache: 'no-store' })).json();
}

/** Takes every file of this version, or none: a host that changes meanwhile fails the installation. */
async function install() {
  const { version, files } = await fileList();
  if (version !== VERSION) throw new Error('the page changed while it was being kept');
  const cache = await caches.open(CACHE);
  await Promise.all(
    files.map(async ({ path }) => {
      // What the page has just fetched is asked about, not sent again.
      const response = await fetch(path, { cache: 'no-cache' });
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      await cache.put(path, response);
    }),
  );
  if ((await fileList()).version === VERSION) return;
  await caches.delete(CACHE);
  throw new Error('the page changed while it was being kept');
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(
    names.filter(name => name.startsWith('floret-') && name !== CACHE).map(name => caches.delete(name)),
  );
  await scope.clients.claim();
}

/** @param {Request} request */
async function answer(request) {
  const url = new URL(request.url);
  const name = url.pathname.endsWith('/')
    ? `${url.origin}${url.pathname}index.html`
    : `${url.origin}${url.pathname}`;
  const kept = await (await caches.open(CACHE)).match(name);
  return isolated(kept ?? (await fetch(request)));
}

/** The same response with the headers that allow shared memory. @param {Response} response */
function isolated(response) {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'cross-origin');
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

scope.addEventListener('install', (/** @type {any} */ event) => event.waitUntil(install()));
scope.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(activate()));
scope.addEventListener('message', (/** @type {any} */ event) => {
  if (event.data === 'take over') scope.skipWaiting();
});
scope.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event;
  const own = new URL(request.url).origin === scope.location.origin;
  // The list of files tells of updates, so it always comes from the network.
  if (own && request.method === 'GET' && !request.url.endsWith('/files.json'))
    event.respondWith(answer(request));
});
