// Writes a network as Pleura's weights: GGUF v3, in blocks of four output channels (src/nn/f32.h).
import { floatTensor, floatValues, textValue, textValues, writeGguf } from '../../src/weights/gguf.mjs';
import { field, GREYS } from './graph.mjs';

const round4 = (n) => Math.ceil(n / 4) * 4;

/** The number of channels of a layer's output in memory. */
const lanes = ({ op, c }) => (op === 'input' ? c : round4(c));

/** Packs [rows][c][cout] as [cout/4][rows][lanes][4], padded with zeros. `rows` are the positions of the window, or the
 *  pixels of a dense layer. */
function pack(weight, c, wide, cout) {
  const rows = weight.length / (c * cout),
    out = new Float32Array(rows * wide * round4(cout));
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
  const {
      op,
      c,
      inputs: [from],
    } = layer,
    [k] = field(layer);
  const [cin, wide] = op === 'depthwise' ? [1, 1] : [from.c, lanes(from)];
  const four = new Float32Array(round4(c));
  four.set(bias);
  const summed = op === 'dense' ? from.h * from.w * wide : wide;
  return [
    ['weight', pack(weight, cin, wide, c), [4, summed, k, k, round4(c) / 4]],
    ['bias', four, [four.length]],
  ];
}

/**
 * @param {string[]} lines @param {import('./graph.mjs').Layer[]} layers
 * @param {Map<import('./graph.mjs').Layer, import('./graph.mjs').Parameters>} parameters
 */
export function gguf(lines, layers, parameters) {
  const [image] = layers,
    labels = Array.from({ length: layers.at(-1).c }, (_, i) => `label${i}`);
  const values = new Map([
    ['general.architecture', textValue('pleura')],
    ['pleura.labels', textValues(labels)],
    ['pleura.diagnosis.graph', textValues(lines)],
    ['pleura.input.scale', floatValues(Array(image.c).fill(GREYS.scale))],
    ['pleura.input.offset', floatValues(Array(image.c).fill(GREYS.offset))],
  ]);
  const tensors = new Map(
    [...parameters].flatMap(([layer, numbers]) =>
      packed(layer, numbers).map(([part, floats, dims]) => [
        `diagnosis.${layer.name}.${part}`,
        floatTensor(floats, dims),
      ]),
    ),
  );
  return writeGguf({ values, tensors });
}
