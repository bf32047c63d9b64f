// evaluate.mjs - the `evaluate` command: how well one or two models do on labelled films.
//
// Answers come from running a model, or from results that exist already, of Pleura or of any other model. The films are
// diagnosed at the model's own prior. With --prevalence the threads also reclassify each answer for that class mix, so
// the networks run once. All figures use the six decimals of a record, so results give the figures of a run.
import { loadMakers, loadWeights, sha256 } from '../../node/assets.mjs';
import { usage } from '../../node/errors.mjs';
import { rounded, toJson } from '../../result/record.mjs';
import { caseOf, pairsOf, pairUp, patientOf, report, scoredFilms } from '../../stats/evaluation.mjs';
import { atPrevalence, calibrationAt, curves, operatingPoints } from '../../stats/metrics.mjs';
import { ROUNDS } from '../../stats/bootstrap.mjs';
import { compare } from '../../stats/paired.mjs';
import { seenFilms } from '../../weights/seen.mjs';
import {
  checkRows,
  checkSplits,
  nameList,
  nearDuplicates,
  onePatient,
  sameContent,
  unanswered,
} from '../evaluation/checks.mjs';
import { commandLine, filmTable, hashesOf, hashOf, provenanceOf } from '../evaluation/provenance.mjs';
import { writeReport } from '../evaluation/report.mjs';
import { isResults, readResults } from '../evaluation/results.mjs';
import { evaluationSummary } from '../evaluation/summary.mjs';
import { parseThresholds, wholeNumber } from '../evaluation/thresholds.mjs';
import { evaluationMarkdown } from '../evaluation_markdown.mjs';
import { fitLabels, readLabels } from '../labels.mjs';
import { makeFolder } from '../output_folder.mjs';
import { openRun } from '../run.mjs';
import { print, warn } from '../stdio.mjs';

/**
 * @typedef {import('../labels.mjs').Labelled} Labelled
 * @typedef {import('../../stats/evaluation.mjs').Film} Film
 * @typedef {import('../../stats/bootstrap.mjs').Draws} Draws
 * @typedef {{ labels: string, root?: string, split?: string, by?: string, json?: boolean, jobs?: string,
 *   model?: string, adapter?: string, against?: string, prevalence?: string, report?: string, threshold?: string,
 *   'choose-on'?: string, rounds?: string, seed?: string, 'allow-seen'?: boolean, pictures?: boolean,
 *   map?: string, verbose?: boolean, quiet?: boolean }} Options
 * @typedef {object} Answered  the films with the answers of one model
 * @property {string} name @property {string[]} labels @property {{ [label: string]: number } | null} prior
 * @property {{ [label: string]: number } | null} mixture of --prevalence
 * @property {string} notice @property {number | null} temperature @property {number | null} certain
 * @property {Film[]} films @property {{ file: string, sha256: string }[]} results @property {string | null} weights
 *   SHA-256
 * @property {string[]} warnings @property {number} seen films that made the model
 * @property {boolean} makersKnown whether it is known which films made the weights
 */

const NOTICE = 'For research and teaching, not a medical device.';

/** @param {import('../../result/record.mjs').Answer} answer @returns {any} with the six decimals of a record */
const asRecorded = ({ probability, reclassified, ...answer }) => ({
  ...answer,
  ...(probability && { probability: rounded(probability) }),
  ...(reclassified && { reclassified: { ...reclassified, probability: rounded(reclassified.probability) } }),
});

/**
 * Runs a model over the films, and stops at the first that made it, unless --allow-seen.
 * @param {Labelled[]} items the films to report on, then those of --choose-on
 * @param {{ jobs?: string, model?: string, adapter?: string, reclassify?: string }} options
 * @param {Allowed} allowed @param {(labels: string[]) => void} [check] throws if these labels will not do
 * @returns {Promise<Answered>}
 */
async function runModel(items, options, allowed, check = () => {}) {
  const run = await openRun({ ...options, patients: true, pictures: true }, items.length);
  try {
    check(run.labels);
    const seen = seenFilms(run.parts.weights, sha256, await loadMakers(options.model));
    /** @type {Film[]} */ const films = [],
      /** @type {Judgement[]} */ judgements = [];
    for await (const { item, answer } of run.answers(items)) {
      const film = { row: item.row, answer: asRecorded(answer) };
      const judgement = await judged([film], seen, allowed.reported - films.length);
      if (!allowed.seen) refuseSeen([film], judgement, items.length);
      films.push(film);
      judgements.push(...judgement);
    }
    const { name, labels, prior, model, reclassify } = run;
    return {
      name,
      labels,
      prior,
      mixture: reclassify,
      notice: model.notice,
      temperature: model.temperature,
      certain: model.certain,
      films,
      results: [],
      weights: run.parts.sha256,
      warnings: seenWarnings(films, judgements),
      seen: judgements.filter(Boolean).length,
      makersKnown: seen.known,
    };
  } finally {
    await run.close();
  }
}

/**
 * Reads the answers from results. The weights are opened where they are those of the results, for what they say about
 * themselves and the films that made them.
 * @param {string[]} paths @param {Labelled[]} items @param {{ model?: string, adapter?: string }} options
 * @param {Allowed} allowed @returns {Promise<Answered>}
 */
async function readAnswers(paths, items, { model, adapter }, allowed) {
  const { name, labels, answers, unlisted, mixture, files } = await readResults(paths, items);
  const films = items.map(({ row }, i) => ({ row, answer: answers[i] }));
  const missing = films.filter(({ answer }) => answer.code === 'no-result').map(({ row }) => row.file);
  if (missing.length) process.exitCode = 1;
  const [, short] = / ([0-9a-f]{12})$/.exec(name) ?? [];
  const loaded = short || model ? await loadWeights(model, adapter).catch(() => null) : null;
  const own = loaded && short && loaded.sha256.startsWith(short) ? loaded : null;
  if (model && !own) warn(`pleura: The results are not of ${model}, so nothing in it is used.`);
  const seen = own && seenFilms(own.weights, sha256, await loadMakers(model));
  const judgements = seen ? await judged(films, seen, allowed.reported) : films.map(() => null);
  if (!allowed.seen) refuseSeen(films, judgements, films.length);
  return {
    name,
    labels,
    prior: null,
    mixture: null,
    notice: NOTICE,
    temperature: null,
    certain: null,
    films,
    results: files,
    weights: own?.sha256 ?? null,
    warnings: [
      ...(mixture ? [`The results are at the prevalence ${mixture}, not at the model's own prior.`] : []),
      ...(missing.length
        ? [
            `The results lack ${missing.length} of ${films.length} labelled films: ${nameList(missing)}. They count as errors.`,
          ]
        : []),
      ...(unlisted
        ? [`The results hold ${unlisted} films that the list of labels does not have; they are left out.`]
        : []),
      ...seenWarnings(films, judgements),
    ],
    seen: judgements.filter(Boolean).length,
    makersKnown: Boolean(seen?.known),
  };
}

/**
 * @typedef {{ seen: boolean, reported: number }} Allowed seen: --allow-seen; reported: films to report on, the others are
 *   those of --choose-on
 */

/** @typedef {ReturnType<typeof seenFilms>} Seen @typedef {Awaited<ReturnType<Seen['judge']>>} Judgement */

/**
 * Why each film is no test of the model. A threshold may be chosen on the films that chose the weights.
 * @param {Film[]} films @param {Seen} seen @param {number} reported how many of them figures are reported on
 * @returns {Promise<Judgement[]>}
 */
const judged = (films, seen, reported) =>
  Promise.all(
    films.map(async (film, i) => {
      const reason = await seen.judge(hashesOf(film), patientOf(film));
      return reason === 'chosen' && i >= reported ? null : reason;
    }),
  );

/** @type {{ [reason: string]: string }} */
const REASONS = {
  trained: 'is one of the films that trained these weights',
  chosen: 'is one of the films on which these weights were chosen and calibrated',
  fitted: 'is one of the films that the adapter was fitted to',
  patient: 'is of a patient whose films the adapter was fitted to',
};

/** @param {Film[]} films @param {Judgement[]} judgements @param {number} count of all films */
function refuseSeen(films, judgements, count) {
  const first = judgements.findIndex(Boolean);
  if (first < 0) return;
  const others = judgements.filter(Boolean).length - 1;
  throw usage(
    `${films[first].row.file} ${REASONS[judgements[first] ?? '']}${others ? `, and ${others} more of the ${count} films are seen` : ''}.` +
      ' Figures over films that the model has seen say nothing about other films. Leave them out, or pass --allow-seen; the output is then marked.',
  );
}

/** @param {Film[]} films @param {Judgement[]} judgements */
function seenWarnings(films, judgements) {
  const names = films.filter((_, i) => judgements[i]).map(({ row }) => row.file);
  return names.length
    ? [
        `Seen films: ${names.length} of ${films.length} made the weights or the adapter (${nameList(names)}). These figures are too good and say nothing about other films.`,
      ]
    : [];
}

/** The same films as they are classified at the class mix of --prevalence. @param {Film[]} films @returns {Film[]} */
const reclassifiedFilms = (films) =>
  films.map(({ row, answer }) => ({ row, answer: { ...answer, .../** @type {any} */ (answer).reclassified } }));

/** How many of the worst mistakes are shown. */
const WORST = 10;

/** @param {ReturnType<typeof scoredFilms>} scored @param {Film[]} films @param {string[]} labels */
function worstMistakes(scored, films, labels) {
  const hashes = new Map(films.map((film) => [film.row, hashOf(film)]));
  return scored
    .filter(({ truth, predicted }) => truth !== predicted)
    .sort((a, b) => b.probability[b.predicted] - a.probability[a.predicted])
    .slice(0, WORST)
    .map(({ row, truth, predicted, probability, verdict }) => ({
      file: row.file,
      sha256: hashes.get(row) ?? null,
      truth: labels[truth],
      predicted: labels[predicted],
      verdict,
      probability: probability[predicted],
    }));
}

/**
 * Writes the labels of the films as the model does.
 * @param {string[]} labels of the model @param {Labelled[]} items @param {string} [map] the text of --map
 */
function checkLabels(labels, items, map) {
  fitLabels(items, labels, map).forEach(({ row }, i) => Object.assign(items[i].row, { label: row.label }));
}

/**
 * @param {string[]} paths of results; none: run the model @param {Options} options
 * @returns {Promise<void>} throws CommandError
 */
export async function evaluate(paths, options) {
  const { jobs, model, adapter, split, prevalence, 'choose-on': chooseOn, 'allow-seen': allowSeen = false } = options;
  const draws = {
    rounds: wholeNumber('rounds', options.rounds, ROUNDS, 100, 1_000_000),
    seed: wholeNumber('seed', options.seed, 1, 0, 4294967295),
  };
  if (chooseOn && !split)
    throw usage('--choose-on needs --split: thresholds are chosen on one split and reported on another.');
  if (chooseOn === split && split) throw usage('--choose-on and --split must name two splits.');
  if (chooseOn && !options.threshold) throw usage('--choose-on needs --threshold, which says what to choose.');
  if (paths.length && prevalence)
    throw usage('--prevalence needs a model that runs. Results keep the class mix that they were made at.');
  const { items: own, columns, all } = await readLabels(options);
  const chosen = chooseOn ? (await readLabels({ ...options, split: chooseOn })).items : [];
  checkRows([...own, ...chosen], all);
  const splitWarnings = split === undefined ? [] : checkSplits(own, all, split, allowSeen);
  if (options.report) await makeFolder(options.report, '--report');

  const items = [...own, ...chosen],
    allowed = { seen: allowSeen, reported: own.length };
  /** @type {ReturnType<typeof parseThresholds>} */ let wanted = [];
  /** @param {string[]} found labels of the model */
  function check(found) {
    checkLabels(found, items, options.map);
    if (options.threshold) wanted = parseThresholds(options.threshold, found);
  }
  const answered = paths.length
    ? await readAnswers(paths, items, options, allowed)
    : await runModel(items, { jobs, model, adapter, reclassify: prevalence }, allowed, check);
  const { name, labels, prior, mixture } = answered;
  if (paths.length) check(labels);
  const second = options.against ? await answersOfSecond(options.against, own, options, labels, allowed) : null;

  const films = answered.films.slice(0, own.length);
  const scored = scoredFilms(films, labels);
  const chosenOn = chooseOn ? scoredFilms(answered.films.slice(own.length), labels) : null;
  const common = second ? labels.filter((label) => second.labels.includes(label)) : [];
  const pairs = second ? pairUp(films, second.films, common) : [];
  const moved = mixture && {
    shares: labels.map((label) => mixture[label]),
    scored: scoredFilms(reclassifiedFilms(films), labels),
  };
  const warnings = [
    ...answered.warnings,
    ...(second?.warnings ?? []),
    ...splitWarnings,
    ...onePatient(films),
    ...sameContent(films),
    ...nearDuplicates(answered.films),
    ...unanswered(films),
  ];
  for (const warning of warnings) warn(`pleura: ${warning}`);
  const calibration = {
    found: calibrationAt(scored, labels, null, draws.seed),
    prior:
      prior &&
      calibrationAt(
        scored,
        labels,
        labels.map((label) => prior[label]),
        draws.seed,
      ),
  };
  const result = {
    command: commandLine(),
    provenance: provenanceOf({ ...answered, labels: options.labels, films, draws }),
    warnings,
    seen: answered.seen,
    makersKnown: answered.makersKnown && (second?.makersKnown ?? true),
    model: name,
    notice: answered.notice,
    temperature: answered.temperature,
    certain: answered.certain,
    prior: prior && rounded(prior),
    split: split ?? null,
    ...report(films, labels, columns, scored, draws),
    calibration,
    ...(wanted.length && {
      operating: { chosenOn: chooseOn ?? null, points: operatingPoints(scored, chosenOn, labels, wanted) },
    }),
    ...(moved && { prevalence: atPrevalence(moved.scored, labels, moved.shares, draws.seed) }),
    ...(second && { comparison: { against: second.name, ...compare(pairsOf(pairs), common, draws) } }),
    mistakes: worstMistakes(scored, films, labels),
    ...(options.report && { curves: curves(scored, labels, moved, draws) }),
  };
  /** @type {Awaited<ReturnType<typeof writeReport>>} */ let plots = {};
  if (options.report) {
    const both =
      second &&
      [name, second.name].map((one, i) => {
        const shown = pairs.map((pair) => pair[i]);
        return { name: one, curves: curves(scoredFilms(shown, common), common, null, { rounds: 100 }) };
      });
    const table = filmTable(films, labels, columns, caseOf, second && { labels: second.labels, films: second.films });
    plots = await writeReport(options.report, result, labels, both, table, options.pictures ? options : null);
  }
  if (options.json) return print(toJson(result));
  if (process.stdout.isTTY) return print(evaluationSummary(result, options.report));
  return print(evaluationMarkdown(result, labels, plots, { report: Boolean(options.report) }));
}

/**
 * The answers of --against: a model's weights, or results.
 * @param {string} against @param {Labelled[]} items @param {Options} options @param {string[]} labels of the first model
 * @param {Allowed} allowed @returns {Promise<Answered>}
 */
async function answersOfSecond(against, items, { jobs }, labels, allowed) {
  const check = (/** @type {string[]} */ others) => {
    if (!labels.some((label) => others.includes(label)))
      throw usage(`The models have no label in common: ${labels.join(', ')}; ${others.join(', ')}.`);
  };
  if (!(await isResults(against))) return runModel(items, { jobs, model: against }, allowed, check);
  const answered = await readAnswers([against], items, {}, allowed);
  check(answered.labels);
  return answered;
}
