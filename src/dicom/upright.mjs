// Films as a reader sees them: turned as their Patient Orientation says, with square pixels.
import { placeOf } from './functional_groups.mjs';

/**
 * @typedef {{ pixels: Uint16Array, width: number, height: number, channels: number }} Plane  [height][width][channels]
 */

/** @typedef {import('./elements.mjs').Attributes} Attributes */

/** Patient Orientation of the first frame, value by value. @param {Attributes} attributes */
export const directionsOf = (attributes) =>
  placeOf(attributes, 'PatientOrientationInFrameSequence', 'PatientOrientation').codes('PatientOrientation');

/** Pixel Spacing of the first frame: vertical, horizontal. @param {Attributes} attributes */
export const pixelSpacingOf = (attributes) =>
  placeOf(attributes, 'PixelMeasuresSequence', 'PixelSpacing').decimals('PixelSpacing');

/** Frontal films are shown with rows that run to the patient's left and columns that run to the feet. */
const SHOWN = 'L\\F';
/** The opposite of each direction: left and right, head and feet. @type {{ [direction: string]: string }} */
const OPPOSITE = { L: 'R', R: 'L', H: 'F', F: 'H' };

/**
 * How rows and columns of a frontal film run, by their main directions, such as `R\F` (PS3.3, C.7.6.1.1.1). Null where
 * the file does not say it, contradicts itself, or the film already lies as it is shown.
 * @param {string[]} values  of Patient Orientation @returns {string | null}
 */
export function orientationOf(values) {
  const [row = '', column = ''] = values;
  if (values.length !== 2 || !/^[LRHF][LRHFAP]*$/.test(row) || !/^[LRHF][LRHFAP]*$/.test(column)) return null;
  const [r, c] = [row[0], column[0]];
  if (r === c || r === OPPOSITE[c]) return null;
  return `${r}\\${c}` === SHOWN ? null : `${r}\\${c}`;
}

/**
 * Turns or mirrors a plane that lies like this, so that its rows run to the left and its columns to the feet.
 * @param {Plane} plane @param {string} orientation  as orientationOf gives it
 * @returns {Plane}
 */
export function turned({ pixels, width, height, channels }, orientation) {
  const [r, , c] = orientation;
  const swaps = r === 'H' || r === 'F';
  const [w, h] = swaps ? [height, width] : [width, height];
  // A step to the left or to the feet on the turned film, in pixels of the stored one, and where both begin.
  const [along, down] = swaps ? [width, 1] : [1, width];
  const fromRight = (swaps ? c : r) === 'R',
    fromBelow = (swaps ? r : c) === 'H';
  const [x, y] = [fromRight ? -along : along, fromBelow ? -down : down];
  const start = (fromRight ? (w - 1) * along : 0) + (fromBelow ? (h - 1) * down : 0);
  const out = new Uint16Array(pixels.length);
  let at = 0;
  for (let i = 0; i < h; i++)
    for (let j = 0; j < w; j++)
      for (let k = 0, from = (start + i * y + j * x) * channels; k < channels; k++) out[at++] = pixels[from + k];
  return { pixels: out, width: w, height: h, channels };
}

/** Smaller deviations from a square are errors of measurement. */
const SQUARE = 0.01;
/** Larger ratios are mistakes. */
const MAX_RATIO = 8;

/** Whether pixels count as square. @param {number} ratio  of their height to their width */
export const isSquare = (ratio) => ratio > MAX_RATIO || ratio < 1 / MAX_RATIO || Math.abs(ratio - 1) < SQUARE;

/**
 * The height of a pixel divided by its width: from the distances between pixels, or else from Pixel Aspect Ratio (PS3.3,
 * C.7.6.3.1.7). 1 where the file says nothing of use.
 * @param {Attributes} attributes @returns {number}
 */
export function aspectOf(attributes) {
  const others = /** @type {const} */ (['ImagerPixelSpacing', 'NominalScannedPixelSpacing', 'PixelAspectRatio']);
  for (const [vertical, horizontal] of [
    pixelSpacingOf(attributes),
    ...others.map((keyword) => attributes.decimals(keyword)),
  ]) {
    if (!(vertical && horizontal && vertical > 0 && horizontal > 0)) continue;
    const ratio = vertical / horizontal;
    return isSquare(ratio) ? 1 : ratio;
  }
  return 1;
}

/**
 * The size of a plane with square pixels. Neither side shrinks.
 * @param {{ width: number, height: number }} plane @param {number} aspect
 * @returns {[width: number, height: number]}
 */
export const squaredSize = ({ width, height }, aspect) =>
  aspect > 1 ? [width, Math.round(height * aspect)] : [Math.round(width / aspect), height];

/**
 * Enlarges the plane along one side until its pixels are square, by linear interpolation.
 * @param {Plane} plane @param {number} aspect  as aspectOf gives it
 * @returns {Plane}
 */
export function squared({ pixels, width, height, channels }, aspect) {
  const taller = aspect > 1;
  const [w, h] = squaredSize({ width, height }, aspect);
  const [from, to] = taller ? [height, h] : [width, w];
  const out = new Uint16Array(w * h * channels);
  const step = (taller ? width : 1) * channels;
  for (let y = 0, at = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const place = Math.min(from - 1, Math.max(0, (((taller ? y : x) + 0.5) * from) / to - 0.5));
      const low = Math.floor(place),
        part = place - low,
        base = (taller ? x * channels : y * width * channels) + low * step;
      for (let k = 0; k < channels; k++) {
        const a = pixels[base + k];
        out[at++] = part === 0 ? a : Math.floor(a + (pixels[base + step + k] - a) * part + 0.5);
      }
    }
  return { pixels: out, width: w, height: h, channels };
}
