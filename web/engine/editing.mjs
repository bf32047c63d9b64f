// editing.mjs: corrects the film on view and has it analysed again.
import { addStep, remedy, visibleArea } from '../state/edits.mjs';
import { NO_MEASURES } from '../state/measures.mjs';
import { initialViewport } from '../state/viewport.mjs';

/** @typedef {import('../state/edits.mjs').Step} Step
 *  @typedef {import('../state/state.mjs').Film} Film */

/** The actions need a film on view.
 *  @param {import('../state/state.mjs').App} app
 *  @param {{box: () => import('../state/viewport.mjs').Box, analyse: (films: Film[]) => void}} parts */
export function editActions({ state }, { box, analyse }) {
  /** @param {Step[]} steps  @param {Film | null} [film] */
  function correct(steps, film = state.selected) {
    if (!film || film.status !== 'done') return;
    const camera = steps.some(({ name }) => name === 'photo');
    Object.assign(film, { steps, picture: null, camera, measures: NO_MEASURES });
    state.viewport = initialViewport();
    analyse([film]);
  }
  const add = (/** @type {Step[]} */ ...steps) =>
    state.selected && correct(steps.reduce(addStep, state.selected.steps));
  return {
    'edit-right': () => add({ name: 'right' }),
    'edit-flip': () => add({ name: 'flip' }),
    'edit-negative': () => add({ name: 'negative' }),
    'edit-photo': () => add({ name: 'photo' }),
    'edit-crop': () => add({ name: 'crop', area: visibleArea(state.viewport, box()) }),
    'edit-remedy': () => state.selected?.status === 'done' && add(...remedy(state.selected.record)),
    'edit-none': () => correct([]),
  };
}
