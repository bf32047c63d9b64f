// sw.mjs: the service worker; keeps one complete version of the page on this device and serves no other
import { PrecacheController } from 'workbox-precaching/PrecacheController.js';
import { watchRequests } from './requests.mjs';
import { STORE } from './cache.mjs';

/* global FILES, VERSION -- put in by build.mjs */
const FOLDER = self.registration.scope;
const PAGE = new URL('./', FOLDER).href;
const precache = new PrecacheController({ cacheName: STORE });
precache.addToCacheList(FILES);
const mended = new Set(); // since the page was last told
watchRequests('service', async (requests) => {
  for (const page of await self.clients.matchAll({ type: 'window', includeUncontrolled: true }))
    page.postMessage({ requests });
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
  const { request } = event,
    { origin, pathname } = new URL(request.url);
  const url = origin + pathname === `${FOLDER}index.html` ? PAGE : origin + pathname;
  if (request.method !== 'GET' || !url.startsWith(FOLDER)) return;
  if (request.mode === 'navigate') event.waitUntil(dropOld(event));
  if (integrities.has(url)) event.respondWith(serve(request, url));
  else event.respondWith(serveOther(request));
});

/** A file of this version, where this device still holds it whole. @param {string} url  @returns {Promise<Response | null>} */
async function held(url) {
  const store = await caches.open(STORE),
    key = precache.getCacheKeyForURL(url),
    kept = await store.match(key);
  if (kept && (await digest(kept.clone())) === integrities.get(url)) return kept;
  await store.delete(key);
  return null;
}

/** The same from the site, past the browser's own cache, which may hold a bad answer. @param {string} url  @returns {Promise<Response>} */
async function fetchAgain(url) {
  const answer = await fetch(url, { integrity: integrities.get(url), cache: 'reload' });
  const whole = new Response(answer.body, answer); // a page must not be redirected
  const store = await caches.open(STORE);
  await store.put(precache.getCacheKeyForURL(url), whole.clone()).then(
    () => mended.add(url),
    () => {},
  ); // on a full disk it is used all the same
  return whole;
}

async function serve(request, url) {
  try {
    return (await held(url)) ?? (await fetchAgain(url));
  } catch {
    const answer = await fetch(request).catch(() => null);
    // The site has gone, or has a newer version: that one is whole, too.
    if (request.mode === 'navigate')
      return (
        answer ??
        new Response(
          'This part of Pleura is no longer stored on this device and must be fetched again. Connect to the network, then reload.\n',
          { status: 503, headers: { 'content-type': 'text/plain; charset=utf-8' } },
        )
      );
    // What the page fetches it also checks, and says what is wrong with it; a script or a style that is not whole is not used.
    return (request.destination === '' && answer) || Response.error();
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
  if (event.data === 'check') event.waitUntil(check().then((report) => event.ports[0].postMessage(report)));
});

/** Compares every file with its SHA-256 and fetches again what was evicted or altered; the rest costs no request. */
async function check() {
  const lost = [];
  for (const url of integrities.keys()) {
    if (await held(url)) continue;
    await fetchAgain(url).catch(() => {});
    if (!(await held(url))) lost.push(url);
  }
  const report = { version: VERSION, lost, mended: [...mended] };
  mended.clear();
  return report;
}

async function digest(response) {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', await response.arrayBuffer()));
  return `sha256-${btoa(String.fromCharCode(...sum))}`;
}
