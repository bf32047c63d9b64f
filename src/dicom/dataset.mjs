// A DICOM file up to its pixel data: transfer syntax, attributes, and where the pixels lie; on dicom-parser, with limits.
import dicomParser from 'dicom-parser';
import { Inflate } from 'fflate';
import { PleuraError } from '../errors.mjs';
import { isPart10 } from '../sniff.mjs';

const { DataSet } = /** @type {any} */ (dicomParser); // which its types leave out

/** What may stand before the pixels: overlays and private data of megabytes do, a bomb of tiny elements must not. */
const MAX_HEAD = 16 << 20;
/** What a deflated data set may grow to. */
const MAX_INFLATED = 256 << 20;
const UNDEFINED_LENGTH = 0xffffffff;
const PIXELS = 'x7fe00010',
  ITEM = 0xfffee000,
  DELIMITER = 0xfffee0dd;

/** @typedef {'native' | 'jpeg' | 'rle' | import('./codecs.mjs').CodecName} Coding */

/** Transfer syntaxes (PS3.6, table A-1): name, and how pixels are coded; without coding Pleura does not read them. @type {Record<string, [string, Coding?]>} */
export const SYNTAXES = {
  '1.2.840.10008.1.2': ['Implicit VR Little Endian', 'native'],
  '1.2.840.10008.1.2.1': ['Explicit VR Little Endian', 'native'],
  '1.2.840.10008.1.2.1.98': ['Encapsulated Uncompressed Explicit VR Little Endian'],
  '1.2.840.10008.1.2.1.99': ['Deflated Explicit VR Little Endian', 'native'],
  '1.2.840.10008.1.2.2': ['Explicit VR Big Endian', 'native'],
  '1.2.840.10008.1.2.4.50': ['JPEG Baseline (Process 1)', 'jpeg'],
  '1.2.840.10008.1.2.4.51': ['JPEG Extended (Process 2 and 4)', 'jpeg'],
  '1.2.840.10008.1.2.4.57': ['JPEG Lossless, Non-Hierarchical (Process 14)', 'jpeg'],
  '1.2.840.10008.1.2.4.70': [
    'JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14, Selection Value 1)',
    'jpeg',
  ],
  '1.2.840.10008.1.2.4.80': ['JPEG-LS Lossless', 'charls'],
  '1.2.840.10008.1.2.4.81': ['JPEG-LS Lossy (Near-Lossless)', 'charls'],
  '1.2.840.10008.1.2.4.90': ['JPEG 2000 (Lossless Only)', 'openjpeg'],
  '1.2.840.10008.1.2.4.91': ['JPEG 2000', 'openjpeg'],
  '1.2.840.10008.1.2.4.92': ['JPEG 2000 Part 2 Multi-component (Lossless Only)'],
  '1.2.840.10008.1.2.4.93': ['JPEG 2000 Part 2 Multi-component'],
  '1.2.840.10008.1.2.4.94': ['JPIP Referenced'],
  '1.2.840.10008.1.2.4.95': ['JPIP Referenced Deflate'],
  '1.2.840.10008.1.2.4.100': ['MPEG2 Main Profile / Main Level video'],
  '1.2.840.10008.1.2.4.101': ['MPEG2 Main Profile / High Level video'],
  '1.2.840.10008.1.2.4.102': ['MPEG-4 AVC/H.264 High Profile video'],
  '1.2.840.10008.1.2.4.103': ['MPEG-4 AVC/H.264 BD-compatible video'],
  '1.2.840.10008.1.2.4.104': ['MPEG-4 AVC/H.264 video for 2D'],
  '1.2.840.10008.1.2.4.105': ['MPEG-4 AVC/H.264 video for 3D'],
  '1.2.840.10008.1.2.4.106': ['MPEG-4 AVC/H.264 Stereo video'],
  '1.2.840.10008.1.2.4.107': ['HEVC/H.265 Main Profile video'],
  '1.2.840.10008.1.2.4.108': ['HEVC/H.265 Main 10 Profile video'],
  '1.2.840.10008.1.2.4.110': ['JPEG XL Lossless'],
  '1.2.840.10008.1.2.4.111': ['JPEG XL JPEG Recompression'],
  '1.2.840.10008.1.2.4.112': ['JPEG XL'],
  '1.2.840.10008.1.2.4.201': ['High-Throughput JPEG 2000 (Lossless Only)', 'openjpeg'],
  '1.2.840.10008.1.2.4.202': ['High-Throughput JPEG 2000 with RPCL Options (Lossless Only)', 'openjpeg'],
  '1.2.840.10008.1.2.4.203': ['High-Throughput JPEG 2000', 'openjpeg'],
  '1.2.840.10008.1.2.4.204': ['JPIP HTJ2K Referenced'],
  '1.2.840.10008.1.2.4.205': ['JPIP HTJ2K Referenced Deflate'],
  '1.2.840.10008.1.2.5': ['RLE Lossless', 'rle'],
  '1.2.840.10008.1.2.6.1': ['RFC 2557 MIME encapsulation'],
  '1.2.840.10008.1.2.6.2': ['XML Encoding'],
  '1.2.840.10008.1.2.7.1': ['SMPTE ST 2110-20 Uncompressed Progressive Active Video'],
  '1.2.840.10008.1.2.7.2': ['SMPTE ST 2110-20 Uncompressed Interlaced Active Video'],
  '1.2.840.10008.1.2.7.3': ['SMPTE ST 2110-30 PCM Digital Audio'],
  '1.2.840.10008.1.2.8.1': ['Deflated Image Frame Compression'],
  '1.2.840.10008.1.20': ['Papyrus 3 Implicit VR Little Endian'],
};
/** JPEG of the processes that were retired in 1999, and video cut into fragments. @type {[RegExp, string][]} */
const KINDS = [
  [/^1\.2\.840\.10008\.1\.2\.4\.(5[2-68]|59|6[0-6])$/, 'JPEG of a retired process'],
  [/^1\.2\.840\.10008\.1\.2\.4\.10\d\.1$/, 'fragmentable video'],
];
const IMPLICIT = '1.2.840.10008.1.2',
  EXPLICIT = '1.2.840.10008.1.2.1',
  BIG_ENDIAN = '1.2.840.10008.1.2.2',
  DEFLATED = '1.2.840.10008.1.2.1.99';

const SENTENCES = {
  'dicom-damaged': 'This DICOM file is damaged or incomplete. Export it again from where it came from.',
  'dicom-index': 'This is the index of a DICOM disc, not a film. The films lie in the folders beside it: give those.',
};

/** @param {string} code @param {string} [message] */
export const dicomError = (code, message) => new PleuraError(code, -1, message ?? SENTENCES[code]);

export const damaged = () => dicomError('dicom-damaged');

/** @param {string} what  in our own words: nothing of a file goes into a message */
export const unsupported = (what) =>
  dicomError(
    'dicom-unsupported',
    `This DICOM file holds ${what}, which Pleura does not read. Export the film uncompressed or as JPEG Lossless.`,
  );

/**
 * @typedef {object} Source
 * @property {any} attributes  a DataSet of dicom-parser
 * @property {boolean} whole  nothing is cut off or damaged before the pixels
 * @property {Uint8Array} bytes  in which the pixels lie: the file, or what was deflated in it
 * @property {string} syntax  UID
 * @property {Coding} [coding]  of the pixels; none where Pleura does not read them
 * @property {boolean} big  endian
 * @property {{ at: number, length: number, encapsulated: boolean, words: boolean } | null} pixels
 */

/** @param {Uint8Array[]} parts */
export function join(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {Uint8Array} bytes a deflated data set */
function inflate(bytes) {
  const parts = [];
  let total = 0;
  const inflater = new Inflate((part) => {
    total += part.length;
    if (total > MAX_INFLATED) throw damaged();
    parts.push(part);
  });
  const step = 1 << 16; // a bomb shows before it has filled the memory
  for (let at = 0; at < bytes.length; at += step)
    inflater.push(bytes.subarray(at, at + step), at + step >= bytes.length);
  return join(parts);
}

/** The file's meta information, which is always explicit and little endian: its syntax, and where it ends. */
function readMeta(bytes, start) {
  const meta = new DataSet(dicomParser.littleEndianByteArrayParser, bytes, {});
  const stream = new dicomParser.ByteStream(dicomParser.littleEndianByteArrayParser, bytes, start);
  while (stream.position + 8 <= bytes.length && bytes[stream.position] === 2 && bytes[stream.position + 1] === 0) {
    const element = dicomParser.readDicomElementExplicit(stream, []);
    meta.elements[element.tag] = element;
  }
  return { meta, end: stream.position };
}

/**
 * How a data set is written: its first element tells, because some files claim something else, or nothing.
 * @returns {{ syntax: string, implicit: boolean, big: boolean }}
 */
function detect(bytes, at, claimed) {
  const implicit = !/^[A-Z]{2}$/.test(String.fromCharCode(bytes[at + 4], bytes[at + 5]));
  const big = !implicit && bytes[at] === 0;
  const plain = claimed === undefined || claimed === IMPLICIT || claimed === EXPLICIT || claimed === BIG_ENDIAN;
  return { syntax: !plain ? claimed : implicit ? IMPLICIT : big ? BIG_ENDIAN : EXPLICIT, implicit, big };
}

/** The attributes before the pixels; of a damaged file those before the damage, and `whole` is false. */
function readAttributes(bytes, start, { implicit, big }) {
  const parser = big ? dicomParser.bigEndianByteArrayParser : dicomParser.littleEndianByteArrayParser;
  const head = bytes.subarray(0, start + MAX_HEAD);
  const attributes = new DataSet(parser, head, {});
  const stream = new dicomParser.ByteStream(parser, head, start);
  attributes.warnings = [];
  const parse = implicit ? dicomParser.parseDicomDataSetImplicit : dicomParser.parseDicomDataSetExplicit;
  try {
    parse(attributes, stream, head.length, { untilTag: PIXELS });
  } catch {
    // Strings for damage, RangeErrors for nesting: what could be read may still say that this was no film.
  }
  for (const { tag, dataOffset, length } of Object.values(attributes.elements))
    if (tag !== PIXELS && dataOffset + length > head.length) delete attributes.elements[tag]; // the one that is cut short
  return { attributes, whole: PIXELS in attributes.elements || stream.position === bytes.length };
}

/**
 * Reads a file up to its pixels.
 * @param {Uint8Array} given @returns {Source}
 */
export function open(given) {
  const file = new Uint8Array(given.buffer, given.byteOffset, given.length); // Node's Buffer slices without copying
  let bytes = file,
    at,
    claimed;
  try {
    const { meta, end } = readMeta(file, isPart10(file) ? 132 : 0);
    if (/^1\.2\.840\.10008\.1\.3\.10$/.test(meta.string('x00020002') ?? '')) throw dicomError('dicom-index');
    claimed = meta.string('x00020010');
    at = end;
    if (claimed === DEFLATED) {
      bytes = inflate(file.subarray(end));
      at = 0;
    }
  } catch (error) {
    throw error instanceof PleuraError ? error : damaged();
  }
  if (at + 8 > bytes.length) throw damaged();
  const written = detect(bytes, at, claimed);
  const { syntax, big } = written;
  const [, coding] = Object.hasOwn(SYNTAXES, syntax) ? SYNTAXES[syntax] : [];
  const { attributes, whole } = readAttributes(bytes, at, written);
  const found = attributes.elements[PIXELS];
  return {
    attributes,
    whole,
    bytes,
    syntax,
    coding,
    big,
    pixels: found
      ? {
          at: found.dataOffset,
          length: found.length,
          encapsulated: found.length === UNDEFINED_LENGTH,
          words: found.vr !== 'OB',
        }
      : null,
  };
}

/** Why pixels of this syntax cannot be read. @param {string} syntax */
export function unknownSyntax(syntax) {
  const uid = syntax.replace(/[^0-9.]/g, '').slice(0, 64);
  const [, kind] = KINDS.find(([pattern]) => pattern.test(uid)) ?? [];
  const [name] = Object.hasOwn(SYNTAXES, uid) ? SYNTAXES[uid] : [kind ?? 'a private or unknown one'];
  return unsupported(`pixels in transfer syntax ${uid} (${name})`);
}

/**
 * The fragments of encapsulated pixels (PS3.5, A.4); the first is the table of offsets.
 * @param {Source} source @returns {Uint8Array[]}
 */
export function fragments({ bytes, pixels }) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = [];
  for (let at = pixels.at; ;) {
    if (at + 8 > bytes.length) throw damaged();
    const tag = view.getUint16(at, true) * 65536 + view.getUint16(at + 2, true),
      length = view.getUint32(at + 4, true);
    if (tag === DELIMITER) return found;
    if (tag !== ITEM) throw damaged();
    found.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
}
