// history.mjs: the database of results kept on this device. It is created only once the user asks for it: a later visit
// keeps results if there is a database, unless the user has stopped that and left the results of before.
import { deleteDB, openDB } from 'idb';

/** @typedef {object} KeptResult
 *  @property {number} [id]  given by the database
 *  @property {number} date  in milliseconds since 1970
 *  @property {string} name
 *  @property {import('../../src/result/record.mjs').Record} record
 *  @property {string} model
 *  @property {import('../state/viewport.mjs').Grey} thumb
 *
 *  @typedef {'full' | 'failed'} HistoryError
 *  @typedef {ReturnType<typeof createHistory>} History */

/** One database per folder, because several copies of the page may live on one host. */
const NAME = `pleura results ${new URL('./', location.href)}`;
const FILMS = 'films';
const ADAPTER = 'adapter';
const ADAPTER_KEY = 0;
const SETTINGS = 'settings';
const STOPPED = 'stopped'; // true there: nothing more is kept

/** @param {(error: HistoryError) => void} onError  @param {() => void} onWiped  by another tab or the browser */
export function createHistory(onError, onWiped) {
  /** @type {import('idb').IDBPDatabase | null} */
  let database = null;

  async function open() {
    database = await openDB(NAME, 3, {
      upgrade(created, oldVersion) {
        if (oldVersion < 1) created.createObjectStore(FILMS, { keyPath: 'id', autoIncrement: true });
        if (oldVersion < 2) created.createObjectStore(ADAPTER);
        created.createObjectStore(SETTINGS);
      },
      /** Another tab is about to delete the database. */
      blocking() {
        close();
        onWiped();
      },
      /** The browser closed the database, for instance because the site's data were cleared. */
      terminated() {
        database = null;
        onWiped();
      },
    });
  }

  function close() {
    database?.close();
    database = null;
  }

  /** Another tab may have stopped. */
  const isKeeping = async () => database !== null && !(await database.get(SETTINGS, STOPPED));

  async function wipe() {
    close();
    await deleteDB(NAME);
  }

  return {
    wipe,

    /** Opens the database of an earlier visit, if there is one, and creates none.
     *  @returns {Promise<boolean>} whether results are kept */
    async resume() {
      try {
        const known = await indexedDB.databases();
        if (known.some(({ name }) => name === NAME)) await open();
      } catch {
        // Private windows may forbid all of it: then there is nothing to resume.
      }
      return isKeeping();
    },

    async begin() {
      try {
        if (!database) await open();
        await database?.delete(SETTINGS, STOPPED);
      } catch {
        onError('failed');
      }
      return database !== null;
    },

    /** @param {KeptResult} result  @returns {Promise<boolean>} whether it was kept */
    async add(result) {
      try {
        if (await isKeeping()) return (await database?.add(FILMS, result)) !== undefined;
        onWiped();
        return false;
      } catch {
        onError('full'); // an open database rarely fails in another way, and the advice is the same
        return false;
      }
    },

    /** Keeps the adapter in use, in place of any before; null removes it. @param {Uint8Array | null} bytes */
    async keepAdapter(bytes) {
      try {
        if (!(await isKeeping())) return;
        await (bytes ? database?.put(ADAPTER, bytes, ADAPTER_KEY) : database?.delete(ADAPTER, ADAPTER_KEY));
      } catch {
        onError('full');
      }
    },

    /** @returns {Promise<Uint8Array | null>} */
    adapter: async () => (await database?.get(ADAPTER, ADAPTER_KEY)) ?? null,

    /** The newest results, and how many there are in all.
     *  @param {number} max  @returns {Promise<{count: number, newest: KeptResult[]}>} */
    async read(max) {
      const current = database; // another tab may wipe meanwhile
      if (!current) return { count: 0, newest: [] };
      const newest = [];
      let cursor = await current.transaction(FILMS).store.openCursor(null, 'prev');
      while (cursor && newest.length < max) {
        newest.push(cursor.value);
        cursor = await cursor.continue();
      }
      return { count: await current.count(FILMS), newest };
    },

    /** All results, oldest first. @returns {Promise<KeptResult[]>} */
    all: async () => (database ? database.getAll(FILMS) : []),

    /** Keeps nothing more. Results of before stay; without any, no trace does. */
    async stop() {
      if (!(await database?.count(FILMS))) return wipe();
      await database?.delete(ADAPTER, ADAPTER_KEY);
      await database?.put(SETTINGS, true, STOPPED);
    },
  };
}
