// gguf.mjs - weights as a JavaScript object and back: GGUF v3, with the values that nobody asks for left as they are.

export const TENSOR = { F32: 0, F16: 1, Q8_0: 8, I8: 24 }; // ggml's numbers
const SIZES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8],
  STRING = 8,
  ARRAY = 9,
  F32 = 6; // kinds of values
const MAGIC = 0x46554747,
  VERSION = 3,
  MOST_DIMENSIONS = 5; // those of gguf.h
const ALIGNMENT = 32,
  BLOCK = 32,
  BLOCK_SIZE = 34;

/**
 * @typedef {{dims: number[], kind: number, data: Uint8Array}} Tensor  dims: innermost first
 * @typedef {{values: Map<string, Uint8Array>, tensors: Map<string, Tensor>}} Gguf  a value begins with its kind
 */

const utf8 = new TextEncoder();
const join = (parts) => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};
const u32 = (n) => new Uint8Array(Uint32Array.of(n).buffer);
const u64 = (n) => new Uint8Array(BigUint64Array.of(BigInt(n)).buffer);
const string = (text) => join([u64(utf8.encode(text).length), utf8.encode(text)]);
const padded = (bytes) => join([bytes, new Uint8Array(-bytes.length & (ALIGNMENT - 1))]);

/** @param {number} x */
export const floatValue = (x) => join([u32(F32), new Uint8Array(Float32Array.of(x).buffer)]);
/** @param {string} text */
export const textValue = (text) => join([u32(STRING), string(text)]);
/** @param {string[]} all */
export const textValues = (all) => join([u32(ARRAY), u32(STRING), u64(all.length), ...all.map(string)]);
/** @param {ArrayLike<number>} all */
export const floatValues = (all) =>
  join([u32(ARRAY), u32(F32), u64(all.length), new Uint8Array(Float32Array.from(all).buffer)]);

function sizeOf(kind, count, dims) {
  if (kind === TENSOR.F32) return count * 4;
  if (kind === TENSOR.F16) return count * 2;
  if (kind === TENSOR.I8) return count;
  if (kind === TENSOR.Q8_0 && dims[0] % BLOCK === 0) return (count / BLOCK) * BLOCK_SIZE;
  throw new RangeError(`tensors of kind ${kind} are unknown`);
}

/** Throws RangeError for what is damaged or no such file. @param {Uint8Array} weights @returns {Gguf} */
export function readGguf(weights) {
  const bytes = Uint8Array.from(weights),
    view = new DataView(bytes.buffer),
    decoder = new TextDecoder(); // Buffer's slices are no copies
  let at = 0;
  /** The only code that moves `at`: where the next so many bytes begin. @param {number} size */
  const take = (size) => {
    if (!(size <= bytes.length - at)) throw new RangeError('the file ends early');
    return (at += size) - size;
  };
  const number = () => view.getUint32(take(4), true);
  const large = () => Number(view.getBigUint64(take(8), true));
  const text = () => {
    const size = large(),
      start = take(size);
    return decoder.decode(bytes.slice(start, start + size));
  };
  const skip = (kind, count) => {
    if (kind === STRING) for (let i = 0; i < count; i++) text();
    else if (SIZES[kind]) take(SIZES[kind] * count);
    else throw new RangeError(`values of kind ${kind} are unknown`);
  };
  if (number() !== MAGIC || number() !== VERSION) throw new RangeError('this is no GGUF of version 3');
  const tensorCount = large(),
    valueCount = large(),
    values = new Map(),
    tensors = new Map();
  for (let i = 0; i < valueCount; i++) {
    const key = text(),
      start = at,
      kind = number();
    if (values.has(key)) throw new RangeError(`two values are named ${key}`); // of which others may take the other
    if (kind === ARRAY) skip(number(), large());
    else skip(kind, 1);
    values.set(key, bytes.slice(start, at));
  }
  const described = [];
  for (let i = 0; i < tensorCount; i++) {
    const name = text(),
      dimensions = number();
    if (dimensions > MOST_DIMENSIONS) throw new RangeError(`tensors of ${dimensions} dimensions are unknown`);
    described.push({ name, dims: Array.from({ length: dimensions }, large), kind: number(), offset: large() });
  }
  const alignment = values.has('general.alignment')
    ? new DataView(values.get('general.alignment').buffer).getUint32(4, true)
    : ALIGNMENT;
  const data = Math.ceil(at / alignment) * alignment;
  for (const { name, dims, kind, offset } of described) {
    at = data + offset;
    if (tensors.has(name)) throw new RangeError(`two tensors are named ${name}`);
    const size = sizeOf(
        kind,
        dims.reduce((product, n) => product * n, 1),
        dims,
      ),
      start = take(size);
    tensors.set(name, { dims, kind, data: bytes.slice(start, start + size) });
  }
  return { values, tensors };
}

/** What `textValue` made; null for any other value. @param {Uint8Array | undefined} value */
export function textOf(value) {
  return value && new DataView(value.buffer).getUint32(0, true) === STRING
    ? new TextDecoder().decode(value.slice(12))
    : null;
}

/** What `textValues` made; null for any other value. @param {Uint8Array | undefined} value @returns {string[] | null} */
export function textsOf(value) {
  const view = value && new DataView(value.buffer);
  if (!view || view.getUint32(0, true) !== ARRAY || view.getUint32(4, true) !== STRING) return null;
  const texts = [];
  for (let at = 16; at < value.length;) {
    const end = at + 8 + Number(view.getBigUint64(at, true));
    texts.push(new TextDecoder().decode(value.slice(at + 8, end)));
    at = end;
  }
  return texts;
}

/** What `floatValue` or `floatValues` made; null for any other value. @param {Uint8Array | undefined} value @returns {Float32Array | null} */
export function floatsIn(value) {
  const view = value && new DataView(value.buffer);
  if (view?.getUint32(0, true) === F32) return new Float32Array(value.slice(4).buffer);
  return view?.getUint32(0, true) === ARRAY && view.getUint32(4, true) === F32
    ? new Float32Array(value.slice(16).buffer)
    : null;
}

/** @param {Gguf} weights @returns {Uint8Array} */
export function writeGguf({ values, tensors }) {
  const kept = [...values].filter(([key]) => key !== 'general.alignment'),
    described = [],
    data = [];
  let at = 0;
  for (const [name, tensor] of tensors) {
    described.push(string(name), u32(tensor.dims.length), ...tensor.dims.map(u64), u32(tensor.kind), u64(at));
    data.push(padded(tensor.data));
    at += data.at(-1).length;
  }
  const head = [
    utf8.encode('GGUF'),
    u32(3),
    u64(tensors.size),
    u64(kept.length),
    ...kept.flatMap(([key, value]) => [string(key), value]),
  ];
  return join([padded(join([...head, ...described])), ...data]);
}

/** IEEE 754 binary16. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1,
    exponent = (bits >> 10) & 31,
    fraction = bits & 1023;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : fraction * 2 ** -24);
}

/** A tensor's numbers. @param {Tensor} tensor @returns {Float32Array} */
export function floatsOf({ dims, kind, data }) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength),
    length = dims.reduce((product, n) => product * n, 1);
  const at = {
    [TENSOR.F32]: (i) => view.getFloat32(4 * i, true),
    [TENSOR.F16]: (i) => half(view.getUint16(2 * i, true)),
    [TENSOR.Q8_0]: (i) =>
      half(view.getUint16(Math.floor(i / BLOCK) * BLOCK_SIZE, true)) *
      view.getInt8(Math.floor(i / BLOCK) * BLOCK_SIZE + 2 + (i % BLOCK)),
  }[kind];
  return Float32Array.from({ length }, (_, i) => at(i));
}

/** @param {ArrayLike<number>} floats @param {number[]} dims @returns {Tensor} */
export const floatTensor = (floats, dims = [floats.length]) => ({
  dims,
  kind: TENSOR.F32,
  data: new Uint8Array(Float32Array.from(floats).buffer),
});
