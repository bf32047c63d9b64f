// cache.mjs: where this folder's files are kept for use without a network; page, worker and service worker share it
/** One for each folder, because several copies of the page may live on one host. */
export const STORE = `pleura ${new URL('./', location.href)}`;

/** Keeps bytes that have been checked, so that the service worker need not fetch them a second time. */
export async function keep(url, bytes) {
  try {
    const store = await caches.open(STORE);
    if (!(await store.match(url))) await store.put(url, new Response(bytes));
  } catch {
    // Plain http, a private window or a full disk: the page works, only not offline.
  }
}

/** Forgets a file that proved to be bad. */
export async function forget(url) {
  try {
    await (await caches.open(STORE)).delete(url);
  } catch {
    // Nothing is kept here, for the reasons above.
  }
}
