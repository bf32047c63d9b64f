// record.mjs - the record of one film, as the command prints it and the page exports it: an object, JSON or CSV.

/**
 * What a run knows about one film: a diagnosis, an error (`code`, `message`), or that the film belongs to another
 * shard.
 * @typedef {object} Answer
 * @property {string} [verdict] @property {{ reason: string } | null} [doubt]
 * @property {{ [label: string]: number }} [probability] @property {{ [label: string]: number } | null} [prevalence]
 * @property {{ accepted: boolean, score: number, reason: string | null }} [gate]
 * @property {{ right: number, left: number } | null} [extent]
 * @property {string} [decoder] @property {object} [dicom] @property {string} [sha256] @property {string} [bits]
 * @property {Float32Array} [features] input of the last layer, on request @property {number[]} [logits] on request
 * @property {string | null} [patient] a hash of the Patient ID, on request
 * @property {Uint32Array} [picture] a perceptual hash of the film, on request
 * @property {{ verdict: string, probability: { [label: string]: number } }} [reclassified] at another class mix, on
 *   request
 * @property {string} [code] @property {string} [message]
 * @property {boolean} [elsewhere]
 */

/**
 * The record that scripts rely on.
 * @typedef {object} Record
 * @property {string} file @property {'ok' | 'error'} status
 * @property {string} [verdict] @property {string} [doubt] why the verdict is uncertain; absent for any other verdict
 * @property {{ [label: string]: number }} [probability]
 * @property {{ [label: string]: number }} [prevalence] the class mix of verdict and probability; absent for the model's
 *   own prior
 * @property {{ accepted: boolean, score: number, reason: string | null }} [gate]
 * @property {{ right: number, left: number }} [extent] share of each lung under opacity; absent without such a map
 * @property {string} [decoder] @property {object} [dicom] how a DICOM file was read
 * @property {string} [sha256] @property {string} [model] @property {string} [bits]
 * @property {string} [code] @property {string} [message]
 */

/** Six decimals are all that a probability can mean; `bits` stands for the exact floats. @param {number} x */
const round = (x) => Math.round(x * 1e6) / 1e6;

/** @param {{ [label: string]: number }} shares @returns {{ [label: string]: number }} */
export const rounded = (shares) =>
  Object.fromEntries(Object.entries(shares).map(([label, share]) => [label, round(share)]));

/**
 * In the form of --prevalence; empty for the model's own prior.
 * @param {{ [label: string]: number } | null | undefined} shares @returns {string}
 */
export const mixtureText = (shares) =>
  Object.entries(shares ?? {})
    .map(([label, share]) => `${label}=${share}`)
    .join(',');

/** @param {string} file @param {Answer} answer @param {string} model @returns {Record} */
export function toRecord(file, answer, model) {
  if (answer.code) return { file, status: 'error', code: answer.code, message: answer.message };
  const { verdict, doubt, probability = {}, prevalence, gate, extent, decoder, dicom, sha256, bits } = answer;
  return {
    file,
    status: 'ok',
    verdict,
    ...(doubt && { doubt: doubt.reason }),
    probability: rounded(probability),
    ...(prevalence && { prevalence }),
    ...(gate && { gate: { accepted: gate.accepted, score: round(gate.score), reason: gate.reason } }),
    ...(extent && { extent: { right: round(extent.right), left: round(extent.left) } }),
    decoder,
    ...(dicom && { dicom }),
    sha256,
    model,
    bits,
  };
}

const isCount = (/** @type {any} */ value) => Number.isSafeInteger(value) && value >= 0;

/**
 * Whether a value is a record, of a shard (with its `place`) or of a whole run.
 * @param {any} value parsed from JSON, not null
 */
export function isRecord({ file, status, model, place }) {
  if (typeof file !== 'string' || !(place === undefined || isCount(place))) return false;
  return status === 'error' ? model === undefined : status === 'ok' && typeof model === 'string';
}

/** Control characters and changes of writing direction: in a file name they could rewrite the terminal. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** @param {string} text @returns {string} safe to print on a terminal */
export const harmless = (text) => text.replace(UNSAFE, '\ufffd');

/** @param {any} value @returns {string} one line, with the unsafe characters that JSON allows escaped too */
export const toJson = (value) =>
  JSON.stringify(value).replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * A spreadsheet evaluates a cell that begins with one of these signs, narrow or wide: a quote keeps it text.
 * @param {unknown} value
 */
function cell(value) {
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'object' && value ? toJson(value) : harmless(String(value ?? ''));
  const safe = /^\s*[=+\-@\uff0b\uff0d\uff1d\uff20]/.test(text) ? `'${text}` : text;
  return /[",;\t]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** One line of a CSV. @param {unknown[]} cells */
export const csvLine = (cells) => cells.map(cell).join(',');

/** JSON Lines. */
export const jsonLines = () => ({ head: '', row: toJson });

/** @param {string[]} labels CSV as in RFC 4180, but with Unix line ends */
export const csv = (labels) => ({
  head: csvLine([
    'file',
    'status',
    'verdict',
    ...labels.map((label) => `probability_${label}`),
    'prevalence',
    'accepted',
    'score',
    'reason',
    'doubt',
    'extent_right',
    'extent_left',
    'decoder',
    'sha256',
    'model',
    'bits',
    'code',
    'message',
  ]),
  /** @param {Record} r */
  row: (r) =>
    csvLine([
      r.file,
      r.status,
      r.verdict,
      ...labels.map((label) => r.probability?.[label]),
      mixtureText(r.prevalence),
      r.gate?.accepted,
      r.gate?.score,
      r.gate?.reason,
      r.doubt,
      r.extent?.right,
      r.extent?.left,
      r.decoder,
      r.sha256,
      r.model,
      r.bits,
      r.code,
      r.message,
    ]),
});
