// seen.mjs - which films made weights or an adapter, as short hashes, so that an evaluation can notice them.
//
// An adapter holds them itself. Those of weights would be a tenth of the file, so they are in a text beside it
// (pleura.films beside pleura.gguf), which the page never fetches:
//
//   splits HASH              SHA-256, which the weights have as pleura.card.splits: it names the films and their splits
//   trained | chosen         what the films below did to the weights: trained them, or chose among them and calibrated them
//   0123456789               the first 10 hex digits of a film's SHA-256, one per line: of the file that was trained on,
//                            and of the original that it was made from
//
//   pleura.adapted.hashes    text: the first 8 hex digits of each film that an adapter was fitted to, one after the other
//   pleura.adapted.patients  text: for each known patient of these films the first 16 hex digits of the SHA-256 of
//                            "BASE\nPATIENT", where BASE is the SHA-256 of the weights in hex
//
// So few digits cannot be turned back into a film. Two different films share eight once in four billion pairs.
import { readGguf, textOf } from './gguf.mjs';

/**
 * @typedef {import('./adapter.mjs').Hash} Hash
 * @typedef {'trained' | 'chosen' | 'fitted' | 'patient'} Reason  why a film is no test of the model
 */

const MAKER_DIGITS = 10,
  FILM_DIGITS = 8,
  PATIENT_DIGITS = 16;
export const FITTED = 'pleura.adapted.hashes';
export const PATIENTS = 'pleura.adapted.patients';

/** @param {string[]} hashes  SHA-256 of films, in hex @returns {string} for the keys of films */
export const packFilms = (hashes) => [...new Set(hashes.map((hash) => hash.slice(0, FILM_DIGITS)))].sort().join('');

/**
 * The keyed hash of a patient. @param {string} patient @param {string} base SHA-256 of the weights @param {Hash} hash
 */
const patientHash = async (patient, base, hash) =>
  (await hash(new TextEncoder().encode(`${base}\n${patient}`))).slice(0, PATIENT_DIGITS);

/** @param {string[]} patients @param {string} base SHA-256 of the weights @param {Hash} hash @returns {Promise<string>} */
export async function packPatients(patients, base, hash) {
  const all = await Promise.all([...new Set(patients)].map((patient) => patientHash(patient, base, hash)));
  return all.sort().join('');
}

/** @param {string | null} text @param {number} digits @returns {Set<string>} */
const unpack = (text, digits) =>
  new Set((text ?? '').match(new RegExp(`[0-9a-f]{${digits}}`, 'gi'))?.map((hash) => hash.toLowerCase()));

/**
 * The films of a text like pleura.films, if it is about these splits.
 * @param {string} text @param {string} splits @returns {Map<string, 'trained' | 'chosen'>}  by the digits of their
 *   SHA-256; empty if it is about others
 */
function makersIn(text, splits) {
  const found = new Map();
  if (/^splits (\S+)$/m.exec(text)?.[1] !== splits) return found;
  let reason = null;
  for (const line of text.split(/\r?\n/)) {
    if (line === 'trained' || line === 'chosen') reason = line;
    else if (reason && line.length === MAKER_DIGITS) found.set(line, reason);
  }
  return found;
}

/**
 * A judge of films by what is known of those that made the weights.
 * @param {Uint8Array} weights  with an adapter applied or without @param {Hash} hash
 * @param {string[]} [texts]  like pleura.films; the first about the splits of these weights counts
 */
export function seenFilms(weights, hash, texts = []) {
  const { values } = readGguf(weights);
  const text = (/** @type {string} */ key) => textOf(values.get(key)) ?? null;
  const splits = text('pleura.card.splits');
  const makers = texts.map((one) => makersIn(one, splits ?? '')).find(({ size }) => size) ?? new Map();
  const fitted = unpack(text(FITTED), FILM_DIGITS),
    patients = unpack(text(PATIENTS), PATIENT_DIGITS),
    base = text('pleura.adapted.base') ?? '';
  return {
    /** Whether it is known which films made the weights themselves. */
    known: makers.size > 0,
    /**
     * @param {string[]} hashes  SHA-256 in hex of the film's file, and of its original where that is known
     * @param {string | null} patient
     * @returns {Promise<Reason | null>} patient: the adapter was fitted to other films of this patient
     */
    async judge(hashes, patient) {
      const maker = hashes.map((hash) => makers.get(hash.slice(0, MAKER_DIGITS))).find(Boolean);
      if (maker) return maker;
      if (hashes.some((hash) => fitted.has(hash.slice(0, FILM_DIGITS)))) return 'fitted';
      if (patients.size && patient && patients.has(await patientHash(patient, base, hash))) return 'patient';
      return null;
    },
  };
}
