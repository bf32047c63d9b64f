// viewport.mjs: how the film on view is shown, in plain numbers: zoom, pan, and the window of greys.
//
// A window (radiology's "window and level") is the range of greys that the screen spans: its low end is shown black,
// its high end white. Each function here returns a new viewport. view/viewer.mjs paints it.

/** @typedef {{low: number, high: number}} Window  the greys shown as black and white; 0..1 spans nearly all of a film
 *  @typedef {{zoom: number, x: number, y: number, window: Window, preset: string, invert: boolean}} Viewport
 *     x, y: shift of the film's centre from the pane's, in CSS pixels
 *  @typedef {{width: number, height: number}} Size
 *  @typedef {{pane: Size, film: Size}} Box  both in CSS pixels, at zoom 1
 *  @typedef {{data: Uint8Array | Uint16Array, low: number, high: number} & Size} Grey  an image;
 *     low, high: the grey levels that a window of 0..1 shows black and white
 *  @typedef {import('../../src/result/heatmap.mjs').Grid} Grid
 *
 *  @typedef {object} Units  of a file's own values
 *  @property {number} offset  @property {number} slope  value = offset + slope * grey level
 *  @property {(Window & {name: string})[]} windows  of the file, as values; name: the file's, or ''
 *
 *  @typedef {object} Picture  what the viewer shows of a film
 *  @property {Grey} film
 *  @property {Grid} heatmap  the model's evidence
 *  @property {Record<string, Grid>} maps  the class activation map of each label; none where the network allows none
 *  @property {boolean} occluded  the maps were made by covering parts of the film
 *  @property {Grid} lungs
 *  @property {Units | null} units  null where its greys went through a curve or a correction
 *  @property {import('../../src/dicom/display.mjs').Spacing | null} spacing  of the pixels of the file, not of `film` */

/** The longer side of a picture's film in pixels, at most: many phones have no larger canvas. */
export const MAX_FILM_SIDE = 4096;
const MAX_ZOOM = 12;
const MIN_WINDOW = 0.02; // width
const BINS = 256;
const CLIPPED = 0.01; // the share of pixels that a preset leaves outside its window, at either end
const DENSE_FROM = 0.5; // "dense" is the brighter half of the greys outside the lungs: heart, spine, diaphragm
const KEY_PAN = 48; // pixels per key press
const KEY_WINDOW = 0.04;
const KEY_ZOOM = 1.3;

/** @param {number} value  @param {number} low  @param {number} high */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** @returns {Viewport} */
export const initialViewport = () => ({
  zoom: 1,
  x: 0,
  y: 0,
  window: { low: 0, high: 1 },
  preset: 'film',
  invert: false,
});

/** Moves the film, at most until its edge reaches the pane's.
 *  @param {Viewport} viewport  @param {Box} box  @param {number} dx  @param {number} dy  @returns {Viewport} */
export function pan(viewport, box, dx, dy) {
  const limit = (/** @type {'width' | 'height'} */ side) =>
    Math.max(0, (box.film[side] * viewport.zoom - box.pane[side]) / 2);
  return {
    ...viewport,
    x: clamp(viewport.x + dx, -limit('width'), limit('width')),
    y: clamp(viewport.y + dy, -limit('height'), limit('height')),
  };
}

/** Zooms around a point, which keeps its place on the screen.
 *  @param {Viewport} viewport  @param {Box} box  @param {number} factor
 *  @param {number} [x]  from the pane's centre  @param {number} [y]  @returns {Viewport} */
export function zoom(viewport, box, factor, x = 0, y = 0) {
  const next = clamp(viewport.zoom * factor, 1, MAX_ZOOM);
  const growth = next / viewport.zoom;
  const moved = { ...viewport, zoom: next, x: x - (x - viewport.x) * growth, y: y - (y - viewport.y) * growth };
  return pan(moved, box, 0, 0);
}

/** Changes window and level as other viewers do: to the right widens the window, up brightens.
 *  @param {Viewport} viewport  @param {number} dx  as a share of the pane  @param {number} dy  @returns {Viewport} */
export function adjustWindow(viewport, dx, dy) {
  const { low, high } = viewport.window;
  const width = clamp((high - low) * Math.exp(2 * dx), MIN_WINDOW, 2);
  const centre = clamp((high + low) / 2 + dy * Math.min(1, width), -0.5, 1.5);
  return { ...viewport, preset: 'custom', window: { low: centre - width / 2, high: centre + width / 2 } };
}

/** The window that holds all counted pixels but CLIPPED of them at either end.
 *  @param {number[]} histogram  @returns {Window} */
function span(histogram) {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  const last = histogram.length - 1;
  if (total === 0) return { low: 0, high: 1 };
  let low = 0;
  let high = last;
  for (let sum = histogram[0]; sum < total * CLIPPED; sum += histogram[low]) low++;
  for (let sum = histogram[last]; sum < total * CLIPPED; sum += histogram[high]) high--;
  return { low: low / last, high: Math.max(high, low + MIN_WINDOW * last) / last };
}

/** Windows that suit this film: one for all of it, one for its lungs as the engine found them, one for its dense parts,
 *  and those of its file (`file-0` and so on).
 *  @param {Pick<Picture, 'film' | 'lungs' | 'units'>} picture  @returns {Record<string, Window>} */
export function windowPresets({ film, lungs, units }) {
  /** @type {number[]} */
  const inside = new Array(BINS).fill(0);
  /** @type {number[]} */
  const outside = new Array(BINS).fill(0);
  const scale = (BINS - 1) / Math.max(1, film.high - film.low);
  for (let y = 0, i = 0; y < film.height; y++) {
    const row = Math.floor((y * lungs.height) / film.height) * lungs.width;
    for (let x = 0; x < film.width; x++, i++) {
      const isLung = lungs.data[row + Math.floor((x * lungs.width) / film.width)] > 0.5;
      const bin = clamp(Math.round((film.data[i] - film.low) * scale), 0, BINS - 1);
      (isLung ? inside : outside)[bin]++;
    }
  }
  const { low, high } = span(outside);
  const dense = { low: low + DENSE_FROM * (high - low), high };
  return { film: { low: 0, high: 1 }, lungs: span(inside), dense, ...fileWindows(film, units) };
}

/** @param {Grey} film  @param {Units | null} units  @returns {Record<string, Window>} */
function fileWindows(film, units) {
  if (!units) return {};
  const share = (/** @type {number} */ value) =>
    ((value - units.offset) / units.slope - film.low) / Math.max(1, film.high - film.low);
  return Object.fromEntries(
    units.windows.map(({ low, high }, i) => [`file-${i}`, { low: share(low), high: share(high) }]),
  );
}

/** Width and centre of a window in the file's own values; null where these are not known.
 *  @param {Window} window  @param {Pick<Picture, 'film' | 'units'>} picture
 *  @returns {{width: number, centre: number} | null} */
export function windowValues(window, { film, units }) {
  if (!units) return null;
  const [low, high] = [window.low, window.high].map(
    (share) => units.offset + units.slope * (film.low + share * (film.high - film.low)),
  );
  return { width: Math.abs(high - low), centre: (low + high) / 2 };
}

/** Writes a film's pixels as A B G R words, which little-endian machines hold in memory as R G B A.
 *  @param {Uint32Array} out  @param {Grey} film  @param {{window: Window, invert: boolean}} viewport */
export function paintGreys(out, { data, low, high }, { window, invert }) {
  const black = low + window.low * (high - low);
  const white = low + window.high * (high - low);
  const lut = Uint32Array.from({ length: data instanceof Uint16Array ? 65536 : 256 }, (_, grey) => {
    const value = Math.round(255 * clamp((grey - black) / Math.max(1e-6, white - black), 0, 1));
    return 0xff000000 + (invert ? 255 - value : value) * 0x010101;
  });
  for (let i = 0; i < out.length; i++) out[i] = lut[data[i]];
}

/** The actions that change how the film on view is shown; they need a film on view.
 *  @param {import('./state.mjs').App} app  @param {() => Box} box  the current sizes */
export function viewportActions({ state, set }, box) {
  const change = (/** @type {Viewport} */ viewport) => set({ viewport });
  function choosePreset(/** @type {string} */ preset) {
    const picture = state.selected?.picture;
    if (picture) change({ ...state.viewport, preset, window: windowPresets(picture)[preset] });
  }
  /** @typedef {{x: number, y: number}} Step  -1, 0 or 1 each */
  return {
    viewport: change,
    'zoom-in': () => change(zoom(state.viewport, box(), KEY_ZOOM)),
    'zoom-out': () => change(zoom(state.viewport, box(), 1 / KEY_ZOOM)),
    pan: (/** @type {Step} */ { x, y }) => change(pan(state.viewport, box(), -x * KEY_PAN, -y * KEY_PAN)),
    'adjust-window': (/** @type {Step} */ { x, y }) =>
      change(adjustWindow(state.viewport, x * KEY_WINDOW, y * KEY_WINDOW)),
    preset: choosePreset,
    'window-film': () => choosePreset('film'),
    'window-lungs': () => choosePreset('lungs'),
    'window-dense': () => choosePreset('dense'),
    invert: () => change({ ...state.viewport, invert: !state.viewport.invert }),
    /** One pixel of the film on one of the screen. */
    'actual-pixels'() {
      const width = state.selected?.record?.width ?? 0;
      const factor = width / (box().film.width * window.devicePixelRatio);
      change(zoom(initialViewport(), box(), factor));
    },
    'reset-viewport': () => change(initialViewport()),
  };
}

/** The actions that change what is drawn over the film, and what dragging does.
 *  @param {import('./state.mjs').App} app
 *  @param {{show: (film: import('./state.mjs').Film) => void}} queue  makes a picture that was dropped */
export function overlayActions({ state, set }, { show }) {
  const change = (/** @type {Partial<import('./state.mjs').Overlay>} */ changes) =>
    set({ overlay: { ...state.overlay, ...changes } });
  return {
    overlay: change,
    'heat-less': () => change({ heat: Math.max(0, state.overlay.heat - 10) }),
    'heat-more': () => change({ heat: Math.min(100, state.overlay.heat + 10) }),
    outline: () => change({ outline: !state.overlay.outline }),
    plain: () => change({ plain: !state.overlay.plain }),
    full: () => set({ full: !state.full }),
    drag: () => set({ dragWindow: !state.dragWindow }),
    map: (/** @type {string} */ map) => set({ map }),
    loupe: () => set({ loupe: !state.loupe }),
    'more-tools': () => set({ moreTools: !state.moreTools }),
    compare: () => change({ compare: state.overlay.compare === 'off' ? 'beside' : 'off' }),
    /** @param {string} what  'off', 'beside' or 'divider', or the id of an earlier film */
    beside(what) {
      state.prior = state.films.find(({ id }) => id === Number(what)) ?? null;
      change({ compare: state.prior ? 'beside' : /** @type {import('./state.mjs').Compare} */ (what) });
      if (state.prior) show(state.prior);
    },
  };
}
