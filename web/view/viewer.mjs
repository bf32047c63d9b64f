// viewer.mjs: one film at any zoom and window, with heatmap and lung outline drawn over it; if asked, beside the same
// film without them, or beside an earlier film.
import { createPainter, paintImage } from './painter.mjs';
import { heatPixels, outlinePath } from '../../src/result/heatmap.mjs';

/** @typedef {import('../state/viewport.mjs').Viewport} Viewport
 *  @typedef {import('../state/viewport.mjs').Picture} Picture
 *  @typedef {import('../../src/result/heatmap.mjs').Grid} Grid
 *  @typedef {import('../state/state.mjs').Overlay & {heatmap: Grid | null}} Overlay */

const HEAT_SIDE = 512; // the heatmap has a few dozen cells per side: more pixels would show nothing more

/** @param {HTMLCanvasElement} canvas  @param {Picture['film']} film  @param {Grid} heatmap */
export function paintHeat(canvas, film, heatmap) {
  const scale = Math.min(1, HEAT_SIDE / Math.max(film.width, film.height));
  const width = Math.max(1, Math.round(film.width * scale));
  const height = Math.max(1, Math.round(film.height * scale));
  paintImage(canvas, new ImageData(heatPixels(heatmap, width, height), width, height));
}

/** @param {any} stage  holds two panes: the film alone, and the film with its overlay and, over it, its measures */
export function createViewer(stage) {
  /** @type {HTMLElement[]} */
  const [alone, main, marks] = stage.querySelectorAll('.film');
  const [plane, heat] = main.querySelectorAll('canvas');
  const [twin] = alone.querySelectorAll('canvas');
  const outline = /** @type {SVGElement} */ (main.querySelector('svg'));
  const painters = { plane: createPainter(plane), twin: createPainter(twin) };
  /** @type {Picture | null} */
  let shown = null;
  /** @type {Grid | null} */
  let shownHeatmap = null;

  /** @param {HTMLElement} film  @param {Picture} picture */
  const setAspect = (film, { film: { width, height } }) => film.style.setProperty('--aspect', String(width / height));

  /** @param {Picture} picture */
  function setUp(picture) {
    outline.setAttribute('viewBox', `0 0 ${picture.lungs.width} ${picture.lungs.height}`);
    const path = outlinePath(picture.lungs);
    for (const line of outline.children) line.setAttribute('d', path);
    for (const film of [main, marks]) setAspect(film, picture);
    shown = picture;
  }

  return {
    /** @param {Picture} picture  @param {Viewport} viewport  @param {Overlay} overlay
     *  @param {Picture | null} beside  what the film is compared with */
    show(picture, viewport, overlay, beside) {
      if (shown !== picture) setUp(picture);
      if (overlay.heatmap && overlay.heatmap !== shownHeatmap) paintHeat(heat, picture.film, overlay.heatmap);
      shownHeatmap = overlay.heatmap;
      painters.plane.paint(picture.film, viewport);
      if (beside) {
        painters.twin.paint(beside.film, viewport);
        setAspect(alone, beside);
      } else painters.twin.clear();
      stage.style.setProperty('--zoom', String(viewport.zoom));
      for (const film of [alone, main, marks])
        film.style.transform = `translate(${viewport.x}px, ${viewport.y}px) scale(${viewport.zoom})`;
      outline.toggleAttribute('hidden', !overlay.outline || overlay.plain);
      heat.hidden = !overlay.heatmap || overlay.plain;
      main.style.setProperty('--wipe', `${overlay.wipe}%`);
      heat.style.opacity = String(overlay.heat / 100);
    },

    /** Removes every trace of a film that is no longer on the page. */
    clear() {
      if (!shown) return;
      shown = shownHeatmap = null;
      for (const painter of Object.values(painters)) painter.clear();
      Object.assign(heat, { width: 1, height: 1 });
      for (const line of outline.children) line.removeAttribute('d');
    },

    /** The sizes that state/viewport.mjs computes with. @returns {import('../state/viewport.mjs').Box} */
    box() {
      const pane = /** @type {HTMLElement} */ (main.parentElement);
      return {
        pane: { width: pane.clientWidth, height: pane.clientHeight },
        film: { width: main.offsetWidth, height: main.offsetHeight },
      };
    },

    /** A point of the screen as shares of the film. @param {{clientX: number, clientY: number}} point */
    share({ clientX, clientY }) {
      const { left, top, width, height } = main.getBoundingClientRect();
      return { x: (clientX - left) / width, y: (clientY - top) / height };
    },
  };
}
