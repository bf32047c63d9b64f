// Reads a DICOM file into what the engine takes: samples, their lookup table, and a reason of the tags to refuse the
// film.
//
// Only the first frame is used. A chest film has one; where there are more, the record says how many. Pixels cross into
// the engine's memory and back for a JPEG, because the JPEG decoder is C: that is what keeps the bits equal everywhere.
import { createCodecs } from './codecs.mjs';
import { COLOUR_MODELS, fromPalette, toRgb } from './colour.mjs';
import { open } from './dataset.mjs';
import { exposureOf, spacingOf, unitsOf } from './display.mjs';
import { damaged, notAFilm, unsupported } from './errors.mjs';
import { readFrame } from './frames.mjs';
import { channelTable, greyTable } from './lut.mjs';
import { unsupportedSyntax } from './syntaxes.mjs';
import { describeGreys } from './tables.mjs';
import { tagReason } from './tags.mjs';
import { aspectOf, directionsOf, orientationOf, squared, squaredSize, turned } from './upright.mjs';

export { hashPatient, listTags } from './tags.mjs';

/**
 * What a record says about a DICOM file.
 * @typedef {object} Facts
 * @property {string} syntax  UID of the transfer syntax
 * @property {string} voi  the window or table that was applied
 * @property {number} frames
 * @property {string} [turned]  Patient Orientation of a film that was turned or mirrored, such as `R\F`
 * @property {number} [aspect]  height by width of a pixel, where they were not square
 *
 * What a viewer needs besides the film.
 * @typedef {object} Display
 * @property {import('./display.mjs').Spacing | null} spacing
 * @property {() => import('./display.mjs').Units | null} units
 * @property {import('./display.mjs').Exposure} exposure
 *
 * @typedef {{ film: import('../engine.mjs').Samples, dicom: Facts, display: Display }} Read  the film
 *   is for engine.diagnose
 */

/**
 * What the reader needs of an engine.
 * @typedef {Pick<import('../engine.mjs').Engine, 'checkSize' | 'decodeJpeg'>} JpegEngine
 * @typedef {import('./elements.mjs').Attributes} Attributes
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
 * The layout of the pixels, checked before anything is unpacked.
 * @param {Attributes} attributes @param {JpegEngine} engine @returns {Shape}
 */
function describeLayout(attributes, engine) {
  const [height, width] = [attributes.word('Rows'), attributes.word('Columns')];
  const channels = attributes.word('SamplesPerPixel') ?? 1,
    allocated = attributes.word('BitsAllocated');
  if (!height || !width || !allocated) throw damaged();
  engine.checkSize(width, height);
  if (allocated !== 8 && allocated !== 16) throw unsupported(`${allocated}-bit pixels`);
  const photometric = describeColour(attributes.code('PhotometricInterpretation'), channels);
  return {
    width,
    height,
    channels: channels === 3 ? 3 : 1,
    allocated,
    ...storedBits(attributes, allocated),
    signed: attributes.word('PixelRepresentation') === 1,
    overlay: attributes.hasOverlay,
    photometric,
    planar: attributes.word('PlanarConfiguration') === 1,
    frames: Math.max(1, Math.trunc(attributes.decimal('NumberOfFrames') ?? 1)),
  };
}

/**
 * Photometric Interpretation. Where it is missing, as in ACR-NEMA, or contradicts the number of samples, the samples
 * decide between grey and R G B, as in other readers.
 * @param {string} said @param {number} channels
 */
function describeColour(said, channels) {
  if (channels !== 1 && channels !== 3) throw unsupported(`${channels} samples per pixel`);
  const grey = /^(MONOCHROME[12]|PALETTE COLOR)$/.test(said),
    colour = COLOUR_MODELS.test(said);
  if (said && !grey && !colour)
    throw unsupported('pixels in a colour model other than grey, RGB, YBR_FULL and palette');
  if (channels === 3) return colour ? said : 'RGB';
  return grey ? said : 'MONOCHROME2';
}

/**
 * Which bits of a word are the pixel. What cannot be is left out, as other readers do: Bits Stored that does not fit into
 * the word, and High Bit that leaves no room for Bits Stored.
 * @param {Attributes} attributes @param {8 | 16} allocated
 */
function storedBits(attributes, allocated) {
  const said = attributes.word('BitsStored') ?? allocated;
  const bits = said >= 1 && said <= allocated ? said : allocated;
  const highest = attributes.word('HighBit') ?? bits - 1;
  return { bits, shift: highest < allocated && highest >= bits ? highest + 1 - bits : 0 };
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
   * Throws PleuraError if the file cannot be read. What the file says that it is comes first, then what decides whether
   * it can be read: its transfer syntax, then its pixels.
   * @param {Uint8Array} file @returns {Promise<Read>}
   */
  return async function readDicom(file) {
    const source = open(file);
    const { attributes, sopClass, syntax, pixels } = source;
    const [, other] = OTHER_CONTENT.find(([root]) => sopClass.startsWith(root)) ?? [];
    if (other) throw notAFilm(`${other}, not a film`);
    if (attributes.has('FloatPixelData') || attributes.has('DoubleFloatPixelData'))
      throw unsupported('floating-point pixels');
    // The pixels of some syntaxes lie elsewhere, such as on a server for JPIP.
    if (!source.coding && (pixels || attributes.has('Rows'))) throw unsupportedSyntax(syntax);
    if (!pixels) throw !source.complete || attributes.has('Rows') ? damaged() : notAFilm('no image');
    const layout = describeLayout(attributes, engine);
    if (layout.photometric === 'YBR_FULL_422' && source.coding !== 'jpeg' && source.coding !== 'native')
      throw unsupported('colour with halved resolution in anything but JPEG and uncompressed pixels');
    const words = await readFrame({ ...source, pixels }, layout, engine, decode);
    const { plane, table, voi, greys } = show(attributes, words, layout);
    const upright = setUpright(attributes, plane, table, engine);
    return {
      film: { ...upright.film, tagReason: tagReason(attributes, sopClass) },
      dicom: { syntax, voi, frames: layout.frames, ...upright.facts },
      display: {
        exposure: exposureOf(attributes),
        spacing: spacingOf(attributes),
        units: () => (greys && !upright.facts.aspect ? unitsOf(attributes, greys) : null), // few films are looked at
      },
    };
  };
}

/**
 * The pixels and the table of what they show.
 * @param {Attributes} attributes @param {import('./frames.mjs').Words} words @param {Shape} layout
 */
function show(attributes, words, layout) {
  const { width, height, photometric } = layout;
  if (photometric === 'PALETTE COLOR') {
    const pixels = fromPalette(attributes, words.pixels, layout);
    return { plane: { pixels, width, height, channels: 3 }, table: channelTable(16), voi: 'none', greys: null };
  }
  if (layout.channels === 3) {
    const pixels = toRgb(words, layout);
    return {
      plane: { pixels, width, height, channels: 3 },
      table: channelTable(layout.bits),
      voi: 'none',
      greys: null,
    };
  }
  const greys = describeGreys(attributes, layout);
  const plane = { pixels: words.pixels, width, height, channels: 1 };
  return { plane, table: greyTable(greys), voi: greys.voi.kind, greys };
}

/**
 * Turns a film and makes its pixels square, where its tags say that it needs that.
 * @param {Attributes} attributes @param {import('./upright.mjs').Plane} given @param {Uint16Array} table
 * @param {JpegEngine} engine
 */
function setUpright(attributes, given, table, engine) {
  let film = { ...given, table };
  const aspect = aspectOf(attributes);
  if (aspect !== 1) {
    const shown = given.pixels.map((word) => table[word]); // words cannot be averaged: a table need not be a line
    engine.checkSize(...squaredSize(given, aspect));
    film = { ...squared({ ...given, pixels: shown }, aspect), table: channelTable(16) };
  }
  const orientation = orientationOf(directionsOf(attributes));
  if (orientation) film = { ...film, ...turned(film, orientation) };
  return { film, facts: { ...(orientation && { turned: orientation }), ...(aspect !== 1 && { aspect }) } };
}
