// seen.mjs - which films made weights or an adapter, as short hashes, so that an evaluation can notice them.
//
//   pleura.card.films        text: the first 8 hex digits of the SHA-256 of each film that trained the weights, one
//                            after the other
//   pleura.adapted.hashes    text: the same of each film that an adapter was fitted to
//   pleura.adapted.patients  text: for each known patient of these films the first 16 hex digits of the SHA-256 of
//                            "BASE\nPATIENT", where BASE is the SHA-256 of the weights in hex
//
// Eight digits cannot be turned back into a film. Two different films share them once in four billion pairs.
import { readGguf, textOf } from './gguf.mjs';

/** @typedef {import('./adapter.mjs').Hash} Hash */

const FILM_DIGITS = 8,
  PATIENT_DIGITS = 16;
const TRAINED = 'pleura.card.films';
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
 * A judge of films by what the weights say about those that made them.
 * @param {Uint8Array} weights  with an adapter applied or without @param {Hash} hash
 */
export function seenFilms(weights, hash) {
  const { values } = readGguf(weights);
  const text = (/** @type {string} */ key) => textOf(values.get(key)) ?? null;
  const trained = unpack(text(TRAINED), FILM_DIGITS),
    fitted = unpack(text(FITTED), FILM_DIGITS),
    patients = unpack(text(PATIENTS), PATIENT_DIGITS),
    base = text('pleura.adapted.base') ?? '';
  return {
    /** whether the weights name any film */
    known: trained.size + fitted.size > 0,
    /**
     * @param {string | null | undefined} film SHA-256 in hex @param {string | null} patient
     * @returns {Promise<'trained' | 'fitted' | 'patient' | null>} why the film is no test of the model; patient: the
     *   adapter was fitted to other films of this patient
     */
    async judge(film, patient) {
      const digits = film?.slice(0, FILM_DIGITS) ?? '';
      if (trained.has(digits)) return 'trained';
      if (fitted.has(digits)) return 'fitted';
      if (patients.size && patient && patients.has(await patientHash(patient, base, hash))) return 'patient';
      return null;
    },
  };
}
