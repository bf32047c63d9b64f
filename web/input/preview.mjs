// preview.mjs: the browser's own picture of the selected film, shown at once while the engine is still loading.

/** @param {import('../state/state.mjs').App} app */
export function createPreviews({ state, set }) {
  /** @type {import('../state/state.mjs').Film | null} for which a picture was made last */
  let latest = null;

  /** Call it after every change of the state. */
  return function followSelection() {
    const { selected, preview, engine } = state;
    if (preview && (selected !== preview.film || selected.picture)) {
      preview.bitmap.close();
      state.preview = null;
    }
    if (selected === latest) return;
    latest = selected;
    if (!selected?.file || engine.phase === 'ready') return;
    createImageBitmap(selected.file).then(
      (bitmap) =>
        state.selected === selected && !selected.picture
          ? set({ preview: { film: selected, bitmap } })
          : bitmap.close(),
      () => {}, // a DICOM file, for instance: only the engine can show it
    );
  };
}
