// Reads a DICOM file into what the engine takes: samples, their lookup table, and a reason of the tags to refuse the
// film.
//
// Only the first frame is used. A chest film has one; where there are more, the record says how many. Pixels cross into
// the engine's memory and back for a JPEG, because the JPEG decoder is C: that is what keeps the bits equal everywhere.
import { createCodecs } from './codecs.mjs';
import { codeString, decimalString, open } from './dataset.mjs';
import { damaged, notAFilm, unsupported } from './errors.mjs';
import { readFrame } from './frames.mjs';
import { channelTable, greyTable } from './lut.mjs';
import { tagReason } from './tags.mjs';

export { hashPatient, listTags } from './tags.mjs';

/**
 * What a record says about a DICOM file.
 * @typedef {{ syntax: string, voi: string, frames: number }} Facts  voi: the window or table that was applied
 * @typedef {{ film: import('../engine.mjs').Samples, dicom: Facts }} Read  the film is for engine.diagnose
 */

/**
 * What the reader needs of an engine.
 * @typedef {Pick<import('../engine.mjs').Engine, 'checkSize' | 'decodeJpeg'>} JpegEngine
 * @typedef {any} DataSet  of dicom-parser
 * @typedef {import('./frames.mjs').Shape} Shape
 */

/** What files that hold no film contain, by the prefix of their SOP class (PS3.6, table A-1). */
const OTHER_CONTENT = [
  ['1.2.840.10008.5.1.4.1.1.104.', 'a document (encapsulated PDF or the like)'],
  ['1.2.840.10008.5.1.4.1.1.88.', 'a structured report'],
  ['1.2.840.10008.5.1.4.1.1.11.', 'a presentation state, which says how to show another file'],
  ['1.2.840.10008.5.1.4.1.1.77.1.1.1', 'a video'],
  ['1.2.840.10008.5.1.4.1.1.77.1.2.1', 'a video'],
  ['1.2.840.10008.5.1.4.1.1.77.1.4.1', 'a video'],
  ['1.2.840.10008.5.1.4.1.1.9.', 'a waveform'],
  ['1.2.840.10008.5.1.4.1.1.481.', 'a radiotherapy plan or dose'],
  ['1.2.840.10008.5.1.4.1.1.66', 'raw data or a segmentation'],
];

/**
 * A lookup table with its descriptor (PS3.3, C.11.1.1.1), or null.
 * @param {DataSet} tags @param {string} descriptor @param {string} data @param {boolean} signed
 * @returns {import('./lut.mjs').Lut | null}
 */
function lut(tags, descriptor, data, signed) {
  const element = tags.elements[data],
    [entries, first, bits] = [0, 1, 2].map((i) => tags.uint16(descriptor, i));
  if (!element || bits === undefined) return null;
  const count = entries || 65536,
    bytes = element.length;
  const packed = bits <= 8 && (bytes === count || bytes === count + (count & 1)); // two entries per word
  if (bits < 1 || bits > 16 || (!packed && bytes < 2 * count)) throw damaged();
  const values = Uint16Array.from({ length: count }, (_, i) =>
    packed ? tags.byteArray[element.dataOffset + i] : tags.uint16(data, i),
  );
  return { first: signed && first > 32767 ? first - 65536 : first, values, bits };
}

/**
 * The lookup table in the first item of a sequence, or null.
 * @param {DataSet} tags @param {string} sequence @param {boolean} signed
 */
function lutOf(tags, sequence, signed) {
  const [item] = tags.elements[sequence]?.items ?? [];
  return item?.dataSet ? lut(item.dataSet, 'x00283002', 'x00283006', signed) : null;
}

/** VOI LUT Function (PS3.3, C.11.2.1.3). @type {{ [code: string]: 'sigmoid' | 'linear-exact' | 'linear' }} */
const WINDOWS = { SIGMOID: 'sigmoid', LINEAR_EXACT: 'linear-exact' };

/** @param {DataSet} tags @param {boolean} signed @returns {import('./lut.mjs').Voi} */
function chooseVoi(tags, signed) {
  const table = lutOf(tags, 'x00283010', signed); // a manufacturer's curve is more precise than a window beside it
  if (table) return { kind: 'lut', lut: table };
  const centre = decimalString(tags, 'x00281050'),
    width = decimalString(tags, 'x00281051');
  const kind = WINDOWS[codeString(tags, 'x00281056')] ?? 'linear';
  if (centre === null || width === null) return { kind: 'none' };
  return (kind === 'linear' ? width >= 1 : width > 0) ? { kind, centre, width } : { kind: 'none' };
}

/** @param {DataSet} tags @param {Shape} layout @returns {import('./lut.mjs').Greys} */
function describeGreys(tags, layout) {
  const { signed, photometric } = layout;
  const modalityLut = lutOf(tags, 'x00283000', signed);
  const slope = decimalString(tags, 'x00281053') || 1,
    intercept = decimalString(tags, 'x00281052') ?? 0;
  const low = tags.elements.x00280120 ? (signed ? tags.int16('x00280120') : tags.uint16('x00280120')) : null;
  const high = tags.elements.x00280121 ? (signed ? tags.int16('x00280121') : tags.uint16('x00280121')) : low;
  return {
    ...layout,
    slope,
    intercept,
    modalityLut,
    voi: chooseVoi(tags, signed || (!modalityLut && intercept < 0)),
    inverted: photometric === 'MONOCHROME1' || codeString(tags, 'x20500020') === 'INVERSE',
    padding: low === null ? null : [Math.min(low, high), Math.max(low, high)],
  };
}

/**
 * The layout of the pixels, checked before anything is unpacked.
 * @param {DataSet} tags @param {JpegEngine} engine @returns {Shape}
 */
function describeLayout(tags, engine) {
  const [height, width] = [tags.uint16('x00280010'), tags.uint16('x00280011')];
  const channels = tags.uint16('x00280002') ?? 1,
    allocated = tags.uint16('x00280100'),
    bits = tags.uint16('x00280101') ?? allocated;
  const highest = tags.uint16('x00280102') ?? bits - 1,
    photometric = codeString(tags, 'x00280004') || 'MONOCHROME2'; // ACR-NEMA had no other
  if (!height || !width || !allocated) throw damaged();
  engine.checkSize(width, height);
  if (allocated !== 8 && allocated !== 16) throw unsupported(`pixels of ${allocated} bits`);
  if (bits < 1 || bits > allocated || highest >= allocated || highest < bits - 1) throw damaged();
  const grey = /^MONOCHROME[12]$/.test(photometric),
    palette = photometric === 'PALETTE COLOR';
  const colour = /^(RGB|YBR_FULL|YBR_FULL_422|YBR_ICT|YBR_RCT)$/.test(photometric);
  if (!grey && !palette && !colour)
    throw unsupported('pixels in a colour model other than grey, RGB, YBR_FULL and palette');
  if (channels !== (colour ? 3 : 1)) throw damaged();
  return {
    width,
    height,
    channels,
    allocated,
    bits,
    shift: highest + 1 - bits,
    signed: tags.uint16('x00280103') === 1,
    photometric,
    planar: tags.uint16('x00280006') === 1,
    frames: Math.max(1, Math.trunc(decimalString(tags, 'x00280008') ?? 1)),
  };
}

/**
 * Planar or interleaved RGB or YBR_FULL to interleaved RGB (PS3.3, C.7.6.3.1.2 and C.7.6.3.1.3).
 * @param {import('./frames.mjs').Words} words @param {Shape} layout
 */
function toRgb({ pixels, planar, rgb }, { photometric, bits, shift }) {
  const count = pixels.length / 3,
    out = new Uint16Array(pixels.length),
    white = 2 ** bits - 1,
    middle = 2 ** (bits - 1);
  const luma = photometric.startsWith('YBR_FULL') && !rgb; // the JPEG 2000 codec undoes YBR_ICT and YBR_RCT itself
  const level = (/** @type {number} */ v) => (v < 0 ? 0 : v > white ? white : Math.floor(v + 0.5));
  const step = planar ? count : 1,
    next = planar ? 1 : 3,
    stored = (/** @type {number} */ i) => (pixels[i] >> shift) & white;
  for (let i = 0; i < count; i++) {
    const a = stored(i * next),
      b = stored(i * next + step),
      c = stored(i * next + 2 * step);
    const blue = luma ? b - middle : 0,
      red = luma ? c - middle : 0;
    out[3 * i] = luma ? level(a + 1.402 * red) : a;
    out[3 * i + 1] = luma ? level(a - 0.344136 * blue - 0.714136 * red) : b;
    out[3 * i + 2] = luma ? level(a + 1.772 * blue) : c;
  }
  return out;
}

/**
 * Palette colours (PS3.3, C.7.9), scaled to 16 bits.
 * @param {DataSet} tags @param {Uint16Array} pixels @param {Shape} layout
 */
function fromPalette(tags, pixels, { shift, bits, signed }) {
  const tables = [1, 2, 3].map((i) => {
    const colours = lut(tags, `x0028110${i}`, `x0028120${i}`, signed);
    if (!colours) throw unsupported('pixels with a segmented palette, or none');
    return greyTable({
      bits,
      shift,
      signed,
      slope: 1,
      intercept: 0,
      modalityLut: null,
      voi: { kind: 'lut', lut: colours },
      inverted: false,
      padding: null,
    });
  });
  const out = new Uint16Array(3 * pixels.length);
  for (let i = 0; i < pixels.length; i++) for (let c = 0; c < 3; c++) out[3 * i + c] = tables[c][pixels[i]];
  return out;
}

/**
 * @param {object} options
 * @param {JpegEngine} options.engine
 * @param {(name: import('./codecs.mjs').CodecName) => Promise<Uint8Array<ArrayBuffer>>} options.loadCodec  loads its
 *   wasm, when a file first needs it
 */
export function createDicomReader({ engine, loadCodec }) {
  const decode = createCodecs(loadCodec);

  /**
   * Throws PleuraError if the file cannot be read.
   * @param {Uint8Array} file @returns {Promise<Read>}
   */
  return async function readDicom(file) {
    try {
      return await read(open(file));
    } catch (error) {
      throw typeof error === 'string' ? damaged() : error; // dicom-parser throws strings
    }
  };

  /** @param {import('./dataset.mjs').Source} source @returns {Promise<Read>} */
  async function read(source) {
    const { attributes: tags, syntax } = source;
    const [, other] = OTHER_CONTENT.find(([root]) => codeString(tags, 'x00080016').startsWith(root)) ?? [];
    if (other) throw notAFilm(`${other}, not a film`);
    if (tags.elements.x7fe00008 || tags.elements.x7fe00009) throw unsupported('floating-point pixels');
    if (!source.pixels) throw !source.complete || tags.elements.x00280010 ? damaged() : notAFilm('no image');
    const layout = describeLayout(tags, engine);
    const { width, height, photometric, frames } = layout;
    const greys = layout.channels === 1 && photometric !== 'PALETTE COLOR' ? describeGreys(tags, layout) : null;
    if (photometric === 'YBR_FULL_422' && source.coding !== 'jpeg')
      throw unsupported('colour with halved resolution outside JPEG');
    const words = await readFrame({ ...source, pixels: source.pixels }, layout, engine, decode);
    const reason = tagReason(tags),
      facts = { syntax, voi: greys?.voi.kind ?? 'none', frames };
    if (greys)
      return {
        film: { pixels: words.pixels, width, height, channels: 1, table: greyTable(greys), tagReason: reason },
        dicom: facts,
      };
    const palette = photometric === 'PALETTE COLOR';
    const pixels = palette ? fromPalette(tags, words.pixels, layout) : toRgb(words, layout);
    return {
      film: { pixels, width, height, channels: 3, table: channelTable(palette ? 16 : layout.bits), tagReason: reason },
      dicom: facts,
    };
  }
}
