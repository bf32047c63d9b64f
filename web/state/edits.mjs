// edits.mjs: corrections of an image before it is analysed again: turning, mirroring, inverting its greys, cropping, or
// taking a tinted photo for grey. A film has a list of such steps, which are applied in order to its greys.

/** @typedef {{x: number, y: number, width: number, height: number}} Area  shares of the image, 0..1
 *  @typedef {'right' | 'flip' | 'negative' | 'photo'} StepName
 *  @typedef {{name: StepName} | {name: 'crop', area: Area}} Step
 *  @typedef {{data: Uint16Array, width: number, height: number}} Greys  0 black to 65535 white */

const WHITE = 65535;
/** @type {StepName[]} that cancel each other when they follow one another */
const TOGGLES = ['flip', 'negative', 'photo'];

/** A copy of an area. Its pixel (x, y) is the one of `greys` at `at(x, y)`.
 *  @param {Greys} greys  @param {number} width  @param {number} height  @param {(x: number, y: number) => number} at
 *  @returns {Greys} */
function copy({ data }, width, height, at) {
  const out = new Uint16Array(width * height);
  for (let y = 0, i = 0; y < height; y++) for (let x = 0; x < width; x++, i++) out[i] = data[at(x, y)];
  return { data: out, width, height };
}

/** @param {Greys} greys  @param {Step} step  @returns {Greys} */
function apply(greys, step) {
  const { data, width, height } = greys;
  switch (step.name) {
    case 'right': // a quarter turn clockwise
      return copy(greys, height, width, (x, y) => (height - 1 - x) * width + y);
    case 'flip':
      return copy(greys, width, height, (x, y) => y * width + width - 1 - x);
    case 'negative':
      return { data: data.map((grey) => WHITE - grey), width, height };
    case 'photo': // the greys have no colour
      return greys;
    case 'crop': {
      const left = Math.floor(step.area.x * width);
      const top = Math.floor(step.area.y * height);
      const cropped = [Math.round(step.area.width * width), Math.round(step.area.height * height)];
      return copy(greys, Math.max(1, cropped[0]), Math.max(1, cropped[1]), (x, y) => (top + y) * width + left + x);
    }
  }
}

/** @param {Greys} greys  @param {Step[]} steps  @returns {Greys} */
export const applySteps = (greys, steps) => steps.reduce(apply, greys);

/** The steps with one more. Mirroring twice or turning four times leaves nothing.
 *  @param {Step[]} steps  @param {Step} step  @returns {Step[]} */
export function addStep(steps, step) {
  const last = steps.at(-1);
  if (last?.name === step.name && TOGGLES.includes(/** @type {StepName} */ (step.name))) return steps.slice(0, -1);
  const turns = steps.slice(-3);
  if (step.name === 'right' && turns.length === 3 && turns.every(({ name }) => name === 'right'))
    return steps.slice(0, -3);
  return [...steps, step];
}

/** The steps that mend a film that was refused as turned or inverted; none if that is not what is wrong with it.
 *  @param {Pick<import('./state.mjs').FilmRecord, 'gate' | 'quarterTurns'>} record  @returns {Step[]} */
export function remedy({ gate, quarterTurns }) {
  if (gate.reason === 'turned') return Array.from({ length: quarterTurns }, () => ({ name: 'right' }));
  return gate.reason === 'inverted' ? [{ name: 'negative' }] : [];
}

/** The part of the film that the viewer shows.
 *  @param {import('./viewport.mjs').Viewport} viewport  @param {import('./viewport.mjs').Box} box  @returns {Area} */
export function visibleArea({ zoom, x, y }, { pane, film }) {
  /** @param {number} shift  @param {number} length  @param {number} room  @returns {[number, number]} */
  const span = (shift, length, room) => {
    const size = length * zoom;
    const start = Math.max(0, (size - room) / 2 - shift);
    const end = Math.min(size, (size + room) / 2 - shift);
    return [start / size, (end - start) / size];
  };
  const [left, width] = span(x, film.width, pane.width);
  const [top, height] = span(y, film.height, pane.height);
  return { x: left, y: top, width, height };
}

/** Whether colours are those of one lamp on a grey picture: each channel follows the brightness.
 *  @param {Uint8ClampedArray} rgba  of a small copy */
export function isTinted(rgba) {
  const count = rgba.length / 4;
  const light = Float64Array.from({ length: count }, (_, i) => (rgba[4 * i] + rgba[4 * i + 1] + rgba[4 * i + 2]) / 3);
  const mean = light.reduce((sum, value) => sum + value, 0) / count;
  const variance = light.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  let residual = 0;
  for (let channel = 0; channel < 3; channel++) {
    const values = Float64Array.from(light, (_, i) => rgba[4 * i + channel]);
    const own = values.reduce((sum, value) => sum + value, 0) / count;
    const slope =
      variance > 0 ? light.reduce((sum, l, i) => sum + (l - mean) * (values[i] - own), 0) / count / variance : 0;
    residual += values.reduce((sum, value, i) => sum + (value - own - slope * (light[i] - mean)) ** 2, 0) / count;
  }
  return variance > 100 && residual / 3 < MAX_RESIDUAL ** 2;
}
/** Grey levels of 255 by which the channels of a tinted grey picture may differ from straight lines. */
const MAX_RESIDUAL = 10;

/** Whether a JPEG's EXIF names an exposure time, as those of cameras do. @param {Uint8Array} bytes  of the file */
export function isCameraJpeg(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1 << 16));
  try {
    if (view.getUint16(0) !== 0xffd8) return false;
    for (let at = 2; view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
      if (view.getUint16(at) === 0xffe1 && view.getUint32(at + 4) === 0x45786966) return hasExposure(view, at + 10);
    }
  } catch {
    // The file ends here: it has no such tag.
  }
  return false;
}

const EXIF_DIRECTORY = 0x8769;
const EXPOSURE_TIME = 0x829a;

/** @param {DataView} view  @param {number} start  of the TIFF structure that EXIF is */
function hasExposure(view, start) {
  const little = view.getUint16(start) === 0x4949;
  /** The value of a tag in a directory. @param {number} directory  @param {number} tag */
  const find = (directory, tag) => {
    const count = view.getUint16(start + directory, little);
    for (let i = 0, at = start + directory + 2; i < count; i++, at += 12)
      if (view.getUint16(at, little) === tag) return view.getUint32(at + 8, little);
    return null;
  };
  const exif = find(view.getUint32(start + 4, little), EXIF_DIRECTORY);
  return exif !== null && find(exif, EXPOSURE_TIME) !== null;
}
