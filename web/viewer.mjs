// viewer.mjs: one film as the engine saw it, with the heatmap and the lung outline over it
import { greyPixels, heatPixels, outlinePath } from './overlay.mjs';

/** @typedef {import('./overlay.mjs').Grid} Grid
 *  @typedef {{data: Uint8Array, width: number, height: number}} Grey
 *  @typedef {{film: Grey, heatmap: Grid, lungs: Grid}} Picture */

/** @param {HTMLCanvasElement} canvas  @param {Uint8ClampedArray} pixels RGBA */
function paint(canvas, pixels, width, height) {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d').putImageData(new ImageData(pixels, width, height), 0, 0);
}

/** @param {HTMLCanvasElement} canvas  @param {Grey} grey */
export const paintGrey = (canvas, grey) => paint(canvas, greyPixels(grey), grey.width, grey.height);

/** @param {HTMLElement} film  the box that holds the two canvases and the outline */
export function createViewer(film) {
  const [plane, heat] = film.querySelectorAll('canvas');
  const outline = film.querySelector('svg');
  let shown = null;

  return {
    /** @param {Picture} picture  @param {{outline: boolean, heat: number, evidence: boolean}} overlay  heat is a percentage */
    show(picture, overlay) {
      if (picture !== shown) {
        const { width, height } = picture.film;
        paintGrey(plane, picture.film);
        paint(heat, heatPixels(picture.heatmap, width, height), width, height);
        outline.setAttribute('viewBox', `0 0 ${picture.lungs.width} ${picture.lungs.height}`);
        const path = outlinePath(picture.lungs);
        for (const line of outline.children) line.setAttribute('d', path);
        film.style.setProperty('--aspect', String(width / height));
        shown = picture;
      }
      outline.toggleAttribute('hidden', !overlay.outline);
      heat.hidden = !overlay.evidence;
      heat.style.opacity = String(overlay.heat / 100);
    },
  };
}
