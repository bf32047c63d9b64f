// wasm.mjs - an instance of pleura.wasm, and the bridge between its memory and JavaScript.
//
// One instance is one engine. Every call follows the protocol at the top of wasm.c: `give` copies the arguments into
// the module's memory, an export works on them and returns a status, `check` throws that status unless it is 0, and the
// results are copied out before the next call. A view of the memory is made for one use: growing the memory detaches
// earlier ones.
import { PleuraError } from '../errors.mjs';

/** @typedef {Uint8Array | ArrayBuffer | WebAssembly.Module} WasmSource */

/** Numbers of src/status.h that JavaScript itself reports. */
export const STATUS = { OUT_OF_MEMORY: 1, MODEL_DAMAGED: 12, NO_FILM: 17, NOT_IMAGE: 21 };

/** @param {WasmSource} source @param {WebAssembly.Imports} imports @returns {Promise<any>} the exports */
async function instantiate(source, imports) {
  /** @type {any} */
  const made = await WebAssembly.instantiate(/** @type {any} */ (source), imports);
  return 'instance' in made ? made.instance.exports : made.exports; // from bytes, or from a compiled module
}

/** Compiles pleura.wasm. @param {WasmSource} source @returns {Promise<WebAssembly.Module>} throws PleuraError */
export async function compileWasm(source) {
  if (source instanceof WebAssembly.Module) return source;
  try {
    return await WebAssembly.compile(/** @type {BufferSource} */ (source));
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw new PleuraError(
      'no-simd',
      -1,
      'The engine does not load: pleura.wasm is damaged, or this browser or Node lacks WebAssembly SIMD. Load it again, or update the browser or Node.',
    );
  }
}

/** Creates an instance of pleura.wasm. @param {WasmSource} source */
export async function openWasm(source) {
  const exports = await instantiate(await compileWasm(source), { env: { emscripten_notify_memory_growth() {} } });
  exports._initialize();
  return createBridge(exports, {
    at: (Type, address, length) => new Type(exports.memory.buffer, address, length),
    put: (address, bytes) => new Uint8Array(exports.memory.buffer).set(bytes, address),
  });
}

/**
 * Offers the dot products of pleura.dot.wasm to the engine, and reports whether it uses them. WebAssembly without
 * relaxed SIMD does not load them, and an implementation that computes them wrongly fails the engine's known-answer
 * test; either way results do not change.
 * @param {any} exports  of pleura.wasm @param {WasmSource} dot @returns {Promise<boolean>}
 */
export async function offerDotProducts(exports, dot) {
  try {
    const { products } = await instantiate(dot, { env: { memory: exports.memory } });
    const index = exports.__indirect_function_table.grow(1);
    exports.__indirect_function_table.set(index, products);
    return exports.offer_products(index) === 1;
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return false;
    throw error;
  }
}

/** @typedef {ReturnType<typeof createBridge>} Bridge */

/**
 * @param {any} exports  of pleura.wasm, or the same functions of pleura.node
 * @param {{ at: (Type: any, address: number, length: number) => any, put: (address: number, bytes: Uint8Array) => void }}
 *   memory  at: a typed array of what lies there, which may be a copy
 */
export function createBridge(exports, { at, put }) {
  const utf8 = new TextDecoder();

  const bytesAt = (/** @type {number} */ address, /** @type {number} */ length) => at(Uint8Array, address, length);
  const floatsAt = (/** @type {number} */ address, /** @type {number} */ length) => at(Float32Array, address, length);
  const wordsAt = (/** @type {number} */ address, /** @type {number} */ length) => at(Uint16Array, address, length);
  const textAt = (/** @type {number} */ address, /** @type {number} */ length) => utf8.decode(bytesAt(address, length));

  /** A string that ends with a zero byte. @param {number} address */
  const cString = (address) => textAt(address, exports.text_length(address));

  /** Throws PleuraError unless the status is 0. @param {number} status */
  function check(status) {
    if (status)
      throw new PleuraError(cString(exports.status_code(status)), status, cString(exports.status_text(status)));
  }

  /** Copies the parts, one after the other, to where the next call reads its input. @param {ArrayBufferView[]} parts */
  function give(...parts) {
    const size = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    let address = exports.input(size);
    if (!address) check(STATUS.OUT_OF_MEMORY);
    for (const { buffer, byteOffset, byteLength } of parts) {
      put(address, new Uint8Array(buffer, byteOffset, byteLength));
      address += byteLength;
    }
  }

  const giveKey = (/** @type {string} */ key) => give(new TextEncoder().encode(`${key}\0`));

  /**
   * A text in the weights: the value under a key, or one element of an array.
   * @param {string} key @param {number} [index]
   */
  function text(key, index = 0) {
    giveKey(key);
    const address = exports.text(index);
    return address ? textAt(address, exports.text_size()) : null;
  }

  /** @param {string} key @param {number} [index] @returns {number | null} */
  function number(key, index = 0) {
    giveKey(key);
    const value = exports.number(index);
    return Number.isNaN(value) ? null : value;
  }

  /** An array of texts in the weights; empty if there is none. @param {string} key */
  function texts(key) {
    const all = [];
    for (let one = text(key, 0); one !== null; one = text(key, all.length)) all.push(one);
    return all;
  }

  return { exports, bytesAt, floatsAt, wordsAt, textAt, cString, put, check, give, text, number, texts };
}
