// offline.mjs: registers the service worker, and tells what is on this device and whether a newer version waits
import { codeAddress } from './trusted_types.mjs';
import { STORE } from './cache.mjs';

/** @typedef {{complete: boolean, lost: string[], mended: string[]}} Kept  addresses of files that are missing, or had to be fetched again */

/** Where no service worker is to be had (plain http, some private windows), nothing is told and the page works as ever.
 *  @param {string} version  of this page
 *  @param {{onKept: (kept: Kept) => void, onUpdate: () => void, onRequests: (requests: import('./requests.mjs').Request[]) => void}} tell */
export async function createOffline(version, { onKept, onUpdate, onRequests }) {
  const workers = navigator.serviceWorker;
  const code = codeAddress('sw.js');
  // Another copy of the page on this host has one of its own, which tells it to every page.
  workers?.addEventListener(
    'message',
    ({ data, source }) => /** @type {ServiceWorker} */ (source).scriptURL === String(code) && onRequests(data.requests),
  );
  workers?.startMessages();
  /** @type {ServiceWorkerRegistration} */
  let registration;
  try {
    registration = await workers.register(code, { updateViaCache: 'none' });
    follow(registration.waiting ?? registration.installing);
  } catch {
    await globalThis.caches?.delete(STORE).catch(() => {}); // without a service worker nothing would ever tidy up there
    return null;
  }
  registration.addEventListener('updatefound', () => follow(registration.installing));

  function follow(next) {
    const tell = () => next.state === 'installed' && registration.active && onUpdate();
    next?.addEventListener('statechange', tell);
    if (next) tell();
  }

  /** Asks for every file's SHA-256; what is missing is fetched again where the network allows. */
  async function check() {
    const { active } = await workers.ready;
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise((resolve) => {
      port1.onmessage = ({ data }) => resolve(data);
    });
    active.postMessage('check', [port2]);
    const { version: kept, lost, mended } = await answer;
    port1.close();
    onKept({ complete: lost.length === 0, lost, mended });
    if (kept === version) return;
    // Either another tab has let a newer version in, or this page is the newer one, from the site: then its worker is still to come.
    await registration.update().catch(() => {});
    if (!registration.waiting && !registration.installing) onUpdate();
  }
  check();

  return {
    check,
    /** Lets a waiting version in and reloads this page alone; other open pages stay as they are. */
    reload() {
      if (!registration.waiting) return location.reload();
      workers.addEventListener('controllerchange', () => location.reload(), { once: true });
      registration.waiting.postMessage('activate');
    },
  };
}
