// The data elements of a DICOM file (PS3.5, section 7): walks over them, keeps those of the dictionary, and reads their
// values.
//
// Elements that nobody asks for are skipped by their length, whatever they hold; a sequence is parsed when its items are
// asked for. What breaks the standard as known writers do is read as other readers read it: value representations that
// are unknown, missing or have the wrong header, sequences passed on as UN, and items in another encoding than the file.
import { isOverlayPosition, DICTIONARY, representationOf } from './dictionary.mjs';

/**
 * How elements are written.
 * @typedef {{ implicit: boolean, big: boolean }} Encoding  implicit: without value representations; big: big endian
 * @typedef {object} Element
 * @property {number} tag
 * @property {string} vr  empty where neither file nor dictionary says it
 * @property {number} at  of its value
 * @property {number} length  of its value, in bytes; UNDEFINED_LENGTH: up to a delimiter
 * @property {Encoding} encoding  of its value
 * @typedef {import('./dictionary.mjs').Keyword} Keyword
 */

export const UNDEFINED_LENGTH = 0xffffffff;
export const ITEM = 0xfffee000,
  ITEM_END = 0xfffee00d,
  SEQUENCE_END = 0xfffee0dd;
/** @type {Encoding} */
const EXPLICIT = { implicit: false, big: false };
/** @type {Encoding} */
const IMPLICIT = { implicit: true, big: false };

/** Representations whose length has two bytes. All others, also those still to come, have four (PS3.5, 7.1.2). */
const SHORT = new Set('AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' '));
const LONG = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '));
/** No sequence that Pleura reads has more items. */
const MAX_ITEMS = 1000;
/** Longer texts are cut: no text that Pleura reads is as long. */
const MAX_TEXT = 10240;

/** @param {Uint8Array} bytes */
export const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** @param {DataView} view @param {number} at @param {boolean} big */
const readTag = (view, at, big) => view.getUint16(at, !big) * 65536 + view.getUint16(at + 2, !big);

/** The two bytes behind a tag, which are the value representation in explicit files. @param {DataView} view @param {number} at */
const lettersAt = (view, at) => String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5));

const isRepresentation = (/** @type {string} */ letters) => /^[A-Z]{2}$/.test(letters);

/**
 * How the elements from `at` on are written, judged by the first one: some files name another syntax, or none, and some
 * items differ from their file.
 * @param {DataView} view @param {number} at @param {boolean} [big]  if that is known
 * @returns {Encoding}
 */
export function detectEncoding(view, at, big) {
  if (at + 8 > view.byteLength) return { ...EXPLICIT, big: big ?? false };
  const implicit = !isRepresentation(lettersAt(view, at));
  return { implicit, big: big ?? (view.getUint8(at) === 0 && view.getUint8(at + 1) !== 0) };
}

/**
 * Whether an element could begin at `at`, after one with the given tag: tags ascend, and an explicit one has letters.
 * @param {DataView} view @param {number} at @param {number} end @param {number} tag @param {Encoding} encoding
 */
function plausible(view, at, end, tag, { implicit, big }) {
  if (at === end) return true;
  if (at + 8 > end || readTag(view, at, big) <= tag) return false;
  if (readTag(view, at, big) >>> 16 === 0xfffe) return true;
  const length = view.getUint32(at + 4, !big);
  return implicit ? length === UNDEFINED_LENGTH || at + 8 + length <= end : isRepresentation(lettersAt(view, at));
}

/**
 * The header of the element at `at`; null where none fits in.
 * @param {DataView} view @param {number} at @param {number} end @param {Encoding} encoding
 * @returns {Element | null}
 */
function readHeader(view, at, end, encoding) {
  const { implicit, big } = encoding;
  if (at + 8 > end) return null;
  const tag = readTag(view, at, big);
  const word = (/** @type {number} */ offset) => view.getUint32(at + offset, !big);
  const plain = () => ({ tag, vr: representationOf(tag) ?? '', at: at + 8, length: word(4), encoding });
  if (implicit || tag >>> 16 === 0xfffe) return plain();
  const vr = lettersAt(view, at);
  const short = () => ({ tag, vr, at: at + 8, length: view.getUint16(at + 6, !big), encoding });
  if (SHORT.has(vr)) return short();
  const long = at + 12 <= end ? { tag, vr, at: at + 12, length: word(8), encoding } : null;
  const reserved = view.getUint16(at + 6);
  if (LONG.has(vr) && reserved === 0) return long;
  // The standard gives this element the long header. Take another one only where that makes the file fit together.
  const fits = (/** @type {Element | null} */ one) =>
    one && (one.length === UNDEFINED_LENGTH || plausible(view, one.at + one.length, end, tag, encoding));
  const candidates = isRepresentation(vr) ? [long, short()] : [plain(), short(), long];
  return candidates.find(fits) ?? candidates[0];
}

/** The encoding of what UN contains: implicit and little endian in any file (PS3.5, 6.2.2, notes 2 and 4). @param {Element} element */
const innerEncoding = ({ vr, encoding }) => (vr === 'UN' && !encoding.implicit ? IMPLICIT : encoding);

/**
 * Where a value of undefined length ends, and where its delimiter ends: items of either kind, nested to any depth. Null
 * where it does not end.
 * @param {DataView} view @param {Element} element @param {number} end @returns {[value: number, next: number] | null}
 */
function findEnd(view, element, end) {
  let { at } = element;
  /** @type {Encoding[]} */ const outer = [];
  let encoding = innerEncoding(element),
    inItem = false;
  for (;;) {
    if (at + 8 > end) return null;
    if (!inItem) {
      const tag = readTag(view, at, encoding.big),
        length = view.getUint32(at + 4, !encoding.big);
      at += 8;
      if (tag === SEQUENCE_END) {
        const around = outer.pop();
        if (!around) return [at - 8, at];
        encoding = around;
        inItem = true;
      } else if (tag !== ITEM) return null;
      else if (length === UNDEFINED_LENGTH) {
        inItem = true;
        encoding = detectEncoding(view, at, encoding.big);
      } else at += length;
      continue;
    }
    const inner = readHeader(view, at, end, encoding);
    if (!inner) return null;
    ({ at } = inner);
    if (inner.tag === ITEM_END) inItem = false;
    else if (inner.length === UNDEFINED_LENGTH) {
      outer.push(encoding);
      encoding = innerEncoding(inner);
      inItem = false;
    } else at += inner.length;
  }
}

/**
 * The same for a value that does not consist of items: up to the first delimiter.
 * @param {DataView} view @param {Element} element @param {number} end @returns {[value: number, next: number] | null}
 */
function findDelimiter(view, { at, encoding }, end) {
  for (; at + 8 <= end; at += 2)
    if (readTag(view, at, encoding.big) === SEQUENCE_END && view.getUint32(at + 4) === 0) return [at, at + 8];
  return null;
}

/**
 * Where the items of a sequence end by their own lengths.
 * @param {DataView} view @param {Element} element @param {number} end
 */
function endOfItems(view, { at, encoding }, end) {
  while (at + 8 <= end && readTag(view, at, encoding.big) === ITEM) at += 8 + view.getUint32(at + 4, !encoding.big);
  return at;
}

/**
 * Where the next element begins; beyond `end` where the value is cut short. An undefined length becomes that of the value,
 * and a wrong length of a sequence that of its items.
 * @param {DataView} view @param {Element} element @param {number} end
 */
function skipValue(view, element, end) {
  const { tag, vr, at, encoding } = element;
  if (element.length === UNDEFINED_LENGTH) {
    const [last, next] = findEnd(view, element, end) ?? findDelimiter(view, element, end) ?? [end, Infinity];
    element.length = last - at;
    return next;
  }
  const next = at + element.length;
  if (vr !== 'SQ' || plausible(view, next, end, tag, encoding)) return next;
  const own = endOfItems(view, element, end);
  if (own === next || !plausible(view, own, end, tag, encoding)) return next;
  element.length = own - at;
  return own;
}

/** What an element's value says, by keyword. Everything is undefined, empty or null where the element is missing. */
export class Attributes {
  /** @param {Uint8Array} bytes  that contain the values */
  constructor(bytes) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    /** @type {Map<number, Element>} */ this.elements = new Map();
    /** An overlay may lie in unused bits of the pixels. */
    this.hasOverlay = false;
  }

  /** @param {Keyword} keyword */
  element(keyword) {
    return this.elements.get(DICTIONARY[keyword][0]);
  }

  /** Whether there is such an element, and it has a value. @param {Keyword} keyword */
  has(keyword) {
    return (this.element(keyword)?.length ?? 0) > 0;
  }

  /** The bytes of the value, as they stand in the file. @param {Keyword} keyword */
  raw(keyword) {
    const element = this.element(keyword);
    return element ? this.bytes.subarray(element.at, element.at + element.length) : new Uint8Array();
  }

  /** A text of Latin letters, without padding. @param {Keyword} keyword */
  text(keyword) {
    return String.fromCharCode(...this.raw(keyword).subarray(0, MAX_TEXT))
      .replace(/\0.*$/s, '')
      .trim();
  }

  /** A code string in capitals, value by value. @param {Keyword} keyword @returns {string[]} */
  codes(keyword) {
    return this.text(keyword)
      .toUpperCase()
      .split('\\')
      .map((value) => value.trim());
  }

  /** The first code string in capitals. @param {Keyword} keyword */
  code(keyword) {
    return this.codes(keyword)[0];
  }

  /** The decimal strings; null for what is not a number. @param {Keyword} keyword @returns {(number | null)[]} */
  decimals(keyword) {
    return this.text(keyword)
      .split('\\')
      .map((value) => (value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : null));
  }

  /** The first decimal string; null where there is none or it is not a number. @param {Keyword} keyword */
  decimal(keyword) {
    return this.decimals(keyword)[0];
  }

  /**
   * An integer of 16 bits, whatever its sign: 0 to 65535.
   * @param {Keyword} keyword @param {number} [index]  of several values @returns {number | undefined}
   */
  word(keyword, index = 0) {
    const element = this.element(keyword);
    if (!element || element.length < 2 * index + 2) return undefined;
    if (element.vr === 'IS' || element.vr === 'DS') return this.decimals(keyword)[index] ?? undefined;
    if (element.vr === 'UL' || element.vr === 'SL')
      return element.length < 4 * index + 4
        ? undefined
        : this.view.getUint32(element.at + 4 * index, !element.encoding.big) & 65535;
    return this.view.getUint16(element.at + 2 * index, !innerEncoding(element).big);
  }

  /** The value as words of 16 bits, in the byte order of the machine. @param {Keyword} keyword */
  words(keyword) {
    const { length } = this.raw(keyword);
    return Uint16Array.from({ length: length >> 1 }, (_, i) => /** @type {number} */ (this.word(keyword, i)));
  }

  /**
   * The value as bytes. In words of a big-endian file the first entry is the low byte (PS3.3, C.7.9; PS3.5, 7.3).
   * @param {Keyword} keyword
   */
  entries(keyword) {
    const element = this.element(keyword);
    if (!element || element.vr === 'OB') return this.raw(keyword);
    return new Uint8Array(this.words(keyword).buffer);
  }

  /** The items of a sequence, parsed one by one. @param {Keyword} keyword @returns {Generator<Attributes, void>} */
  *items(keyword) {
    const element = this.element(keyword);
    if (!element) return;
    const { view, bytes } = this,
      end = element.at + element.length;
    const { big } = innerEncoding(element);
    for (let { at } = element, count = 0; at + 8 <= end && count < MAX_ITEMS; count++) {
      if (readTag(view, at, big) !== ITEM) return;
      const length = view.getUint32(at + 4, !big),
        start = at + 8;
      const limit = length === UNDEFINED_LENGTH ? end : Math.min(start + length, end);
      const { attributes, next } = readElements(bytes, start, limit, detectEncoding(view, start, big));
      yield attributes;
      at = length === UNDEFINED_LENGTH ? next : limit;
    }
  }

  /** The first item of a sequence. @param {Keyword} keyword @returns {Attributes | undefined} */
  item(keyword) {
    for (const item of this.items(keyword)) return item;
  }
}

/**
 * Reads elements from `start` up to the end of the item, the first that `until` accepts, or `end`. An element that is
 * cut short is left out, with all behind it.
 * @param {Uint8Array} bytes @param {number} start @param {number} end @param {Encoding} encoding
 * @param {(tag: number) => boolean} [until]
 * @returns {{ attributes: Attributes, next: number, last: Element | null, complete: boolean }}  next: where it stopped;
 *   last: the element that `until` accepted; complete: nothing before it is cut short
 */
export function readElements(bytes, start, end, encoding, until = () => false) {
  const attributes = new Attributes(bytes);
  const { view, elements } = attributes;
  let at = start;
  while (at < end) {
    const element = readHeader(view, at, end, encoding);
    if (!element) break;
    const { tag } = element;
    if (tag === ITEM_END) return { attributes, next: element.at, last: null, complete: true };
    if (until(tag)) return { attributes, next: at, last: element, complete: true };
    const next = skipValue(view, element, end);
    if (next > end) break;
    if (representationOf(tag)) elements.set(tag, element);
    else if (isOverlayPosition(tag)) attributes.hasOverlay = true;
    at = next;
  }
  return { attributes, next: at, last: null, complete: at >= end };
}
