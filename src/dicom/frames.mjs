// Decodes the first frame of a DICOM file's pixel data to 16-bit words: native, RLE, JPEG, JPEG-LS or JPEG 2000.
import { fragments, join } from './dataset.mjs';
import { viewOf } from './elements.mjs';
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
 * @property {boolean} overlay  an overlay may lie in unused bits
 * @property {number} frames
 * @property {string} photometric  Photometric Interpretation
 * @typedef {import('./dataset.mjs').Source & { pixels: import('./dataset.mjs').PixelData }} WithPixels
 * @typedef {{ pixels: Uint16Array, planar: boolean, rgb: boolean }} Words  rgb: the JPEG decoder has converted to RGB
 * @typedef {import('./syntaxes.mjs').Coding} Coding
 */

const swapPairs = (/** @type {Uint8Array} */ bytes) => {
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i + 1 < bytes.length; i += 2) [swapped[i], swapped[i + 1]] = [bytes[i + 1], bytes[i]];
  return swapped;
};

/**
 * Y Y Cb Cr for two pixels, to Y Cb Cr for each (PS3.3, C.7.6.3.1.2, YBR_FULL_422).
 * @param {Uint16Array} pairs @param {number} count  of pixels
 */
function spreadChroma(pairs, count) {
  const out = new Uint16Array(3 * count);
  for (let i = 0; i < count; i++) {
    const pair = (i >> 1) * 4;
    out[3 * i] = pairs[pair + (i & 1)];
    out[3 * i + 1] = pairs[pair + 2];
    out[3 * i + 2] = pairs[pair + 3];
  }
  return out;
}

/**
 * Uncompressed pixels, which begin the given bytes.
 * @param {Uint8Array} bytes @param {Shape} shape @param {boolean} swapped  in words of big endian @returns {Words}
 */
function readNative(bytes, { width, height, channels, allocated, planar, photometric }, swapped) {
  const halved = photometric === 'YBR_FULL_422';
  if (halved && width % 2) throw damaged();
  const count = width * height,
    size = count * (halved ? 2 : channels) * (allocated / 8);
  const padded = size + (size & 1); // big-endian bytes come in pairs
  if (bytes.length < size) throw damaged();
  let frame = bytes.subarray(0, padded);
  if (swapped)
    frame = swapPairs(frame.length < padded ? Uint8Array.from({ length: padded }, (_, i) => frame[i] ?? 0) : frame);
  const pixels =
    allocated === 16 ? new Uint16Array(frame.slice(0, size).buffer) : Uint16Array.from(frame.subarray(0, size));
  return { pixels: halved ? spreadChroma(pixels, count) : pixels, planar: planar && !halved, rgb: false };
}

/** PackBits makes at most this many bytes of one. */
const MAX_EXPANSION = 64;

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
  const view = viewOf(packed);
  if (view.getUint32(0, true) !== channels * depth) throw damaged();
  if (packed.length * MAX_EXPANSION < count * channels * depth) throw damaged(); // before memory is taken for them
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
 * The bytes of the first frame. It may span several fragments.
 * @param {WithPixels} source @param {number} frames
 */
function firstFrame({ attributes, bytes, pixels }, frames) {
  let [table, ...all] = fragments(bytes, pixels.at);
  if (table && codingOfStream(table)) [table, all] = [new Uint8Array(), [table, ...all]]; // its writer left out the table
  if (!all.length) throw damaged();
  const own = all.slice(0, countOfFirst(all, frames, secondOffset(table, attributes.raw('ExtendedOffsetTable'))));
  return own.length === 1 ? own[0] : join(own);
}

/**
 * Where the second frame begins, counted from the first fragment, if a table says it (PS3.5, A.4; PS3.3, C.7.6.3.1.8).
 * @param {Uint8Array} basic @param {Uint8Array} extended
 */
function secondOffset(basic, extended) {
  if (extended.length >= 16) return Number(viewOf(extended).getBigUint64(8, true));
  return basic.length >= 8 ? viewOf(basic).getUint32(4, true) : null;
}

/**
 * How many of the fragments belong to the first frame.
 * @param {Uint8Array[]} all @param {number} frames @param {number | null} second  offset of the second frame
 */
function countOfFirst(all, frames, second) {
  for (let i = 0, offset = 0; second !== null && second > 0 && i < all.length; i++) {
    if (offset === second) return i;
    offset += 8 + all[i].length;
  }
  if (frames === 1) return all.length;
  if (all.length === frames) return 1;
  const next = all.findIndex(([a, b], i) => i > 0 && a === all[0][0] && b === all[0][1]); // it begins as the first does
  return next < 0 ? all.length : next;
}

/** Start of frame of JPEG Lossless and of JPEG-LS (T.81, B.1.1.3; T.87, C.1.1). */
const LOSSLESS = 0xc3,
  JPEG_LS = 0xf7;

/** The second byte of the marker that starts the frame of a JPEG stream; 0 where there is none. @param {Uint8Array} bytes */
function startOfFrame(bytes) {
  const isFrame = (/** @type {number} */ marker) =>
    marker === JPEG_LS || (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker));
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    if (isFrame(bytes[at + 1])) return bytes[at + 1];
    at += bytes[at + 1] === 0xff ? 1 : 2 + bytes[at + 2] * 256 + bytes[at + 3];
  }
  return 0;
}

/** The coding of a stream by its first bytes, whatever the header says. @param {Uint8Array} bytes @returns {Coding | null} */
function codingOfStream(bytes) {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xd8 && c === 0xff) return startOfFrame(bytes) === JPEG_LS ? 'charls' : 'jpeg';
  if (a === 0xff && b === 0x4f && c === 0xff && d === 0x51) return 'openjpeg';
  return String.fromCharCode(...bytes.subarray(4, 8)) === 'jP  ' ? 'openjpeg' : null;
}

/** Adobe's APP14 marker with transform 0: the channels are RGB, not luma and chroma (T.872, 6.5.3). */
// prettier-ignore
const ADOBE_RGB = Uint8Array.of(0xff, 0xee, 0, 14, ...new TextEncoder().encode('Adobe'), 0, 100, 0, 0, 0, 0, 0);

/** How far lossy coding may push a value past white. */
const OVERSHOOT = 1 / 8;

/** Whether all words are in range, as on almost every film. @param {Uint16Array} pixels @param {number} white */
function withinWhite(pixels, white) {
  for (let i = 0; i < pixels.length; i++) if (pixels[i] > white) return false; // every() takes ten times as long
  return true;
}

/**
 * The words of a compressed stream as stored values. Its precision should equal Bits Stored (PS3.5, 8.2.1), but much
 * software writes 16; a narrower stream has its sign bit where it ends. A value slightly above white becomes white; one
 * far above it, or with its sign bit elsewhere, means that the header does not describe this stream, unless an overlay
 * lies above the pixels.
 * @param {{ pixels: Uint16Array, bits: number }} coded @param {Shape} shape
 */
function storedValues({ pixels, bits }, { bits: stored, shift, signed, overlay }) {
  const top = stored + shift,
    white = 2 ** top - 1;
  if (bits < top && signed) return pixels.map((word) => (word << (32 - bits)) >> (32 - bits));
  if (bits <= top || overlay || withinWhite(pixels, white)) return pixels;
  const negative = [2 ** (bits - top) - 1, 0xffff >> top]; // all ones above the sign bit, in the stream or in the word
  return pixels.map((word) => {
    if (word <= white || (signed && negative.includes(word >> top))) return word;
    if (signed || word > white * (1 + OVERSHOOT)) throw damaged();
    return white;
  });
}

/**
 * @param {Uint8Array} bytes @param {Shape} shape @param {string} syntax
 * @param {import('./reader.mjs').JpegEngine} engine
 * @returns {Words & { bits: number }}
 */
function readJpeg(bytes, { width, height, channels, photometric }, syntax, engine) {
  try {
    // Where the stream has no colour marker the header decides; without one a decoder assumes luma and chroma.
    const decoded = engine.decodeJpeg(
      photometric === 'RGB' ? join([bytes.subarray(0, 2), ADOBE_RGB, bytes.subarray(2)]) : bytes,
    );
    if (decoded.width !== width || decoded.height !== height || decoded.channels !== channels) throw damaged();
    // The decoder converts the colours of 8-bit processes only.
    return { ...decoded, planar: false, rgb: decoded.bits === 8 && startOfFrame(bytes) !== LOSSLESS };
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
  const { syntax, pixels } = source;
  // Some files name a compressed syntax, and hold native pixels.
  if (!pixels.encapsulated)
    return readNative(source.bytes.subarray(pixels.at, pixels.at + pixels.length), shape, pixels.swapped);
  const bytes = firstFrame(source, shape.frames);
  const coding = codingOfStream(bytes) ?? source.coding;
  if (coding === 'native') return readNative(bytes, shape, false);
  if (coding === 'rle') return readRle(bytes, shape);
  if (coding === 'jpeg') {
    const coded = readJpeg(bytes, shape, syntax, engine);
    return { ...coded, pixels: storedValues(coded, shape) };
  }
  const { width, height, channels } = shape;
  const coded = await decode(
    /** @type {import('./codecs.mjs').CodecName} */ (coding),
    bytes,
    (one) => one.width === width && one.height === height && one.channels === channels,
  );
  if (!coded) throw damaged();
  return { rgb: false, ...coded, pixels: storedValues(coded, shape) };
}
