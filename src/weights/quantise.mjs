// quantise.mjs - weights in floats to weights in bytes (src/nn/int8.h), their ranges taken from films that the network sees.
import { createEngine } from '../engine.mjs';
import { floatsOf, floatTensor, floatValues, readGguf, TENSOR, textValue, textValues, writeGguf } from './gguf.mjs';

const MOST = 127; // an activation's largest byte
const MAX_TAPS = 49; // of a depthwise window in bytes: int8.h
const SAMPLES = 2048; // values of an output that a film contributes to its range
const SHARES = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4]; // of the range, tried in turn
const FLOAT_NAMES = ['features', 'mask', 'logits', 'gate']; // what pleura.c reads
const WEIGHTED = ['conv', 'depthwise', 'dense'],
  MOVED = ['maxpool', 'resize', 'concat'];

/** A line of src/nn/graph.h. */
function parse(line) {
  const [, name, op, rest] = /^\s*(\S+) = (\S+) ?(.*)$/.exec(line),
    words = rest.split(/ +/).filter(Boolean);
  const settings = words.filter((word) => word.includes('=')),
    set = Object.fromEntries(settings.map((word) => word.split('=')));
  return {
    name,
    op,
    inputs: words.filter((word) => !word.includes('=')),
    settings,
    act: set.act ?? 'none',
    k: Number(set.k ?? 1),
    linear: set.mode === 'linear',
  };
}

/** Whether a layer can read bytes, should its inputs be some. A dense layer behind a mean is too small to gain. */
function takesBytes({ op, k, linear, inputs }, layers) {
  if (op === 'depthwise') return k * k <= MAX_TAPS;
  if (op === 'dense') return layers.get(inputs[0]).op !== 'mean';
  return (
    op === 'conv' ||
    op === 'maxpool' ||
    op === 'concat' ||
    op === 'add' ||
    op === 'mean' ||
    (op === 'resize' && !linear)
  );
}

/** Names of the layers whose output becomes bytes. @returns {Set<string>} */
function chooseBytes(layers) {
  const chosen = new Set();
  for (const layer of layers.values()) {
    const { name, op, act, inputs } = layer;
    const simple = ['none', 'relu', 'relu6'].includes(act) && !FLOAT_NAMES.includes(name);
    const read = [...layers.values()].some((other) => other.inputs.includes(name) && takesBytes(other, layers));
    if (!simple || !read || !takesBytes(layer, layers)) continue;
    if (WEIGHTED.includes(op) || (op !== 'mean' && inputs.every((input) => chosen.has(input)))) chosen.add(name);
  }
  return chosen;
}

/**
 * The graph with the changes between floats and bytes written out.
 * @returns {{line: string, of: string|null, weighted: boolean}[]}  of: the layer whose values the output holds as bytes
 */
function rewrite(layers, chosen) {
  const lines = [],
    other = new Map();
  const get = (name, bytes) => {
    if (chosen.has(name) === bytes) return name;
    if (!other.has(name)) {
      other.set(name, `${name}.${bytes ? 'bytes' : 'floats'}`);
      lines.push({
        line: `${other.get(name)} = ${bytes ? 'quantise' : 'dequantise'} ${name}`,
        of: bytes ? name : null,
        weighted: false,
      });
    }
    return other.get(name);
  };
  for (const layer of layers.values()) {
    const { name, op, inputs, settings } = layer,
      weighted = WEIGHTED.includes(op);
    const bytes =
      takesBytes(layer, layers) && (weighted || chosen.has(name) || (op === 'mean' && chosen.has(inputs[0])));
    const from = inputs.map((input) => get(input, bytes));
    lines.push({
      line: [name, '=', op, ...from, ...settings].join(' '),
      of: chosen.has(name) ? name : null,
      weighted: weighted && bytes,
    });
  }
  return lines;
}

/** Bytes that only move keep what they stand for: one representative for each such family. @returns {(name: string) => string} */
function families(layers, chosen) {
  const parent = new Map();
  const find = (name) => (parent.has(name) ? find(parent.get(name)) : name);
  for (const { name, op, inputs } of layers.values()) {
    if (!MOVED.includes(op) || !chosen.has(name)) continue;
    for (const input of inputs) if (find(input) !== find(name)) parent.set(find(input), find(name));
  }
  return find;
}

/** The step and zero that stand for values with the least squared error. @param {number[]} values */
function chooseStep(values) {
  const least = Math.min(
      0,
      values.reduce((a, b) => Math.min(a, b), 0),
    ),
    most = values.reduce((a, b) => Math.max(a, b), 0);
  let best = { step: 1, zero: 0, error: Infinity };
  for (const share of most > least ? SHARES : []) {
    const step = Math.fround((share * (most - least)) / MOST),
      zero = Math.round((-share * least) / step);
    const error = values.reduce((sum, value) => {
      const byte = Math.min(MOST, Math.max(0, Math.round(value / step) + zero));
      return sum + (step * (byte - zero) - value) ** 2;
    }, 0);
    if (error < best.error) best = { step, zero, error };
  }
  return best;
}

/** Values of every output over the inputs: some of each, its ends among them. @returns {Map<string, number[]>} by layer */
function observe(engine, graph, inputs) {
  const seen = new Map();
  for (const input of inputs) {
    for (const { name, shape, lanes, data } of engine.activations(input, graph)) {
      const values = seen.get(name) ?? [],
        every = Math.max(1, Math.floor(data.length / SAMPLES));
      let least = Infinity,
        most = -Infinity;
      data.forEach((value, i) => {
        if (i % lanes >= shape[2]) return;
        if (i % every === 0) values.push(value);
        least = Math.min(least, value);
        most = Math.max(most, value);
      });
      seen.set(name, [...values, least, most]);
    }
  }
  return seen;
}

/** [cout/4][window][4] of a convolution to [cout/4][quads][4][4], or depthwise as it is; one scale an output channel. */
function packWeights(floats, bias, op, inputStep) {
  const cout = bias.length,
    window = floats.length / cout,
    grouped = op === 'depthwise' ? 1 : 4;
  const groups = Math.ceil(window / grouped),
    data = new Int8Array(groups * grouped * cout),
    scale = new Float32Array(cout);
  for (let o = 0; o < cout; o++) {
    const at = (n) => floats[(Math.floor(o / 4) * window + n) * 4 + (o % 4)];
    let most = 0;
    for (let n = 0; n < window; n++) most = Math.max(most, Math.abs(at(n)));
    // Beside tiny weights the bias must still fit 32 bits.
    scale[o] = Math.max(most / MOST, Math.abs(bias[o]) / inputStep / 2 ** 24) || 1;
    for (let n = 0; n < window; n++) {
      data[((Math.floor(o / 4) * groups + Math.floor(n / grouped)) * 4 + (o % 4)) * grouped + (n % grouped)] =
        Math.round(at(n) / scale[o]);
    }
  }
  return { dims: [4 * grouped, groups, cout / 4], data: new Uint8Array(data.buffer), scale };
}

/** Replaces one graph of the weights by its byte form. */
function replaceGraph(weights, graph, engine, inputs) {
  const layers = new Map(engine.model.graphs[graph].map(parse).map((layer) => [layer.name, layer]));
  const chosen = chooseBytes(layers),
    lines = rewrite(layers, chosen),
    find = families(layers, chosen),
    seen = observe(engine, graph, inputs);
  const byFamily = new Map();
  for (const name of new Set(lines.map(({ of }) => of).filter(Boolean)))
    byFamily.set(find(name), [...(byFamily.get(find(name)) ?? []), name]);
  const steps = new Map();
  for (const names of byFamily.values()) {
    const step = chooseStep(names.flatMap((name) => seen.get(name)));
    for (const name of names) steps.set(name, step);
  }
  const stepOf = ({ of }) => (of ? steps.get(of) : { step: 0, zero: 0 }),
    byName = new Map(lines.map((one) => [parse(one.line).name, one]));
  for (const { line } of lines.filter((one) => one.weighted)) {
    const {
        name,
        op,
        inputs: [from],
      } = parse(line),
      key = `${graph}.${name}`;
    const bias = floatsOf(weights.tensors.get(`${key}.bias`)),
      floats = floatsOf(weights.tensors.get(`${key}.weight`));
    const { dims, data, scale } = packWeights(floats, bias, op, stepOf(byName.get(from)).step);
    weights.tensors.set(`${key}.weight`, { dims, kind: TENSOR.I8, data });
    weights.tensors.set(`${key}.scale`, floatTensor(scale));
  }
  weights.values.set(`pleura.${graph}.graph`, textValues(lines.map(({ line }) => line)));
  weights.values.set(`pleura.${graph}.steps`, floatValues(lines.map((one) => stepOf(one).step)));
  weights.values.set(`pleura.${graph}.zeros`, floatValues(lines.map((one) => stepOf(one).zero)));
}

/**
 * @param {Uint8Array|ArrayBuffer|WebAssembly.Module} wasm  pleura.wasm
 * @param {Uint8Array} bytes  weights in floats
 * @param {(Uint8Array|Float32Array)[]} inputs  films that stand for those to come, as files; or tensors for networks that
 *   see none
 * @returns {Promise<Uint8Array>} weights in bytes, which hold the bits of their own self-test
 */
export async function quantise(wasm, bytes, inputs) {
  const engine = await createEngine({ wasm, weights: bytes }),
    weights = readGguf(bytes);
  for (const graph of ['lungs', 'diagnosis'])
    if (engine.model.graphs[graph].length) replaceGraph(weights, graph, engine, inputs);
  weights.values.delete('pleura.selftest.bits');
  const { bits } = (await createEngine({ wasm, weights: writeGguf(weights) })).phantom();
  weights.values.set('pleura.selftest.bits', textValue(bits));
  return writeGguf(weights);
}
