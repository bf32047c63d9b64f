// Writes a network as an ONNX file (opset 13, channels first). The protobuf is encoded by hand: only two kinds of field
// are needed.
import { field } from './graph.mjs';

const FLOAT = 1,
  AS_INT = 2,
  AS_STRING = 3,
  AS_INTS = 7; // onnx.proto

function varint(n) {
  const out = [];
  for (; n > 127; n = Math.floor(n / 128)) out.push((n & 127) | 128);
  return Buffer.from([...out, n]);
}

/** Encodes field `number` of a message: an integer, or a string or message with its length. */
function put(number, value) {
  if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)]);
  const body = Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(body.length), body]);
}

const message = (...fields) => Buffer.concat(fields);

function attribute(name, value) {
  if (typeof value === 'number') return message(put(1, name), put(3, value), put(20, AS_INT));
  if (typeof value === 'string') return message(put(1, name), put(4, value), put(20, AS_STRING));
  return message(put(1, name), ...value.map((one) => put(8, one)), put(20, AS_INTS));
}

const tensor = (name, kind, dims, { buffer, byteOffset, byteLength }) =>
  message(
    ...dims.map((size) => put(1, size)),
    put(2, kind),
    put(8, name),
    put(9, Buffer.from(buffer, byteOffset, byteLength)),
  );

const valueInfo = (name, dims) =>
  message(
    put(1, name),
    put(2, put(1, message(put(1, FLOAT), put(2, message(...dims.map((size) => put(1, put(1, size)))))))),
  );

/** Reorders [k][k][cin][cout] as [cout][cin][k][k]. */
function outermost(weight, cout, cin, k) {
  const out = new Float32Array(weight.length);
  for (let from = 0; from < weight.length; from++) {
    const o = from % cout,
      i = Math.floor(from / cout) % cin,
      place = Math.floor(from / (cout * cin));
    out[(o * cin + i) * k * k + place] = weight[from];
  }
  return out;
}

/**
 * @param {import('./graph.mjs').Layer[]} layers
 * @param {Map<import('./graph.mjs').Layer, import('./graph.mjs').Parameters>} parameters
 */
export function onnx(layers, parameters) {
  const nodes = [],
    constants = [];
  const keep = (name, kind, dims, values) => {
    constants.push(tensor(name, kind, dims, values));
    return name;
  };
  const node = (op, inputs, output, attributes = {}) => {
    const set = Object.entries(attributes).map(([name, value]) => put(5, attribute(name, value)));
    nodes.push(message(...inputs.map((input) => put(1, input)), put(2, output), put(3, output), put(4, op), ...set));
    return output;
  };

  function window(layer, output) {
    const {
        op,
        name,
        inputs: [from],
        k,
        stride,
        pad,
        after,
        c,
      } = layer,
      [, , cin] = parameters.has(layer) ? field(layer) : [];
    const slide = { kernel_shape: [k, k], strides: [stride, stride], pads: [pad, pad, after, after] };
    if (op === 'maxpool') return node('MaxPool', [from.name], output, slide);
    const { weight, bias } = parameters.get(layer);
    const weights = [
      keep(`${name}.weight`, FLOAT, [c, cin, k, k], outermost(weight, c, cin, k)),
      keep(`${name}.bias`, FLOAT, [c], bias),
    ];
    return node('Conv', [from.name, ...weights], output, { ...slide, group: op === 'depthwise' ? c : 1 });
  }

  /** Flattened in HWC order, as the weights are. */
  function dense(layer, output) {
    const {
        name,
        inputs: [from],
        c,
      } = layer,
      { weight, bias } = parameters.get(layer),
      many = from.h * from.w > 1;
    const last = many ? node('Transpose', [from.name], `${name}.last`, { perm: [0, 2, 3, 1] }) : from.name;
    const flat = node('Flatten', [last], `${name}.flat`, { axis: 1 });
    return node(
      'Gemm',
      [flat, keep(`${name}.weight`, FLOAT, [weight.length / c, c], weight), keep(`${name}.bias`, FLOAT, [c], bias)],
      output,
    );
  }

  const bounded = layers.some(({ act }) => act === 'relu6');
  const limits = bounded
    ? [keep('zero', FLOAT, [], Float32Array.of(0)), keep('six', FLOAT, [], Float32Array.of(6))]
    : [];
  for (const layer of layers.slice(1)) {
    const { op, name, act, inputs, scale } = layer,
      names = inputs.map((input) => input.name);
    const output = act === 'none' ? name : `${name}.sum`;
    if (op === 'dense') dense(layer, output);
    else if (op === 'mean') node('GlobalAveragePool', names, output);
    else if (op === 'add') node('Add', names, output);
    else if (op === 'concat') node('Concat', names, output, { axis: 1 });
    else if (op === 'resize') {
      const scales = keep(`${name}.scales`, FLOAT, [4], Float32Array.of(1, 1, scale, scale));
      node('Resize', [...names, '', scales], output, {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      });
    } else window(layer, output);
    if (act === 'relu') node('Relu', [output], name);
    if (act === 'relu6') node('Clip', [output, ...limits], name);
  }
  const [image] = layers,
    last = layers.at(-1);
  const graph = message(
    ...nodes.map((one) => put(1, one)),
    put(2, 'network'),
    ...constants.map((one) => put(5, one)),
    put(11, valueInfo(image.name, [1, image.c, image.h, image.w])),
    put(12, valueInfo(last.name, [1, last.c])),
  );
  return message(put(1, 8), put(7, graph), put(8, message(put(1, ''), put(2, 13))));
}
