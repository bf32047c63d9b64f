// Decodes the first frame of a DICOM file's pixel data to 16-bit words: native, RLE, JPEG, JPEG-LS or JPEG 2000.
import { fragments, join } from './dataset.mjs';
import { damaged } from './errors.mjs';
import { unsupportedSyntax } from './syntaxes.mjs';

/**
 * @typedef {object} Shape
 * @property {number} width @property {number} height
 * @property {1 | 3} channels
 * @property {8 | 16} allocated  Bits Allocated
 * @property {number} bits  Bits Stored
 * @property {number} shift  position of the lowest stored bit in its word
 * @property {boolean} signed
 * @property {boolean} planar  all R, then all G, then all B
 * @property {number} frames
 * @property {string} photometric  Photometric Interpretation
 * @typedef {import('./dataset.mjs').Source & { pixels: import('./dataset.mjs').PixelData }} WithPixels
 * @typedef {{ pixels: Uint16Array, planar: boolean, rgb: boolean }} Words  rgb: the JPEG decoder has converted to RGB
 */

/** Syntaxes in which the JPEG decoder does not convert colours. */
const LOSSLESS = /^1\.2\.840\.10008\.1\.2\.4\.(57|70)$/;

const swapPairs = (/** @type {Uint8Array} */ bytes) => {
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i + 1 < bytes.length; i += 2) [swapped[i], swapped[i + 1]] = [bytes[i + 1], bytes[i]];
  return swapped;
};

/** @param {WithPixels} source @param {Shape} shape @returns {Words} */
function readNative({ bytes, pixels, big }, { width, height, channels, allocated, planar }) {
  const size = width * height * channels * (allocated / 8);
  const padded = size + (size & 1); // big-endian bytes come in pairs
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

/** Unpacks one segment: PackBits (PS3.5, G.3.1). @param {Uint8Array} packed @param {Uint8Array} out */
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

/**
 * One segment per byte of each channel, most significant byte first (PS3.5, G.2).
 * @param {Uint8Array} packed @param {Shape} shape @returns {Words}
 */
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

/**
 * The bytes of the first frame. It may span several fragments; the next frame begins with the same two bytes.
 * @param {WithPixels} source @param {number} frames
 */
function firstFrame(source, frames) {
  const [, ...all] = fragments(source.bytes, source.pixels.at); // the first is the offset table, often empty
  if (!all.length) throw damaged();
  const next = frames > 1 ? all.findIndex(([a, b], i) => i > 0 && a === all[0][0] && b === all[0][1]) : -1;
  const own = next < 0 ? all : all.slice(0, next);
  return own.length === 1 ? own[0] : join(own);
}

/** Adobe's APP14 marker with transform 0: the channels are RGB, not luma and chroma (T.872, 6.5.3). */
// prettier-ignore
const ADOBE_RGB = Uint8Array.of(0xff, 0xee, 0, 14, ...new TextEncoder().encode('Adobe'), 0, 100, 0, 0, 0, 0, 0);

/** How far lossy coding may push a value past white. */
const OVERSHOOT = 1 / 8;

/**
 * The words of a compressed stream as stored values. Its precision should equal Bits Stored (PS3.5, 8.2.1), but much
 * software writes 16. A value slightly above white becomes white; one far above it, or with its sign bit elsewhere,
 * means that the header does not describe this stream.
 * @param {{ pixels: Uint16Array, bits: number }} coded @param {Shape} shape
 */
function storedValues({ pixels, bits }, { bits: stored, shift, signed }) {
  const top = stored + shift,
    white = 2 ** top - 1;
  if (signed && bits < top) throw damaged();
  if (bits <= top) return pixels;
  const negative = [2 ** (bits - top) - 1, 0xffff >> top]; // all ones above the sign bit, in the stream or in the word
  return pixels.map((word) => {
    if (word <= white || (signed && negative.includes(word >> top))) return word;
    if (signed || word > white * (1 + OVERSHOOT)) throw damaged();
    return white;
  });
}

/**
 * @param {Uint8Array} bytes @param {Shape} shape @param {import('./dataset.mjs').Source} source
 * @param {import('./reader.mjs').JpegEngine} engine
 * @returns {Words & { bits: number }}
 */
function readJpeg(bytes, { width, height, channels, photometric }, { syntax }, engine) {
  try {
    // Where the stream has no colour marker the header decides; without one a decoder assumes luma and chroma.
    const decoded = engine.decodeJpeg(
      photometric === 'RGB' ? join([bytes.subarray(0, 2), ADOBE_RGB, bytes.subarray(2)]) : bytes,
    );
    if (decoded.width !== width || decoded.height !== height || decoded.channels !== channels) throw damaged();
    return { ...decoded, planar: false, rgb: !LOSSLESS.test(syntax) };
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error);
    if (code === 'image-unsupported') throw unsupportedSyntax(syntax);
    throw code === 'image-damaged' ? damaged() : error;
  }
}

/**
 * @param {WithPixels} source @param {Shape} shape @param {import('./reader.mjs').JpegEngine} engine
 * @param {ReturnType<import('./codecs.mjs').createCodecs>} decode
 * @returns {Promise<Words>}
 */
export async function readFrame(source, shape, engine, decode) {
  const { coding, syntax } = source;
  if (!coding) throw unsupportedSyntax(syntax);
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
