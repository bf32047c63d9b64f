// keeping.mjs: what the page keeps on this device: results and the adapter in use, while the user's switch is on.
import { recordOf } from '../state/export.mjs';

/** @typedef {import('../state/state.mjs').App} App
 *  @typedef {import('../state/state.mjs').State} State
 *  @typedef {import('./history.mjs').History} History
 *  @typedef {ReturnType<typeof createKeeping>} Keeping */

const SHOWN = 100; // results in the dialog; exports hold all of them

/** @param {App} app  @param {History} history */
export function createKeeping({ state, set }, history) {
  /** Reads the list of the dialog again. @param {Partial<State['history']>} [changes] */
  async function refresh(changes = {}) {
    const { count, newest } = await history.read(SHOWN);
    const ended = state.history.on && changes.on === false && count === 0; // what was kept is gone
    set({
      history: { ...state.history, ...changes, count, newest },
      unsaved: state.unsaved || (ended && state.films.some(({ status }) => status === 'done')),
    });
  }

  /** @param {import('../state/state.mjs').DoneFilm} film  @returns {Promise<boolean>} whether it was kept */
  async function add(film) {
    const { model, i18n } = state;
    if (!state.history.on || !model || !film.thumb) return false;
    const { thumb } = film;
    const kept = { date: Date.now(), name: i18n.name(film), record: recordOf(film, model), model: model.label, thumb };
    return history.add(kept);
  }

  /** Keeps a film's result, or notes that it is not saved. @param {import('../state/state.mjs').Film} film */
  async function keep(film) {
    if (film.status !== 'done') return;
    const kept = await add(film);
    if (!kept && !state.unsaved) set({ unsaved: true });
    if (kept && state.history.error) set({ history: { ...state.history, error: null } });
    if (kept && state.dialog === 'history') await refresh();
  }

  return {
    refresh,
    keep,

    /** Begins to keep results on this device, with those on the page, or stops, and leaves those that were kept.
     *  @param {boolean} on */
    async turn(on) {
      if (on) {
        const begun = await history.begin();
        if (state.adapter) await history.keepAdapter(state.adapter);
        await refresh({ on: begun });
        for (const film of state.films) await keep(film);
        return;
      }
      await history.stop();
      await refresh({ on: false, error: null });
    },

    /** Deletes all that was kept, and stops. */
    async wipe() {
      await history.wipe();
      await refresh({ on: false, error: null });
    },
  };
}
