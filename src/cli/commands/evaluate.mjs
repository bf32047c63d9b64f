// evaluate.mjs - the `evaluate` command: runs one or two models over labelled films and reports how well they do.
//
// The films are diagnosed at the model's own prior. With --prevalence the threads also reclassify each answer for that
// class mix, so the networks run once.
import { usage } from '../../node/errors.mjs';
import { shellQuote } from '../../node/names.mjs';
import { rounded, toJson } from '../../result/record.mjs';
import { pairsOf, pairUp, report, scoredFilms } from '../../stats/evaluation.mjs';
import { atPrevalence, curves } from '../../stats/metrics.mjs';
import { compare } from '../../stats/paired.mjs';
import { evaluationMarkdown } from '../evaluation_markdown.mjs';
import { readLabels } from '../labels.mjs';
import { makeFolder, writeFiles } from '../output_folder.mjs';
import { comparisonPlot, confusionPlot, decisionPlot, reliabilityPlot, rocPlot } from '../plots.mjs';
import { openRun } from '../run.mjs';
import { print } from '../stdio.mjs';

/**
 * @typedef {import('../labels.mjs').Labelled} Labelled
 * @typedef {{ row: import('../../stats/evaluation.mjs').Row, answer: import('../../result/record.mjs').Answer }} Film
 * @typedef {{ labels: string, root?: string, split?: string, by?: string, json?: boolean, jobs?: string,
 *   model?: string, adapter?: string, against?: string, prevalence?: string, report?: string }} Options
 */

/** @param {import('../run.mjs').Run} run @param {Labelled[]} items @returns {Promise<Film[]>} */
async function answersOf(run, items) {
  const films = [];
  for await (const { item, answer } of run.answers(items)) films.push({ row: item.row, answer });
  return films;
}

/** Runs the model that is evaluated. @param {Labelled[]} items @param {Options} options */
async function runModel(items, { jobs, model, adapter, prevalence }) {
  const run = await openRun({ jobs, model, adapter, reclassify: prevalence, patients: true }, items.length);
  try {
    const { name, labels, prior, model: facts, reclassify } = run;
    return { name, labels, prior, facts, mixture: reclassify, films: await answersOf(run, items) };
  } finally {
    await run.close();
  }
}

/**
 * Runs the model of --against.
 * @param {Labelled[]} items @param {Options} options @param {string[]} labels of the first model
 */
async function runSecondModel(items, { jobs, against }, labels) {
  const run = await openRun({ jobs, model: against, patients: true }, items.length);
  try {
    const common = labels.filter((label) => run.labels.includes(label));
    if (!common.length)
      throw usage(`The models have no label in common: ${labels.join(', ')}; ${run.labels.join(', ')}.`);
    return { name: run.name, common, films: await answersOf(run, items) };
  } finally {
    await run.close();
  }
}

/** The same films as they are classified at the class mix of --prevalence. @param {Film[]} films @returns {Film[]} */
const reclassifiedFilms = (films) =>
  films.map(({ row, answer }) => ({ row, answer: { ...answer, ...answer.reclassified } }));

/** The command as it was typed, for a shell. */
const commandLine = () =>
  ['pleura', ...process.argv.slice(2)]
    .map((word) => (/^[\w./:=,@%+-]+$/.test(word) ? word : shellQuote(word)))
    .join(' ');

/**
 * The plots, each with its title in the Markdown.
 * @param {any} result @param {string[]} labels
 * @param {{ name: string, curves: any[] }[] | null} models both, on the same films
 * @returns {{ [file: string]: { title: string, svg: string } }}
 */
function draw(result, labels, models) {
  /** @type {import('../plots.mjs').Curve[]} */
  const all = result.curves;
  const weighted = all.filter(({ reliability }) => reliability);
  /** @type {{ [file: string]: { title: string, svg: string } }} */
  const plots = {
    'confusion.svg': {
      title: 'Confusion matrix by the largest probability',
      svg: confusionPlot(result.all.confusion, labels),
    },
  };
  if (result.curves.length)
    plots['roc.svg'] = {
      title: 'ROC curve of each label against the rest, with a 95 % band',
      svg: rocPlot(result.curves),
    };
  if (weighted.length) {
    plots['reliability.svg'] = {
      title: 'Reliability of each probability, with the number of films',
      svg: reliabilityPlot(weighted),
    };
    plots['decision.svg'] = { title: 'Decision curve of each label', svg: decisionPlot(weighted) };
  }
  if (models?.[0].curves.length)
    plots['comparison.svg'] = { title: 'ROC curves of both models', svg: comparisonPlot(models) };
  return plots;
}

/**
 * @template T, U @param {{ [key: string]: T }} object @param {(value: T) => U} change
 * @returns {{ [key: string]: U }}
 */
const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

/** @param {string[]} _ no paths @param {Options} options @returns {Promise<void>} throws CommandError */
export async function evaluate(_, options) {
  const { items, columns } = await readLabels(options);
  if (options.report) await makeFolder(options.report, '--report');

  const { name, labels, prior, facts, mixture, films } = await runModel(items, options);
  const second = options.against ? await runSecondModel(items, options, labels) : null;

  const scored = scoredFilms(films, labels);
  const pairs = second ? pairUp(films, second.films, second.common) : [];
  const moved = mixture && {
    shares: labels.map((label) => mixture[label]),
    scored: scoredFilms(reclassifiedFilms(films), labels),
  };
  const result = {
    command: commandLine(),
    model: name,
    notice: facts.notice,
    temperature: facts.temperature,
    certain: facts.certain,
    prior: prior && rounded(prior),
    split: options.split ?? null,
    ...report(films, labels, columns, scored),
    ...(moved && { prevalence: atPrevalence(moved.scored, labels, moved.shares) }),
    ...(second && { comparison: { against: second.name, ...compare(pairsOf(pairs), second.common) } }),
    ...(options.report && { curves: curves(scored, labels, moved) }),
  };
  if (!options.report) return print(options.json ? toJson(result) : evaluationMarkdown(result, labels));

  const models =
    second &&
    [name, second.name].map((one, i) => {
      const own = pairs.map((pair) => pair[i]);
      return { name: one, curves: curves(scoredFilms(own, second.common), second.common, null) };
    });
  const plots = draw(result, labels, models);
  const text = evaluationMarkdown(
    result,
    labels,
    mapValues(plots, ({ title }) => title),
  );
  await writeFiles(options.report, {
    'evaluation.md': `${text}\n`,
    'evaluation.json': `${toJson(result)}\n`,
    ...mapValues(plots, ({ svg }) => svg),
  });
  await print(options.json ? toJson(result) : text);
}
