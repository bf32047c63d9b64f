// start.mjs: starts the engine, and starts it again when an adapter is applied to the weights or taken off.
import { toErrorInfo } from '../state/errors.mjs';

/** @typedef {object} StartParts
 *  @property {import('./client.mjs').Client} client
 *  @property {Promise<unknown>} resumed  settles once the adapter kept on this device, if any, was handed to the client
 *  @property {(bytes: Uint8Array | null) => Promise<void>} keepAdapter  for the next visit, where results are kept
 *  @property {() => void} restartFilms  diagnoses all films again
 *  @property {() => void} onReady */

/** @param {import('../state/state.mjs').App} app  @param {StartParts} parts */
export function createStart({ state, update, set }, { client, resumed, keepAdapter, restartFilms, onReady }) {
  /** @type {import('../state/errors.mjs').ErrorInfo | null} the rejection of an adapter that was shown last */
  let shown = null;

  /** Resolves to whether the engine runs. It is asked before every film: the same worker gives the same answer. */
  async function start() {
    await resumed.catch(() => {});
    try {
      const { model, sha256, adapterError, adapter } = await client.start();
      if (state.engine.phase === 'ready' && state.model?.sha256 === sha256 && adapterError === shown) return true;
      shown = adapterError;
      update(() => {
        state.adapter = adapter;
        if (adapterError)
          Object.assign(state, { adapting: { ...state.adapting, error: adapterError }, dialog: 'adapt' });
        state.engine.phase = 'ready';
        state.model = { ...model, sha256, label: `${model.name}-${model.version} ${sha256.slice(0, 12)}` };
      });
      if (adapterError) await keepAdapter(null); // so that the next visit does not report it again
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

  return { start, useAdapter };
}
