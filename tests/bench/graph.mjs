// Turns graph lines into layers with shapes, and generates the seeded parameters that every runtime uses.

/**
 * @typedef {object} Layer  one line of src/nn/graph.h
 * @property {string} name
 * @property {string} op
 * @property {Layer[]} inputs
 * @property {string} act
 * @property {number} k
 * @property {number} stride
 * @property {number} pad  rows above and columns left
 * @property {number} after  rows below and columns right
 * @property {number} scale
 * @property {number} h
 * @property {number} w
 * @property {number} c
 */

const WINDOWS = ['conv', 'depthwise', 'maxpool'],
  WEIGHTED = ['conv', 'depthwise', 'dense'];

/** @param {Layer} layer */
export const weighted = ({ op }) => WEIGHTED.includes(op);

/** Height, width and channels of a layer's output. */
function shape({ op, inputs: [from, ...others], k, stride, pad, after, scale, h, w, c }) {
  if (op === 'input') return { h, w, c };
  if (op === 'mean' || op === 'dense') return { h: 1, w: 1, c: c || from.c };
  if (op === 'concat') return { h: from.h, w: from.w, c: others.reduce((sum, other) => sum + other.c, from.c) };
  if (!WINDOWS.includes(op)) return { h: from.h * scale, w: from.w * scale, c: from.c };
  const slid = (size) => Math.floor((size + pad + after - k) / stride) + 1;
  return { h: slid(from.h), w: slid(from.w), c: c || from.c };
}

/** @param {string[]} lines @returns {Layer[]} */
export function layersOf(lines) {
  const layers = new Map();
  for (const line of lines) {
    const [, name, op, rest] = /^(\S+) = (\S+) ?(.*)$/.exec(line);
    const words = rest.split(' '),
      set = Object.fromEntries(words.filter((word) => word.includes('=')).map((word) => word.split('=')));
    const number = (key, otherwise) => Number(set[key] ?? otherwise);
    const layer = {
      name,
      op,
      inputs: words.filter((word) => word && !word.includes('=')).map((word) => layers.get(word)),
      act: set.act ?? 'none',
      k: number('k', 1),
      stride: number('stride', 1),
      pad: number('pad', 0),
      after: number('after', number('pad', 0)),
      scale: number('scale', 1),
      h: number('h', 0),
      w: number('w', 0),
      c: number('c', 0),
    };
    layers.set(name, { ...layer, ...shape(layer) });
  }
  return [...layers.values()];
}

/** What a layer with weights sums over for one output: [k, k, cin], one channel for depthwise, all values for dense.
 *  @param {Layer} layer */
export function field({ op, inputs: [from], k }) {
  return op === 'dense' ? [1, 1, from.h * from.w * from.c] : [k, k, op === 'depthwise' ? 1 : from.c];
}

const volume = (sizes) => sizes.reduce((product, size) => product * size, 1);

/** Multiply-accumulates of one run with direct convolutions. @param {Layer[]} layers */
export const products = (layers) =>
  layers.filter(weighted).reduce((sum, layer) => sum + layer.h * layer.w * layer.c * volume(field(layer)), 0);

/** Uniform numbers in -1..1 from a seed (mulberry32). @returns {() => number} */
function uniform(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** Gray values 0..255 times `scale` plus `offset` lie in the range of imageFor(). */
export const GREYS = { scale: 2 / 255, offset: -1 };

/** One input image, [h][w][c]. @param {Layer[]} layers */
export function imageFor([{ h, w, c }]) {
  const next = uniform(1);
  return Float32Array.from({ length: h * w * c }, next);
}

/**
 * @typedef {{weight: Float32Array, bias: Float32Array}} Parameters  weight [k][k][cin][cout], depthwise [k][k][c],
 *   dense [h*w*cin][cout]: TensorFlow's order
 */

/** Random parameters that keep the activations near 1 at any depth (He et al.).
 *  @param {Layer[]} layers @returns {Map<Layer, Parameters>} */
export function parametersFor(layers) {
  const next = uniform(2),
    parameters = new Map();
  for (const layer of layers.filter(weighted)) {
    const inputs = volume(field(layer)),
      limit = Math.sqrt(6 / inputs);
    const weight = Float32Array.from({ length: inputs * layer.c }, () => next() * limit);
    parameters.set(layer, { weight, bias: Float32Array.from({ length: layer.c }, () => next() * 0.1) });
  }
  return parameters;
}

/** The parameters in sequence, as in the plain file. @param {Map<Layer, Parameters>} parameters */
export function flatten(parameters) {
  const all = [...parameters.values()].flatMap(({ weight, bias }) => [weight, bias]);
  return Buffer.concat(all.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)));
}

/** The inverse of flatten(). @param {Layer[]} layers @param {Uint8Array} bytes @returns {Map<Layer, Parameters>} */
export function unflatten(layers, bytes) {
  let at = bytes.byteOffset;
  const take = (length) => {
    const part = new Float32Array(bytes.buffer, at, length);
    at += part.byteLength;
    return part;
  };
  return new Map(
    layers
      .filter(weighted)
      .map((layer) => [layer, { weight: take(volume(field(layer)) * layer.c), bias: take(layer.c) }]),
  );
}
