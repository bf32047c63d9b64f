// checks.mjs - what would make an evaluation deceive: a film twice, in two splits, or among those that made the model.
import { usage } from '../../node/errors.mjs';
import { hashDistance } from '../../node/picture_hash.mjs';
import { caseOf } from '../../stats/evaluation.mjs';
import { groupBy, tally } from '../../stats/groups.mjs';

/**
 * @typedef {import('../labels.mjs').Labelled} Labelled
 * @typedef {import('../../stats/evaluation.mjs').Film} Film
 */

/** Names beyond these are counted. */
const SHOWN = 5;

/** `a, b and 3 more`. @param {string[]} names */
export const nameList = (names) =>
  names.length <= SHOWN + 1 ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`;

/** The row of a film in its list, as a spreadsheet counts: the head is row 1. @param {{ file: string, place: number }} one */
const rowName = ({ file, place }) => `${file} (row ${place + 2})`;

/**
 * Refuses a list that has a film more than once.
 * @param {Labelled[]} items that are evaluated @param {Labelled[]} all of the list @returns {void} throws CommandError
 */
export function checkRows(items, all) {
  const place = new Map(all.map((item, i) => [item, i]));
  const rows = items.map((item) => ({
    file: item.row.file ?? item.file,
    path: item.file,
    place: place.get(item) ?? 0,
  }));
  const twice = [...groupBy(rows, ({ path }) => path).values()].filter(({ length }) => length > 1);
  if (twice.length)
    throw usage(`The list has a film more than once: ${nameList(twice.flat().map(rowName))}. Remove all rows but one.`);
}

/**
 * What the list shows about films or patients in two splits. The same file in two splits is refused.
 * @param {Labelled[]} items that are evaluated @param {Labelled[]} all of the list @param {string} split
 * @param {boolean} allowed --allow-seen @returns {string[]} warnings; throws CommandError
 */
export function checkSplits(items, all, split, allowed) {
  const others = all.filter(({ row }) => row.split !== split);
  /** @param {(item: Labelled) => string | undefined} keyOf */
  const shared = (keyOf) => {
    const elsewhere = new Map(others.map((item) => [keyOf(item), item]));
    elsewhere.delete(undefined);
    return items.flatMap((item) => {
      const other = elsewhere.get(keyOf(item));
      return other ? [`${item.row.file ?? item.file} (also in ${other.row.split})`] : [];
    });
  };
  const films = [...new Set([...shared(({ file }) => file), ...shared(({ row }) => row.sha256 || undefined)])];
  if (films.length && !allowed)
    throw usage(
      `Films of the split '${split}' are in another split too (${films.length}): ${nameList(films)}. Remove them from one of the splits, or pass --allow-seen to evaluate them all the same.`,
    );
  const patients = shared(({ row }) => row.patient_id || undefined);
  const near = shared(({ row }) => row.dhash || undefined).filter((name) => !films.includes(name));
  return [
    ...(films.length ? [`${films.length} films are in two splits: ${nameList(films)}. The figures are too good.`] : []),
    ...(patients.length
      ? [`${patients.length} films are of patients who have films in another split too: ${nameList(patients)}.`]
      : []),
    ...(near.length
      ? [
          `${near.length} films have the perceptual hash (column dhash) of a film in another split and may be the same picture: ${nameList(near)}.`,
        ]
      : []),
  ];
}

/** @param {Film[]} films @returns {string[]} a warning if they say nothing about other patients */
export const onePatient = (films) =>
  films.length > 1 && new Set(films.map(caseOf)).size === 1
    ? [`All ${films.length} films are of one patient: no figure says anything about others.`]
    : [];

/**
 * A warning about films that could not be answered, for the figures are over the others. Films that results lack have
 * one of their own.
 * @param {Film[]} films @returns {string[]}
 */
export function unanswered(films) {
  const failed = films.filter(({ answer }) => answer.code && answer.code !== 'no-result');
  const codes = [...tally(failed.map(({ answer }) => answer.code ?? ''))].map(([code, n]) => `${code} ${n}`);
  return failed.length
    ? [
        `${failed.length} of ${films.length} films have no answer (${codes.join(', ')}): ${nameList(failed.map(({ row }) => row.file))}. The figures are over the others.`,
      ]
    : [];
}

/**
 * Warnings about films with the same content: counted as they are listed, but they are not independent.
 * @param {Film[]} films with their answers @returns {string[]}
 */
export function sameContent(films) {
  const hashOf = (/** @type {Film} */ { answer }) => /** @type {any} */ (answer).sha256;
  const groups = [...groupBy(films.filter(hashOf), hashOf).values()].filter(({ length }) => length > 1);
  if (!groups.length) return [];
  const contradictory = groups.filter((group) => new Set(group.map(({ row }) => row.label)).size > 1);
  const names = groups.map((group) => nameList(group.map(({ row }) => row.file)));
  const count = groups.reduce((sum, { length }) => sum + length, 0);
  return [
    `${count} films are copies of each other (${groups.length} different files): ${nameList(names)}. Each counts as a film.`,
    ...(contradictory.length
      ? [
          `Copies with different labels: ${nameList(contradictory.map((group) => nameList(group.map(({ row }) => row.file))))}.`,
        ]
      : []),
  ];
}

/**
 * Bits of 256 in which two films that look the same differ at most. Chest X-rays are alike, so this was measured on 900
 * films of 900 known patients: of their 404,550 pairs none differs in less than 21 bits. Copies of 60 of them differ in
 * at most 12 bits (JPEG quality 60 at 0.6 of the size), 3 (85 at 1.4) and 7 (75 with less contrast); of those of quality
 * 30 at 0.4 of the size 58 of 60 are within 14, all within 18. A crop or a turn is not found.
 */
const NEAR = 14;

/**
 * A warning about films that look the same although they are listed with different patients, splits or labels. Equal
 * files are those of sameContent().
 * @param {Film[]} films that a model has run over, with those of --choose-on @returns {string[]}
 */
export function nearDuplicates(films) {
  const hashed = films.flatMap((film) => {
    const { picture, sha256 } = /** @type {any} */ (film.answer);
    return picture ? [{ picture, sha256, row: film.row, patient: caseOf(film) }] : [];
  });
  /** @type {string[]} */ const pairs = [];
  hashed.forEach((a, i) => {
    for (let j = i + 1; j < hashed.length; j++) {
      const b = hashed[j];
      if (hashDistance(a.picture, b.picture) > NEAR || a.sha256 === b.sha256) continue;
      const differ = [
        ...(a.row.split !== b.row.split ? [`splits ${a.row.split} and ${b.row.split}`] : []),
        ...(a.row.label !== b.row.label ? [`labels ${a.row.label} and ${b.row.label}`] : []),
        ...(a.patient !== b.patient ? ['not known as one patient'] : []),
      ];
      if (differ.length) pairs.push(`${a.row.file} and ${b.row.file} (${differ.join('; ')})`);
    }
  });
  return pairs.length
    ? [`Near duplicates, pairs of films that look the same (${pairs.length}): ${nameList(pairs)}. Look at them.`]
    : [];
}
