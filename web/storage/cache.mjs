// cache.mjs: the cache of this site's files, for use without a network. Page, worker and service worker share it.

/** One cache per folder, because several copies of the page may live on one host. */
export const CACHE = `pleura ${new URL('./', location.href)}`;

/** Caches bytes that were checked, so that the service worker need not fetch them a second time.
 *  @param {URL} url  @param {Uint8Array<ArrayBuffer>} bytes */
export async function cacheFile(url, bytes) {
  try {
    const cache = await caches.open(CACHE);
    if (!(await cache.match(url))) await cache.put(url, new Response(bytes));
  } catch {
    // Plain http, a private window or a full disk: the page works, but not offline.
  }
}

/** Removes a file that proved to be bad. @param {URL} url */
export async function evictFile(url) {
  try {
    await (await caches.open(CACHE)).delete(url);
  } catch {
    // Nothing is cached, for the same reasons.
  }
}
