// sw.mjs: the service worker: stores one complete version of the page on this device and serves no other.
//
// The build lists every file with its SHA-256 (FILES). A new version is installed whole or not at all, and waits until
// the user reloads. A stored file that was evicted or altered is fetched again, and used only if its hash is right.
import { PrecacheController } from 'workbox-precaching/PrecacheController.js';
import { watchRequests } from './requests.mjs';
import { CACHE } from './cache.mjs';

/** @typedef {import('./service_worker.d.ts').ExtendableEvent} ExtendableEvent */

const scope = /** @type {import('./service_worker.d.ts').ServiceWorkerScope} */ (/** @type {unknown} */ (self));
const FOLDER = scope.registration.scope;
const PAGE = new URL('./', FOLDER).href;
const WINDOWS = /** @type {const} */ ({ type: 'window', includeUncontrolled: true });
const precache = new PrecacheController({ cacheName: CACHE });
precache.addToCacheList(FILES);
const integrities = new Map(FILES.map(({ url, integrity }) => [new URL(url, FOLDER).href, integrity]));
/** @type {Set<string>} addresses of files fetched again since the page was last told */
const mended = new Set();

watchRequests('service', async (requests) => {
  for (const page of await scope.clients.matchAll(WINDOWS)) page.postMessage({ requests });
});

scope.addEventListener('install', precache.install);
scope.addEventListener('activate', (event) =>
  event.waitUntil(Promise.all([scope.clients.claim(), removeOldFiles(event)])),
);

/** Removes the files of older versions once no page is open: an older page may still ask for its own files.
 *  @param {ExtendableEvent} event */
async function removeOldFiles(event) {
  if (scope.registration.installing || scope.registration.waiting) return; // its files are in the same cache
  const pages = await scope.clients.matchAll(WINDOWS);
  if (!pages.some(({ url }) => url.startsWith(FOLDER))) await precache.activate(event);
}

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const url = origin + pathname === `${FOLDER}index.html` ? PAGE : origin + pathname;
  if (request.method !== 'GET' || !url.startsWith(FOLDER)) return;
  if (request.mode === 'navigate') event.waitUntil(removeOldFiles(event));
  if (integrities.has(url)) event.respondWith(serve(request, url));
  else event.respondWith(serveOther(request));
});

/** The key of a file in the cache. @param {string} url  of a file of this version */
const keyOf = (url) => precache.getCacheKeyForURL(url) ?? url;

/** A file of this version, if this device still stores it intact.
 *  @param {string} url  @returns {Promise<Response | null>} */
async function stored(url) {
  const cache = await caches.open(CACHE);
  const response = await cache.match(keyOf(url));
  if (response && (await digest(response.clone())) === integrities.get(url)) return response;
  await cache.delete(keyOf(url));
  return null;
}

/** Fetches a file from the site, bypassing the browser's HTTP cache, which may hold a bad answer.
 *  @param {string} url  @returns {Promise<Response>} */
async function fetchAgain(url) {
  const answer = await fetch(url, { integrity: integrities.get(url), cache: 'reload' });
  const response = new Response(answer.body, answer); // a copy without the redirect flag, which navigations refuse
  const cache = await caches.open(CACHE);
  try {
    await cache.put(keyOf(url), response.clone());
    mended.add(url);
  } catch {
    // The disk is full: the response is served all the same.
  }
  return response;
}

/** @param {Request} request  @param {string} url */
async function serve(request, url) {
  try {
    return (await stored(url)) ?? (await fetchAgain(url));
  } catch {
    const answer = await fetch(request).catch(() => null);
    // The site is gone, or has a newer version, which is complete in itself.
    if (request.mode === 'navigate')
      return (
        answer ??
        new Response(
          'This part of Pleura is no longer stored on this device and must be downloaded again. Go online, then reload.\n',
          { status: 503, headers: { 'content-type': 'text/plain; charset=utf-8' } },
        )
      );
    // The page checks what it fetches itself and reports what is wrong. A damaged script or style must not be used.
    return (request.destination === '' && answer) || Response.error();
  }
}

/** Serves a file of another version. Names carry hashes, so it cannot be mistaken for one of this version.
 *  @param {Request} request */
async function serveOther(request) {
  const response = await (await caches.open(CACHE)).match(request);
  if (response) return response;
  if (request.mode !== 'navigate') return fetch(request);
  return fetch(request).catch(() => Response.redirect(PAGE));
}

scope.addEventListener('message', (event) => {
  if (event.data === 'activate') scope.skipWaiting();
  if (event.data === 'check') event.waitUntil(check().then((report) => event.ports[0].postMessage(report)));
});

/** Compares every stored file with its SHA-256 and fetches again what was evicted or altered. Intact files cost no
 *  request. */
async function check() {
  const lost = [];
  for (const url of integrities.keys()) {
    if (await stored(url)) continue;
    await fetchAgain(url).catch(() => {});
    if (!(await stored(url))) lost.push(url);
  }
  const report = { version: VERSION, lost, mended: [...mended] };
  mended.clear();
  return report;
}

/** @param {Response} response */
async function digest(response) {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', await response.arrayBuffer()));
  return `sha256-${btoa(String.fromCharCode(...sum))}`;
}
