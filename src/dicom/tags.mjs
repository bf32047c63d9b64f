// What the tags of a DICOM file say beside its pixels: whether it is a frontal chest film at all, whose it is (as a
// hash), and the few tags that the page shows on request.
import { codeString, open } from './dataset.mjs';

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
/** View codes that are not frontal (PS3.3, C.8.7.1 and the codes of 0054,0220). */
const OTHER_VIEWS = /^(LL|RL|LLD|RLD|LLO|RLO|LAO|RAO|LPO|RPO)$|LAT|OBL|DECUB/;

/**
 * Why the attributes say that this is not a frontal chest film: a gate code of pleura.h, or null.
 * @param {any} attributes
 */
export function tagReason(attributes) {
  if (!RADIOGRAPHS.test(codeString(attributes, 'x00080060'))) return 'tag-modality';
  if (codeString(attributes, 'x00080068') === 'FOR PROCESSING') return 'tag-processing';
  if (OTHER_BODY_PARTS.has(codeString(attributes, 'x00180015').replace(/[^A-Z]/g, ''))) return 'tag-body-part';
  const [view] = attributes.elements.x00540220?.items ?? [];
  const views = [codeString(attributes, 'x00185101'), view?.dataSet ? codeString(view.dataSet, 'x00080104') : ''];
  // Patient Orientation: pixel rows that run to the front (A) or the back (P) belong to a lateral film.
  const lateral = /^[AP]/.test(codeString(attributes, 'x00200020'));
  return lateral || views.some((name) => OTHER_VIEWS.test(name)) ? 'tag-view' : null;
}

/** The tags that listTags shows, with their names (PS3.6). @type {[string, string][]} */
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
  const id = open(file).attributes.string('x00100020'); // string() removes padding
  return id ? sha256(new TextEncoder().encode(id)) : null;
}

/**
 * The tags that a person may want to see. They name the patient: display them, never keep, log or export them.
 * @param {Uint8Array} file @returns {{ name: string, value: string }[]}
 */
export function listTags(file) {
  const { attributes } = open(file);
  const set = (attributes.string('x00080005') ?? '')
    .split('\\')
    .map((/** @type {string} */ name) => name.replace(/^ISO.*IR/, '').trim())
    .find((/** @type {string} */ name) => Object.hasOwn(CHARACTER_SETS, name));
  const decoder = new TextDecoder(CHARACTER_SETS[set ?? ''] ?? 'iso-8859-1');
  return SHOWN.flatMap(([tag, name]) => {
    const element = attributes.elements[tag];
    if (!element?.length || element.items || element.length > 1024) return [];
    const raw = attributes.byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
    const value = decoder.decode(raw).replace(/\0/g, '').replace(/\^+/g, ' ').trim();
    return value ? [{ name, value }] : [];
  });
}
