// history.mjs: results kept on this device, only after the user has said so; that the database exists is the sign of it
import { deleteDB, openDB } from 'idb';

/** @typedef {{id?: number, date: number, name: string, record: any, model: string, thumb: import('../state/viewport.mjs').Grey}} Kept */

/* One for each folder, because several copies of the page may live on one host. */
const NAME = `pleura results ${new URL('./', location.href)}`;

/** @param {(problem: import('../state/errors.mjs').Problem) => void} onProblem  @param {() => void} onWiped  by another tab or the browser */
export function createHistory(onProblem, onWiped) {
  /** @type {import('idb').IDBPDatabase | null} */
  let store = null;

  const open = async () => {
    store = await openDB(NAME, 2, {
      upgrade(made, before) {
        if (before < 1) made.createObjectStore('films', { keyPath: 'id', autoIncrement: true });
        made.createObjectStore('adapter');
      },
      blocking() {
        // another tab wipes
        close();
        onWiped();
      },
      terminated() {
        // the browser has, as where the site's data are cleared
        store = null;
        onWiped();
      },
    });
  };
  function close() {
    store?.close();
    store = null;
  }

  return {
    /** Opens what an earlier visit was told to keep, and makes nothing where there is nothing. @returns {Promise<boolean>} */
    async resume() {
      try {
        const known = await indexedDB.databases();
        if (known.some(({ name }) => name === NAME)) await open();
      } catch {
        // Private windows may forbid all of it: then there is nothing to resume.
      }
      return store !== null;
    },

    async begin() {
      try {
        await open();
      } catch {
        onProblem({ code: 'history-failed', message: '' });
      }
      return store !== null;
    },

    /** @param {Kept} kept  @returns {Promise<boolean>} whether it is */
    async add(kept) {
      try {
        return (await store?.add('films', kept)) !== undefined;
      } catch {
        onProblem({ code: 'history-full', message: '' }); // an open store hardly fails in another way, and the advice is the same
        return false;
      }
    },

    /** The overlay of the weights, in place of any before. @param {Uint8Array | null} bytes  null: none any more */
    async keepAdapter(bytes) {
      try {
        await (bytes ? store?.put('adapter', bytes, 0) : store?.delete('adapter', 0));
      } catch {
        onProblem({ code: 'history-full', message: '' });
      }
    },

    /** @returns {Promise<Uint8Array | null>} */
    adapter: async () => (await store?.get('adapter', 0)) ?? null,

    /** With the newest first. @param {number} most  @returns {Promise<{count: number, newest: Kept[]}>} */
    async read(most) {
      const held = store; // another tab may wipe meanwhile
      if (!held) return { count: 0, newest: [] };
      const films = held.transaction('films').store,
        newest = [];
      for (
        let cursor = await films.openCursor(null, 'prev');
        cursor && newest.length < most;
        cursor = await cursor.continue()
      )
        newest.push(cursor.value);
      return { count: await held.count('films'), newest };
    },

    /** Every result, in the order in which they were kept. @returns {Promise<Kept[]>} */
    all: async () => (store ? store.getAll('films') : []),

    async wipe() {
      close();
      await deleteDB(NAME);
    },
  };
}
