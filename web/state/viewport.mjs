// viewport.mjs: how a film is shown: zoom, place, window and level, as plain numbers
/** @typedef {{low: number, high: number}} Window  the greys that become black and white; 0..1 is the range in which nearly all of a film lies
 *  @typedef {{zoom: number, x: number, y: number, window: Window, preset: string, invert: boolean}} Look
 *     x, y: shift of the film's centre from its pane's, in CSS pixels
 *  @typedef {{pane: {width: number, height: number}, film: {width: number, height: number}}} Box  both in CSS pixels, at zoom 1
 *  @typedef {{data: Uint8Array | Uint16Array, width: number, height: number, low: number, high: number}} Grey
 *     low, high: the greys that a window of 0..1 makes black and white */

const LARGEST = 12,
  NARROWEST = 0.02,
  BINS = 256;
const DENSE = 0.5; // the brighter half of what is not lung: heart, spine, diaphragm
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** @returns {Look} */
export const firstLook = () => ({ zoom: 1, x: 0, y: 0, window: { low: 0, high: 1 }, preset: 'film', invert: false });

/** As far as the film's edge reaches the pane's, and no farther. @param {Look} look  @param {Box} box  @returns {Look} */
export function move(look, box, dx, dy) {
  const limit = (side) => Math.max(0, (box.film[side] * look.zoom - box.pane[side]) / 2);
  return {
    ...look,
    x: clamp(look.x + dx, -limit('width'), limit('width')),
    y: clamp(look.y + dy, -limit('height'), limit('height')),
  };
}

/** What lies at x, y (from the pane's centre) stays there. @param {Look} look  @param {Box} box  @returns {Look} */
export function zoom(look, box, factor, x = 0, y = 0) {
  const next = clamp(look.zoom * factor, 1, LARGEST),
    grown = next / look.zoom;
  return move({ ...look, zoom: next, x: x - (x - look.x) * grown, y: y - (y - look.y) * grown }, box, 0, 0);
}

/** To the right widens the window, up brightens, as in other viewers. @param {Look} look  @param {number} dx  in shares of the pane  @param {number} dy  @returns {Look} */
export function adjust(look, dx, dy) {
  const width = clamp((look.window.high - look.window.low) * Math.exp(2 * dx), NARROWEST, 2);
  const centre = clamp((look.window.high + look.window.low) / 2 + dy * Math.min(1, width), -0.5, 1.5);
  return { ...look, preset: 'own', window: { low: centre - width / 2, high: centre + width / 2 } };
}

/** The greys between which all but two hundredths of the counted pixels lie. */
function span(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0),
    top = counts.length - 1;
  if (total === 0) return { low: 0, high: 1 };
  let low = 0,
    high = top;
  for (let sum = counts[0]; sum < total * 0.01; sum += counts[low]) low++;
  for (let sum = counts[top]; sum < total * 0.01; sum += counts[high]) high--;
  return { low: low / top, high: Math.max(high, low + NARROWEST * top) / top };
}

/** Windows that suit this film: the whole, its lungs as the engine found them, and its dense parts.
 *  @param {Grey} film  @param {import('../../src/result/heatmap.mjs').Grid} lungs  @returns {Record<string, Window>} */
export function presets(film, lungs) {
  const inside = new Array(BINS).fill(0),
    outside = new Array(BINS).fill(0),
    scale = (BINS - 1) / Math.max(1, film.high - film.low);
  for (let y = 0, at = 0; y < film.height; y++) {
    const row = Math.floor((y * lungs.height) / film.height) * lungs.width;
    for (let x = 0; x < film.width; x++)
      (lungs.data[row + Math.floor((x * lungs.width) / film.width)] > 0.5 ? inside : outside)[
        clamp(Math.round((film.data[at++] - film.low) * scale), 0, BINS - 1)
      ]++;
  }
  const rest = span(outside);
  return {
    film: { low: 0, high: 1 },
    lungs: span(inside),
    dense: { low: rest.low + DENSE * (rest.high - rest.low), high: rest.high },
  };
}

/** The pixels of a film as words of A B G R, as machines of little-endian words keep them.
 *  @param {Uint32Array} out  @param {Grey} film  @param {{window: Window, invert: boolean}} look */
export function paintGreys(out, { data, low, high }, { window, invert }) {
  const black = low + window.low * (high - low),
    white = low + window.high * (high - low);
  const table = Uint32Array.from({ length: data instanceof Uint16Array ? 65536 : 256 }, (_, grey) => {
    const value = Math.round(255 * clamp((grey - black) / Math.max(1e-6, white - black), 0, 1));
    return 0xff000000 + (invert ? 255 - value : value) * 0x010101;
  });
  for (let i = 0; i < out.length; i++) out[i] = table[data[i]];
}
