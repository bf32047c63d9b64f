// copy.mjs: the film as it is on view, with its overlays and measures, as a picture on the clipboard.
import { linePath } from '../state/measures.mjs';

/** @param {any} at  the elements of the viewer, by id  @param {import('../state/state.mjs').Film | null} film */
async function compose({ plane, heat, outline }, film) {
  const { width, height } = plane;
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.lineWidth = Math.max(2, width / 400);
  context.drawImage(plane, 0, 0);
  if (!heat.hidden) {
    context.globalAlpha = Number(heat.style.opacity);
    context.drawImage(heat, 0, 0, width, height);
    context.globalAlpha = 1;
  }
  if (!outline.hasAttribute('hidden')) {
    const { width: columns, height: rows } = outline.viewBox.baseVal;
    const path = new Path2D();
    path.addPath(
      new Path2D(outline.lastElementChild.getAttribute('d')),
      new DOMMatrix().scale(width / columns, height / rows),
    );
    context.strokeStyle = '#7ff0ff';
    context.stroke(path);
  }
  context.strokeStyle = '#ffd75e';
  const lines = new Path2D();
  if (film) lines.addPath(new Path2D(linePath(film.measures)), new DOMMatrix().scale(width, height));
  context.stroke(lines);
  return canvas.convertToBlob({ type: 'image/png' });
}

/** @param {import('../state/state.mjs').App} app  @param {Document} document */
export function copyActions({ state, set }, document) {
  const at = Object.fromEntries(['plane', 'heat', 'outline'].map((id) => [id, document.getElementById(id)]));
  return {
    async 'copy-picture'() {
      try {
        await navigator.clipboard.write([new ClipboardItem({ 'image/png': compose(at, state.selected) })]);
        set({ notice: state.i18n.t('action.copied'), announcement: state.i18n.t('action.copied') });
      } catch {
        // Permissions, plain http, or a browser without this.
        set({ notice: state.i18n.t('action.uncopied'), announcement: state.i18n.t('action.uncopied') });
      }
    },
  };
}
