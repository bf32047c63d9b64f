// provenance.mjs - where an evaluation comes from: date, versions, hashes of everything that it read, and the table of
// films from which all figures can be computed again.
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { sha256 } from '../../node/assets.mjs';
import { pathOf, shellQuote } from '../../node/names.mjs';
import { csvLine } from '../../result/record.mjs';

/**
 * @typedef {import('../../stats/evaluation.mjs').Film} Film
 * @typedef {import('./document.mjs').Provenance} Provenance
 */

/** The command as it was typed, for a shell. */
export const commandLine = () =>
  ['pleura', ...process.argv.slice(2)]
    .map((word) => (/^[\w./:=,@%+-]+$/.test(word) ? word : shellQuote(word)))
    .join(' ');

/** Now, or SOURCE_DATE_EPOCH where a report has to be the same bytes each time. */
function now() {
  const { SOURCE_DATE_EPOCH: fixed } = process.env;
  const date = fixed && /^\d{1,11}$/.test(fixed) ? new Date(1000 * Number(fixed)) : new Date();
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * The SHA-256 of a film's file, and that in its list, which may be of the original that the file was made from.
 * @param {Film} film @returns {string[]} in lower case
 */
export const hashesOf = ({ row, answer }) =>
  [/** @type {any} */ (answer).sha256, row.sha256].filter(Boolean).map((hash) => hash.toLowerCase());

/** @param {Film} film @returns {string | null} SHA-256 */
export const hashOf = (film) => hashesOf(film)[0] ?? null;

/**
 * @param {object} facts
 * @param {string | null} facts.weights SHA-256 @param {string} facts.labels path @param {Film[]} facts.films
 * @param {{ file: string, sha256: string }[]} facts.results @param {{ rounds: number, seed: number }} facts.draws
 * @returns {Provenance}
 */
export function provenanceOf({ weights, labels, films, results, draws }) {
  const hashes = films.map(hashOf);
  const all = createHash('sha256');
  for (const hash of [...hashes].sort()) all.update(`${hash}\n`);
  return {
    date: now(),
    pleura: JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')).version,
    node: process.versions.node,
    weights,
    labels: {
      file: labels,
      sha256: statSync(pathOf(labels)).isDirectory() ? null : sha256(readFileSync(pathOf(labels))),
    },
    results,
    films: hashes.every(Boolean) ? all.digest('hex') : null,
    ...draws,
  };
}

/**
 * The table of films as a CSV: file, hash, truth, patient (a number: no ID leaves the machine), columns of --by, verdict,
 * reason, and the probabilities that every figure is computed from.
 * @param {Film[]} films @param {string[]} labels @param {string[]} columns of --by @param {(film: Film) => string} caseOf
 * @param {{ labels: string[], films: Film[] } | null} second of --against, the same films
 */
export function filmTable(films, labels, columns, caseOf, second) {
  const numbers = new Map();
  const patient = (/** @type {Film} */ film) => {
    const key = caseOf(film);
    if (!numbers.has(key)) numbers.set(key, numbers.size + 1);
    return numbers.get(key);
  };
  const extra = ['split', ...columns].filter(
    (column, i, all) => all.indexOf(column) === i && films.some(({ row }) => Object.hasOwn(row, column)),
  );
  const head = [
    'file',
    'sha256',
    'truth',
    'patient',
    ...extra,
    'verdict',
    'reason',
    ...labels.map((label) => `probability_${label}`),
    ...(second ? second.labels.map((label) => `against_${label}`) : []),
  ];
  const rows = films.map((film, i) => [
    film.row.file,
    hashOf(film) ?? '',
    film.row.label,
    patient(film),
    ...extra.map((column) => film.row[column] ?? ''),
    film.answer.verdict ?? 'error',
    film.answer.gate?.reason ?? film.answer.code ?? '',
    ...labels.map((label) => film.answer.probability?.[label] ?? ''),
    ...(second ? second.labels.map((label) => second.films[i].answer.probability?.[label] ?? '') : []),
  ]);
  return `${[head, ...rows].map(csvLine).join('\n')}\n`;
}
