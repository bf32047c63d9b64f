// layout.mjs - how the weights of a layer lie in a file, the JavaScript side of src/nn/f32.h and src/nn/int8.h.
//
// A kernel computes four output channels at once, so weights are packed in blocks of four channels:
//   float32, and int8 depthwise   [cout/4][window][4]
//   int8 conv and dense           [cout/4][window/4][4][4], because an integer dot product takes four values at a time
// `window` counts the weights of one output channel (kh * kw * cin). Outputs are padded to a multiple of four.

/** Output channels in a block. */
export const LANES = 4;

/**
 * The index of weight `i` of output channel `o` among packed weights.
 * @param {number} o @param {number} i @param {number} window @param {number} group  weights that lie side by side: 1 or
 *   4
 */
function packedIndex(o, i, window, group) {
  const groups = Math.ceil(window / group);
  const row = Math.floor(o / LANES) * groups + Math.floor(i / group);
  return (row * LANES + (o % LANES)) * group + (i % group);
}

/**
 * Packs one row of weights per output channel; what is padded stays 0.
 * @template {Float32Array | Int8Array} T
 * @param {ArrayLike<number>[]} rows @param {new (length: number) => T} Type @param {number} [group] @returns {T}
 */
export function packConv(rows, Type, group = 1) {
  const window = rows[0].length;
  const blocks = Math.ceil(rows.length / LANES);
  const packed = new Type(blocks * LANES * Math.ceil(window / group) * group);
  rows.forEach((row, o) => {
    for (let i = 0; i < window; i++) packed[packedIndex(o, i, window, group)] = row[i];
  });
  return packed;
}

/**
 * The rows that packConv packed as floats, those of padding included.
 * @param {Float32Array} packed @param {number} cout
 */
export function unpackConv(packed, cout) {
  const window = packed.length / cout;
  return Array.from({ length: cout }, (_, o) =>
    Float64Array.from({ length: window }, (_, i) => packed[packedIndex(o, i, window, 1)]),
  );
}
