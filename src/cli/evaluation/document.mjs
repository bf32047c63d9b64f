// document.mjs - an evaluation as headings, sentences, tables and plots, for Markdown and HTML alike.
import { harmless } from '../../result/record.mjs';
import { FEWEST } from '../../stats/intervals.mjs';
import { VERDICTS } from '../../verdicts.mjs';
import { interval, percent, pValue, shortPercent, threeDigits, twoDigits } from '../format.mjs';
import { checklist } from './checklist.mjs';

/**
 * @typedef {import('../format.mjs').Interval} Interval
 * @typedef {ReturnType<typeof import('../../stats/evaluation.mjs').report>} Report
 * @typedef {ReturnType<typeof import('../../stats/metrics.mjs').metrics>} Metrics
 * @typedef {NonNullable<ReturnType<typeof import('../../stats/metrics.mjs').calibrationAt>>} Calibration
 * @typedef {ReturnType<typeof import('../../stats/metrics.mjs').atPrevalence>} AtPrevalence
 * @typedef {ReturnType<typeof import('../../stats/metrics.mjs').operatingPoints>} OperatingPoints
 * @typedef {ReturnType<typeof import('../../stats/paired.mjs').compare>} Comparison
 * @typedef {object} Provenance  where the figures come from
 * @property {string} date ISO 8601 @property {string} pleura version @property {string} node version
 * @property {string | null} weights SHA-256 @property {{ file: string, sha256: string | null }} labels
 * @property {{ file: string, sha256: string }[]} results @property {string | null} films SHA-256 over the films' hashes
 * @property {number} rounds @property {number} seed
 * @typedef {{ file: string, sha256: string | null, truth: string, predicted: string, verdict: string,
 *   probability: number }} Mistake
 * @typedef {Report & { command: string, model: string, notice: string, split: string | null,
 *   prior: { [label: string]: number } | null, provenance?: Provenance, warnings?: string[],
 *   seen?: number, makersKnown?: boolean,
 *   operating?: { chosenOn: string | null, points: OperatingPoints },
 *   calibration?: { found: Calibration | null, prior: Calibration | null }, mistakes?: Mistake[],
 *   prevalence?: AtPrevalence | null, comparison?: Comparison & { against: string } }} Evaluation  what `evaluate` has
 *   found
 *
 * @typedef {{ type: 'heading', text: string, level: number } | { type: 'text', text: string, strong?: boolean }
 *   | { type: 'code', text: string } | { type: 'table', head: unknown[], rows: unknown[][] }
 *   | { type: 'plot', name: string }} Block
 */

/** @param {Interval | null | undefined} metric a share */
const share = (metric) => interval(metric, percent);
/** @param {Interval | null | undefined} metric */
const decimal = (metric) => interval(metric, threeDigits);
/** @param {Interval | null | undefined} metric */
const short = (metric) => interval(metric, twoDigits);

/** @param {string} text @param {number} [level] @returns {Block} */
const heading = (text, level = 2) => ({ type: 'heading', text, level });
/** @param {string} text @returns {Block} */
const text = (text) => ({ type: 'text', text });
/** @param {unknown[]} head @param {unknown[][]} rows @returns {Block} */
const table = (head, rows) => ({ type: 'table', head, rows });
/** @param {string} name @returns {Block} */
const plot = (name) => ({ type: 'plot', name });

/** `covid 3, normal 5`. @param {Record<string, number>} counts */
const countList = (counts) =>
  Object.entries(counts)
    .map(([name, n]) => `${name || '(empty)'} ${n}`)
    .join(', ');

/** @param {{ [label: string]: number }} shares */
const classMix = (shares) =>
  Object.entries(shares)
    .map(([label, p]) => `${label} ${shortPercent(p, 2)} %`)
    .join(', ');

/** @param {Evaluation} result @returns {Block[]} */
function intro(result) {
  const { model, split, films, patients, unknownPatients, errors, notice, command, notScored, provenance } = result;
  const which = split === null ? '' : `, split ${split}`;
  return [
    heading('Evaluation', 1),
    text(
      `Model ${model}${which}. ${films} films of ${patients} patients` +
        ` (${unknownPatients} films of unknown patients count as one patient each); errors: ${errors}.`,
    ),
    text(notice),
    ...(result.warnings ?? []).map((warning) => /** @type {Block} */ ({ type: 'text', text: warning, strong: true })),
    text('Every table and plot here comes from'),
    { type: 'code', text: harmless(command) },
    ...(provenance
      ? [
          text(
            `Made ${provenance.date} by pleura ${provenance.pleura} in Node ${provenance.node}.` +
              ` ${provenance.rounds} rounds of each bootstrap, seed ${provenance.seed}.`,
          ),
        ]
      : []),
    text(
      'In brackets: 95 % intervals. Films of one patient are not independent, so each interval is computed over patients:' +
        ' shares by Wilson with the effective number of films (Rao and Scott), areas by DeLong with clusters (Obuchowski),' +
        ' calibration by regression with clustered errors, the rest by a bootstrap of patients.' +
        ` Metrics based on fewer than ${FEWEST} films are omitted, and so are intervals over fewer than ${FEWEST} patients.` +
        ' PPV and NPV hold for the class mix of this set only.',
    ),
    ...(Object.keys(notScored).length
      ? [text(`Not scored, because the model has no such label: ${countList(notScored)}.`)]
      : []),
    ...(result.missingLabels?.length
      ? [
          text(
            `No film has the label ${result.missingLabels.join(' or ')}: nothing here says how the model does on it, and` +
              ' means over classes are over the others.',
          ),
        ]
      : []),
  ];
}

/** The flow of films (STARD-AI item 24). @param {Evaluation} result @param {string[]} labels @returns {Block[]} */
function flow({ films, errors, outcomes, notScored }, labels) {
  const total = (/** @type {string} */ verdict) =>
    outcomes.reduce((sum, { counts }) => sum + (counts[verdict] ?? 0), 0);
  const unscored = Object.values(notScored).reduce((sum, n) => sum + n, 0);
  return [
    heading('Flow of films'),
    table(
      ['films', 'n'],
      [
        ['in the list of labels', films],
        ['without an answer (errors)', errors],
        ['with a label that the model lacks', unscored],
        ['refused', total('refused')],
        ['uncertain', total('uncertain')],
        ['answered with a label', labels.reduce((sum, label) => sum + total(label), 0)],
      ],
    ),
    plot('flow'),
  ];
}

/** @param {any} value of a baseline column */
const baselineCell = (value) =>
  'median' in value && 'known' in value
    ? value.known
      ? `${value.median} (${value.lower}–${value.upper})${value.unknown ? `, ${value.unknown} unknown` : ''}`
      : 'unknown'
    : countList(value);

/** @param {Evaluation} result @returns {Block[]} */
function baseline({ baseline: rows = [] }) {
  if (!rows.length) return [];
  const columns = Object.keys(rows[0]).filter((key) => !['label', 'films', 'patients'].includes(key));
  return [
    heading('Who the films are of'),
    text('By label. Ages: median (quartiles). Films whose age, sex or view is not known are counted as unknown.'),
    table(
      ['label', 'films', 'patients', ...columns],
      rows.map((/** @type {any} */ row) => [
        row.label,
        row.films,
        row.patients,
        ...columns.map((column) => (row[column] ? baselineCell(row[column]) : '–')),
      ]),
    ),
  ];
}

/** @param {Evaluation} result @returns {Block[]} */
function sourceTable({ sources, labels }) {
  if (!sources.length) return [];
  const count = (/** @type {{ [label: string]: number }} */ counts, /** @type {string} */ label) =>
    Object.hasOwn(counts, label) ? counts[label] : 0;
  return [
    heading('Films: source and label'),
    table(
      ['source', ...labels],
      sources.map(({ source, counts }) => [source, ...labels.map((label) => count(counts, label))]),
    ),
  ];
}

/** @param {Evaluation} result @param {string[]} labels of the model @returns {Block[]} */
function verdictTable({ outcomes, refusals }, labels) {
  const verdicts = [...labels, ...VERDICTS];
  return [
    heading('Verdicts'),
    table(
      ['truth', 'n', ...verdicts.map((verdict) => `${verdict} %`)],
      outcomes.map(({ label, n, shares }) => [label, n, ...verdicts.map((verdict) => share(shares[verdict]))]),
    ),
    ...(Object.keys(refusals).length ? [text(`Reasons for refusal: ${countList(refusals)}.`)] : []),
  ];
}

/** @param {string} title @param {Metrics} set the metrics of one set of films @param {string[]} labels @returns {Block[]} */
function metrics(title, set, labels) {
  const head = [
    heading(title),
    text(`${set.n} films, ${set.patients} patients.`),
    table(
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
      text(`Sensitivity for ${label}: ${share(sensitivity)} %. With one class alone there are no other metrics.`),
    ];
  }
  const mean = set.over.length < labels.length ? ` (mean over ${set.over.join(', ')})` : '';
  return [
    ...head,
    table(
      ['class', 'n', 'sensitivity %', 'specificity %', 'PPV %', 'NPV %', 'LR+', 'LR−'],
      set.classes.map((c) => [
        c.label,
        c.n,
        ...[c.sensitivity, c.specificity, c.ppv, c.npv].map(share),
        ...[c.likelihoodRatios.positive, c.likelihoodRatios.negative].map(short),
      ]),
    ),
    table(
      ['class', 'AUC', 'AUC, bootstrap interval'],
      set.classes.map((c) => [c.label, decimal(c.auc), decimal(c.aucBootstrap)]),
    ),
    table(
      ['all classes', 'value'],
      [
        ['accuracy %', share(set.accuracy)],
        [`balanced accuracy %${mean}`, share(set.balancedAccuracy)],
        [`macro AUC, one against the rest${mean}`, decimal(set.macroAuc)],
        ["Cohen's kappa", decimal(set.kappa)],
        ["Matthews' correlation (MCC)", decimal(set.mcc)],
      ],
    ),
    ...leftOut(set),
  ];
}

/** Rounds of the bootstrap that lacked a class. @param {Metrics} set @returns {Block[]} */
function leftOut({ macroAuc }) {
  const rounds = /** @type {{ leftOut?: number } | null} */ (macroAuc)?.leftOut;
  return rounds ? [text(`${rounds} rounds of the bootstrap lacked a class and were left out.`)] : [];
}

/** @param {Evaluation} result @returns {Block[]} */
function worstCase({ intentionToDiagnose: set }) {
  if (!set?.classes.some(({ sensitivity }) => sensitivity)) return [];
  return [
    heading('If refused and uncertain films count as wrong'),
    text(
      'The worst case for films without a label as verdict: they are neither a hit nor a correct exclusion' +
        ` (intention to diagnose). Accuracy ${share(set.accuracy)} %.`,
    ),
    table(
      ['class', 'sensitivity %', 'specificity %'],
      set.classes.map((c) => [c.label, share(c.sensitivity), share(c.specificity)]),
    ),
  ];
}

/** @param {import('../../stats/operating.mjs').Rule} rule */
const ruleText = ({ rule, value }) =>
  rule === 'threshold' ? `threshold ${value}` : `${rule} ${shortPercent(value, 2)} %`;

/** @param {Evaluation} result @returns {Block[]} */
function operating({ all, operating: chosen }) {
  const { reached } = all;
  const fixed = reached?.length
    ? [
        text(
          'Chosen on these very films, so optimistic. The interval contains the choice of the threshold: it is chosen' +
            ' again in each round of the bootstrap.',
        ),
        table(
          ['class', ...reached.filter(({ label }) => label === reached[0].label).map(({ rule }) => other(rule))],
          [...new Set(reached.map(({ label }) => label))].map((label) => [
            label,
            ...reached.filter((one) => one.label === label).map(({ figure }) => share(figure)),
          ]),
        ),
      ]
    : [];
  const { points = [], chosenOn = null } = chosen ?? {};
  const own = points.length
    ? [
        text(
          chosenOn === null
            ? 'At these thresholds. Those that follow from a sensitivity or specificity were chosen on these very films, so their figures are optimistic.'
            : `At these thresholds. Those that follow from a sensitivity or specificity were chosen on the split ${chosenOn}, not on these films.`,
        ),
        table(
          ['class', 'rule', 'threshold', 'sensitivity %', 'specificity %', 'PPV %', 'NPV %', 'LR+', 'LR−'],
          points.map((p) => [
            p.label,
            ruleText(p.rule),
            String(Number(p.threshold.toFixed(6))),
            ...[p.sensitivity, p.specificity, p.ppv, p.npv].map(share),
            ...[p.likelihoodRatios.positive, p.likelihoodRatios.negative].map(short),
          ]),
        ),
      ]
    : [];
  if (!fixed.length && !own.length) return [];
  return [heading('Operating points'), ...own, ...fixed];
}

/** What is reached under a rule. @param {import('../../stats/operating.mjs').Rule} rule */
const other = ({ rule, value }) =>
  `${rule === 'sensitivity' ? 'specificity' : 'sensitivity'} % at ${rule} ${shortPercent(value, 2)} %`;

/** Predictive values if a label is rarer or more frequent than among these films. @param {Metrics} set @returns {Block[]} */
function predictiveValues(set) {
  const [first] = set.classes;
  if (!set.classes.some((c) => c.atPrevalence.some(({ ppv }) => ppv))) return [];
  const heads = first.atPrevalence.flatMap(({ prevalence }) => [
    `PPV % at ${100 * prevalence} %`,
    `NPV % at ${100 * prevalence} %`,
  ]);
  return [
    heading('Predictive values at other prevalences'),
    text(
      "By Bayes' rule from the sensitivity and specificity above, assuming that these stay the same and that the other labels keep their proportions.",
    ),
    table(
      ['class', ...heads],
      set.classes.map((c) => [c.label, ...c.atPrevalence.flatMap(({ ppv, npv }) => [share(ppv), share(npv)])]),
    ),
  ];
}

/** @param {Calibration} set @returns {Block[]} */
const calibrationTables = ({ classes, calibrationError, brier, logLoss }) => [
  table(
    ['class', 'n', 'intercept', 'O/E', 'slope', 'Brier score', 'reliability', 'resolution', 'uncertainty', 'within'],
    classes.map((c) => [
      c.label,
      c.n,
      short(c.intercept),
      short(c.observedToExpected),
      short(c.slope),
      ...(c.brier
        ? [
            decimal(c.brier.score),
            ...[c.brier.reliability, c.brier.resolution, c.brier.uncertainty, c.brier.within].map(threeDigits),
          ]
        : ['–', '–', '–', '–', '–']),
    ]),
  ),
  table(
    ['all classes', 'value'],
    [
      ['Brier score, all classes (0 to 2)', decimal(brier)],
      ['log loss', decimal(logLoss)],
      ['calibration error (ECE, 15 bins)', decimal(calibrationError)],
      ['ECE of a calibrated model over as many films', threeDigits(calibrationError.calibrated)],
    ],
  ),
];

/** @param {Evaluation} result @returns {Block[]} */
function calibrationSection({ calibration, prior, prevalence }) {
  if (!calibration?.found) return [];
  return [
    heading('Calibration'),
    text(
      'Intercept (calibration in the large): above 0 the label is more frequent than predicted; O/E is how often it is found over how often it is predicted.' +
        ' A slope below 1 means overconfident. Ideal: intercept 0, O/E 1, slope 1.' +
        ' Brier score = reliability − resolution + uncertainty + within. The interval of the ECE is of the error that remains without the chance of so few films; 0 is in it for a calibrated model.',
    ),
    heading('The films as they are', 3),
    ...calibrationTables(calibration.found),
    ...(calibration.prior && prior
      ? [heading(`Weighted to the model's own prior, ${classMix(prior)}`, 3), ...calibrationTables(calibration.prior)]
      : []),
    ...(prevalence?.calibration
      ? [
          heading(`Adjusted for and weighted to the prevalence ${classMix(prevalence.shares)}`, 3),
          ...calibrationTables(prevalence.calibration),
        ]
      : []),
  ];
}

/** What to expect at the class mix of --prevalence. @param {Evaluation} result @returns {Block[]} */
function expectedMetrics({ prevalence: at, prior }) {
  if (!at) return [];
  const title = heading(`At the prevalence ${classMix(at.shares)}`);
  if (!at.accuracy) return [title, text('A label has too few films.')];
  return [
    title,
    text(
      'The same films, weighted so that each label has this share, and predicted by the largest probability after it was' +
        ` adjusted by Bayes' rule from the model's own prior (${classMix(prior ?? {})}). This assumes that films of each class look the same there as here.` +
        ` Accuracy ${share(at.accuracy)} %.`,
    ),
    table(
      ['class', 'sensitivity %', 'specificity %', 'PPV %', 'NPV %', 'LR+', 'LR−'],
      at.classes.map((c) => [
        c.label,
        ...[c.sensitivity, c.specificity, c.ppv, c.npv].map(share),
        ...[c.likelihoodRatios.positive, c.likelihoodRatios.negative].map(short),
      ]),
    ),
  ];
}

/** Figures of a comparison that are shown in percent. */
const SHARES = ['accuracy', 'balanced accuracy', 'sensitivity', 'specificity', 'PPV', 'NPV'];

/** @param {Evaluation} result @returns {Block[]} */
function comparison({ comparison: c, model }) {
  if (!c) return [];
  return [
    heading('Two models on the same films'),
    text(
      `First: ${model}. Second: ${c.against}. ${c.n} films of ${c.patients} patients, by the largest probability, whether refused or not; films with an error in either model are left out.` +
        ' Differences are first minus second: of accuracy, sensitivity and specificity by Newcombe (method 10), of areas by DeLong with clusters, of the rest by a paired bootstrap over patients.',
    ),
    text(
      "Tests: McNemar's mid-p of the films that only one model gets right; p, clusters allows for several films per patient" +
        ` (Durkalski); DeLong with clusters (Obuchowski). These are ${c.tests} tests at once: the last column adjusts for that by Holm's method, so that below 0.05 in it at most one in twenty such comparisons of equal models errs anywhere.`,
    ),
    table(
      ['', 'n', 'first', 'second', 'difference', 'test', 'only first : only second', 'p', 'p, clusters', 'p, Holm'],
      c.rows.map((row) => {
        const format = SHARES.includes(row.figure) ? percent : threeDigits;
        return [
          `${row.figure}${SHARES.includes(row.figure) ? ' %' : ''}${row.label === null ? '' : ` ${row.label}`}`,
          row.n,
          ...[row.first, row.second, row.difference].map((figure) => interval(figure, format)),
          row.test ?? '',
          row.discordant?.join(' : ') ?? '',
          row.test ? pValue(row.p) : '',
          row.clustered === undefined ? '' : pValue(row.clustered),
          row.test ? pValue(row.holm) : '',
        ];
      }),
    ),
    plot('comparison'),
  ];
}

/** @param {Report['groups'][number]} group @param {string[]} labels @returns {Block[]} */
function groupTable({ column, values }, labels) {
  return [
    heading(`By ${column} (largest probability)`),
    table(
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

/** @param {Evaluation} result @returns {Block[]} */
function mistakes({ mistakes: worst = [] }) {
  if (!worst.length) return [];
  return [
    heading('The worst mistakes'),
    text('The films to which a wrong label was given with the largest probability.'),
    table(
      ['film', 'truth', 'predicted', 'with probability', 'verdict'],
      worst.map(({ file, truth, predicted, probability, verdict }) => [
        file,
        truth,
        predicted,
        threeDigits(probability),
        verdict,
      ]),
    ),
    plot('mistakes'),
  ];
}

/** @param {Provenance | undefined} provenance @returns {Block[]} */
function provenanceTable(provenance) {
  if (!provenance) return [];
  const { weights, labels, results, films } = provenance;
  return [
    heading('Files'),
    table(
      ['file', 'SHA-256'],
      [
        ['weights', weights ?? 'not known'],
        [`labels: ${labels.file}`, labels.sha256 ?? 'a folder'],
        ...results.map(({ file, sha256 }) => [`results: ${file}`, sha256]),
        ['all films, as a hash over their sorted hashes', films ?? 'not known'],
      ],
    ),
  ];
}

/**
 * @param {Evaluation} result @param {string[]} labels of the model
 * @param {{ report?: boolean }} [options] report: with the checklist
 * @returns {Block[]}
 */
export function evaluationDocument(result, labels, { report = false } = {}) {
  return [
    ...intro(result),
    ...flow(result, labels),
    ...baseline(result),
    ...sourceTable(result),
    ...verdictTable(result, labels),
    ...metrics('All films, by the largest probability (including refused and uncertain films)', result.all, labels),
    plot('confusion'),
    plot('roc'),
    plot('recall'),
    ...metrics('Answered films (neither refused nor uncertain)', result.answered, labels),
    ...worstCase(result),
    ...operating(result),
    ...predictiveValues(result.all),
    ...calibrationSection(result),
    plot('calibration'),
    plot('decision'),
    ...expectedMetrics(result),
    ...comparison(result),
    ...result.groups.flatMap((group) => groupTable(group, labels)),
    ...(result.groups.length ? labels.map((_, i) => plot(i ? `subgroups-${i + 1}` : 'subgroups')) : []),
    ...mistakes(result),
    ...provenanceTable(result.provenance),
    ...(report ? checklist(result) : []),
  ];
}
