// start.mjs: starts the engine, and starts it again when an adapter is applied to the weights or taken off, or when
// another model takes their place.
import { toErrorInfo } from '../state/errors.mjs';
import { initialAdapting } from '../state/state.mjs';
import { initialTable } from '../state/table.mjs';

/** @typedef {import('./client.mjs').Brought} Brought
 *
 *  @typedef {object} StartParts
 *  @property {import('./client.mjs').Client} client
 *  @property {Promise<unknown>} resumed  settles once the model and the adapter kept on this device, if any, were handed
 *    to the client
 *  @property {(bytes: Uint8Array | null) => Promise<void>} keepAdapter  for the next visit, where results are kept
 *  @property {() => Promise<void>} dropModel  forgets the model kept on this device
 *  @property {() => void} restartFilms  diagnoses all films again
 *  @property {() => void} onReady */

/** @param {import('../state/state.mjs').App} app  @param {StartParts} parts */
export function createStart({ state, update, set }, parts) {
  const { client, resumed, keepAdapter, dropModel, restartFilms, onReady } = parts;
  /** @type {(import('../state/errors.mjs').ErrorInfo | null)[]} the rejections that were shown last */
  let shown = [null, null];

  /** Resolves to whether the engine runs. It is asked before every film: the same worker gives the same answer. */
  async function start() {
    await resumed.catch(() => {});
    try {
      const { model, sha256, broughtError, adapterError, brought, adapter } = await client.start();
      const known = broughtError === shown[0] && adapterError === shown[1];
      if (state.engine.phase === 'ready' && state.model?.sha256 === sha256 && known) return true;
      shown = [broughtError, adapterError];
      update(() => {
        Object.assign(state, { brought, adapter });
        if (adapterError)
          Object.assign(state, { adapting: { ...state.adapting, error: adapterError }, dialog: 'adapt' });
        if (broughtError) Object.assign(state, { broughtError, dialog: 'model' });
        state.engine.phase = 'ready';
        const label = `${model.name}-${model.version} ${sha256.slice(0, 12)}`;
        state.model = { ...model, sha256, label, brought: brought?.name ?? null };
      });
      // So that the next visit does not report it again.
      if (broughtError) await dropModel();
      if (adapterError) await keepAdapter(null);
      onReady();
      return true;
    } catch (thrown) {
      const error = toErrorInfo(thrown);
      update(() => {
        Object.assign(state.engine, { phase: 'failed', error });
        state.announcement = state.i18n.errorText(error);
      });
      return false;
    }
  }

  /** Applies an adapter to the weights, or none, for everything on the page.
   *  @param {Uint8Array | null} bytes  @returns {Promise<void>} */
  async function useAdapter(bytes) {
    const before = state.adapter;
    client.use(bytes);
    state.announcement = ''; // so that the same sentence is announced again
    restartFilms();
    if (!(await start())) return; // started here, because the queue may still be ending the film that was cancelled
    if (bytes && before && !state.adapter) return useAdapter(before); // it was rejected: the one before stays in use
    await keepAdapter(state.adapter);
    set({
      adapting: { ...state.adapting, phase: 'idle', result: null },
      announcement: state.i18n.t(state.adapter ? 'adapt.used' : 'adapt.shipped'),
    });
  }

  /** Uses another model for everything on the page, or the page's own.
   *  @param {Brought | null} file  @returns {Promise<void>} */
  async function useModel(file) {
    const before = state.brought;
    client.bring(file);
    // They belong to the labels of the model before.
    Object.assign(state, { prevalence: null, table: initialTable(), adapting: initialAdapting(), announcement: '' });
    restartFilms();
    if (!(await start())) return;
    if (file && before && !state.brought) return useModel(before); // it was rejected: the one before stays in use
    await keepAdapter(null);
    const { i18n, brought, model } = state;
    set({ announcement: brought ? i18n.t('model.used', { model: model?.label ?? '' }) : i18n.t('model.shipped') });
  }

  return { start, useAdapter, useModel };
}
