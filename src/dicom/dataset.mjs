// A DICOM file up to its pixel data: transfer syntax, attributes and where the pixels lie.
//
// dicom-parser does the parsing. What it does not do stands here: limits, so that a small file cannot fill the memory;
// files whose header names the wrong byte order or none; and attributes that are cut short.
import dicomParser from 'dicom-parser';
import { Inflate } from 'fflate';
import { PleuraError } from '../errors.mjs';
import { isPart10 } from '../sniff.mjs';
import { damaged, dicomError } from './errors.mjs';
import { codingOf, DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE } from './syntaxes.mjs';

const { DataSet } = /** @type {any} */ (dicomParser); // missing from its types

/**
 * Limit for everything before the pixels. Overlays and private data take megabytes; a bomb of tiny elements must not.
 */
const MAX_HEAD = 16 << 20;
/** Limit for a deflated data set, inflated. */
const MAX_INFLATED = 256 << 20;
const UNDEFINED_LENGTH = 0xffffffff;
const PIXELS = 'x7fe00010',
  ITEM = 0xfffee000,
  DELIMITER = 0xfffee0dd;

/**
 * @typedef {object} Source
 * @property {any} attributes  a DataSet of dicom-parser
 * @property {boolean} complete  nothing before the pixels is cut off or damaged
 * @property {Uint8Array} bytes  the bytes that contain the pixels: the file, or its inflated data set
 * @property {string} syntax  UID of the transfer syntax
 * @property {import('./syntaxes.mjs').Coding} [coding]  undefined where Pleura does not read the syntax
 * @property {boolean} big  big endian
 * @property {PixelData | null} pixels
 *
 * @typedef {{ at: number, length: number, encapsulated: boolean, words: boolean }} PixelData
 *   where the pixel data lies in `bytes`; words: its value representation is not OB
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

/** @param {Uint8Array} bytes  a deflated data set */
function inflate(bytes) {
  /** @type {Uint8Array[]} */
  const parts = [];
  let total = 0;
  const inflater = new Inflate((part) => {
    total += part.length;
    if (total > MAX_INFLATED) throw damaged();
    parts.push(part);
  });
  const step = 1 << 16; // so that a bomb is noticed before it fills the memory
  for (let at = 0; at < bytes.length; at += step)
    inflater.push(bytes.subarray(at, at + step), at + step >= bytes.length);
  return join(parts);
}

/**
 * The file meta information, always explicit and little endian, and where it ends.
 * @param {Uint8Array} bytes @param {number} start
 */
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
 * How a data set is written. The first element decides, because some files name another syntax, or none.
 * @param {Uint8Array} bytes @param {number} at @param {string | undefined} claimed  the syntax that the file names
 * @returns {{ syntax: string, implicit: boolean, big: boolean }}
 */
function detect(bytes, at, claimed) {
  const implicit = !/^[A-Z]{2}$/.test(String.fromCharCode(bytes[at + 4], bytes[at + 5]));
  const big = !implicit && bytes[at] === 0;
  const plain =
    claimed === undefined || claimed === IMPLICIT_LITTLE || claimed === EXPLICIT_LITTLE || claimed === EXPLICIT_BIG;
  const written = implicit ? IMPLICIT_LITTLE : big ? EXPLICIT_BIG : EXPLICIT_LITTLE;
  return { syntax: plain ? written : claimed, implicit, big };
}

/**
 * The attributes before the pixels. In a damaged file, those before the damage; `complete` is then false.
 * @param {Uint8Array} bytes @param {number} start @param {{ implicit: boolean, big: boolean }} written
 */
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
    // dicom-parser throws strings for damage and RangeErrors for nesting. What it read may still say that this is not a
    // film.
  }
  for (const { tag, dataOffset, length } of Object.values(attributes.elements))
    if (tag !== PIXELS && dataOffset + length > head.length) delete attributes.elements[tag]; // it is cut short
  return { attributes, complete: PIXELS in attributes.elements || stream.position === bytes.length };
}

/**
 * Reads a file up to its pixels.
 * @param {Uint8Array} given @returns {Source}
 */
export function open(given) {
  const file = new Uint8Array(given.buffer, given.byteOffset, given.length); // a plain view: Buffer.slice does not copy
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
  const { attributes, complete } = readAttributes(bytes, at, written);
  const found = attributes.elements[PIXELS];
  return {
    attributes,
    complete,
    bytes,
    syntax,
    coding: codingOf(syntax),
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

/**
 * The fragments of encapsulated pixels (PS3.5, A.4). The first is the basic offset table.
 * @param {Uint8Array} bytes @param {number} start @returns {Uint8Array[]}
 */
export function fragments(bytes, start) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = [];
  for (let at = start; ;) {
    if (at + 8 > bytes.length) throw damaged();
    const tag = view.getUint16(at, true) * 65536 + view.getUint16(at + 2, true),
      length = view.getUint32(at + 4, true);
    if (tag === DELIMITER) return found;
    if (tag !== ITEM) throw damaged();
    found.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
}

/** A code string, trimmed and in capitals; empty where there is none. @param {any} attributes @param {string} tag */
export const codeString = (attributes, tag) => (attributes.string(tag) ?? '').trim().toUpperCase();

/**
 * The first of the decimal strings; null where there is none or it is not a number.
 * @param {any} attributes @param {string} tag
 */
export function decimalString(attributes, tag) {
  const text = (attributes.string(tag) ?? '').split('\\')[0].trim();
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : null;
}
