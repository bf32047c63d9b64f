// evaluation.mjs - how well a model does on labelled films: counts, verdicts, refusals, metrics per group.
//
// Pure functions: films in, plain objects out. Two sets of scores are kept apart. `all` scores every film by its
// largest probability, whatever the verdict; `answered` scores only the films with a label as verdict, by that verdict.
import { VERDICTS } from '../verdicts.mjs';
import { quantile, ROUNDS } from './bootstrap.mjs';
import { groupBy, tally } from './groups.mjs';
import { share } from './intervals.mjs';
import { intentionToDiagnose, metrics } from './metrics.mjs';

/**
 * @typedef {Record<string, string>} Row what is known of a film: file, label, and other columns of its CSV
 * @typedef {object} Answer of a model: a verdict with probabilities, or an error (`code`)
 * @property {string} [verdict] @property {{ [label: string]: number }} [probability]
 * @property {{ reason: string | null }} [gate] @property {string | null} [patient] @property {string} [code]
 * @typedef {{ row: Row, answer: Answer }} Film
 * @typedef {import('./metrics.mjs').Scored & { row: Row, verdict: string }} ScoredFilm
 */

/** @param {string} age in years @returns {string} */
export function ageBand(age) {
  const years = age.trim() === '' ? NaN : Number(age);
  if (!(years >= 0)) return 'unknown';
  return years < 18 ? '0-17' : years < 40 ? '18-39' : years < 60 ? '40-59' : years < 80 ? '60-79' : '80+';
}

/** @param {string} column @param {Row} row @returns {string} the group that a film belongs to */
const groupOf = (column, row) => (column === 'age' ? ageBand(row.age) : row[column].trim() || 'unknown');

/** Whose film it is: by the CSV, else by the DICOM Patient ID (a hash); null if neither says. @param {Film} film */
export const patientOf = ({ row, answer }) => row.patient_id || answer.patient || null;

/** A film of an unknown patient is a case of its own. @param {Film} film */
export const caseOf = (film) => patientOf(film) ?? film.row.file;

/** @param {Film[]} films */
const countCases = (films) => new Set(films.map(caseOf)).size;

/** @param {string[]} values */
const countsOf = (values) => Object.fromEntries(tally(values));

/** @param {number[]} values */
const indexOfMax = (values) => values.indexOf(Math.max(...values));

/**
 * The films with an answer and one of the model's labels, with label numbers.
 * @param {Film[]} films @param {string[]} labels @returns {ScoredFilm[]}
 */
export const scoredFilms = (films, labels) =>
  films.flatMap((film) => {
    const { row, answer } = film;
    const { verdict, probability: shares } = answer;
    if (!verdict || !shares || !labels.includes(row.label)) return [];
    const probability = labels.map((label) => shares[label]);
    const truth = labels.indexOf(row.label);
    return { row, verdict, probability, truth, predicted: indexOfMax(probability), patient: caseOf(film) };
  });

/**
 * The verdicts on the films of one label: counts, and shares with Wilson's interval over patients.
 * @param {string} label @param {Film[]} films @param {string[]} labels
 */
function outcomesOf(label, films, labels) {
  const verdicts = [...labels, ...VERDICTS];
  const given = films.map(({ answer }) => answer.verdict ?? 'error'),
    patients = films.map(caseOf);
  const found = tally(given);
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, found.get(verdict) ?? 0]));
  const shares = Object.fromEntries(
    verdicts.map((verdict) => [
      verdict,
      share(
        given.map((one) => one === verdict),
        patients,
      ),
    ]),
  );
  return { label, n: films.length, counts, shares };
}

/** @param {string} column @param {Film[]} films @param {ScoredFilm[]} scored @param {string[]} labels */
function groupsBy(column, films, scored, labels) {
  const scoredIn = groupBy(scored, ({ row }) => groupOf(column, row));
  const groups = [...groupBy(films, ({ row }) => groupOf(column, row))].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    column,
    values: groups.map(([value, members]) => {
      const verdicts = tally(members.map(({ answer }) => answer.verdict ?? 'error'));
      return {
        value,
        n: members.length,
        patients: countCases(members),
        refused: verdicts.get('refused') ?? 0,
        uncertain: verdicts.get('uncertain') ?? 0,
        figures: metrics(scoredIn.get(value) ?? [], labels, null),
      };
    }),
  };
}

/** The labels of each source, if every film names its source. @param {Film[]} films */
function sourcesOf(films) {
  if (!films.every(({ row }) => 'source' in row)) return [];
  const sources = [...groupBy(films, ({ row }) => row.source)].sort(([a], [b]) => (a < b ? -1 : 1));
  return sources.map(([source, members]) => ({ source, counts: countsOf(members.map(({ row }) => row.label)) }));
}

/** Films scored by their verdict: `answered` says whether it is a label. @param {ScoredFilm[]} scored @param {string[]} labels */
const byVerdict = (scored, labels) =>
  scored.map((film) => ({
    ...film,
    answered: labels.includes(film.verdict),
    predicted: labels.includes(film.verdict) ? labels.indexOf(film.verdict) : film.predicted,
  }));

/** Values of a column that show who the films are of; a numeric one is summarised. @param {Film[]} films @param {string} column */
function describeColumn(films, column) {
  if (column !== 'age') return countsOf(films.map(({ row }) => row[column].trim() || 'unknown'));
  const ages = films
    .map(({ row }) => (row.age.trim() === '' ? NaN : Number(row.age)))
    .filter((age) => age >= 0)
    .sort((a, b) => a - b);
  const at = (/** @type {number} */ q) => (ages.length ? quantile(Float64Array.from(ages), q) : null);
  return { median: at(0.5), lower: at(0.25), upper: at(0.75), known: ages.length, unknown: films.length - ages.length };
}

/** Columns of a CSV that a baseline table shows where they exist. */
const BASELINE = ['age', 'sex', 'view', 'source'];

/**
 * The baseline table (STARD-AI item 25): films and patients of each label, and their age, sex, view and source.
 * @param {Map<string, Film[]>} byLabel @param {string[]} labels
 */
const baselineOf = (byLabel, labels) =>
  labels
    .filter((label) => byLabel.has(label))
    .map((label) => {
      const films = byLabel.get(label) ?? [];
      const columns = BASELINE.filter((column) => films.every(({ row }) => Object.hasOwn(row, column)));
      return {
        label,
        films: films.length,
        patients: countCases(films),
        ...Object.fromEntries(columns.map((column) => [column, describeColumn(films, column)])),
      };
    });

/**
 * The whole evaluation of one model.
 * @param {Film[]} films @param {string[]} labels of the model @param {string[]} columns to group by
 * @param {ScoredFilm[]} [scored] @param {import('./bootstrap.mjs').Draws} [draws]
 */
export function report(films, labels, columns, scored = scoredFilms(films, labels), draws = { rounds: ROUNDS }) {
  const verdicts = byVerdict(scored, labels);
  const byLabel = groupBy(films, ({ row }) => row.label);
  const otherLabels = [...byLabel.keys()].filter((label) => !labels.includes(label)).sort();
  const refused = films.filter(({ answer }) => answer.verdict === 'refused');
  return {
    films: films.length,
    patients: countCases(films),
    unknownPatients: films.filter((film) => !patientOf(film) || film.row.patient_known === 'no').length,
    notScored: countsOf(films.filter(({ row }) => !labels.includes(row.label)).map(({ row }) => row.label)),
    missingLabels: labels.filter((label) => !byLabel.has(label)),
    errors: films.filter(({ answer }) => answer.code).length,
    refusals: countsOf(refused.flatMap(({ answer }) => answer.gate?.reason ?? [])),
    sources: sourcesOf(films),
    baseline: baselineOf(byLabel, [...labels, ...otherLabels]),
    labels: [...labels, ...otherLabels],
    outcomes: [...labels, ...otherLabels]
      .filter((label) => byLabel.has(label))
      .map((label) => outcomesOf(label, byLabel.get(label) ?? [], labels)),
    all: metrics(scored, labels, draws),
    answered: metrics(
      verdicts.filter(({ answered }) => answered),
      labels,
      draws,
    ),
    intentionToDiagnose: intentionToDiagnose(verdicts, labels),
    groups: columns.map((column) => groupsBy(column, films, scored, labels)),
  };
}

/**
 * One pair per film that both models have answered, if its label is one that both know.
 * @param {Film[]} first @param {Film[]} second the same films in the same order @param {string[]} labels that both know
 * @returns {[Film, Film][]}
 */
export const pairUp = (first, second, labels) =>
  first
    .map((film, i) => /** @type {[Film, Film]} */ ([film, second[i]]))
    .filter(([a, b]) => a.answer.verdict && b.answer.verdict && labels.includes(a.row.label));

/** @param {[Film, Film][]} pairs @returns {import('./paired.mjs').Pair[]} */
export const pairsOf = (pairs) =>
  pairs.map(([first, second]) => ({
    truth: first.row.label,
    patient: caseOf(first),
    first: first.answer.probability ?? {},
    second: second.answer.probability ?? {},
  }));
