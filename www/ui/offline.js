/** Keeps the page for use without a network, and asks before a newer version takes over. */

import { t } from '../i18n/i18n.js';
import { store } from '../state/state.js';
import { h } from './dom.js';

const RELOADED = 'floret.isolated';

/** A page that is being worked on must not come from a cache; `?offline=1` asks for it all the same. */
function wanted() {
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
  return 'serviceWorker' in navigator && (!local || new URLSearchParams(location.search).has('offline'));
}

/** Registers the service worker of the version that the host has. */
export async function keepOffline() {
  if (!wanted()) return;
  const { serviceWorker } = navigator;
  const first = serviceWorker.controller === null;
  serviceWorker.addEventListener('controllerchange', () => {
    if (!first) location.reload();
    else isolate();
  });
  try {
    const { version } = await (await fetch('files.json', { cache: 'no-store' })).json();
    const registration = await serviceWorker.register(`sw.js?version=${version}`, { updateViaCache: 'none' });
    if (first) return;
    if (registration.waiting) offer(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const next = registration.installing;
      next?.addEventListener('statechange', () => next.state === 'installed' && offer(next));
    });
  } catch {
    // Without a network the version that is kept goes on.
  }
}

/**
 * Reloads once, so that a host without the headers has threads too: early, while there is nothing to be lost.
 */
function isolate() {
  if (crossOriginIsolated || sessionStorage.getItem(RELOADED)) return;
  sessionStorage.setItem(RELOADED, '1');
  if (document.querySelector('.welcome') && !document.querySelector('.loading-card') && !store.value.photo)
    location.reload();
}

/** @param {ServiceWorker} next */
function offer(next) {
  const bar = h(
    'div',
    { class: 'update', role: 'status' },
    h('p', {}, t('update.words')),
    h(
      'button',
      { type: 'button', class: 'button primary', onclick: () => next.postMessage('take over') },
      t('update.take'),
    ),
    h('button', { type: 'button', class: 'button quiet', onclick: () => bar.remove() }, t('update.later')),
  );
  document.body.append(bar);
}
