// Transfer syntaxes: how a DICOM file says that its pixels are coded, and which of these codings Pleura reads.
import { unsupported } from './errors.mjs';

/** @typedef {'native' | 'jpeg' | 'rle' | import('./codecs.mjs').CodecName} Coding */

/**
 * Name and pixel coding of each transfer syntax (PS3.6, table A-1). Pleura does not read those without a coding.
 * @type {Record<string, [string, Coding?]>}
 */
export const SYNTAXES = {
  '1.2.840.10008.1.2': ['Implicit VR Little Endian', 'native'],
  '1.2.840.10008.1.2.1': ['Explicit VR Little Endian', 'native'],
  '1.2.840.10008.1.2.1.98': ['Encapsulated Uncompressed Explicit VR Little Endian', 'native'],
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
/** Families of syntaxes: JPEG processes retired in 1999, and fragmentable video. @type {[RegExp, string][]} */
const FAMILIES = [
  [/^1\.2\.840\.10008\.1\.2\.4\.(5[2-68]|59|6[0-6])$/, 'JPEG of a retired process'],
  [/^1\.2\.840\.10008\.1\.2\.4\.10\d\.1$/, 'fragmentable video'],
];

export const IMPLICIT_LITTLE = '1.2.840.10008.1.2';
export const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1';
export const EXPLICIT_BIG = '1.2.840.10008.1.2.2';
export const DEFLATED = '1.2.840.10008.1.2.1.99';

/**
 * The coding of a syntax; undefined where Pleura does not read it.
 * @param {string} uid
 * @returns {Coding | undefined}
 */
export const codingOf = (uid) => (Object.hasOwn(SYNTAXES, uid) ? SYNTAXES[uid][1] : undefined);

/** The error for a syntax that Pleura does not read. @param {string} syntax */
export function unsupportedSyntax(syntax) {
  const uid = syntax.replace(/[^0-9.]/g, '').slice(0, 64);
  const [, family] = FAMILIES.find(([pattern]) => pattern.test(uid)) ?? [];
  const [name] = Object.hasOwn(SYNTAXES, uid) ? SYNTAXES[uid] : [family ?? 'private or unknown'];
  return unsupported(`pixels in transfer syntax ${uid} (${name})`);
}
