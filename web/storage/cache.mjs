// cache.mjs: the cache of this site's files, for use without a network. Page, worker and service worker share it.

/** One cache per folder, because several copies of the page may live on one host. */
export const CACHE = `pleura ${new URL('./', location.href)}`;

/** Which engines and weights have passed their self-test in which browser. It is apart from the files, because the
 *  service worker removes whatever is none of them. */
const TESTED = `pleura self-test ${new URL('./', location.href)}`;
const NOTE = new URL('self-test', location.href);
const MAX_PROOFS = 4; // the page's own weights, those of another model, and both adapted

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

/** @returns {Promise<string[]>} newest first */
async function readProofs() {
  const note = await (await caches.open(TESTED)).match(NOTE);
  return note ? (await note.text()).split('\n') : [];
}

/** Whether a self-test has passed on this device. proof: a line that names engine, weights and browser, so that a change
 *  of any asks for another test. @param {string} proof */
export async function wasTested(proof) {
  try {
    return (await readProofs()).includes(proof);
  } catch {
    return false; // nothing is stored, so every start is tested
  }
}

/** @param {string} proof */
export async function noteTested(proof) {
  try {
    const proofs = [proof, ...(await readProofs())].slice(0, MAX_PROOFS);
    await (await caches.open(TESTED)).put(NOTE, new Response(proofs.join('\n')));
  } catch {
    // For the same reasons.
  }
}
