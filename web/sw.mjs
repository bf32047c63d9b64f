// sw.mjs: the service worker; keeps one complete version of the page on this device and serves no other
import { PrecacheController } from 'workbox-precaching/PrecacheController.js';
import { watchRequests } from './requests.mjs';
import { STORE } from './store.mjs';

/* global FILES, VERSION -- put in by build.mjs */
const FOLDER = self.registration.scope;
const PAGE = new URL('./', FOLDER).href;
const precache = new PrecacheController({ cacheName: STORE });
precache.addToCacheList(FILES);
watchRequests('service', async (requests) => {
  for (const page of await self.clients.matchAll({ type: 'window', includeUncontrolled: true })) page.postMessage({ requests });
});
const integrities = new Map(FILES.map(({ url, integrity }) => [new URL(url, FOLDER).href, integrity]));

self.addEventListener('install', precache.install); // all files with the right SHA-256, or none of this version
self.addEventListener('activate', (event) => event.waitUntil(Promise.all([self.clients.claim(), dropOld(event)])));

/* An older page that is still open may ask for files of its own version, so those stay until no page is open. */
async function dropOld(event) {
  if (self.registration.installing || self.registration.waiting) return; // their files are in the same store
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (!pages.some(({ url }) => url.startsWith(FOLDER))) await precache.activate(event);
}

self.addEventListener('fetch', (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  const url = origin + pathname === `${FOLDER}index.html` ? PAGE : origin + pathname;
  if (request.method !== 'GET' || !url.startsWith(FOLDER)) return;
  if (request.mode === 'navigate') event.waitUntil(dropOld(event));
  if (integrities.has(url)) event.respondWith(serve(event, url));
  else event.respondWith(serveOther(request));
});

const fromStore = (event, url, request) => precache.strategy.handleAll({ event, request, params: { cacheKey: precache.getCacheKeyForURL(url), integrity: integrities.get(url) } });

async function serve(event, url) {
  const { request } = event;
  if (request.mode !== 'navigate') return fromStore(event, url, request)[0];
  try {
    return await fromStore(event, url, new Request(url))[0];
  } catch {
    // Evicted, and the site has gone, or has a newer version: that one is whole, too.
    return fetch(request).catch(() => new Response('This part of Pleura is no longer stored on this device and must be fetched again. Connect to the network, then reload.\n',
      { status: 503, headers: { 'content-type': 'text/plain; charset=utf-8' } }));
  }
}

/* Names carry hashes, so an older version's file is never taken for one of this version. */
async function serveOther(request) {
  const kept = await (await caches.open(STORE)).match(request);
  if (kept) return kept;
  if (request.mode !== 'navigate') return fetch(request);
  return fetch(request).catch(() => Response.redirect(PAGE));
}

self.addEventListener('message', (event) => {
  if (event.data === 'activate') self.skipWaiting();
  if (event.data === 'check') event.waitUntil(check(event).then((report) => event.ports[0].postMessage(report)));
});

/** Compares every file with its SHA-256 and fetches again what was evicted or altered; the rest costs no request. */
async function check(event) {
  const store = await caches.open(STORE), lost = [], mended = [];
  for (const [url, integrity] of integrities) {
    const key = precache.getCacheKeyForURL(url);
    const kept = await store.match(key);
    if (kept && await digest(kept) === integrity) continue;
    await store.delete(key);
    await Promise.allSettled(fromStore(event, url, new Request(url, { integrity, cache: 'reload' })));
    (await store.match(key) ? mended : lost).push(url);
  }
  return { version: VERSION, lost, mended };
}

async function digest(response) {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', await response.arrayBuffer()));
  return `sha256-${btoa(String.fromCharCode(...sum))}`;
}
