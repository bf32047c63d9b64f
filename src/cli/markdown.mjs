// The Markdown of an evaluation: what the films were, what became of them, and every figure with its interval.
import { VERDICTS } from '../verdicts.mjs';
import { harmless } from '../result/record.mjs';
import { FEWEST } from '../stats/bootstrap.mjs';

const percent = (x) => (100 * x).toFixed(1);

/** @param {import('../stats/metrics.mjs').Figure} f @param {(x: number) => string} form @returns {string} value (low to high) */
const show = (f, form) =>
  !f ? '–' : f.low === null ? form(f.value) : `${form(f.value)} (${form(f.low)}–${form(f.high)})`;
const share = (f) => show(f, percent);
const two = (x) => x.toFixed(2);
const area = (f) => show(f, (x) => x.toFixed(3));

/** @param {unknown} text what a label or a column says is no markup and no link, and a cell cannot hold a bar or a line break */
const plain = (text) =>
  harmless(String(text).replace(/[|\r\n]/g, ' ')).replace(
    /[\\`*[\]&@]|<(?=[a-z/!?])|:(?=\/\/)|(?<=www)\.|(?<![a-z0-9])_|_(?![a-z0-9])|~/gi,
    '\\$&',
  );

/** @param {unknown[]} head @param {unknown[][]} rows */
const grid = (head, rows) =>
  [head, head.map((_, i) => (i ? '---:' : '---')), ...rows]
    .map((cells) => `| ${cells.map(plain).join(' | ')} |`)
    .join('\n');

/** @param {Record<string, number>} counts */
const list = (counts) =>
  Object.entries(counts)
    .map(([name, n]) => `${plain(name) || '(empty)'} ${n}`)
    .join(', ');

function scores(title, set, labels) {
  const present = set.classes.filter(({ n }) => n);
  const head = [
    `## ${title}`,
    `${set.n} films, ${set.patients} patients.`,
    grid(
      ['truth ↓ called →', ...labels, 'n'],
      set.confusion.map((row, i) => [labels[i], ...row, set.classes[i].n]).filter((row) => row.at(-1)),
    ),
  ];
  if (present.length < 2) {
    const [only] = present;
    return [
      ...head,
      ...(only
        ? [
            `Sensitivity for ${plain(only.label)}: ${share(only.sensitivity)} %. One class alone allows no other figure.`,
          ]
        : []),
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
        area(c.auc),
        show(c.slope, two),
      ]),
    ),
    grid(
      ['over all classes', 'value'],
      [
        ['accuracy %', share(set.accuracy)],
        ['balanced accuracy %', share(set.balancedAccuracy)],
        ['macro AUC, one against the rest', area(set.macroAuc)],
        ['calibration error (ECE, 15 bins)', area(set.calibrationError)],
      ],
    ),
  ];
}

/** Predictive values where a label is rarer or more frequent than among these films. */
function prevalences(set) {
  const [first] = set.classes;
  if (!set.classes.some((c) => c.atPrevalence.some(({ ppv }) => ppv))) return [];
  return [
    '## Predictive values at other prevalences',
    'By Bayes from sensitivity and specificity above, which are taken to stay the same; the others keep their mixture. None is given without an interval.',
    grid(
      [
        'class',
        ...first.atPrevalence.flatMap(({ prevalence }) => [
          `PPV % at ${100 * prevalence} %`,
          `NPV % at ${100 * prevalence} %`,
        ]),
      ],
      set.classes.map((c) => [c.label, ...c.atPrevalence.flatMap(({ ppv, npv }) => [share(ppv), share(npv)])]),
    ),
  ];
}

/** @param {{ [label: string]: number }} shares */
const mixture = (shares) =>
  Object.entries(shares)
    .map(([label, p]) => `${plain(label)} ${Number((100 * p).toFixed(2))} %`)
    .join(', ');

/** @param {any} at of figures.mjs @param {{ [label: string]: number }} prior of the model */
const expected = (at, prior) => [
  `## At the prevalence ${mixture(at.shares)}`,
  ...(at.accuracy
    ? [
        `The same films, weighted so that each label has this share, by the largest probability after it is moved there from the model's own` +
          ` mixture (${mixture(prior)}) by Bayes' rule. This takes the films of each class to look there as they do here.` +
          ` Where Wilson gives the interval, as many patients count as weigh alike; no predictive value is given without an interval.` +
          ` Accuracy ${share(at.accuracy)} %, calibration error ${area(at.calibrationError)}.`,
        grid(
          ['class', 'sensitivity %', 'specificity %', 'PPV %', 'NPV %'],
          at.classes.map((c) => [c.label, share(c.sensitivity), share(c.specificity), share(c.ppv), share(c.npv)]),
        ),
      ]
    : ['There are too few films of a label.']),
];

const chance = (p) => (Number.isNaN(p) ? '–' : p < 0.0001 ? '< 0.0001' : p.toFixed(4));

/** @param {any} c comparison @param {string} model */
const comparison = (c, model) => [
  '## Two models on the same films',
  `First: ${plain(model)}. Second: ${plain(c.against)}. ${c.n} films of ${c.patients} patients that both answered, by the largest probability, whatever the gates say.` +
    ' Differences are first minus second, with an interval from a paired bootstrap over patients.' +
    `${c.patients < c.n ? ' The two tests take films as independent; here several belong to one patient, so believe the bootstrap first.' : ''}`,
  grid(
    ['', 'first', 'second', 'difference', 'DeLong p'],
    [
      ...c.classes.map(({ label, first, second, difference, delong }) => [
        `AUC ${label}`,
        ...(difference
          ? [first.toFixed(3), second.toFixed(3), area(difference), chance(delong.p)]
          : ['–', '–', '–', '–']),
      ]),
      [
        'balanced accuracy %',
        ...[c.balancedAccuracy.first, c.balancedAccuracy.second].map((x) => (x === null ? '–' : percent(x))),
        share(c.balancedAccuracy.difference),
        '',
      ],
    ],
  ),
  `Called rightly by the first alone: ${c.mcnemar.firstAlone}, by the second alone: ${c.mcnemar.secondAlone}; McNemar's exact test: p ${chance(c.mcnemar.p).replace(/^(?!<)/, '= ')}.`,
];

const PLOTS = {
  'confusion.svg': 'Confusion matrix by the largest probability',
  'roc.svg': 'ROC curve of each label against the rest, with a 95 % band',
  'reliability.svg': 'Reliability of each probability, with the number of films',
  'decision.svg': 'Decision curve of each label',
  'comparison.svg': 'ROC curves of both models',
};

function groups({ column, values }, labels) {
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
      values.map(({ value, n, patients, uncertain, refused, figures: f }) => [
        value,
        n,
        patients,
        ...f.classes.flatMap((c) => [c.n, share(c.sensitivity), area(c.auc)]),
        uncertain,
        refused,
      ]),
    ),
  ];
}

const FIGURES = {
  balancedAccuracy: 'balanced accuracy %',
  accuracy: 'accuracy %',
  auc: 'AUC',
  calibrationError: 'calibration error (ECE, 15 bins)',
  logLoss: 'log loss',
};
const ADVICE = {
  better:
    'Better on films like these: balanced accuracy rises, and the interval of its difference lies above 0. Keep it, for films like these.',
  calibrated:
    'Its probabilities fit films like these better, but it is not shown to be right more often. Keep it if you go by the probabilities.',
  same: 'No better: the intervals of the differences that count, in balanced accuracy and in log loss, include 0. Discard it.',
  worse: 'Worse than before. Discard it.',
};

/** @param {any} result of the adapt sub-command @returns {string} */
export function adaptation({ model, overlay, leftOut, films, patients, comparisons, advice }) {
  const { otherLabel, refused, repeated, contradictory, errors } = leftOut;
  return [
    '# Adaptation to your own films',
    `Model ${plain(model)}; overlay ${overlay.slice(0, 12)}. Films: ${list(films)}, of ${patients} patients (a film whose patient is unknown counts as one).`,
    `Left out: refused by the gate ${refused}, the same file again ${repeated}, the same file with two labels ${contradictory}, with no label of the model ${otherLabel}, not read ${errors}.`,
    'Before: the model as it is, moved to the mixture of these films where it tells its own. After: its last layer, temperature and mixture' +
      ' fitted to these films; every film judged by a fit without it and without its patient (5 folds). In brackets: 95 % intervals by a paired bootstrap over patients.',
    grid(
      ['', 'before', 'after', 'difference'],
      comparisons.map(({ name, label, before, after, difference }) => {
        const form = /accuracy/i.test(name) ? share : area;
        return [label ? `${FIGURES[name]} ${label}` : FIGURES[name], form(before), form(after), form(difference)];
      }),
    ),
    `**${ADVICE[advice]}**`,
    'All of this is about your own films and the labels that you gave them: films of other places or devices may fare worse than before.',
  ].join('\n\n');
}

/** @param {any} result of evaluate @param {string[]} labels of the model @param {string[]} [plots] files beside it @returns {string} */
export function markdown(result, labels, plots = []) {
  const kinds = [...labels, ...VERDICTS];
  return [
    '# Evaluation',
    `Model ${plain(result.model)}${result.split === null ? '' : `, split ${plain(result.split)}`}. ${result.films} films of ${result.patients} patients` +
      ` (${result.unknownPatients} films of unknown patients count as one patient each); errors: ${result.errors}.`,
    plain(result.notice),
    `Every table and plot here is made by\n\n    ${harmless(result.command)}`,
    'In brackets: 95 % intervals, by a bootstrap over patients (1,000 rounds, fixed seed), for the shares of verdicts (and where no round differs) by Wilson with as many cases as patients.' +
      ` A figure with fewer than ${FEWEST} films behind it is not given. PPV and NPV hold at this set's mixture of classes only. A calibration slope below 1 means too sure.`,
    ...(Object.keys(result.notScored).length
      ? [`Not scored, because the model has no such label: ${list(result.notScored)}.`]
      : []),
    ...(result.sources.length
      ? [
          '## Films: source and label',
          grid(
            ['source', ...result.labels],
            result.sources.map(({ source, counts }) => [
              source,
              ...result.labels.map((label) => (Object.hasOwn(counts, label) ? counts[label] : 0)),
            ]),
          ),
        ]
      : []),
    '## Verdicts',
    grid(
      ['truth', 'n', ...kinds.map((kind) => `${kind} %`)],
      result.outcomes.map(({ label, n, shares }) => [label, n, ...kinds.map((kind) => share(shares[kind]))]),
    ),
    ...(Object.keys(result.refusals).length ? [`Reasons of the refusals: ${list(result.refusals)}.`] : []),
    ...scores('All films, by the largest probability (refused and uncertain ones too)', result.all, labels),
    ...scores('Answered films (neither refused nor uncertain)', result.answered, labels),
    ...prevalences(result.all),
    ...(result.prevalence ? expected(result.prevalence, result.prior) : []),
    ...(result.comparison ? comparison(result.comparison, result.model) : []),
    ...result.groups.flatMap((g) => groups(g, labels)),
    ...(plots.length ? ['## Plots', ...plots.map((name) => `![${PLOTS[name]}](${name})`)] : []),
  ].join('\n\n');
}
