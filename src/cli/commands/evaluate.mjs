// The `evaluate` sub-command: films with known labels through the shipped engine, and what an honest table shows of them.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare } from '../../stats/paired.mjs';
import { createEngine } from '../../engine.mjs';
import { VERDICTS } from '../../verdicts.mjs';
import { atPrevalence, curves, metrics } from '../../stats/metrics.mjs';
import { group, patientOf, readLabels } from '../labels.mjs';
import { confusionPlot, decisionPlot, reliabilityPlot, rocPlot } from '../plots.mjs';
import { parsePrevalence } from '../prevalence.mjs';
import { rounded, toJson } from '../../result/record.mjs';
import { loadParts } from '../../node/assets.mjs';
import { CommandError, usage } from '../../node/errors.mjs';
import { wilson } from '../../stats/bootstrap.mjs';
import { markdown } from '../markdown.mjs';

/** @typedef {{ row: Record<string, string>, answer: import('../../node/pool.mjs').Answer }} Film */

/** @param {Film} film */
const caseOf = (film) => patientOf(film) ?? film.row.file;

/** @param {Film[]} films */
const patientsOf = (films) => new Set(films.map(caseOf)).size;

/** What became of the films of one label: counts, and each as a share with Wilson's interval. */
function outcomes(films, label, labels) {
  const own = films.filter(({ row }) => row.label === label);
  const kinds = [...labels, ...VERDICTS];
  const counts = Object.fromEntries(
    kinds.map((kind) => [kind, own.filter(({ answer }) => (answer.verdict ?? 'error') === kind).length]),
  );
  const shares = Object.fromEntries(kinds.map((kind) => [kind, wilson(counts[kind] / own.length, patientsOf(own))]));
  return { label, n: own.length, counts, shares };
}

/** How often each occurs; a label may be called as something that every object has. @param {string[]} values @returns {Record<string, number>} */
function tally(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** The films that a figure can be made of. @param {Film[]} films @param {string[]} labels */
const score = (films, labels) =>
  films
    .filter(({ row, answer }) => answer.verdict && labels.includes(row.label))
    .map((film) => {
      const { row, answer } = film;
      const probability = labels.map((label) => answer.probability[label]);
      return {
        row,
        verdict: answer.verdict,
        probability,
        truth: labels.indexOf(row.label),
        predicted: probability.indexOf(Math.max(...probability)),
        patient: caseOf(film),
      };
    });

/**
 * @param {Film[]} films @param {string[]} labels of the model
 * @param {string[]} columns to group by
 */
export function report(films, labels, columns) {
  const scored = score(films, labels);
  const answered = scored
    .filter(({ verdict }) => labels.includes(verdict))
    .map((film) => ({ ...film, predicted: labels.indexOf(film.verdict) }));
  const seen = [
    ...labels,
    ...new Set(
      films
        .map(({ row }) => row.label)
        .filter((label) => !labels.includes(label))
        .sort(),
    ),
  ];
  return {
    films: films.length,
    patients: patientsOf(films),
    unknownPatients: films.filter((film) => !patientOf(film) || film.row.patient_known === 'no').length,
    notScored: tally(films.filter(({ row }) => !labels.includes(row.label)).map(({ row }) => row.label)),
    errors: films.filter(({ answer }) => answer.code).length,
    refusals: tally(films.filter(({ answer }) => answer.verdict === 'refused').map(({ answer }) => answer.gate.reason)),
    sources: films.every(({ row }) => 'source' in row)
      ? [...new Set(films.map(({ row }) => row.source))]
          .sort()
          .map((source) => ({
            source,
            counts: tally(films.filter(({ row }) => row.source === source).map(({ row }) => row.label)),
          }))
      : [],
    labels: seen,
    outcomes: seen.map((label) => outcomes(films, label, labels)).filter(({ n }) => n),
    all: metrics(scored, labels),
    answered: metrics(answered, labels),
    groups: columns.map((column) => ({
      column,
      values: [...new Set(films.map(({ row }) => group(column, row)))].sort().map((value) => {
        const own = films.filter(({ row }) => group(column, row) === value);
        return {
          value,
          n: own.length,
          patients: patientsOf(own),
          refused: own.filter(({ answer }) => answer.verdict === 'refused').length,
          uncertain: own.filter(({ answer }) => answer.verdict === 'uncertain').length,
          figures: metrics(
            scored.filter(({ row }) => group(column, row) === value),
            labels,
          ),
        };
      }),
    })),
  };
}

/**
 * Runs one model over the films; `check` sees its labels before the first. @param {import('../labels.mjs').Labelled[]} items
 * @param {any} options @param {Function} runFilms @param {(labels: string[]) => void | Promise<void>} check
 * @returns {Promise<{ model: any, name: string, films: Film[] }>}
 */
async function ask(items, options, runFilms, check) {
  /** @type {Film[]} */ const films = [];
  const { model, name } = await runFilms(
    items,
    { ...options, patients: true },
    async ({ model: { labels } }) => check(labels),
    ({ row }, answer) => {
      films.push({ row, answer });
    },
  );
  return { model, name, films };
}

/** The films that both models have answered, of the labels that both know. @param {Film[]} first @param {Film[]} second @param {string[]} labels */
const pairUp = (first, second, labels) =>
  first
    .map((film, i) => /** @type {const} */ ([film, second[i]]))
    .filter(([{ row, answer }, other]) => answer.verdict && other.answer.verdict && labels.includes(row.label));

/** @param {ReturnType<typeof pairUp>} pairs @returns {import('../../stats/paired.mjs').Pair[]} */
const asked = (pairs) =>
  pairs.map(([film, other]) => ({
    truth: film.row.label,
    patient: caseOf(film),
    first: film.answer.probability,
    second: other.answer.probability,
  }));

/** What was typed, for a shell. */
const typed = () =>
  ['pleura', ...process.argv.slice(2)]
    .map((word) => (/^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');

/**
 * @param {{ labels: string, root?: string, split?: string, by?: string, json?: boolean, jobs?: string, model?: string, overlay?: string, against?: string,
 *   prevalence?: string, report?: string }} options
 * @param {Function} runFilms of the command @returns {Promise<string>} what to print
 */
export async function evaluate(options, runFilms) {
  const { items, columns } = await readLabels(options);
  if (options.report) await makeFolder(options.report);
  // The films are diagnosed at the model's own prior; what is said of another prevalence is judged from that.
  const { prevalence, ...own } = options;
  let engine = null,
    mixture = null,
    common = [];
  const first = await ask(items, own, runFilms, async (labels) => {
    if (!prevalence) return;
    mixture = parsePrevalence(prevalence, labels);
    const { wasm, weights } = await loadParts(options.model, options.overlay);
    engine = await createEngine({ wasm, weights });
    engine.setPrevalence(mixture);
  });
  const { labels, notice, temperature, certain, prior } = first.model;
  const second = options.against
    ? await ask(items, { ...own, overlay: undefined, model: options.against }, runFilms, (others) => {
        common = labels.filter((label) => others.includes(label));
        if (!common.length)
          throw usage(`The models have no label in common: ${labels.join(', ')}; ${others.join(', ')}.`);
      })
    : null;
  const scored = score(first.films, labels),
    pairs = second && pairUp(first.films, second.films, common);
  const moved = mixture && {
    shares: labels.map((label) => mixture[label]),
    scored: score(
      first.films.map(({ row, answer }) => ({
        row,
        answer: answer.verdict ? { ...answer, ...engine.judge(answer) } : answer,
      })),
      labels,
    ),
  };
  const result = {
    command: typed(),
    model: first.name,
    notice,
    temperature,
    certain,
    prior: prior && rounded(prior),
    split: options.split ?? null,
    ...report(first.films, labels, columns),
    ...(moved ? { prevalence: atPrevalence(moved.scored, labels, moved.shares) } : {}),
    ...(second ? { comparison: { against: second.name, ...compare(asked(pairs), common) } } : {}),
    ...(options.report ? { curves: curves(scored, labels, moved) } : {}),
  };
  if (!options.report) return options.json ? toJson(result) : markdown(result, labels);
  const plots = draw(
    result,
    labels,
    second &&
      [first, second].map(({ name }, i) => ({
        name,
        curves: curves(
          score(
            pairs.map((both) => both[i]),
            common,
          ),
          common,
          null,
        ),
      })),
  );
  const text = markdown(result, labels, Object.keys(plots));
  await writeAll(options.report, { 'evaluation.md': `${text}\n`, 'evaluation.json': `${toJson(result)}\n`, ...plots });
  return options.json ? toJson(result) : text;
}

/** @param {any} result @param {string[]} labels @param {{ name: string, curves: any[] }[] | null} both models on the same films @returns {Record<string, string>} SVG by file name */
function draw(result, labels, both) {
  const lines = result.curves,
    weighted = lines.filter(({ reliability }) => reliability);
  return {
    'confusion.svg': confusionPlot(result.all.confusion, labels),
    ...(lines.length && { 'roc.svg': rocPlot([{ curves: lines }]) }),
    ...(weighted.length && { 'reliability.svg': reliabilityPlot(weighted), 'decision.svg': decisionPlot(weighted) }),
    ...(both?.[0].curves.length && { 'comparison.svg': rocPlot(both) }),
  };
}

/** @param {string} folder */
async function makeFolder(folder) {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw new CommandError(`The folder ${folder} cannot be made (${error.code}). Give another one to --report.`);
  });
}

/** @param {string} folder @param {Record<string, string>} files */
async function writeAll(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text).catch((error) => {
      throw new CommandError(`${join(folder, name)} cannot be written (${error.code}).`);
    });
  }
}
