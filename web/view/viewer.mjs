// viewer.mjs: one film as the engine saw it, at any zoom and window, with heatmap and lung outline drawn over it; if
// asked, beside the same film without them.
import { initialViewport, paintGreys } from '../state/viewport.mjs';
import { heatPixels, outlinePath } from '../../src/result/heatmap.mjs';

/** @typedef {import('../state/viewport.mjs').Grey} Grey
 *  @typedef {import('../state/viewport.mjs').Viewport} Viewport
 *  @typedef {import('../state/viewport.mjs').Picture} Picture
 *  @typedef {import('../state/state.mjs').Overlay & {evidence: boolean}} Overlay  evidence: there is a heatmap */

const HEAT_SIDE = 512; // the heatmap has a few dozen cells per side: more pixels would show nothing more

/** @param {HTMLCanvasElement} canvas  @param {ImageData} image */
function paint(canvas, image) {
  const { width, height } = image;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/** @param {HTMLCanvasElement} canvas  @param {Grey} grey  @param {Viewport} [viewport]
 *  @param {ImageData} [image]  to be painted over, so that a drag needs one image and not one per step */
export function paintGrey(canvas, grey, viewport = initialViewport(), image = new ImageData(grey.width, grey.height)) {
  paintGreys(new Uint32Array(image.data.buffer), grey, viewport);
  paint(canvas, image);
}

/** @param {HTMLCanvasElement} canvas  @param {Picture} picture */
export function paintHeat(canvas, { film, heatmap }) {
  const scale = Math.min(1, HEAT_SIDE / Math.max(film.width, film.height));
  const width = Math.max(1, Math.round(film.width * scale));
  const height = Math.max(1, Math.round(film.height * scale));
  paint(canvas, new ImageData(heatPixels(heatmap, width, height), width, height));
}

/** @param {any} stage  holds two panes: the film alone, and the film with its overlay */
export function createViewer(stage) {
  /** @type {HTMLElement[]} */
  const [alone, main] = stage.querySelectorAll('.film');
  const [plane, heat] = main.querySelectorAll('canvas');
  const [twin] = alone.querySelectorAll('canvas');
  const outline = /** @type {SVGElement} */ (main.querySelector('svg'));
  /** @type {{picture: Picture, image: ImageData, viewport: Viewport, compare: boolean} | null} */
  let shown = null;

  /** @param {Picture} picture */
  function setUp(picture) {
    const { width, height } = picture.film;
    paintHeat(heat, picture);
    outline.setAttribute('viewBox', `0 0 ${picture.lungs.width} ${picture.lungs.height}`);
    const path = outlinePath(picture.lungs);
    for (const line of outline.children) line.setAttribute('d', path);
    stage.style.setProperty('--aspect', String(width / height));
    return new ImageData(width, height);
  }

  return {
    /** @param {Picture} picture  @param {Viewport} viewport  @param {Overlay} overlay */
    show(picture, viewport, overlay) {
      const { compare } = overlay;
      const before = shown?.picture === picture ? shown : null;
      const image = before?.image ?? setUp(picture);
      const repaint =
        !before ||
        before.viewport.window !== viewport.window ||
        before.viewport.invert !== viewport.invert ||
        before.compare !== compare;
      if (repaint) {
        paintGrey(plane, picture.film, viewport, image);
        if (compare) paint(twin, image);
      }
      shown = { picture, image, viewport, compare };
      stage.style.setProperty('--zoom', String(viewport.zoom));
      for (const film of [alone, main])
        film.style.transform = `translate(${viewport.x}px, ${viewport.y}px) scale(${viewport.zoom})`;
      outline.toggleAttribute('hidden', !overlay.outline || overlay.plain);
      heat.hidden = !overlay.evidence || overlay.plain;
      main.style.setProperty('--wipe', `${overlay.wipe}%`);
      heat.style.opacity = String(overlay.heat / 100);
    },

    /** Removes every trace of a film that is no longer on the page. */
    clear() {
      if (!shown) return;
      shown = null;
      for (const canvas of [plane, heat, twin]) Object.assign(canvas, { width: 1, height: 1 });
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
  };
}
