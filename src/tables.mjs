// The Markdown of an evaluation: what the films were, what became of them, and every figure with its interval.
import { FEWEST } from './evaluate.mjs';

const percent = (x) => (100 * x).toFixed(1);

/** @param {import('./evaluate.mjs').Figure} f @param {(x: number) => string} form @returns {string} value (low to high) */
const show = (f, form) => !f ? '–' : f.low === null ? form(f.value) : `${form(f.value)} (${form(f.low)}–${form(f.high)})`;
const share = (f) => show(f, percent);
const area = (f) => show(f, (x) => x.toFixed(3));

/** @param {unknown} text a cell cannot hold a bar or a line break */
const cell = (text) => String(text).replace(/[|\r\n]/g, ' ');

/** @param {unknown[]} head @param {unknown[][]} rows */
const grid = (head, rows) => [head, head.map((_, i) => (i ? '---:' : '---')), ...rows]
  .map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');

/** @param {Record<string, number>} counts */
const list = (counts) => Object.entries(counts).map(([name, n]) => `${name || '(empty)'} ${n}`).join(', ');

function scores(title, set, labels) {
  const present = set.classes.filter(({ n }) => n);
  const head = [
    `## ${title}`,
    `${set.n} films, ${set.patients} patients.`,
    grid(['truth \\ called', ...labels, 'n'], set.confusion.map((row, i) => [labels[i], ...row, set.classes[i].n]).filter((row) => row.at(-1))),
  ];
  if (present.length < 2) {
    const [only] = present;
    return [...head, ...(only ? [`Sensitivity for ${only.label}: ${share(only.sensitivity)} %. One class alone allows no other figure.`] : [])];
  }
  return [
    ...head,
    grid(['class', 'n', 'sensitivity %', 'specificity %', 'PPV %', 'NPV %', 'AUC'],
      set.classes.map((c) => [c.label, c.n, share(c.sensitivity), share(c.specificity), share(c.ppv), share(c.npv), area(c.auc)])),
    grid(['over all classes', 'value'], [
      ['accuracy %', share(set.accuracy)],
      ['balanced accuracy %', share(set.balancedAccuracy)],
      ['macro AUC, one against the rest', area(set.macroAuc)],
      ['calibration error (ECE, 15 bins)', area(set.calibrationError)],
    ]),
  ];
}

function groups({ column, values }, labels) {
  return [
    `## By ${column} (largest probability)`,
    grid([column, 'films', 'patients', ...labels.flatMap((label) => [`n ${label}`, `sensitivity ${label} %`, `AUC ${label}`]), 'uncertain', 'refused'],
      values.map(({ value, n, uncertain, refused, figures: f }) => [value, n, f.patients,
        ...f.classes.flatMap((c) => [c.n, share(c.sensitivity), area(c.auc)]), uncertain, refused])),
  ];
}

/** @param {any} result of evaluate @param {string[]} labels of the model @returns {string} */
export function markdown(result, labels) {
  const kinds = [...labels, 'uncertain', 'refused', 'error'];
  return [
    '# Evaluation',
    `Model ${result.model}${result.split === null ? '' : `, split ${result.split}`}. ${result.films} films of ${result.patients} patients`
      + ` (${result.unknownPatients} films of unknown patients count as one patient each); errors: ${result.errors}.`,
    result.notice,
    'In brackets: 95 % intervals, by a bootstrap over patients (1,000 rounds, fixed seed), for the shares of verdicts (and where no round differs) by Wilson.'
      + ` A figure with fewer than ${FEWEST} films behind it is not given. PPV and NPV hold at this set's mixture of classes only.`,
    ...(Object.keys(result.notScored).length ? [`Not scored, because the model has no such label: ${list(result.notScored)}.`] : []),
    ...(result.sources.length ? ['## Films: source and label',
      grid(['source', ...result.labels], result.sources.map(({ source, counts }) => [source, ...result.labels.map((label) => counts[label] ?? 0)]))] : []),
    '## Verdicts',
    grid(['truth', 'n', ...kinds.map((kind) => `${kind} %`)],
      result.outcomes.map(({ label, n, shares }) => [label, n, ...kinds.map((kind) => share(shares[kind]))])),
    ...(Object.keys(result.refusals).length ? [`Reasons of the refusals: ${list(result.refusals)}.`] : []),
    ...scores('All films, by the largest probability (refused and uncertain ones too)', result.all, labels),
    ...scores('Answered films (neither refused nor uncertain)', result.answered, labels),
    ...result.groups.flatMap((g) => groups(g, labels)),
  ].join('\n\n');
}
