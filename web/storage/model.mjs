// model.mjs: the database of another model that the visitor wants kept on this device. It exists only while one is.
import { deleteDB, openDB } from 'idb';

/** @typedef {import('../engine/client.mjs').Brought} Brought
 *  @typedef {ReturnType<typeof createModelStore>} ModelStore */

/** One database per folder, because several copies of the page may live on one host. */
const NAME = `pleura model ${new URL('./', location.href)}`;
const STORE = 'model';
const KEY = 0;

export function createModelStore() {
  async function open() {
    return openDB(NAME, 1, { upgrade: (created) => void created.createObjectStore(STORE) });
  }

  /** Private windows may forbid even to look, and then nothing was kept. */
  const drop = () => deleteDB(NAME).catch(() => {});

  return {
    drop,

    /** The model of an earlier visit, if one was kept. @returns {Promise<Brought | null>} */
    async read() {
      try {
        const known = await indexedDB.databases();
        if (!known.some(({ name }) => name === NAME)) return null;
        const database = await open();
        const model = await database.get(STORE, KEY);
        database.close();
        return model ?? null;
      } catch {
        return null;
      }
    },

    /** @param {Brought} model  @returns {Promise<boolean>} whether it was kept */
    async keep(model) {
      try {
        const database = await open();
        await database.put(STORE, model, KEY).finally(() => database.close());
        return true;
      } catch {
        await drop();
        return false;
      }
    },
  };
}
