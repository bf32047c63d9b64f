// gguf.mjs - GGUF v3 files as JavaScript objects, and back.
//
// A GGUF file is a list of values under keys, a list of tensors, and the tensors' data. Rewriting a file must not lose
// what this program does not know, so a value stays the bytes it is, with its type in front, until somebody asks what
// it holds.

/** Tensor types, as ggml numbers them. */
export const TENSOR = { F32: 0, F16: 1, Q8_0: 8, I8: 24 };
// Value types.
const U32 = 4;
const I32 = 5;
const STRING = 8;
const ARRAY = 9;
const F32 = 6;
/** Bytes of a value by its type; 0 for the two without a fixed size. */
const VALUE_SIZES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const MAGIC = 0x46554747;
const VERSION = 3;
const MAX_DIMENSIONS = 5; // as in src/nn/gguf.h
const GGML_DIMENSIONS = 4;
const ALIGNMENT = 32;
const ALIGNMENT_KEY = 'general.alignment';
// A Q8_0 block: one binary16 scale, then 32 int8 weights.
const BLOCK = 32;
const BLOCK_BYTES = 34;

/**
 * @typedef {{ dims: number[], kind: number, data: Uint8Array }} Tensor  dims: innermost first
 * @typedef {{ values: Map<string, Uint8Array>, tensors: Map<string, Tensor> }} Gguf
 */

const utf8 = new TextEncoder();

/** @param {Uint8Array[]} parts */
function concat(parts) {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
/** @param {number} n */
const u32 = (n) => new Uint8Array(Uint32Array.of(n).buffer);
/** @param {number} n */
const u64 = (n) => new Uint8Array(BigUint64Array.of(BigInt(n)).buffer);
/** @param {string} text */
const string = (text) => concat([u64(utf8.encode(text).length), utf8.encode(text)]);
/** @param {Uint8Array} bytes */
const aligned = (bytes) => concat([bytes, new Uint8Array(-bytes.length & (ALIGNMENT - 1))]);
/** @param {number[]} dims */
const product = (dims) => dims.reduce((count, n) => count * n, 1);

/** @param {number} x */
export const floatValue = (x) => concat([u32(F32), new Uint8Array(Float32Array.of(x).buffer)]);
/** @param {string} text */
export const textValue = (text) => concat([u32(STRING), string(text)]);
/** @param {string[]} all */
export const textValues = (all) => concat([u32(ARRAY), u32(STRING), u64(all.length), ...all.map(string)]);
/** @param {ArrayLike<number>} all */
export const floatValues = (all) =>
  concat([u32(ARRAY), u32(F32), u64(all.length), new Uint8Array(Float32Array.from(all).buffer)]);

/** Bytes of a tensor's data; null if its type is unknown. @param {number} kind @param {number[]} dims */
function tensorBytes(kind, dims) {
  const count = product(dims);
  if (kind === TENSOR.F32) return count * 4;
  if (kind === TENSOR.F16) return count * 2;
  if (kind === TENSOR.I8) return count;
  if (kind === TENSOR.Q8_0 && dims[0] % BLOCK === 0) return (count / BLOCK) * BLOCK_BYTES;
  if (kind === TENSOR.Q8_0) throw new RangeError('a Q8_0 tensor has rows that are not whole blocks');
  return null;
}

/** Reads a file from its start to its end. @param {Uint8Array} bytes */
function createReader(bytes) {
  const view = new DataView(bytes.buffer);
  const decoder = new TextDecoder();
  let offset = 0;

  /**
   * Moves past the next bytes and returns where they start; nothing else moves the offset forward.
   * @param {number} size
   */
  function take(size) {
    if (!(size <= bytes.length - offset)) throw new RangeError('the file ends early');
    return (offset += size) - size;
  }
  const u32At = () => view.getUint32(take(4), true);
  const u64At = () => Number(view.getBigUint64(take(8), true));
  const slice = (/** @type {number} */ size) => {
    const start = take(size);
    return bytes.slice(start, start + size);
  };
  const text = () => decoder.decode(slice(u64At()));

  /** @param {number} kind @param {number} count */
  function skipValues(kind, count) {
    if (kind === STRING) for (let i = 0; i < count; i++) text();
    else if (kind === ARRAY) for (let i = 0; i < count; i++) skipValues(u32At(), u64At());
    else if (VALUE_SIZES[kind]) take(VALUE_SIZES[kind] * count);
    else throw new RangeError(`values of type ${kind} are not supported`);
  }

  /** A value with its type in front. */
  function value() {
    const start = offset;
    const kind = u32At();
    if (kind === ARRAY) skipValues(u32At(), u64At());
    else skipValues(kind, 1);
    return bytes.slice(start, offset);
  }

  return {
    u32: u32At,
    u64: u64At,
    text,
    value,
    slice,
    offset: () => offset,
    seek: (/** @type {number} */ to) => void (offset = to),
  };
}

/** Throws RangeError if the file is damaged or not GGUF v3. @param {Uint8Array} weights @returns {Gguf} */
export function readGguf(weights) {
  const reader = createReader(Uint8Array.from(weights)); // a copy, because slices of a Buffer are views
  if (reader.u32() !== MAGIC || reader.u32() !== VERSION) throw new RangeError('this is not a GGUF file of version 3');
  const tensorCount = reader.u64();
  const valueCount = reader.u64();

  /** @type {Gguf} */
  const { values, tensors } = { values: new Map(), tensors: new Map() };
  for (let i = 0; i < valueCount; i++) {
    const key = reader.text();
    // Readers differ in which of two they use, so a rewritten file could mean something else.
    if (values.has(key)) throw new RangeError(`two values are named ${key}`);
    values.set(key, reader.value());
  }

  const headers = [];
  for (let i = 0; i < tensorCount; i++) {
    const name = reader.text();
    const rank = reader.u32();
    if (rank > MAX_DIMENSIONS) throw new RangeError(`tensors of ${rank} dimensions are not supported`);
    headers.push({ name, dims: Array.from({ length: rank }, reader.u64), kind: reader.u32(), offset: reader.u64() });
  }

  const declared = values.get(ALIGNMENT_KEY);
  const alignment = declared ? new DataView(declared.buffer).getUint32(4, true) : ALIGNMENT;
  const data = Math.ceil(reader.offset() / alignment) * alignment;
  const ends = [...headers.map(({ offset }) => data + offset), weights.length].sort((a, b) => a - b);
  for (const { name, dims, kind, offset } of headers) {
    if (tensors.has(name)) throw new RangeError(`two tensors are named ${name}`);
    reader.seek(data + offset);
    // The data of an unknown type reaches to the next tensor.
    const size = tensorBytes(kind, dims) ?? Number(ends.find((end) => end > data + offset)) - data - offset;
    tensors.set(name, { dims, kind, data: reader.slice(size) });
  }
  return { values, tensors };
}

/**
 * The same tensors with at most four dimensions, as ggml reads them. Before version 0.4 Pleura wrote the four output
 * channels of a block and the input channels as two dimensions.
 * @param {Map<string, Tensor>} tensors @returns {Map<string, Tensor>}
 */
export const inGgmlDimensions = (tensors) =>
  new Map(
    [...tensors].map(([name, tensor]) => {
      const [first, second, ...rest] = tensor.dims;
      return [name, tensor.dims.length > GGML_DIMENSIONS ? { ...tensor, dims: [first * second, ...rest] } : tensor];
    }),
  );

/** A tensor that must be there. @param {Gguf} gguf @param {string} name */
export function tensorOf({ tensors }, name) {
  const tensor = tensors.get(name);
  if (!tensor) throw new RangeError(`there is no tensor ${name}`);
  return tensor;
}

/** The text of a value from `textValue`; null for any other. @param {Uint8Array | undefined} value */
export function textOf(value) {
  return value && new DataView(value.buffer).getUint32(0, true) === STRING
    ? new TextDecoder().decode(value.slice(12))
    : null;
}

/**
 * The texts of a value from `textValues`; null for any other.
 * @param {Uint8Array | undefined} value @returns {string[] | null}
 */
export function textsOf(value) {
  if (!value) return null;
  const view = new DataView(value.buffer);
  if (view.getUint32(0, true) !== ARRAY || view.getUint32(4, true) !== STRING) return null;
  const texts = [];
  for (let offset = 16; offset < value.length;) {
    const end = offset + 8 + Number(view.getBigUint64(offset, true));
    texts.push(new TextDecoder().decode(value.slice(offset + 8, end)));
    offset = end;
  }
  return texts;
}

/**
 * The numbers of a value from `floatValue` or `floatValues`; null for any other.
 * @param {Uint8Array | undefined} value @returns {Float32Array | null}
 */
export function floatsIn(value) {
  if (!value) return null;
  const view = new DataView(value.buffer);
  const kind = view.getUint32(0, true);
  if (kind === F32) return new Float32Array(value.slice(4).buffer);
  return kind === ARRAY && view.getUint32(4, true) === F32 ? new Float32Array(value.slice(16).buffer) : null;
}

/** A single integer of 32 bits; null for any other value. @param {Uint8Array | undefined} value */
export function integerIn(value) {
  if (value?.length !== 8) return null;
  const view = new DataView(value.buffer);
  const kind = view.getUint32(0, true);
  return kind === I32 ? view.getInt32(4, true) : kind === U32 ? view.getUint32(4, true) : null;
}

/** @param {Gguf} weights @returns {Uint8Array} */
export function writeGguf({ values, tensors }) {
  const kept = [...values].filter(([key]) => key !== ALIGNMENT_KEY); // data is aligned as the format says by default
  const headers = [];
  const data = [];
  let offset = 0;
  for (const [name, tensor] of tensors) {
    headers.push(string(name), u32(tensor.dims.length), ...tensor.dims.map(u64), u32(tensor.kind), u64(offset));
    const bytes = aligned(tensor.data);
    data.push(bytes);
    offset += bytes.length;
  }
  const start = [utf8.encode('GGUF'), u32(VERSION), u64(tensors.size), u64(kept.length)];
  const pairs = kept.flatMap(([key, value]) => [string(key), value]);
  return concat([aligned(concat([...start, ...pairs, ...headers])), ...data]);
}

/** IEEE 754 binary16. @param {number} bits */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : fraction * 2 ** -24);
}

/** A tensor's numbers. @param {Tensor} tensor @returns {Float32Array} */
export function floatsOf({ dims, kind, data }) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  /** @type {{ [kind: number]: (i: number) => number }} */
  const readers = {
    [TENSOR.F32]: (i) => view.getFloat32(4 * i, true),
    [TENSOR.F16]: (i) => fromHalf(view.getUint16(2 * i, true)),
    [TENSOR.Q8_0]: (i) => {
      const block = Math.floor(i / BLOCK) * BLOCK_BYTES;
      return fromHalf(view.getUint16(block, true)) * view.getInt8(block + 2 + (i % BLOCK));
    },
  };
  return Float32Array.from({ length: product(dims) }, (_, i) => readers[kind](i));
}

/** @param {ArrayLike<number>} floats @param {number[]} [dims] @returns {Tensor} */
export const floatTensor = (floats, dims = [floats.length]) => ({
  dims,
  kind: TENSOR.F32,
  data: new Uint8Array(Float32Array.from(floats).buffer),
});
