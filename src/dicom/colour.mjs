// Colour pixels as R G B: the models of PS3.3, C.7.6.3.1.2, and palettes.
import { unsupported } from './errors.mjs';
import { greyTable } from './lut.mjs';
import { readPalette, storedRange } from './tables.mjs';

/** @typedef {import('./frames.mjs').Shape} Shape */

/** Colour models of three samples. */
export const COLOUR_MODELS = /^(RGB|YBR_FULL|YBR_FULL_422|YBR_ICT|YBR_RCT)$/;

/**
 * Planar or interleaved RGB or YBR_FULL to interleaved RGB.
 * @param {import('./frames.mjs').Words} words @param {Shape} layout
 */
export function toRgb({ pixels, planar, rgb }, { photometric, bits, shift }) {
  const count = pixels.length / 3,
    out = new Uint16Array(pixels.length),
    white = 2 ** bits - 1,
    middle = 2 ** (bits - 1);
  const luma = photometric.startsWith('YBR_FULL') && !rgb; // the JPEG 2000 codec undoes YBR_ICT and YBR_RCT itself
  const level = (/** @type {number} */ v) => (v < 0 ? 0 : v > white ? white : Math.floor(v + 0.5));
  const step = planar ? count : 1,
    next = planar ? 1 : 3,
    stored = (/** @type {number} */ i) => (pixels[i] >> shift) & white;
  for (let i = 0; i < count; i++) {
    const a = stored(i * next),
      b = stored(i * next + step),
      c = stored(i * next + 2 * step);
    const blue = luma ? b - middle : 0,
      red = luma ? c - middle : 0;
    out[3 * i] = luma ? level(a + 1.402 * red) : a;
    out[3 * i + 1] = luma ? level(a - 0.344136 * blue - 0.714136 * red) : b;
    out[3 * i + 2] = luma ? level(a + 1.772 * blue) : c;
  }
  return out;
}

/**
 * Palette colours (PS3.3, C.7.9), scaled to 16 bits.
 * @param {import('./elements.mjs').Attributes} attributes @param {Uint16Array} pixels @param {Shape} layout
 */
export function fromPalette(attributes, pixels, layout) {
  const palette = readPalette(attributes, storedRange(layout));
  if (!palette) throw unsupported('a palette that is missing or damaged');
  const { bits, shift, signed } = layout;
  const range = storedRange(layout);
  const plain = {
    bits,
    shift,
    signed,
    slope: 1,
    intercept: 0,
    modalityLut: null,
    inverted: false,
    padding: null,
    range,
  };
  const tables = palette.map((lut) => greyTable({ ...plain, voi: { kind: 'lut', lut } }));
  const out = new Uint16Array(3 * pixels.length);
  for (let i = 0; i < pixels.length; i++) for (let c = 0; c < 3; c++) out[3 * i + c] = tables[c][pixels[i]];
  return out;
}
