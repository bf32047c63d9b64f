// What the tags of a DICOM file say beside its pixels: whether it is a frontal chest film at all, whose it is (as a
// hash), and the few tags that the page shows on request.
import { DECUBITUS, FRONTAL_VIEWS, OTHER_REGIONS, OTHER_VIEWS } from './codes.mjs';
import { open } from './dataset.mjs';
import { DICTIONARY } from './dictionary.mjs';
import { places } from './functional_groups.mjs';
import { directionsOf } from './upright.mjs';

/**
 * @typedef {import('./elements.mjs').Attributes} Attributes
 * @typedef {import('./dictionary.mjs').Keyword} Keyword
 */

/** Modalities of plain radiographs: CR, DX, and the older RG and DR. Scanned films are often OT (other). */
const RADIOGRAPHS = /^(CR|DX|RG|DR|OT|)$/;
/**
 * Defined terms for body parts other than the chest (PS3.16, annex L), letters only. The gate judges what is not
 * listed.
 */
const OTHER_BODY_PARTS = new Set(
  `ABDOMEN ABDOMENPELVIS ADRENAL ANKLE ARM AXILLA BLADDER BRAIN BREAST BUTTOCK CALCANEUS CALF CAROTID CERVICALSPINE
  CHEEK CLAVICLE COCCYX COLON CSPINE CTSPINE DUODENUM EAR ELBOW EXTREMITY EYE FACE FEMUR FIBULA FINGER FOOT FOREARM
  GALLBLADDER HAND HEAD HEADNECK HIP HUMERUS ILIUM JAW JOINT KIDNEY KNEE LARYNX LEG LIVER LOWEREXTREMITY LOWERLEG
  LSPINE LSSPINE LUMBARSPINE MANDIBLE MAXILLA NECK NOSE ORBIT PANCREAS PATELLA PELVIS RADIUS RADIUSULNA SCAPULA
  SHOULDER SIJOINT SINUS SKULL SPINE SPLEEN SSPINE STERNUM STOMACH THIGH THORACICSPINE THUMB THYROID TIBIA
  TIBIAFIBULA TLSPINE TMJ TOE TONGUE TSPINE ULNA UPPEREXTREMITY UTERUS WRIST ZYGOMA`.split(/\s+/),
);
/** View positions that are not frontal (PS3.3, C.8.1.1.1.5), and words of English code meanings. */
const OTHER_VIEW_WORDS = /^(LL|RL|LLD|RLD|LLO|RLO|LAO|RAO|LPO|RPO)$|LAT|OBL|DECUB/;

/** SOP classes of images as DICOM stores them (PS3.4, B.5). */
const IMAGE_CLASSES = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\./;
/** Those of plain radiographs: CR, Digital X-Ray, and Secondary Capture for scanned films. */
const RADIOGRAPH_CLASSES = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(1|1\.1|1\.1\.1|7|7\.\d)$/;
/** Digital X-Ray Image Storage - For Processing: raw detector values (PS3.4, B.5.1.1). */
const FOR_PROCESSING_CLASS = '1.2.840.10008.5.1.4.1.1.1.1.1';

/**
 * What the items of a code sequence say: their codes, with those that the file calls equivalent, and their meanings.
 * @param {Attributes} attributes @param {Keyword} sequence
 * @returns {{ codes: string[], meaning: string }[]}
 */
const readCodes = (attributes, sequence) =>
  [...attributes.items(sequence)].map((item) => ({
    codes: [item, ...item.items('EquivalentCodeSequence')]
      .flatMap((one) => [one.text('CodeValue'), one.text('LongCodeValue'), one.text('URNCodeValue')])
      .map((code) => code.toUpperCase()),
    meaning: item.code('CodeMeaning'),
  }));

/** @param {Attributes} attributes */
function showsOtherPart(attributes) {
  if (attributes.codes('BodyPartExamined').some((part) => OTHER_BODY_PARTS.has(part.replace(/[^A-Z]/g, ''))))
    return true;
  const sequences = /** @type {const} */ (['AnatomicRegionSequence', 'PrimaryAnatomicStructureSequence']);
  const concepts = [...places(attributes, 'FrameAnatomySequence')].flatMap((place) =>
    sequences.flatMap((sequence) => readCodes(place, sequence)),
  );
  return concepts.some(({ codes }) => codes.some((code) => OTHER_REGIONS.has(code)));
}

/** @param {Attributes} attributes */
function isOtherView(attributes) {
  if (attributes.codes('ViewPosition').some((view) => OTHER_VIEW_WORDS.test(view))) return true;
  const views = readCodes(attributes, 'ViewCodeSequence');
  for (const { codes, meaning } of views) {
    if (codes.some((code) => OTHER_VIEWS.has(code))) return true;
    if (!codes.some((code) => FRONTAL_VIEWS.has(code)) && OTHER_VIEW_WORDS.test(meaning)) return true;
  }
  for (const position of attributes.items('PatientOrientationCodeSequence')) {
    const modifiers = readCodes(position, 'PatientOrientationModifierCodeSequence');
    if (modifiers.some(({ codes }) => codes.some((code) => DECUBITUS.has(code)))) return true;
  }
  // Patient Orientation: rows or columns that run to the front (A) or the back (P) belong to a lateral film.
  return directionsOf(attributes).some((direction) => /^[AP][LRHFAP]*$/.test(direction));
}

/**
 * Why the attributes say that this is not a frontal chest film: a gate code of pleura.h, or null.
 * @param {Attributes} attributes @param {string} sopClass
 */
export function tagReason(attributes, sopClass) {
  if (!RADIOGRAPHS.test(attributes.code('Modality'))) return 'tag-modality';
  if (IMAGE_CLASSES.test(sopClass) && !RADIOGRAPH_CLASSES.test(sopClass)) return 'tag-modality';
  if (sopClass === FOR_PROCESSING_CLASS || attributes.code('PresentationIntentType') === 'FOR PROCESSING')
    return 'tag-processing';
  if (showsOtherPart(attributes)) return 'tag-body-part';
  return isOtherView(attributes) ? 'tag-view' : null;
}

/** The tags that listTags shows, with their names (PS3.6). @type {[Keyword, string][]} */
const SHOWN = [
  ['PatientName', 'Patient’s name'],
  ['PatientID', 'Patient ID'],
  ['PatientBirthDate', 'Birth date'],
  ['PatientSex', 'Sex'],
  ['PatientAge', 'Age'],
  ['StudyDate', 'Study date'],
  ['AcquisitionDate', 'Acquisition date'],
  ['AccessionNumber', 'Accession number'],
  ['InstitutionName', 'Institution'],
  ['ReferringPhysicianName', 'Referring physician'],
  ['StudyDescription', 'Study'],
  ['SeriesDescription', 'Series'],
  ['Modality', 'Modality'],
  ['BodyPartExamined', 'Body part'],
  ['ViewPosition', 'View position'],
  ['PatientOrientation', 'Patient orientation'],
  ['Manufacturer', 'Manufacturer'],
  ['ManufacturerModelName', 'Model'],
];
/**
 * Specific Character Set (PS3.3, C.12.1.1.2), with and without code extensions, to the names of TextDecoder.
 * @type {{ [set: string]: string }}
 */
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

/**
 * A hash of the Patient ID, which groups films by patient without naming anyone; null where the file has no ID.
 * @param {Uint8Array} file @param {(bytes: Uint8Array) => string} sha256 @returns {string | null}
 */
export function hashPatient(file, sha256) {
  const id = open(file).attributes.text('PatientID');
  return id ? sha256(new TextEncoder().encode(id)) : null;
}

/** A date as YYYY-MM-DD, also from the form with dots of before DICOM; null if it is none. @param {string} text */
export function readDate(text) {
  const date = text.replace(/^(\d{4})\.?(\d\d)\.?(\d\d)$/, '$1-$2-$3');
  return Number.isNaN(Date.parse(date)) || date === text ? null : date;
}

/**
 * A person's name, such as “Doe, Dr Jane A.”. Its groups are the same name in Latin, ideographic and phonetic writing, of
 * which only the first is sorted by a comma (PS3.5, 6.2.1).
 * @param {string} text
 */
function readName(text) {
  const [latin = [], ...others] = text.split('=').map((group) => {
    const [family = '', given = '', middle = '', prefix = '', suffix = ''] = group
      .split('^')
      .map((part) => part.trim());
    return [family, [prefix, given, middle].filter(Boolean).join(' '), suffix].filter(Boolean);
  });
  const rest = others.map((parts) => parts.join(' ')).filter(Boolean);
  return latin.join(', ') + (rest.length > 0 ? ` (${rest.join(', ')})` : '');
}

/**
 * A tag for display. A date is YYYY-MM-DD, an age such as 63Y; the kind lets a program write them in its own language.
 * @typedef {{ name: string, value: string, kind: 'text' | 'date' | 'age' }} Tag
 * @param {string} text @param {string} vr  its value representation @returns {Omit<Tag, 'name'>}
 */
function formatted(text, vr) {
  const date = vr === 'DA' ? readDate(text) : null;
  if (date) return { value: date, kind: 'date' };
  if (vr === 'AS' && /^\d{3}[DWMY]$/.test(text)) return { value: text.replace(/^0{1,2}/, ''), kind: 'age' };
  return { value: vr === 'PN' ? readName(text) : text, kind: 'text' };
}

/**
 * The tags that a person may want to see. They name the patient: display them, never keep, log or export them.
 * @param {Uint8Array} file @returns {Tag[]}
 */
export function listTags(file) {
  const { attributes } = open(file);
  const set = attributes
    .text('SpecificCharacterSet')
    .split('\\')
    .map((name) => name.replace(/^ISO.*IR/, '').trim())
    .find((name) => Object.hasOwn(CHARACTER_SETS, name));
  const decoder = new TextDecoder(CHARACTER_SETS[set ?? ''] ?? 'iso-8859-1');
  return SHOWN.flatMap(([keyword, name]) => {
    const raw = attributes.raw(keyword);
    if (raw.length > 1024) return [];
    const text = decoder.decode(raw).replace(/\0/g, '').trim();
    const { value, kind } = formatted(text, DICTIONARY[keyword][1]);
    return value ? [{ name, value, kind }] : [];
  });
}
