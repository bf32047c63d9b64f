// Codecs for compressed DICOM that the engine does not have: CharLS for JPEG-LS, OpenJPEG for JPEG 2000 and HTJ2K.
/// <reference path="./modules.d.ts" />
import charls from '@cornerstonejs/codec-charls/decodewasmjs';
import openjpeg from '@cornerstonejs/codec-openjpeg/decodewasmjs';

/**
 * @typedef {'charls' | 'openjpeg'} CodecName
 * @typedef {{ pixels: Uint16Array, width: number, height: number, channels: number, bits: number, planar: boolean }}
 *   Frame
 * @typedef {{ width: number, height: number, channels: number, bits: number }} Coded  size and depth according to the
 *   stream
 */

/** @type {Record<CodecName, (options: object) => Promise<any>>} */
const FACTORIES = { charls, openjpeg };
const DECODERS = { charls: 'JpegLSDecoder', openjpeg: 'J2KDecoder' };

/**
 * Runs what Emscripten wrote as if this were no Node: it looks for files beside itself there, with `require` and
 * `__dirname`, which a bundle in modules does not have. Here it is handed its only file.
 * @template T @param {() => T} make @returns {T}
 */
function outsideNode(make) {
  const { process } = /** @type {{ process?: { type?: string } }} */ (globalThis);
  if (!process) return make();
  const { type } = process;
  process.type = 'renderer'; // the name of Electron's pages, the only processes of Node that it treats as a browser
  try {
    return make();
  } finally {
    process.type = type;
  }
}

/**
 * Size and depth of a JPEG-LS stream, from marker SOF55 (T.87, C.2.2).
 * @param {DataView} view
 * @returns {Coded | null}
 */
function sizeOfJpegLs(view) {
  for (let at = 2; at + 10 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
    if (view.getUint8(at) !== 0xff) return null;
    if (view.getUint8(at + 1) !== 0xf7) continue;
    return {
      bits: view.getUint8(at + 4),
      height: view.getUint16(at + 5),
      width: view.getUint16(at + 7),
      channels: view.getUint8(at + 9),
    };
  }
  return null;
}

/**
 * Size and depth of a JPEG 2000 stream, from marker SIZ, which always comes first (T.800, A.5.1).
 * @param {DataView} view
 * @returns {Coded | null}
 */
function sizeOfJpeg2000(view) {
  if (view.byteLength < 44 || view.getUint32(0) !== 0xff4fff51) return null;
  const at = (/** @type {number} */ offset) => view.getUint32(offset);
  return {
    width: at(8) - at(16),
    height: at(12) - at(20),
    channels: view.getUint16(40),
    bits: (view.getUint8(42) & 127) + 1,
  };
}

/**
 * Whether a JPEG 2000 stream holds a part of each of its tiles: OpenJPEG shows those that are missing as black.
 * Tile-parts begin with marker SOT, which gives their tile and their length (T.800, A.4.2, B.3).
 * @param {DataView} view  whose size is known
 */
function holdsAllTiles(view) {
  const at = (/** @type {number} */ offset) => view.getUint32(offset);
  const across = Math.ceil((at(8) - at(32)) / at(24)),
    down = Math.ceil((at(12) - at(36)) / at(28));
  const tiles = new Set();
  let place = 2; // behind SOC
  while (place + 4 <= view.byteLength && view.getUint16(place) !== 0xff90) place += 2 + view.getUint16(place + 2);
  while (place + 12 <= view.byteLength && view.getUint16(place) === 0xff90) {
    tiles.add(view.getUint16(place + 4));
    place += at(place + 6) || Infinity; // 0: to the end
  }
  return tiles.size >= across * down;
}

/** The JPEG 2000 stream without the JP2 boxes that some software leaves around it. @param {Uint8Array} bytes */
function unboxed(bytes) {
  const start = bytes.findIndex(
    (byte, i) => byte === 0xff && bytes[i + 1] === 0x4f && bytes[i + 2] === 0xff && bytes[i + 3] === 0x51,
  );
  return start > 0 ? bytes.subarray(start) : bytes;
}

/**
 * The JPEG-LS stream with an end of image behind it. Where the coded pixels stop without a marker, CharLS reads on
 * for gigabytes, which takes many seconds; behind a complete stream the marker is not looked at.
 * @param {Uint8Array} bytes
 */
function ended(bytes) {
  const whole = new Uint8Array(bytes.length + 2);
  whole.set(bytes);
  whole.set([0xff, 0xd9], bytes.length);
  return whole;
}

/**
 * @param {(name: CodecName) => Promise<Uint8Array<ArrayBuffer>>} load  the codec's wasm
 * @returns {(name: CodecName, bytes: Uint8Array, expected: (coded: Coded) => boolean) => Promise<Frame | null>}
 *   decodes a
 *   stream whose header has the expected size, so that a bomb is refused before it is unpacked; null if it is damaged
 */
export function createCodecs(load) {
  /** @type {Map<CodecName, Promise<WebAssembly.Module>>} */ const modules = new Map();

  /** @param {CodecName} name */
  function compiled(name) {
    const module = modules.get(name) ?? load(name).then((bytes) => WebAssembly.compile(bytes));
    modules.set(name, module);
    module.catch(() => modules.delete(name)); // try again when the network is back
    return module;
  }

  /**
   * A fresh instance per stream: memory left behind by a damaged one must not show in the next film.
   * @param {CodecName} name @returns {Promise<any>}
   */
  async function open(name) {
    const module = await compiled(name);
    const quiet = () => {};
    return new Promise((resolve, reject) => {
      const options = {
        print: quiet,
        printErr: quiet,
        locateFile: (/** @type {string} */ file) => file,
        instantiateWasm: (/** @type {WebAssembly.Imports} */ imports, /** @type {(made: any) => void} */ done) =>
          WebAssembly.instantiate(module, imports).then(done, reject),
      };
      outsideNode(() => FACTORIES[name](options)).then(resolve, reject);
    });
  }

  return async function decode(name, given, expected) {
    const bytes = name === 'openjpeg' ? unboxed(given) : ended(given);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const coded = name === 'charls' ? sizeOfJpegLs(view) : sizeOfJpeg2000(view);
    if (!coded || coded.bits > 16 || !expected(coded)) return null;
    if (name === 'openjpeg' && !holdsAllTiles(view)) return null;
    const codec = await open(name);
    try {
      const decoder = new codec[DECODERS[name]]();
      decoder.getEncodedBuffer(bytes.length).set(bytes);
      decoder.decode();
      const { width, height, componentCount: channels, bitsPerSample: bits } = decoder.getFrameInfo();
      const decoded = decoder.getDecodedBuffer().slice();
      const planar = name === 'charls' && channels > 1 && decoder.getInterleaveMode() === 0;
      const pixels = bits > 8 ? new Uint16Array(decoded.buffer) : Uint16Array.from(decoded);
      return expected({ width, height, channels, bits }) && pixels.length === width * height * channels
        ? { pixels, width, height, channels, bits, planar }
        : null;
    } catch {
      return null; // C++ exceptions and traps both mean a damaged stream
    }
  };
}
