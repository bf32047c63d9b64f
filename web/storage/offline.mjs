// offline.mjs: registers the service worker, and reports whether the page works offline and whether a newer version
// waits.
import { trustedScriptUrl } from './trusted_types.mjs';
import { CACHE } from './cache.mjs';

/** @typedef {{complete: boolean, lost: string[], mended: string[]}} OfflineCopy
 *     lost: addresses of files that are missing; mended: of files that had to be fetched again
 *  @typedef {NonNullable<Awaited<ReturnType<typeof createOffline>>>} Offline
 *
 *  @typedef {object} OfflineEvents
 *  @property {(copy: OfflineCopy) => void} onChecked
 *  @property {() => void} onUpdate  a newer version is installed and waits
 *  @property {(requests: import('./requests.mjs').Request[]) => void} onRequests  made by the service worker */

/** Resolves to null where the browser offers no service worker (plain http, some private windows): the page works
 *  without one.
 *  @param {string} version  of this page  @param {OfflineEvents} events */
export async function createOffline(version, { onChecked, onUpdate, onRequests }) {
  /** @type {ServiceWorkerContainer | undefined} missing without https, whatever the type says */
  const workers = navigator.serviceWorker;
  const script = trustedScriptUrl('sw.js');
  // Another copy of the page on this host has a service worker of its own, whose messages reach this page, too.
  workers?.addEventListener('message', ({ data, source }) => {
    if (/** @type {ServiceWorker} */ (source).scriptURL === String(script)) onRequests(data.requests);
  });
  workers?.startMessages();
  const registration = await workers?.register(script, { updateViaCache: 'none' }).catch(() => null);
  if (!workers || !registration) {
    await globalThis.caches?.delete(CACHE).catch(() => {}); // only a service worker would ever remove old files there
    return null;
  }
  const container = workers;
  const registered = registration;
  follow(registered.waiting ?? registered.installing);
  registered.addEventListener('updatefound', () => follow(registered.installing));

  /** @param {ServiceWorker | null} next */
  function follow(next) {
    if (!next) return;
    const report = () => next.state === 'installed' && registered.active && onUpdate();
    next.addEventListener('statechange', report);
    report();
  }

  /** Has the service worker compare every file with its SHA-256 and fetch again what is missing. */
  async function check() {
    const { active } = await container.ready;
    const { port1, port2 } = new MessageChannel();
    /** @type {Promise<{version: string, lost: string[], mended: string[]}>} */
    const answer = new Promise((resolve) => {
      port1.onmessage = ({ data }) => resolve(data);
    });
    active?.postMessage('check', [port2]);
    const { version: stored, lost, mended } = await answer;
    port1.close();
    onChecked({ complete: lost.length === 0, lost, mended });
    if (stored === version) return;
    // Another tab has activated a newer version, or this page is newer and its service worker is still to come.
    await registered.update().catch(() => {});
    if (!registered.waiting && !registered.installing) onUpdate();
  }
  check();

  return {
    check,

    /** Activates a waiting version and reloads this page alone; other open pages stay as they are. */
    reload() {
      if (!registered.waiting) return location.reload();
      container.addEventListener('controllerchange', () => location.reload(), { once: true });
      registered.waiting.postMessage('activate');
    },
  };
}
