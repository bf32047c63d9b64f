// quantise.mjs - turns float32 weights into int8 weights, post-training and with one scale per output channel.
//
// 1. Choose the layers that gain from int8, and write the conversions between float32 and int8 into the graph.
// 2. Run the network on films and record the range of each output that becomes int8.
// 3. Find a scale and a zero point for each such output, and pack the weights of the layers that read int8.
// src/nn/int8.h defines what the numbers mean: value = scale * (q - zero_point) with q in 0..127.
import { formatLayer, parseGraph } from '../engine/graph.mjs';
import { createEngine } from '../engine.mjs';
import {
  floatsOf,
  floatTensor,
  floatValues,
  inGgmlDimensions,
  readGguf,
  TENSOR,
  tensorOf,
  textValue,
  textValues,
  writeGguf,
} from './gguf.mjs';
import { LANES, packConv, unpackConv } from './layout.mjs';

/**
 * @typedef {import('../engine/graph.mjs').GraphLayer} GraphLayer
 * @typedef {Map<string, GraphLayer>} Layers  by name, in order of execution
 * @typedef {{ scale: number, zeroPoint: number }} Quantisation
 * @typedef {import('../engine.mjs').Engine} Engine
 * @typedef {'lungs' | 'diagnosis'} GraphName
 * @typedef {Uint8Array | Float32Array} Film  an image file, or an input tensor for a network that does not read films
 * @typedef {object} Int8Line  a layer of the new graph
 * @property {GraphLayer} layer
 * @property {string | null} source  the layer of the float graph whose values this output holds as int8
 * @property {boolean} packed  whether its weights become int8
 */

/** The engine's mark for an output in float32. */
const FLOAT32 = { scale: 0, zeroPoint: 0 };
const MAX_Q = 127; // of activations and weights
const MAX_TAPS = 49; // of an int8 depthwise window: src/nn/int8.h
const MAX_BIAS = 2 ** 24; // in units of the sum: leaves room for it in 32 bits
const SAMPLES = 2048; // values of an output that one film adds to its statistics
/** Shares of the observed range that are tried: clipping outliers can lower the error of all other values. */
const RANGE_SHARES = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4];
const FLOAT_OUTPUTS = ['features', 'mask', 'logits', 'gate']; // read by src/engine as floats
const SIMPLE_ACTIVATIONS = ['none', 'relu', 'relu6'];
const WITH_WEIGHTS = ['conv', 'depthwise', 'dense'];
const MOVES_VALUES = ['maxpool', 'resize', 'concat']; // the output's values are the inputs' values

/**
 * Whether a layer can read int8. A dense layer after a mean is too small to gain.
 * @param {GraphLayer} layer @param {Layers} layers
 */
function canReadInt8({ op, inputs, attributes }, layers) {
  if (attributes.left ?? attributes.right) return false; // The int8 kernels pad all sides alike.
  if (op === 'depthwise') return Number(attributes.k ?? 1) ** 2 <= MAX_TAPS;
  if (op === 'dense') return layers.get(inputs[0])?.op !== 'mean';
  if (op === 'resize') return attributes.mode !== 'linear';
  return ['conv', 'maxpool', 'concat', 'add', 'mean'].includes(op);
}

/** The names of the layers whose output becomes int8. @param {Layers} layers @returns {Set<string>} */
function chooseInt8Outputs(layers) {
  const chosen = new Set();
  for (const layer of layers.values()) {
    const { name, op, inputs, attributes } = layer;
    const simple = SIMPLE_ACTIVATIONS.includes(attributes.act ?? 'none') && !FLOAT_OUTPUTS.includes(name);
    const readers = [...layers.values()].filter((other) => other.inputs.includes(name));
    if (!simple || !canReadInt8(layer, layers) || !readers.some((reader) => canReadInt8(reader, layers))) continue;
    const inputsChosen = inputs.every((input) => chosen.has(input));
    if (WITH_WEIGHTS.includes(op) || (op !== 'mean' && inputsChosen)) chosen.add(name);
  }
  return chosen;
}

/**
 * The graph with its conversions between float32 and int8 written out.
 * @param {Layers} layers @param {Set<string>} chosen @returns {Int8Line[]}
 */
function rewriteGraph(layers, chosen) {
  /** @type {Int8Line[]} */
  const lines = [];
  const converted = new Set();

  /**
   * The output of a layer in the wanted type; converts it once if need be.
   * @param {string} input @param {boolean} int8
   */
  function inType(input, int8) {
    if (chosen.has(input) === int8) return input;
    const name = `${input}.${int8 ? 'bytes' : 'floats'}`;
    if (!converted.has(name)) {
      const op = int8 ? 'quantise' : 'dequantise';
      lines.push({ layer: { name, op, inputs: [input], attributes: {} }, source: int8 ? input : null, packed: false });
      converted.add(name);
    }
    return name;
  }

  for (const layer of layers.values()) {
    const { name, op, inputs } = layer;
    const hasWeights = WITH_WEIGHTS.includes(op);
    const gains = hasWeights || chosen.has(name) || (op === 'mean' && chosen.has(inputs[0]));
    const int8 = canReadInt8(layer, layers) && gains;
    lines.push({
      layer: { ...layer, inputs: inputs.map((input) => inType(input, int8)) },
      source: chosen.has(name) ? name : null,
      packed: hasWeights && int8,
    });
  }
  return lines;
}

/**
 * Groups outputs that must share a scale because values move between them unchanged (union-find).
 * @param {Layers} layers @param {Set<string>} chosen @param {Set<string>} names @returns {string[][]}
 */
function groupByScale(layers, chosen, names) {
  /** @type {Map<string, string>} */
  const parent = new Map();
  /** @param {string} name @returns {string} */
  function rootOf(name) {
    const up = parent.get(name);
    return up === undefined ? name : rootOf(up);
  }
  for (const { name, op, inputs } of layers.values()) {
    if (!MOVES_VALUES.includes(op) || !chosen.has(name)) continue;
    for (const input of inputs) if (rootOf(input) !== rootOf(name)) parent.set(rootOf(input), rootOf(name));
  }
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const name of names) groups.set(rootOf(name), [...(groups.get(rootOf(name)) ?? []), name]);
  return [...groups.values()];
}

/**
 * Values of every output over the films: a sample of each with its minimum and maximum.
 * @param {Engine} engine @param {GraphName} graph @param {Film[]} inputs @returns {Map<string, number[]>} by layer
 */
function observe(engine, graph, inputs) {
  /** @type {Map<string, number[]>} */
  const observed = new Map();
  for (const input of inputs) {
    for (const { name, shape, lanes, data } of engine.activations(input, graph)) {
      const values = observed.get(name) ?? [];
      const every = Math.max(1, Math.floor(data.length / SAMPLES));
      let min = Infinity;
      let max = -Infinity;
      for (const [i, value] of data.entries()) {
        if (i % lanes >= shape[2]) continue; // a channel of padding
        if (i % every === 0) values.push(value);
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
      observed.set(name, [...values, min, max]);
    }
  }
  return observed;
}

/** The squared error of values after quantisation. @param {number[]} values @param {Quantisation} quantisation */
const squaredError = (values, { scale, zeroPoint }) =>
  values.reduce((sum, value) => {
    const q = Math.min(MAX_Q, Math.max(0, Math.round(value / scale) + zeroPoint));
    return sum + (scale * (q - zeroPoint) - value) ** 2;
  }, 0);

/** The quantisation with the least squared error. @param {number[]} values @returns {Quantisation} */
function chooseScale(values) {
  const min = values.reduce((a, b) => Math.min(a, b), 0);
  const max = values.reduce((a, b) => Math.max(a, b), 0);
  let best = { scale: 1, zeroPoint: 0 };
  let bestError = Infinity;
  for (const share of max > min ? RANGE_SHARES : []) {
    const scale = Math.fround((share * (max - min)) / MAX_Q);
    const candidate = { scale, zeroPoint: Math.round((-share * min) / scale) };
    const error = squaredError(values, candidate);
    if (error < bestError) [best, bestError] = [candidate, error];
  }
  return best;
}

/**
 * A scale and a zero point for each output that holds int8.
 * @param {Layers} layers @param {Set<string>} chosen @param {Int8Line[]} lines @param {Map<string, number[]>} observed
 * @returns {Map<string, Quantisation>} by layer of the float graph
 */
function chooseScales(layers, chosen, lines, observed) {
  const sources = new Set(lines.flatMap(({ source }) => source ?? []));
  const scales = new Map();
  for (const group of groupByScale(layers, chosen, sources)) {
    const scale = chooseScale(group.flatMap((name) => observed.get(name) ?? []));
    for (const name of group) scales.set(name, scale);
  }
  return scales;
}

/** The largest magnitude. @param {Float64Array} row */
const maxAbs = (row) => row.reduce((max, weight) => Math.max(max, Math.abs(weight)), 0);

/**
 * Float weights of one layer to int8.
 * @param {Float32Array} floats @param {Float32Array} bias @param {string} op @param {number} inputScale
 */
function packInt8(floats, bias, op, inputScale) {
  const rows = unpackConv(floats, bias.length);
  const group = op === 'depthwise' ? 1 : LANES;
  const scale = new Float32Array(bias.length);
  const quantised = rows.map((row, o) => {
    // Beside tiny weights the bias must still fit.
    scale[o] = Math.max(maxAbs(row) / MAX_Q, Math.abs(bias[o]) / inputScale / MAX_BIAS) || 1;
    return row.map((weight) => Math.round(weight / scale[o]));
  });
  const data = packConv(quantised, Int8Array, group);
  const dims = [LANES * group, Math.ceil(rows[0].length / group), bias.length / LANES];
  return { weight: { dims, kind: TENSOR.I8, data: new Uint8Array(data.buffer) }, scale: floatTensor(scale) };
}

/**
 * Replaces one graph of the weights by its int8 form.
 * @param {import('./gguf.mjs').Gguf} weights @param {GraphName} graph @param {Engine} engine @param {Film[]} inputs
 */
function replaceGraph(weights, graph, engine, inputs) {
  const layers = new Map(parseGraph(engine.model.graphs[graph]).map((layer) => [layer.name, layer]));
  const chosen = chooseInt8Outputs(layers);
  const lines = rewriteGraph(layers, chosen);
  const scales = chooseScales(layers, chosen, lines, observe(engine, graph, inputs));
  /** @param {Int8Line | undefined} line @returns {Quantisation} */
  const quantisationOf = (line) => scales.get(line?.source ?? '') ?? FLOAT32;
  const byName = new Map(lines.map((line) => [line.layer.name, line]));
  for (const { layer, packed } of lines) {
    if (!packed) continue;
    const key = `${graph}.${layer.name}`;
    const bias = floatsOf(tensorOf(weights, `${key}.bias`));
    const floats = floatsOf(tensorOf(weights, `${key}.weight`));
    const { weight, scale } = packInt8(floats, bias, layer.op, quantisationOf(byName.get(layer.inputs[0])).scale);
    weights.tensors.set(`${key}.weight`, weight);
    weights.tensors.set(`${key}.scale`, scale);
  }
  weights.values.set(`pleura.${graph}.graph`, textValues(lines.map(({ layer }) => formatLayer(layer))));
  weights.values.set(`pleura.${graph}.steps`, floatValues(lines.map((line) => quantisationOf(line).scale)));
  weights.values.set(`pleura.${graph}.zeros`, floatValues(lines.map((line) => quantisationOf(line).zeroPoint)));
}

/**
 * @param {Uint8Array|ArrayBuffer|WebAssembly.Module} wasm  pleura.wasm
 * @param {Uint8Array} bytes  float32 weights
 * @param {Film[]} inputs  like those to come
 * @returns {Promise<Uint8Array>}  int8 weights with the bits of their own self-test
 */
export async function quantise(wasm, bytes, inputs) {
  const engine = await createEngine({ wasm, weights: bytes });
  const weights = readGguf(bytes);
  weights.tensors = inGgmlDimensions(weights.tensors);
  for (const graph of /** @type {const} */ (['lungs', 'diagnosis']))
    if (engine.model.graphs[graph].length) replaceGraph(weights, graph, engine, inputs);
  weights.values.delete('pleura.selftest.bits');
  const { bits } = (await createEngine({ wasm, weights: writeGguf(weights) })).phantom();
  weights.values.set('pleura.selftest.bits', textValue(bits));
  return writeGguf(weights);
}
