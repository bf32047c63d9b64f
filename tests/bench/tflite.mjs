// Writes a network as a TensorFlow Lite flatbuffer, field by field, with the numbers of TensorFlow's schema.fbs.
import { Builder } from 'flatbuffers';
import { field } from './graph.mjs';

const FLOAT32 = 0,
  INT32 = 2,
  SAME = 0,
  VALID = 1;
const ACTS = { none: 0, relu: 1, relu6: 3 };
// Each BuiltinOperator with its member of BuiltinOptions.
const OPS = {
  add: [0, 11],
  concat: [2, 10],
  conv: [3, 1],
  depthwise: [4, 2],
  dense: [9, 8],
  maxpool: [17, 5],
  reshape: [22, 17],
  pad: [34, 22],
  mean: [40, 27],
  resize: [97, 74],
};
const NAMES = Object.keys(OPS);

/** Whether the padding equals SAME for this size. */
function isSame({ inputs: [from], k, stride, pad, after }) {
  const around = Math.max(0, (Math.ceil(from.h / stride) - 1) * stride + k - from.h);
  return pad === around >> 1 && pad + after === around;
}

/** Transposes [rows][cout]. */
function turned(weight, cout) {
  const rows = weight.length / cout,
    out = new Float32Array(weight.length);
  for (let row = 0; row < rows; row++) for (let o = 0; o < cout; o++) out[o * rows + row] = weight[row * cout + o];
  return out;
}

/**
 * @param {import('./graph.mjs').Layer[]} layers
 * @param {Map<import('./graph.mjs').Layer, import('./graph.mjs').Parameters>} parameters
 */
export function tflite(layers, parameters) {
  const b = new Builder(1 << 20);

  /** Writes a table of [slot, kind, value]; kind names a method of Builder: addFieldInt32(slot, value, default)... */
  function table(fields) {
    b.startObject(12);
    // A default of -1 makes sure that every value is written, zeros included.
    for (const [slot, kind, value] of fields) b[`addField${kind}`](slot, value, kind === 'Offset' ? 0 : -1);
    return b.endObject();
  }
  function vector(values) {
    b.startVector(4, values.length, 4);
    for (const value of values.toReversed()) b.addInt32(value);
    return b.endVector();
  }
  function offsets(values) {
    b.startVector(4, values.length, 4);
    for (const value of values.toReversed()) b.addOffset(value);
    return b.endVector();
  }
  /** createByteVector() with the alignment that the schema requires for weights. */
  function data({ buffer, byteOffset, byteLength }) {
    b.startVector(1, byteLength, 16);
    b.bb.setPosition((b.space -= byteLength));
    b.bb.bytes().set(new Uint8Array(buffer, byteOffset, byteLength), b.space);
    return b.endVector();
  }

  const buffers = [table([])],
    tensors = [],
    operators = [],
    places = new Map();
  function tensor(name, kind, dims, values) {
    if (values) buffers.push(table([[0, 'Offset', data(values)]]));
    const text = b.createString(name),
      shape = vector(dims);
    tensors.push(
      table([
        [0, 'Offset', shape],
        [1, 'Int8', kind],
        [2, 'Int32', values ? buffers.length - 1 : 0],
        [3, 'Offset', text],
      ]),
    );
    return tensors.length - 1;
  }
  function operator(name, inputs, output, options) {
    const set = table(options),
      from = vector(inputs),
      to = vector([output]);
    operators.push(
      table([
        [0, 'Int32', NAMES.indexOf(name)],
        [1, 'Offset', from],
        [2, 'Offset', to],
        [3, 'Int8', OPS[name][1]],
        [4, 'Offset', set],
      ]),
    );
  }
  const activation = (name, { h, w, c }) => tensor(name, FLOAT32, [1, h, w, c]);
  const constant = (name, dims, ...values) => tensor(name, INT32, dims, Int32Array.from(values));

  /** The input, with an explicit border if the layer's padding is neither SAME nor none. */
  function bordered(layer) {
    const {
      name,
      inputs: [from],
      pad,
      after,
    } = layer;
    if (isSame(layer)) return [places.get(from), SAME];
    if (!pad && !after) return [places.get(from), VALID];
    const out = activation(`${name}.bordered`, { h: from.h + pad + after, w: from.w + pad + after, c: from.c });
    operator(
      'pad',
      [places.get(from), constant(`${name}.border`, [4, 2], 0, 0, pad, after, pad, after, 0, 0)],
      out,
      [],
    );
    return [out, VALID];
  }

  function weights(layer) {
    const { op, name, c } = layer,
      { weight, bias } = parameters.get(layer),
      [k, , cin] = field(layer);
    const dims = op === 'dense' ? [c, cin] : op === 'depthwise' ? [1, k, k, c] : [c, k, k, cin];
    const values = op === 'depthwise' ? weight : turned(weight, c);
    return [tensor(`${name}.weight`, FLOAT32, dims, values), tensor(`${name}.bias`, FLOAT32, [c], bias)];
  }

  const slid = (padding, { stride }) => [
    [0, 'Int8', padding],
    [1, 'Int32', stride],
    [2, 'Int32', stride],
  ];
  function write(layer, out) {
    const { op, name, inputs, k, h, w } = layer,
      act = ACTS[layer.act],
      from = inputs.map((input) => places.get(input));
    if (op === 'conv') {
      const [input, padding] = bordered(layer);
      operator(op, [input, ...weights(layer)], out, [...slid(padding, layer), [3, 'Int8', act]]);
    } else if (op === 'depthwise') {
      const [input, padding] = bordered(layer);
      operator(op, [input, ...weights(layer)], out, [...slid(padding, layer), [3, 'Int32', 1], [4, 'Int8', act]]);
    } else if (op === 'maxpool') {
      operator(op, from, out, [
        ...slid(isSame(layer) ? SAME : VALID, layer),
        [3, 'Int32', k],
        [4, 'Int32', k],
        [5, 'Int8', act],
      ]);
    } else if (op === 'dense') {
      const [, , cin] = field(layer),
        flat = tensor(`${name}.flat`, FLOAT32, [1, cin]);
      const shape = constant(`${name}.shape`, [2], 1, cin);
      operator('reshape', [from[0], shape], flat, [[0, 'Offset', vector([1, cin])]]);
      operator(op, [flat, ...weights(layer)], out, [[0, 'Int8', act]]);
    } else if (op === 'mean') operator(op, [from[0], constant(`${name}.axes`, [2], 1, 2)], out, [[0, 'Int8', 1]]);
    else if (op === 'concat')
      operator(op, from, out, [
        [0, 'Int32', 3],
        [1, 'Int8', act],
      ]);
    else if (op === 'add') operator(op, from, out, [[0, 'Int8', act]]);
    else operator(op, [from[0], constant(`${name}.size`, [2], h, w)], out, []);
  }

  for (const layer of layers) {
    const out = layer.op === 'dense' ? tensor(layer.name, FLOAT32, [1, layer.c]) : activation(layer.name, layer);
    places.set(layer, out);
    if (layer.op !== 'input') write(layer, out);
  }
  const parts = [
    offsets(tensors),
    vector([places.get(layers[0])]),
    vector([places.get(layers.at(-1))]),
    offsets(operators),
  ];
  const subgraph = table(parts.map((part, slot) => [slot, 'Offset', part]));
  const codes = NAMES.map((name) =>
    table([
      [0, 'Int8', OPS[name][0]],
      [2, 'Int32', 1],
      [3, 'Int32', OPS[name][0]],
    ]),
  );
  const lists = [offsets(codes), offsets([subgraph]), b.createString('network'), offsets(buffers)];
  b.finish(table([[0, 'Int32', 3], ...lists.map((list, i) => [i + 1, 'Offset', list])]), 'TFL3');
  return Buffer.from(b.asUint8Array());
}
