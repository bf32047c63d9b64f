// bringing.mjs: the actions of the dialog that opens another model: a file that `pleura convert` wrote.
//
// The engine checks the file before it is used, and every result names it. The device keeps it only on request.
import { MAX_FILE_BYTES } from '../../src/sniff.mjs';
import { toFileErrorInfo } from '../state/errors.mjs';

/** @typedef {import('./client.mjs').Brought} Brought
 *
 *  @typedef {object} BringParts
 *  @property {(file: Brought | null) => Promise<void>} useModel
 *  @property {import('../storage/model.mjs').ModelStore} store */

/** @param {import('../state/state.mjs').App} app  @param {BringParts} parts */
export function bringActions({ state, set }, { useModel, store }) {
  /** Whether the file in use is kept never outlives it. @param {Brought | null} file */
  async function change(file) {
    await store.drop();
    set({ broughtError: null, modelKept: false });
    await useModel(file);
  }

  return {
    async 'model-file'(/** @type {File} */ file) {
      try {
        if (file.size > MAX_FILE_BYTES) throw Object.assign(new Error(), { code: 'model-unsupported' });
        await change({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
      } catch (error) {
        set({ broughtError: toFileErrorInfo(error) });
      }
    },
    'model-back': () => change(null),
    async 'model-keep'(/** @type {boolean} */ on) {
      if (!on || !state.brought) {
        await store.drop();
        return set({ modelKept: false });
      }
      const kept = await store.keep(state.brought);
      set({ modelKept: kept, broughtError: kept ? null : { code: 'unkept', message: '' } });
    },
  };
}
