// Reads from the attributes how stored values become greys: modality and VOI tables, rescale and windows.
//
// Real files break the rules for tables in many ways. A table is read as far as its data allow, by what the data are
// rather than by what the descriptor says of them, and one that cannot be used leaves its place to what stands beside it.
import { places } from './functional_groups.mjs';

/**
 * @typedef {import('./elements.mjs').Attributes} Attributes
 * @typedef {import('./dictionary.mjs').Keyword} Keyword
 * @typedef {import('./lut.mjs').Lut} Lut
 * @typedef {[low: number, high: number]} Range
 */

/** The fewest bits that hold the largest entry. @param {Uint16Array} values */
const bitsOf = (values) => Math.max(1, 32 - Math.clz32(values.reduce((most, value) => Math.max(most, value), 0)));

/**
 * The first input of a table as a number with a sign: whichever covers more of the values that go into the table.
 * @param {number} word  as stored, 0 to 65535 @param {number} count  of entries @param {Range} inputs
 */
function signFirst(word, count, [low, high]) {
  const covered = (/** @type {number} */ first) => Math.min(high, first + count - 1) - Math.max(low, first);
  return covered(word - 65536) > covered(word) ? word - 65536 : word;
}

/**
 * The entries of a table, or null where its data are not what the descriptor says.
 * @param {Attributes} attributes @param {Keyword} data @param {number} said  entries, 0 for 65,536
 * @param {boolean} mayPack  its entries may be bytes
 */
function readEntries(attributes, data, said, mayPack) {
  const bytes = attributes.entries(data);
  const count = said || 65536;
  // Entries of 8 bits may lie two in a word, with one byte of padding (PS3.3, C.11.1.1.1).
  if (mayPack && (bytes.length === count || bytes.length === count + (count & 1)))
    return Uint16Array.from(bytes.subarray(0, count));
  const words = attributes.words(data);
  if (words.length >= count) return words.subarray(0, count);
  return said === 0 && words.length > 0 ? words : null; // a descriptor that counts nothing
}

/**
 * A table of greys with its descriptor (PS3.3, C.11.1.1.1), or null where there is none that can be used.
 * @param {Attributes} item @param {Range} inputs  of the table
 * @returns {Lut | null}
 */
function readTable(item, inputs) {
  const [said, first, bits] = [0, 1, 2].map((i) => item.word('LUTDescriptor', i));
  if (said === undefined || first === undefined || bits === undefined) return null;
  const values = readEntries(item, 'LUTData', said, bits <= 8);
  // White is the largest value of as many bits as the entries use: many descriptors give the size of a word instead.
  return values && { first: signFirst(first, values.length, inputs), values, bits: bitsOf(values) };
}

/**
 * The entries of a segmented palette (PS3.3, C.7.9.2), or null where the segments make no sense.
 * @param {Uint16Array} words @param {number} count  of entries
 */
function readSegments(words, count) {
  const values = new Uint16Array(count);
  let filled = 0;
  /** @param {number} at @param {number} end @param {number} [segments] @returns {boolean} */
  function expand(at, end, segments = Infinity) {
    for (; at + 2 <= end && segments > 0; segments--) {
      const [kind, length] = [words[at], words[at + 1]];
      if (kind === 2) {
        const start = words[at + 2] + words[at + 3] * 65536;
        if (segments !== Infinity || !expand(start, at, length)) return false;
        at += 4;
        continue;
      }
      if (filled + length > count || kind > 2) return false;
      if (kind === 0) for (let i = 0; i < length; i++) values[filled++] = words[at + 2 + i];
      else {
        const from = values[filled - 1] ?? 0,
          to = words[at + 2];
        for (let i = 1; i <= length; i++) values[filled++] = Math.floor(from + ((to - from) * i) / length + 0.5);
      }
      at += kind === 0 ? 2 + length : 3;
    }
    return true;
  }
  return expand(0, words.length) && filled === count ? values : null;
}

const COLOURS = /** @type {const} */ (['Red', 'Green', 'Blue']);

/**
 * The three tables of a palette (PS3.3, C.7.9), or null. All have the bits of the one that uses most.
 * @param {Attributes} attributes @param {Range} inputs @returns {Lut[] | null}
 */
export function readPalette(attributes, inputs) {
  const tables = COLOURS.map((colour) => {
    const [said, first] = [0, 1].map((i) => attributes.word(`${colour}PaletteDescriptor`, i));
    if (said === undefined || first === undefined) return null;
    const values =
      readEntries(attributes, `${colour}PaletteData`, said, true) ??
      readSegments(attributes.words(`${colour}SegmentedPaletteData`), said || 65536);
    return values && { first: signFirst(first, values.length, inputs), values, bits: bitsOf(values) };
  });
  if (!tables.every((table) => table !== null)) return null;
  const bits = Math.max(...tables.map((table) => table.bits));
  return tables.map((table) => ({ ...table, bits }));
}

/**
 * The first table of a sequence that can be used, or null.
 * @param {Attributes} attributes @param {Keyword} sequence @param {Range} inputs
 */
function firstTable(attributes, sequence, inputs) {
  for (const item of attributes.items(sequence)) {
    const table = readTable(item, inputs);
    if (table) return table;
  }
  return null;
}

/** VOI LUT Function (PS3.3, C.11.2.1.3). @type {{ [code: string]: 'sigmoid' | 'linear-exact' | 'linear' }} */
const FUNCTIONS = { SIGMOID: 'sigmoid', LINEAR_EXACT: 'linear-exact' };

/**
 * The windows of one place that can be applied, with the explanations that the file gives of them.
 * @typedef {{ kind: 'linear' | 'linear-exact' | 'sigmoid', centre: number, width: number, name: string }} Window
 * @param {Attributes} attributes @returns {Window[]}
 */
function readWindows(attributes) {
  const kind = FUNCTIONS[attributes.code('VOILUTFunction')] ?? 'linear';
  const widths = attributes.decimals('WindowWidth');
  const names = attributes.text('WindowCenterWidthExplanation').split('\\');
  return attributes.decimals('WindowCenter').flatMap((centre, i) => {
    const width = widths[i] ?? null;
    if (centre === null || width === null || (kind === 'linear' ? width < 1 : width <= 0)) return [];
    return [{ kind, centre, width, name: names[i]?.trim() ?? '' }];
  });
}

/** The windows of a file: those of the first place that has any. @param {Attributes} attributes @returns {Window[]} */
export function windowsOf(attributes) {
  for (const place of places(attributes, 'FrameVOILUTSequence')) {
    const windows = readWindows(place);
    if (windows.length > 0) return windows;
  }
  return [];
}

/** @param {Attributes} attributes @param {Range} inputs  what comes out of the modality step @returns {import('./lut.mjs').Voi} */
function chooseVoi(attributes, inputs) {
  for (const place of places(attributes, 'FrameVOILUTSequence')) {
    const lut = firstTable(place, 'VOILUTSequence', inputs); // a manufacturer's curve is more precise than a window beside it
    if (lut) return { kind: 'lut', lut };
  }
  return windowsOf(attributes)[0] ?? { kind: 'none' };
}

/** Rescale Slope and Intercept of the first place that has one. @param {Attributes} attributes */
function readRescale(attributes) {
  for (const place of places(attributes, 'PixelValueTransformationSequence')) {
    const slope = place.decimal('RescaleSlope'),
      intercept = place.decimal('RescaleIntercept');
    if (slope !== null || intercept !== null) return { slope: slope || 1, intercept: intercept ?? 0 };
  }
  return { slope: 1, intercept: 0 };
}

/** The stored values that mark padding, or null. @param {Attributes} attributes @param {boolean} signed @returns {Range | null} */
function readPadding(attributes, signed) {
  const sign = (/** @type {number} */ word) => (signed && word > 32767 ? word - 65536 : word);
  const value = attributes.word('PixelPaddingValue');
  if (value === undefined) return null;
  const limit = attributes.word('PixelPaddingRangeLimit') ?? value;
  return [Math.min(sign(value), sign(limit)), Math.max(sign(value), sign(limit))];
}

/** The range of the stored values. @param {{ bits: number, signed: boolean }} layout @returns {Range} */
export const storedRange = ({ bits, signed }) =>
  signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];

/** @param {Attributes} attributes @param {import('./frames.mjs').Shape} layout @returns {import('./lut.mjs').Greys} */
export function describeGreys(attributes, layout) {
  const { bits, shift, signed, photometric } = layout;
  const stored = storedRange(layout);
  const modalityLut = firstTable(attributes, 'ModalityLUTSequence', stored);
  const { slope, intercept } = readRescale(attributes);
  const ends = stored.map((value) => value * slope + intercept);
  /** @type {Range} */
  const inputs = modalityLut ? [0, 2 ** modalityLut.bits - 1] : [Math.min(...ends), Math.max(...ends)];
  return {
    bits,
    shift,
    signed,
    slope,
    intercept,
    modalityLut,
    voi: chooseVoi(attributes, inputs),
    inverted: photometric === 'MONOCHROME1' || attributes.code('PresentationLUTShape') === 'INVERSE',
    padding: readPadding(attributes, signed),
    range: inputs,
  };
}
