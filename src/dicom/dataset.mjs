// A DICOM file up to its pixel data: transfer syntax, attributes and where the pixels lie.
//
// The first element decides how a data set is written, because some files name another syntax, or none.
import { Inflate } from 'fflate';
import { PleuraError } from '../errors.mjs';
import { isPart10 } from '../sniff.mjs';
import { DICTIONARY } from './dictionary.mjs';
import { detectEncoding, ITEM, readElements, SEQUENCE_END, UNDEFINED_LENGTH, viewOf } from './elements.mjs';
import { damaged, dicomError, unsupported } from './errors.mjs';
import { codingOf, DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE } from './syntaxes.mjs';

/** Limit for a deflated data set, inflated, in megabytes. */
const MAX_INFLATED_MB = 256;
/** SOP class of a disc's DICOMDIR: Media Storage Directory Storage. */
const DISC_INDEX = '1.2.840.10008.1.3.10';

/**
 * @typedef {import('./elements.mjs').Attributes} Attributes
 * @typedef {import('./elements.mjs').Encoding} Encoding
 *
 * @typedef {object} Source
 * @property {Attributes} attributes
 * @property {string} sopClass  UID of what kind of object the file is; empty where it does not say
 * @property {boolean} complete  nothing before the pixels is cut off or damaged
 * @property {Uint8Array} bytes  the bytes that contain the pixels: the file, or its inflated data set
 * @property {string} syntax  UID of the transfer syntax
 * @property {import('./syntaxes.mjs').Coding} [coding]  undefined where Pleura does not read the syntax
 * @property {PixelData | null} pixels
 *
 * @typedef {{ at: number, length: number, encapsulated: boolean, swapped: boolean }} PixelData
 *   where the pixel data lies in `bytes`; encapsulated: in fragments; swapped: in words of big endian
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

/**
 * The bytes of a deflate stream, bare as PS3.5, A.5 has it, or with the header of zlib, as some writers leave it.
 * @param {Uint8Array} bytes @param {number} limit  of the result, in bytes
 * @returns {Uint8Array}
 */
export function inflate(bytes, limit) {
  const zlib = (bytes[0] & 15) === 8 && bytes[0] >> 4 <= 7 && ((bytes[0] << 8) | bytes[1]) % 31 === 0;
  /** @type {Uint8Array[]} */
  const parts = [];
  let total = 0;
  const inflater = new Inflate((part) => {
    total += part.length;
    if (total > limit) throw unsupported(`more than ${Math.round(limit / 2 ** 20)} MB of deflated data`);
    parts.push(part);
  });
  const step = 1 << 16; // so that a bomb is noticed before it fills the memory
  for (let at = zlib ? 2 : 0; at < bytes.length; at += step)
    inflater.push(bytes.subarray(at, at + step), at + step >= bytes.length);
  return join(parts);
}

/**
 * The file meta information, and where it ends. It should be explicit and little endian; some software writes it
 * implicit or in big endian, whatever the data set behind it is.
 * @param {Uint8Array} bytes @param {number} start
 */
function readMeta(bytes, start) {
  const encoding = detectEncoding(viewOf(bytes), start, bytes[start] === 0 && bytes[start + 1] === 2);
  const { attributes, next, complete } = readElements(bytes, start, bytes.length, encoding, (tag) => tag >>> 16 !== 2);
  if (!complete) throw damaged();
  return { meta: attributes, end: next };
}

/**
 * The data set behind the meta information: its bytes, where it starts in them and how it is written.
 * @param {Uint8Array} file @param {number} start @param {string} claimed  the syntax that the file names, or ''
 * @returns {{ bytes: Uint8Array, at: number, encoding: Encoding, syntax: string }}
 */
function findDataSet(file, start, claimed) {
  const view = viewOf(file);
  // Some files that say that they are deflated are not: a group number and letters begin no deflate stream of a film.
  const plain = start + 8 <= file.length && view.getUint16(start, true) === 8 && !detectEncoding(view, start).implicit;
  const deflated = claimed === DEFLATED && !plain;
  const bytes = deflated ? inflated(file.subarray(start)) : file;
  const at = deflated ? 0 : start;
  if (at + 8 > bytes.length) throw damaged();
  const encoding = detectEncoding(viewOf(bytes), at);
  const written = encoding.implicit ? IMPLICIT_LITTLE : encoding.big ? EXPLICIT_BIG : EXPLICIT_LITTLE;
  const free = ['', IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG];
  return { bytes, at, encoding, syntax: free.includes(claimed) || (claimed === DEFLATED && plain) ? written : claimed };
}

/** A deflated data set, inflated. @param {Uint8Array} bytes */
function inflated(bytes) {
  try {
    return inflate(bytes, MAX_INFLATED_MB << 20);
  } catch (error) {
    throw error instanceof PleuraError ? error : damaged(); // fflate throws Errors of its own
  }
}

/**
 * Reads a file up to its pixels.
 * @param {Uint8Array} given @returns {Source}
 */
export function open(given) {
  const file = new Uint8Array(given.buffer, given.byteOffset, given.length); // a plain view: Buffer.slice does not copy
  const { meta, end } = readMeta(file, isPart10(file) ? 132 : 0);
  if (meta.text('MediaStorageSOPClassUID') === DISC_INDEX) throw dicomError('dicom-index');
  const { bytes, at, encoding, syntax } = findDataSet(file, end, meta.text('TransferSyntaxUID'));
  const isPixels = (/** @type {number} */ tag) => tag === DICTIONARY.PixelData[0];
  const { attributes, last: found, complete } = readElements(bytes, at, bytes.length, encoding, isPixels);
  return {
    attributes,
    sopClass: attributes.text('SOPClassUID') || meta.text('MediaStorageSOPClassUID'),
    complete,
    bytes,
    syntax,
    coding: codingOf(syntax),
    pixels: found && locatePixels(bytes, found),
  };
}

/**
 * @param {Uint8Array} bytes @param {import('./elements.mjs').Element} element  Pixel Data
 * @returns {PixelData}
 */
function locatePixels(bytes, { at, length, vr, encoding }) {
  // Fragments of a length that the file gives are fragments all the same.
  const opensItem = at + 8 <= bytes.length && viewOf(bytes).getUint32(at) === 0xfeff00e0;
  return {
    at,
    length,
    encapsulated: length === UNDEFINED_LENGTH || (opensItem && length > 8),
    swapped: encoding.big && vr !== 'OB' && vr !== 'UN',
  };
}

/**
 * The fragments of encapsulated pixels (PS3.5, A.4). The first is the basic offset table.
 * @param {Uint8Array} bytes @param {number} start @returns {Uint8Array[]}
 */
export function fragments(bytes, start) {
  const view = viewOf(bytes);
  const tagAt = (/** @type {number} */ at) => view.getUint16(at, true) * 65536 + view.getUint16(at + 2, true);
  const found = [];
  for (let at = start; ;) {
    // Some writers leave out the delimiter at the end, or do not count the byte that makes a fragment even.
    if (at + 8 > bytes.length) {
      if (!found.length || at > bytes.length) throw damaged();
      return found;
    }
    if (![ITEM, SEQUENCE_END].includes(tagAt(at)) && at > start && at + 9 <= bytes.length) at++;
    const tag = tagAt(at),
      length = view.getUint32(at + 4, true);
    if (tag === SEQUENCE_END) return found;
    if (tag !== ITEM) throw damaged();
    found.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
}
