// DICOM files to what the engine takes: samples, the table of their greys, and what the tags say against reading them.
//
// The first frame counts: a chest film has one, and where there are more the record says how many. Of the tags only
// those that the picture or the gate need are read; patient's tags leave this file by listTags alone, for display, and one as a hash.
import { createCodecs } from './codecs.mjs';
import { damaged, dicomError, open, unsupported } from './dataset.mjs';
import { readFrame } from './frames.mjs';
import { channelTable, greyTable } from './lut.mjs';

/**
 * What a record says of a DICOM file.
 * @typedef {{ syntax: string, voi: string, frames: number }} Facts  voi: which window or table made the greys
 * @typedef {{ film: import('../engine.mjs').Samples, dicom: Facts }} Read  the film is for engine.diagnose
 */

/** Files without a picture that can be read, by the beginning of their SOP class (PS3.6, table A-1). */
const OTHERS = [
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

/** CR, DX and the older RG and DR; scanned films are often OT, other. */
const PLAIN_FILMS = /^(CR|DX|RG|DR|OT|)$/;
/** Defined terms for other parts than the chest (PS3.16, annex L), letters only. What is not listed is left to the lungs' own gate. */
const ELSEWHERE = new Set(
  `ABDOMEN ABDOMENPELVIS ADRENAL ANKLE ARM AXILLA BLADDER BRAIN BREAST BUTTOCK CALCANEUS CALF CAROTID CERVICALSPINE
  CHEEK CLAVICLE COCCYX COLON CSPINE CTSPINE DUODENUM EAR ELBOW EXTREMITY EYE FACE FEMUR FIBULA FINGER FOOT FOREARM GALLBLADDER HAND
  HEAD HEADNECK HIP HUMERUS ILIUM JAW JOINT KIDNEY KNEE LARYNX LEG LIVER LOWEREXTREMITY LOWERLEG LSPINE LSSPINE LUMBARSPINE MANDIBLE
  MAXILLA NECK NOSE ORBIT PANCREAS PATELLA PELVIS RADIUS RADIUSULNA SCAPULA SHOULDER SIJOINT SINUS SKULL SPINE SPLEEN SSPINE STERNUM
  STOMACH THIGH THORACICSPINE THUMB THYROID TIBIA TIBIAFIBULA TLSPINE TMJ TOE TONGUE TSPINE ULNA UPPEREXTREMITY UTERUS WRIST ZYGOMA`.split(
    /\s+/,
  ),
);
const OTHER_VIEWS = /^(LL|RL|LLD|RLD|LLO|RLO|LAO|RAO|LPO|RPO)$|LAT|OBL|DECUB/;

/** Shown on request, never kept: PS3.6 names. @type {[string, string][]} */
const SHOWN = [
  ['x00100010', 'Patient’s name'],
  ['x00100020', 'Patient ID'],
  ['x00100030', 'Birth date'],
  ['x00100040', 'Sex'],
  ['x00101010', 'Age'],
  ['x00080020', 'Study date'],
  ['x00080050', 'Accession number'],
  ['x00080080', 'Institution'],
  ['x00080090', 'Referring physician'],
  ['x00081030', 'Study'],
  ['x0008103e', 'Series'],
  ['x00080060', 'Modality'],
  ['x00180015', 'Body part'],
  ['x00185101', 'View position'],
  ['x00080070', 'Manufacturer'],
  ['x00081090', 'Model'],
];
/** Specific Character Set (PS3.3, C.12.1.1.2), with and without code extensions, by the names that TextDecoder knows. */
const CHARACTER_SETS = {
  13: 'shift_jis',
  58: 'gb2312',
  87: 'iso-2022-jp',
  100: 'iso-8859-1',
  101: 'iso-8859-2',
  109: 'iso-8859-3',
  110: 'iso-8859-4',
  126: 'iso-8859-7',
  127: 'iso-8859-6',
  138: 'iso-8859-8',
  144: 'iso-8859-5',
  148: 'iso-8859-9',
  149: 'euc-kr',
  166: 'windows-874',
  192: 'utf-8',
  203: 'iso-8859-15',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

const code = (tags, tag) => (tags.string(tag) ?? '').trim().toUpperCase();

/** A decimal string, the first of several; null where there is none or nonsense. */
function decimal(tags, tag) {
  const text = (tags.string(tag) ?? '').split('\\')[0].trim();
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : null;
}

/** What the tags say against reading the film: a code of pleura.h, or null. */
function objection(tags) {
  if (!PLAIN_FILMS.test(code(tags, 'x00080060'))) return 'tag-modality';
  if (code(tags, 'x00080068') === 'FOR PROCESSING') return 'tag-processing';
  if (ELSEWHERE.has(code(tags, 'x00180015').replace(/[^A-Z]/g, ''))) return 'tag-body-part';
  const [view] = tags.elements.x00540220?.items ?? [];
  const views = [code(tags, 'x00185101'), view?.dataSet ? code(view.dataSet, 'x00080104') : ''];
  const fromTheSide = /^[AP]/.test(code(tags, 'x00200020')); // rows of pixels run to the front or the back of the body
  return fromTheSide || views.some((name) => OTHER_VIEWS.test(name)) ? 'tag-view' : null;
}

/** A table of values with its descriptor (PS3.3, C.11.1.1.1), or null. @returns {import('./lut.mjs').Lut | null} */
function lut(tags, descriptor, data, signed) {
  const element = tags.elements[data],
    [entries, first, bits] = [0, 1, 2].map((i) => tags.uint16(descriptor, i));
  if (!element || bits === undefined) return null;
  const count = entries || 65536,
    bytes = element.length;
  const packed = bits <= 8 && (bytes === count || bytes === count + (count & 1)); // two entries in a word
  if (bits < 1 || bits > 16 || (!packed && bytes < 2 * count)) throw damaged();
  const values = Uint16Array.from({ length: count }, (_, i) =>
    packed ? tags.byteArray[element.dataOffset + i] : tags.uint16(data, i),
  );
  return { first: signed && first > 32767 ? first - 65536 : first, values, bits };
}

/** A table in the first item of a sequence. */
function lutOf(tags, sequence, signed) {
  const [item] = tags.elements[sequence]?.items ?? [];
  return item?.dataSet ? lut(item.dataSet, 'x00283002', 'x00283006', signed) : null;
}

/** @returns {import('./lut.mjs').Voi} */
function chooseVoi(tags, signed) {
  const table = lutOf(tags, 'x00283010', signed); // the maker's own curve says more than a window beside it
  if (table) return { kind: 'lut', lut: table };
  const centre = decimal(tags, 'x00281050'),
    width = decimal(tags, 'x00281051');
  const kind = { SIGMOID: 'sigmoid', LINEAR_EXACT: 'linear-exact' }[code(tags, 'x00281056')] ?? 'linear';
  const usable = centre !== null && width !== null && (kind === 'linear' ? width >= 1 : width > 0);
  return usable ? { kind, centre, width } : { kind: 'none' };
}

/** @returns {import('./lut.mjs').Greys} */
function describeGreys(tags, layout) {
  const { signed, photometric } = layout;
  const modalityLut = lutOf(tags, 'x00283000', signed);
  const slope = decimal(tags, 'x00281053') || 1,
    intercept = decimal(tags, 'x00281052') ?? 0;
  const low = tags.elements.x00280120 ? (signed ? tags.int16('x00280120') : tags.uint16('x00280120')) : null;
  const high = tags.elements.x00280121 ? (signed ? tags.int16('x00280121') : tags.uint16('x00280121')) : low;
  return {
    ...layout,
    slope,
    intercept,
    modalityLut,
    voi: chooseVoi(tags, signed || (!modalityLut && intercept < 0)),
    inverted: photometric === 'MONOCHROME1' || code(tags, 'x20500020') === 'INVERSE',
    padding: low === null ? null : [Math.min(low, high), Math.max(low, high)],
  };
}

/** How the pixels lie, checked: nothing is unpacked before. */
function describeLayout(tags, engine) {
  const [height, width] = [tags.uint16('x00280010'), tags.uint16('x00280011')];
  const channels = tags.uint16('x00280002') ?? 1,
    allocated = tags.uint16('x00280100'),
    bits = tags.uint16('x00280101') ?? allocated;
  const highest = tags.uint16('x00280102') ?? bits - 1,
    photometric = code(tags, 'x00280004') || 'MONOCHROME2'; // ACR-NEMA knew no other
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
    frames: Math.max(1, Math.trunc(decimal(tags, 'x00280008') ?? 1)),
  };
}

/** Channels in either arrangement and either colour model to pixels R G B (PS3.3, C.7.6.3.1.2 and C.7.6.3.1.3). */
function toRgb({ pixels, planar, rgb }, { photometric, bits, shift }) {
  const count = pixels.length / 3,
    out = new Uint16Array(pixels.length),
    white = 2 ** bits - 1,
    middle = 2 ** (bits - 1);
  const luma = photometric.startsWith('YBR_FULL') && !rgb; // YBR_ICT and YBR_RCT are JPEG 2000's own affair
  const level = (v) => (v < 0 ? 0 : v > white ? white : Math.floor(v + 0.5));
  const step = planar ? count : 1,
    next = planar ? 1 : 3,
    stored = (i) => (pixels[i] >> shift) & white;
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

/** Colours of a palette (PS3.3, C.7.9), spread over 16 bits. */
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
 * @param {any} options.engine  of createEngine
 * @param {(name: import('./codecs.mjs').CodecName) => Promise<Uint8Array<ArrayBuffer>>} options.loadCodec  its wasm, fetched when a file needs it
 */
export function createDicomReader({ engine, loadCodec }) {
  const decode = createCodecs(loadCodec);

  /**
   * Throws PleuraError for what cannot be read.
   * @param {Uint8Array} file @returns {Promise<Read>}
   */
  return async function readDicom(file) {
    try {
      return await read(open(file));
    } catch (error) {
      throw typeof error === 'string' ? damaged() : error; // dicom-parser throws strings at an attribute that is cut short
    }
  };

  /** @param {import('./dataset.mjs').Source} source @returns {Promise<Read>} */
  async function read(source) {
    const { attributes: tags, syntax } = source;
    const [, other] = OTHERS.find(([root]) => code(tags, 'x00080016').startsWith(root)) ?? [];
    if (other)
      throw dicomError(
        'dicom-not-a-film',
        `This DICOM file holds ${other}, not a film. Choose the film of the same study.`,
      );
    if (tags.elements.x7fe00008 || tags.elements.x7fe00009) throw unsupported('floating-point pixels');
    if (!source.pixels)
      throw !source.whole || tags.elements.x00280010
        ? damaged()
        : dicomError('dicom-not-a-film', 'This DICOM file holds no picture. Choose the film of the same study.');
    const layout = describeLayout(tags, engine);
    const { width, height, photometric, frames } = layout;
    const greys = layout.channels === 1 && photometric !== 'PALETTE COLOR' ? describeGreys(tags, layout) : null;
    if (photometric === 'YBR_FULL_422' && source.coding !== 'jpeg')
      throw unsupported('colour with halved resolution outside JPEG');
    const words = await readFrame(source, layout, engine, decode);
    const told = objection(tags),
      facts = { syntax, voi: greys?.voi.kind ?? 'none', frames };
    if (greys)
      return {
        film: { pixels: words.pixels, width, height, channels: 1, table: greyTable(greys), told },
        dicom: facts,
      };
    const palette = photometric === 'PALETTE COLOR';
    const pixels = palette ? fromPalette(tags, words.pixels, layout) : toRgb(words, layout);
    return {
      film: { pixels, width, height, channels: 3, table: channelTable(palette ? 16 : layout.bits), told },
      dicom: facts,
    };
  }
}

/**
 * Whose film it is, as a hash that tells patients apart without naming them; null where the file does not say.
 * @param {Uint8Array} file @param {(bytes: Uint8Array) => string} sha256 @returns {string | null}
 */
export function hashPatient(file, sha256) {
  const id = open(file).attributes.string('x00100020'); // without the blanks around it, which mean nothing
  return id ? sha256(new TextEncoder().encode(id)) : null;
}

/**
 * The tags that a person may want to see, for display only: they name the patient. Never to be kept, logged or exported.
 * @param {Uint8Array} file @returns {{ name: string, value: string }[]}
 */
export function listTags(file) {
  const { attributes } = open(file);
  const set = (attributes.string('x00080005') ?? '')
    .split('\\')
    .map((name) => name.replace(/^ISO.*IR/, '').trim())
    .find((name) => Object.hasOwn(CHARACTER_SETS, name));
  const decoder = new TextDecoder(CHARACTER_SETS[set] ?? 'iso-8859-1');
  return SHOWN.flatMap(([tag, name]) => {
    const element = attributes.elements[tag];
    if (!element?.length || element.items || element.length > 1024) return [];
    const raw = attributes.byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
    const value = decoder.decode(raw).replace(/\0/g, '').replace(/\^+/g, ' ').trim();
    return value ? [{ name, value }] : [];
  });
}
