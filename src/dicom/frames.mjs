// The first frame of a DICOM file's pixel data, unpacked to words: native, RLE, JPEG, JPEG-LS, JPEG 2000.
import { damaged, fragments, join, unknownSyntax } from './dataset.mjs';

/**
 * @typedef {object} Shape
 * @property {number} width @property {number} height
 * @property {1 | 3} channels
 * @property {8 | 16} allocated  bits of a sample
 * @property {number} bits  stored of these @property {number} shift  of the lowest of them @property {boolean} signed
 * @property {boolean} planar  all R, then all G, then all B
 * @property {number} frames
 * @property {string} photometric  interpretation
 * @typedef {{ pixels: Uint16Array, planar: boolean, rgb: boolean }} Words  rgb: JPEG has turned luma and chroma into R, G and B
 */

/** Syntaxes in which JPEG leaves the channels as they are. */
const LOSSLESS = /^1\.2\.840\.10008\.1\.2\.4\.(57|70)$/;

const swapPairs = (bytes) => {
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i + 1 < bytes.length; i += 2) [swapped[i], swapped[i + 1]] = [bytes[i + 1], bytes[i]];
  return swapped;
};

/** @param {import('./dataset.mjs').Source} source @param {Shape} shape @returns {Words} */
function readNative({ bytes, pixels, big }, { width, height, channels, allocated, planar }) {
  const size = width * height * channels * (allocated / 8);
  const padded = size + (size & 1); // bytes of big endian words come in pairs
  if (pixels.encapsulated || pixels.length < size || pixels.at + size > bytes.length) throw damaged();
  let frame = bytes.subarray(pixels.at, pixels.at + padded);
  if (big && pixels.words)
    frame = swapPairs(frame.length < padded ? Uint8Array.from({ length: padded }, (_, i) => frame[i] ?? 0) : frame);
  return {
    pixels: allocated === 16 ? new Uint16Array(frame.slice(0, size).buffer) : Uint16Array.from(frame.subarray(0, size)),
    planar,
    rgb: false,
  };
}

/** The bytes of one segment: PackBits (PS3.5, G.3.1). @param {Uint8Array} packed @param {Uint8Array} out */
function unpack(packed, out) {
  let at = 0,
    filled = 0;
  while (filled < out.length) {
    if (at + 1 >= packed.length) throw damaged();
    const control = packed[at++];
    if (control === 128) continue;
    const count = control < 128 ? control + 1 : 257 - control;
    if (filled + count > out.length) throw damaged();
    if (control < 128) {
      if (at + count > packed.length) throw damaged();
      out.set(packed.subarray(at, at + count), filled);
      at += count;
    } else {
      out.fill(packed[at++], filled, filled + count);
    }
    filled += count;
  }
}

/** A segment for each byte of each channel, the highest byte first (PS3.5, G.2). @param {Uint8Array} packed @param {Shape} shape @returns {Words} */
function readRle(packed, { width, height, channels, allocated }) {
  const count = width * height,
    depth = allocated / 8;
  if (packed.length < 64) throw damaged();
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  if (view.getUint32(0, true) !== channels * depth) throw damaged();
  const pixels = new Uint16Array(count * channels),
    plane = new Uint8Array(count);
  for (let segment = 0; segment < channels * depth; segment++) {
    const from = view.getUint32(4 + 4 * segment, true);
    const to = segment + 1 < channels * depth ? view.getUint32(8 + 4 * segment, true) : packed.length;
    if (from < 64 || to < from || to > packed.length) throw damaged();
    unpack(packed.subarray(from, to), plane);
    const base = Math.floor(segment / depth) * count,
      shift = 8 * (depth - 1 - (segment % depth));
    for (let i = 0; i < count; i++) pixels[base + i] |= plane[i] << shift;
  }
  return { pixels, planar: true, rgb: false };
}

/** The bytes of the first frame, which may be in several fragments: up to the next that opens as it does. @param {import('./dataset.mjs').Source} source @param {number} frames */
function firstFrame(source, frames) {
  const [, ...all] = fragments(source); // the first is a table of offsets, often empty
  if (!all.length) throw damaged();
  const next = frames > 1 ? all.findIndex(([a, b], i) => i > 0 && a === all[0][0] && b === all[0][1]) : -1;
  const own = next < 0 ? all : all.slice(0, next);
  return own.length === 1 ? own[0] : join(own);
}

/** Adobe's marker APP14 that says: no luma and chroma in here (T.872, 6.5.3). */
const AS_STORED = Uint8Array.of(
  0xff,
  0xee,
  0,
  14,
  ...[...'Adobe'].map((letter) => letter.charCodeAt(0)),
  0,
  100,
  0,
  0,
  0,
  0,
  0,
);

/** How far lossy coding may carry a value past white. */
const OVERSHOOT = 1 / 8;

/**
 * The words of a coded stream as stored values. Its precision should be Bits Stored (PS3.5, 8.2.1); much software says 16. A
 * little past white is white; what is far past it, or has its sign elsewhere, would be another film.
 * @param {{ pixels: Uint16Array, bits: number }} coded @param {Shape} shape
 */
function storedValues({ pixels, bits }, { bits: own, shift, signed }) {
  const top = own + shift,
    white = 2 ** top - 1;
  if (signed && bits < top) throw damaged();
  if (bits <= top) return pixels;
  const negative = [2 ** (bits - top) - 1, 0xffff >> top]; // ones above the sign, in the stream or the word
  return pixels.map((word) => {
    if (word <= white || (signed && negative.includes(word >> top))) return word;
    if (signed || word > white * (1 + OVERSHOOT)) throw damaged();
    return white;
  });
}

/** @param {Uint8Array} bytes @param {Shape} shape @param {import('./dataset.mjs').Source} source @returns {Words & { bits: number }} */
function readJpeg(bytes, { width, height, channels, photometric }, { syntax }, engine) {
  try {
    // The file's word counts where the stream has none: without it a decoder takes R, G, B for luma and chroma.
    const decoded = engine.decodeJpeg(
      photometric === 'RGB' ? join([bytes.subarray(0, 2), AS_STORED, bytes.subarray(2)]) : bytes,
    );
    if (decoded.width !== width || decoded.height !== height || decoded.channels !== channels) throw damaged();
    return { ...decoded, planar: false, rgb: !LOSSLESS.test(syntax) };
  } catch (error) {
    if (error.code === 'image-unsupported') throw unknownSyntax(syntax);
    throw error.code === 'image-damaged' ? damaged() : error;
  }
}

/**
 * @param {import('./dataset.mjs').Source} source @param {Shape} shape @param {any} engine @param {ReturnType<import('./codecs.mjs').createCodecs>} decode
 * @returns {Promise<Words>}
 */
export async function readFrame(source, shape, engine, decode) {
  const { coding, syntax } = source;
  if (!coding) throw unknownSyntax(syntax);
  if (coding === 'native') return readNative(source, shape);
  if (!source.pixels.encapsulated) throw damaged();
  const bytes = firstFrame(source, shape.frames);
  if (coding === 'rle') return readRle(bytes, shape);
  const coded =
    coding === 'jpeg'
      ? readJpeg(bytes, shape, source, engine)
      : await decode(
          coding,
          bytes,
          ({ width, height, channels }) =>
            width === shape.width && height === shape.height && channels === shape.channels,
        );
  if (!coded) throw damaged();
  return { rgb: false, ...coded, pixels: storedValues(coded, shape) };
}
