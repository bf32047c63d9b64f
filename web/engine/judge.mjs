// judge.mjs: brings the films on the page to the prevalence in force. The worker computes it from each film's logits
// and gate, without running the networks again.
import { asNotice, isCancelled, toErrorInfo } from '../state/errors.mjs';
import { chooseShares, isOutdated, restLabel } from '../state/prevalence.mjs';

/** @typedef {import('../../src/engine.mjs').Mixture} Mixture
 *  @typedef {import('../state/state.mjs').DoneFilm} DoneFilm
 *  @typedef {import('../state/state.mjs').FilmRecord} FilmRecord
 *  @typedef {import('./protocol.d.ts').Result<'judge'>[number]} Judgement */

/** @param {import('../state/state.mjs').App} app
 *  @param {(prevalence: Mixture | null, records: FilmRecord[]) => Promise<Judgement[]>} judge
 *  @returns {() => Promise<void>} judges all outdated films, as often as the prevalence changes meanwhile */
export function createJudge({ state, update }, judge) {
  let working = false;

  const outdated = () => /** @type {DoneFilm[]} */ (state.films.filter((film) => isOutdated(film, state.prevalence)));

  return async function judgeAgain() {
    if (working) return;
    working = true;
    for (let films; (films = outdated()).length > 0;) {
      const { prevalence } = films[0].record;
      try {
        const answers = await judge(
          state.prevalence,
          films.map(({ record }) => record),
        );
        update(() => {
          for (const [i, film] of films.entries())
            Object.assign(film, { record: { ...film.record, ...answers[i] }, revision: ++state.revision });
          if (state.selected?.status === 'done' && films.includes(state.selected))
            state.announcement = state.i18n.outcome(state.selected);
        });
      } catch (error) {
        if (isCancelled(error)) break; // another model is in use: each film is being diagnosed again
        const notice = asNotice(state.i18n.errorText(toErrorInfo(error)));
        update(() => Object.assign(state, { prevalence, ...notice })); // the sliders go back to what the films show
        break;
      }
    }
    working = false;
  };
}

/** @param {import('../state/state.mjs').App} app  @param {() => void} judgeAgain */
export function prevalenceActions({ state, set }, judgeAgain) {
  const change = (/** @type {Mixture | null} */ prevalence) => {
    set({ prevalence });
    judgeAgain();
  };
  return {
    /** @param {Record<string, number>} chosen  people out of a hundred, by label */
    prevalence(chosen) {
      const { model } = state;
      const shares = state.prevalence ?? model?.prior;
      if (model && shares) change(chooseShares(shares, restLabel(model), chosen));
    },
    'reset-prevalence': () => change(null),
  };
}
