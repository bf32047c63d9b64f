// occluding.mjs: draws a heatmap on request for a network that allows no class activation map. It takes seconds, since
// the network runs once for each part of the film that is covered.
import { topLabel } from '../i18n/words.mjs';
import { asNotice, isCancelled, toErrorInfo } from '../state/errors.mjs';

/** @param {import('../state/state.mjs').App} app  @param {import('./client.mjs').Client} client */
export function occludeActions({ state, set }, client) {
  /** @param {import('../state/state.mjs').DoneFilm} film */
  async function occlude(film) {
    const { picture, record, file = null, steps } = film;
    if (!picture) return;
    const label = topLabel(record.probability);
    set({ occluding: true });
    try {
      const map = await client.occlude({ file, steps, label });
      Object.assign(picture, { maps: { [label]: map }, occluded: true });
      film.revision = ++state.revision;
      if (film === state.selected && film.picture === picture) state.map = label;
      set({
        occluding: false,
        announcement: state.i18n.t('reading.legend.occlusion', { label: state.i18n.label(label) }),
      });
    } catch (error) {
      const notice = isCancelled(error) ? {} : asNotice(state.i18n.errorText(toErrorInfo(error)));
      set({ occluding: false, ...notice });
    }
  }
  return {
    /** Begins, or ends what was begun. */
    occlude() {
      if (state.occluding) client.cancelOcclusion();
      else if (state.selected?.status === 'done') return occlude(state.selected);
    },
  };
}
