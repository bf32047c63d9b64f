// The shipped weights as float32: what `quantise` is given in tests, and a second arithmetic.
import { readFileSync } from 'node:fs';
import { formatLayer, parseGraph } from '../../src/engine/graph.mjs';
import { createEngine } from '../../src/engine.mjs';
import {
  floatsOf,
  floatTensor,
  readGguf,
  tensorOf,
  textsOf,
  textValue,
  textValues,
  writeGguf,
} from '../../src/weights/gguf.mjs';
import { packConv } from '../../src/weights/layout.mjs';

const read = (/** @type {string} */ path) => readFileSync(new URL(`../../${path}`, import.meta.url));

/** The floats that an int8 weight and its scales stand for, packed for the float kernels. */
function dequantised({ dims, data }, scale, window) {
  const [inner, groups, blocks] = dims;
  const group = inner / 4;
  const rows = Array.from({ length: 4 * blocks }, (_, o) =>
    Float64Array.from({ length: window ?? groups * group }, (_, i) => {
      const at = ((Math.floor(o / 4) * groups + Math.floor(i / group)) * 4 + (o % 4)) * group + (i % group);
      return scale[o] * ((data[at] << 24) >> 24);
    }),
  );
  return packConv(rows, Float32Array);
}

/** model/pleura.gguf with the same values in float32, and with the bits of its own self-test. @returns {Promise<Uint8Array>} */
export async function floatWeights() {
  const weights = readGguf(read('model/pleura.gguf'));
  for (const graph of ['lungs', 'diagnosis']) {
    const layers = parseGraph(textsOf(weights.values.get(`pleura.${graph}.graph`))),
      floats = layers.filter(({ op }) => op !== 'quantise');
    for (const { name, op, inputs, attributes } of layers) {
      const key = `${graph}.${name}`;
      const scale = weights.tensors.get(`${key}.scale`);
      if (!scale) continue;
      const k = Number(attributes.k);
      const window = inputs[0] === 'image.bytes' || op === 'depthwise' ? k * k : undefined;
      const packed = dequantised(tensorOf(weights, `${key}.weight`), floatsOf(scale), window);
      const blocks = scale.dims[0] / 4;
      weights.tensors.set(`${key}.weight`, floatTensor(packed, [packed.length / blocks / k / k, k, k, blocks]));
      weights.tensors.delete(`${key}.scale`);
    }
    for (const layer of floats) layer.inputs = layer.inputs.map((input) => input.replace(/\.bytes$/, ''));
    weights.values.set(`pleura.${graph}.graph`, textValues(floats.map(formatLayer)));
    for (const part of ['steps', 'zeros']) weights.values.delete(`pleura.${graph}.${part}`);
  }
  weights.values.delete('pleura.selftest.bits');
  const { bits } = (await createEngine({ wasm: read('build/pleura.wasm'), weights: writeGguf(weights) })).phantom();
  weights.values.set('pleura.selftest.bits', textValue(bits));
  return writeGguf(weights);
}
