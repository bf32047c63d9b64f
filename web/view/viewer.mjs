// viewer.mjs: one film as the engine saw it, at any zoom and window, alone or beside itself, with heatmap and outline over it
import { firstLook, paintGreys } from '../state/viewport.mjs';
import { heatPixels, outlinePath } from '../../src/result/heatmap.mjs';

/** @typedef {import('../../src/result/heatmap.mjs').Grid} Grid
 *  @typedef {import('../state/viewport.mjs').Grey} Grey
 *  @typedef {import('../state/viewport.mjs').Look} Look
 *  @typedef {{film: Grey, heatmap: Grid, lungs: Grid}} Picture
 *  @typedef {{outline: boolean, heat: number, compare: boolean, evidence: boolean}} Overlay  heat is a percentage */

const HEAT_SIDE = 512; // it holds a few dozen values: more pixels show nothing more

/** @param {HTMLCanvasElement} canvas  @param {ImageData} image */
function paint(canvas, image) {
  const { width, height } = image;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext('2d').putImageData(image, 0, 0);
}

/** @param {HTMLCanvasElement} canvas  @param {Grey} grey  @param {Look} [look]  @param {ImageData} [image]  to be painted over: one for a drag, not one a step */
export function paintGrey(canvas, grey, look = firstLook(), image = new ImageData(grey.width, grey.height)) {
  paintGreys(new Uint32Array(image.data.buffer), grey, look);
  paint(canvas, image);
}

/** @param {HTMLCanvasElement} canvas  @param {Picture} picture */
export function paintHeat(canvas, { film, heatmap }) {
  const scale = Math.min(1, HEAT_SIDE / Math.max(film.width, film.height));
  const width = Math.max(1, Math.round(film.width * scale)),
    height = Math.max(1, Math.round(film.height * scale));
  paint(canvas, new ImageData(heatPixels(heatmap, width, height), width, height));
}

/** @param {HTMLElement} stage  holds two panes: the film alone, for comparing, and the film with what lies over it */
export function createViewer(stage) {
  const [alone, main] = /** @type {NodeListOf<HTMLElement>} */ (stage.querySelectorAll('.film'));
  const [plane, heat] = main.querySelectorAll('canvas'),
    twin = alone.querySelector('canvas');
  const outline = main.querySelector('svg');
  /** @type {{picture?: Picture, window?: import('../state/viewport.mjs').Window, invert?: boolean, compare?: boolean}} */
  let shown = {};
  /** @type {ImageData} */
  let image;

  return {
    /** @param {Picture} picture  @param {Look} look  @param {Overlay} overlay */
    show(picture, look, overlay) {
      if (picture !== shown.picture) {
        const { width, height } = picture.film;
        image = new ImageData(width, height);
        paintHeat(heat, picture);
        outline.setAttribute('viewBox', `0 0 ${picture.lungs.width} ${picture.lungs.height}`);
        const path = outlinePath(picture.lungs);
        for (const line of outline.children) line.setAttribute('d', path);
        stage.style.setProperty('--aspect', String(width / height));
      }
      const { window, invert } = look,
        { compare } = overlay;
      if (
        picture !== shown.picture ||
        window !== shown.window ||
        invert !== shown.invert ||
        compare !== shown.compare
      ) {
        paintGrey(plane, picture.film, look, image);
        if (compare) paint(twin, image);
      }
      shown = { picture, window, invert, compare };
      stage.style.setProperty('--zoom', String(look.zoom));
      for (const film of [alone, main])
        film.style.transform = `translate(${look.x}px, ${look.y}px) scale(${look.zoom})`;
      outline.toggleAttribute('hidden', !overlay.outline);
      heat.hidden = !overlay.evidence;
      heat.style.opacity = String(overlay.heat / 100);
    },

    /** Nothing of a film that is gone stays in memory. */
    clear() {
      if (!shown.picture) return;
      shown = {};
      image = null;
      for (const canvas of [plane, heat, twin]) Object.assign(canvas, { width: 1, height: 1 });
      for (const line of outline.children) line.removeAttribute('d');
    },

    /** The sizes that look.mjs reckons with. @returns {import('../state/viewport.mjs').Box} */
    box() {
      const pane = main.parentElement;
      return {
        pane: { width: pane.clientWidth, height: pane.clientHeight },
        film: { width: main.offsetWidth, height: main.offsetHeight },
      };
    },
  };
}
