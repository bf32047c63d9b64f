// evaluation_markdown.mjs - an evaluation as Markdown: which films, which verdicts, and every metric with its interval.
import { FEWEST } from '../stats/bootstrap.mjs';
import { VERDICTS } from '../verdicts.mjs';
import { harmless } from '../result/record.mjs';
import { interval, percent, shortPercent, threeDigits, twoDigits } from './format.mjs';
import { countList, grid, plain } from './markdown.mjs';

/**
 * @typedef {import('./format.mjs').Interval} Interval
 * @typedef {ReturnType<typeof import('../stats/evaluation.mjs').report>} Report
 * @typedef {ReturnType<typeof import('../stats/metrics.mjs').metrics>} Metrics
 * @typedef {ReturnType<typeof import('../stats/metrics.mjs').atPrevalence>} AtPrevalence
 * @typedef {ReturnType<typeof import('../stats/paired.mjs').compare>} Comparison
 * @typedef {Report & { command: string, model: string, notice: string, split: string | null,
 *   prior: { [label: string]: number } | null, prevalence?: AtPrevalence | null,
 *   comparison?: Comparison & { against: string } }} Evaluation  what `evaluate` has found
 */

/** @param {Interval | null} metric a share */
const share = (metric) => interval(metric, percent);
/** @param {Interval | null} metric */
const decimal = (metric) => interval(metric, threeDigits);

/** @param {Evaluation} result */
function intro({ model, split, films, patients, unknownPatients, errors, notice, command, notScored }) {
  const which = split === null ? '' : `, split ${plain(split)}`;
  return [
    '# Evaluation',
    `Model ${plain(model)}${which}. ${films} films of ${patients} patients` +
      ` (${unknownPatients} films of unknown patients count as one patient each); errors: ${errors}.`,
    plain(notice),
    `Every table and plot here comes from\n\n    ${harmless(command)}`,
    'In brackets: 95 % intervals, from a bootstrap over patients (1,000 rounds, fixed seed).' +
      ' Shares of verdicts, and metrics on which all rounds agree, have Wilson intervals with one case per patient.' +
      ` Metrics based on fewer than ${FEWEST} films are omitted.` +
      ' PPV and NPV hold for the class mix of this set only. A calibration slope below 1 means overconfident.',
    ...(Object.keys(notScored).length
      ? [`Not scored, because the model has no such label: ${countList(notScored)}.`]
      : []),
  ];
}

/** @param {Evaluation} result */
function sourceTable({ sources, labels }) {
  if (!sources.length) return [];
  const count = (/** @type {{ [label: string]: number }} */ counts, /** @type {string} */ label) =>
    Object.hasOwn(counts, label) ? counts[label] : 0;
  return [
    '## Films: source and label',
    grid(
      ['source', ...labels],
      sources.map(({ source, counts }) => [source, ...labels.map((label) => count(counts, label))]),
    ),
  ];
}

/** @param {Evaluation} result @param {string[]} labels of the model */
function verdictTable({ outcomes, refusals }, labels) {
  const verdicts = [...labels, ...VERDICTS];
  return [
    '## Verdicts',
    grid(
      ['truth', 'n', ...verdicts.map((verdict) => `${verdict} %`)],
      outcomes.map(({ label, n, shares }) => [label, n, ...verdicts.map((verdict) => share(shares[verdict]))]),
    ),
    ...(Object.keys(refusals).length ? [`Reasons for refusal: ${countList(refusals)}.`] : []),
  ];
}

/** @param {string} title @param {Metrics} set the metrics of one set of films @param {string[]} labels */
function metrics(title, set, labels) {
  const head = [
    `## ${title}`,
    `${set.n} films, ${set.patients} patients.`,
    grid(
      ['truth ↓ predicted →', ...labels, 'n'],
      set.confusion.map((row, i) => [labels[i], ...row, set.classes[i].n]).filter((row) => row.at(-1)),
    ),
  ];
  const present = set.classes.filter(({ n }) => n);
  if (present.length === 0) return head;
  if (present.length === 1) {
    const [{ label, sensitivity }] = present;
    return [
      ...head,
      `Sensitivity for ${plain(label)}: ${share(sensitivity)} %. With one class alone there are no other metrics.`,
    ];
  }
  return [
    ...head,
    grid(
      ['class', 'n', 'sensitivity %', 'specificity %', 'PPV %', 'NPV %', 'AUC', 'calibration slope'],
      set.classes.map((c) => [
        c.label,
        c.n,
        share(c.sensitivity),
        share(c.specificity),
        share(c.ppv),
        share(c.npv),
        decimal(c.auc),
        interval(c.slope, twoDigits),
      ]),
    ),
    grid(
      ['all classes', 'value'],
      [
        ['accuracy %', share(set.accuracy)],
        ['balanced accuracy %', share(set.balancedAccuracy)],
        ['macro AUC, one against the rest', decimal(set.macroAuc)],
        ['calibration error (ECE, 15 bins)', decimal(set.calibrationError)],
      ],
    ),
  ];
}

/** Predictive values if a label is rarer or more frequent than among these films. @param {Metrics} set */
function predictiveValues(set) {
  const [first] = set.classes;
  if (!set.classes.some((c) => c.atPrevalence.some(({ ppv }) => ppv))) return [];
  const heads = first.atPrevalence.flatMap(({ prevalence }) => [
    `PPV % at ${100 * prevalence} %`,
    `NPV % at ${100 * prevalence} %`,
  ]);
  return [
    '## Predictive values at other prevalences',
    "By Bayes' rule from the sensitivity and specificity above, assuming that these stay the same and that the other labels keep their proportions. Values without an interval are omitted.",
    grid(
      ['class', ...heads],
      set.classes.map((c) => [c.label, ...c.atPrevalence.flatMap(({ ppv, npv }) => [share(ppv), share(npv)])]),
    ),
  ];
}

/** @param {{ [label: string]: number }} shares */
const classMix = (shares) =>
  Object.entries(shares)
    .map(([label, p]) => `${plain(label)} ${shortPercent(p, 2)} %`)
    .join(', ');

/** What to expect at the class mix of --prevalence. @param {Evaluation} result */
function expectedMetrics({ prevalence: at, prior }) {
  if (!at) return [];
  const title = `## At the prevalence ${classMix(at.shares)}`;
  if (!at.accuracy) return [title, 'A label has too few films.'];
  return [
    title,
    'The same films, weighted so that each label has this share, and predicted by the largest probability after it was' +
      ` adjusted by Bayes' rule from the model's own prior (${classMix(prior ?? {})}). This assumes that films of each class look the same there as here.` +
      ' Wilson intervals use the effective number of patients under these weights; predictive values without an interval are omitted.' +
      ` Accuracy ${share(at.accuracy)} %, calibration error ${decimal(at.calibrationError)}.`,
    grid(
      ['class', 'sensitivity %', 'specificity %', 'PPV %', 'NPV %'],
      at.classes.map((c) => [c.label, share(c.sensitivity), share(c.specificity), share(c.ppv), share(c.npv)]),
    ),
  ];
}

/** @param {number} p */
const pValue = (p) => (Number.isNaN(p) ? '–' : p < 0.0001 ? '< 0.0001' : p.toFixed(4));

/** The rows of the comparison of two models. @param {Comparison} comparison */
function comparisonRows({ classes, balancedAccuracy }) {
  const dashes = ['–', '–', '–', '–'];
  const { first, second, difference } = balancedAccuracy;
  return [
    ...classes.map((c) => [
      `AUC ${c.label}`,
      ...(c.difference
        ? [threeDigits(c.first), threeDigits(c.second), decimal(c.difference), pValue(c.delong.p)]
        : dashes),
    ]),
    ['balanced accuracy %', ...[first, second].map((x) => (x === null ? '–' : percent(x))), share(difference), ''],
  ];
}

/** @param {Evaluation} result */
function comparison({ comparison: c, model }) {
  if (!c) return [];
  const { firstAlone, secondAlone, p } = c.mcnemar;
  return [
    '## Two models on the same films',
    `First: ${plain(model)}. Second: ${plain(c.against)}. ${c.n} films of ${c.patients} patients, by the largest probability, whether refused or not; films with an error in either model are left out.` +
      ' Differences are first minus second, with an interval from a paired bootstrap over patients.' +
      (c.patients < c.n
        ? ' Both tests treat films as independent. Here some patients have several films, so trust the bootstrap first.'
        : ''),
    grid(['', 'first', 'second', 'difference', 'DeLong p'], comparisonRows(c)),
    `Correct only by the first: ${firstAlone}, only by the second: ${secondAlone}; McNemar's exact test: p ${pValue(p).replace(/^(?!<)/, '= ')}.`,
  ];
}

/** @param {Report['groups'][number]} group @param {string[]} labels */
function groupTable({ column, values }, labels) {
  return [
    `## By ${plain(column)} (largest probability)`,
    grid(
      [
        column,
        'films',
        'patients',
        ...labels.flatMap((label) => [`n ${label}`, `sensitivity ${label} %`, `AUC ${label}`]),
        'uncertain',
        'refused',
      ],
      values.map(({ value, n, patients, uncertain, refused, figures }) => [
        value,
        n,
        patients,
        ...figures.classes.flatMap((c) => [c.n, share(c.sensitivity), decimal(c.auc)]),
        uncertain,
        refused,
      ]),
    ),
  ];
}

/**
 * @param {Evaluation} result @param {string[]} labels of the model
 * @param {{ [file: string]: string }} [plots] titles of the plots beside the text @returns {string}
 */
export function evaluationMarkdown(result, labels, plots = {}) {
  const images = Object.entries(plots).map(([file, title]) => `![${title}](${file})`);
  return [
    ...intro(result),
    ...sourceTable(result),
    ...verdictTable(result, labels),
    ...metrics('All films, by the largest probability (including refused and uncertain films)', result.all, labels),
    ...metrics('Answered films (neither refused nor uncertain)', result.answered, labels),
    ...predictiveValues(result.all),
    ...expectedMetrics(result),
    ...comparison(result),
    ...result.groups.flatMap((group) => groupTable(group, labels)),
    ...(images.length ? ['## Plots', ...images] : []),
  ].join('\n\n');
}
