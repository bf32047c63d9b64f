// gguf.mjs - a network as Pleura's weights: GGUF v3, blocks of four output channels (src/kernels.h).
import { field } from './graph.mjs';

const F32 = 6, STRING = 8, ARRAY = 9, ALIGNMENT = 32;
const round4 = (n) => Math.ceil(n / 4) * 4;

const u32 = (n) => Buffer.from(Uint32Array.of(n).buffer);
const u64 = (n) => Buffer.from(BigUint64Array.of(BigInt(n)).buffer);
const string = (text) => Buffer.concat([u64(Buffer.byteLength(text)), Buffer.from(text)]);
const bytes = (floats) => Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);
const aligned = (buffer) => Buffer.concat([buffer, Buffer.alloc(-buffer.length & (ALIGNMENT - 1))]);

/** @param {string | string[] | Float32Array} value */
function setting(key, value) {
  if (typeof value === 'string') return Buffer.concat([string(key), u32(STRING), string(value)]);
  const numbers = value instanceof Float32Array;
  const head = [string(key), u32(ARRAY), u32(numbers ? F32 : STRING), u64(value.length)];
  return Buffer.concat([...head, ...(numbers ? [bytes(value)] : value.map(string))]);
}

/** Channels that a layer's output has in memory. */
const lanes = ({ op, c }) => (op === 'input' ? c : round4(c));

/** [rows][c][cout] to [cout/4][rows][lanes][4], what is new being zero. `rows` are the window's places, or dense's pixels. */
function pack(weight, c, wide, cout) {
  const rows = weight.length / (c * cout), out = new Float32Array(rows * wide * round4(cout));
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < c; i++) {
      for (let o = 0; o < cout; o++) {
        out[(((o >> 2) * rows + row) * wide + i) * 4 + (o & 3)] = weight[(row * c + i) * cout + o];
      }
    }
  }
  return out;
}

function packed(layer, { weight, bias }) {
  const { op, c, inputs: [from] } = layer, [k] = field(layer);
  const [cin, wide] = op === 'depthwise' ? [1, 1] : [from.c, lanes(from)];
  const four = new Float32Array(round4(c));
  four.set(bias);
  const summed = op === 'dense' ? from.h * from.w * wide : wide;
  return [['weight', pack(weight, cin, wide, c), [4, summed, k, k, round4(c) / 4]], ['bias', four, [four.length]]];
}

/**
 * @param {string[]} lines @param {import('./graph.mjs').Layer[]} layers
 * @param {Map<import('./graph.mjs').Layer, import('./graph.mjs').Parameters>} parameters
 */
export function gguf(lines, layers, parameters) {
  const [image] = layers, labels = Array.from({ length: layers.at(-1).c }, (_, i) => `label${i}`);
  const settings = [
    setting('general.architecture', 'pleura'), setting('pleura.labels', labels), setting('pleura.diagnosis.graph', lines),
    setting('pleura.input.scale', new Float32Array(image.c).fill(1)), setting('pleura.input.offset', new Float32Array(image.c)),
  ];
  const tensors = [], data = [];
  let at = 0;
  for (const [layer, numbers] of parameters) {
    for (const [part, floats, dims] of packed(layer, numbers)) {
      tensors.push(Buffer.concat([string(`diagnosis.${layer.name}.${part}`), u32(dims.length), ...dims.map(u64), u32(0), u64(at)]));
      data.push(aligned(bytes(floats)));
      at += data.at(-1).length;
    }
  }
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(settings.length), ...settings, ...tensors]);
  return Buffer.concat([aligned(head), ...data]);
}
