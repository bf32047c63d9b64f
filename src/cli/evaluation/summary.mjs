// summary.mjs - an evaluation on a terminal, in at most 100 columns: what most people want to know first.
import { harmless } from '../../result/record.mjs';
import { interval, keepEnd, percent, twoDigits } from '../format.mjs';

const WIDTH = 100;

/** @typedef {import('./document.mjs').Evaluation} Evaluation */

/** @param {string} text @returns {string} lines of at most WIDTH columns */
function wrap(text) {
  const lines = [''];
  for (const word of harmless(text).split(' ')) {
    const line = lines[lines.length - 1];
    if (line && line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.map((line) => keepEnd(line, WIDTH)).join('\n');
}

/** @param {string[]} head @param {string[][]} rows the first column is left-aligned */
function columns(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => [...row[i]].length)));
  const name = Math.max(8, WIDTH - widths.slice(1).reduce((sum, width) => sum + width + 2, 0));
  const first = Math.min(widths[0], name);
  return all
    .map(([label, ...cells]) => {
      const text = keepEnd(label, first);
      return `${text}${' '.repeat(first - [...text].length)}${cells.map((cell, i) => `  ${' '.repeat(widths[i + 1] - [...cell].length)}${cell}`).join('')}`;
    })
    .join('\n');
}

/** @param {Evaluation} result @param {string | undefined} folder of --report @returns {string} */
export function evaluationSummary(result, folder) {
  const { all, outcomes, warnings = [] } = result;
  const share = (/** @type {any} */ metric) => interval(metric, percent),
    decimal = (/** @type {any} */ metric) => interval(metric, twoDigits);
  const total = (/** @type {string} */ verdict) =>
    outcomes.reduce((sum, { counts }) => sum + (counts[verdict] ?? 0), 0);
  const found = result.calibration?.found;
  const comparison = result.comparison?.rows.filter(({ figure }) => figure === 'AUC' || figure === 'balanced accuracy');
  return [
    wrap(`${result.model}${result.split === null ? '' : `, split ${result.split}`}`),
    wrap(
      `${result.films} films of ${result.patients} patients: ${total('refused')} refused, ${total('uncertain')} uncertain, ${result.errors} errors. 95 % intervals in brackets.`,
    ),
    ...warnings.map((warning) => wrap(`! ${warning}`)),
    columns(
      ['', 'n', 'sensitivity %', 'specificity %', 'AUC', 'O/E'],
      all.classes.map((c) => [
        harmless(c.label),
        String(c.n),
        share(c.sensitivity),
        share(c.specificity),
        decimal(c.auc),
        decimal(c.observedToExpected),
      ]),
    ),
    columns(
      ['', 'value'],
      [
        ['accuracy %', share(all.accuracy)],
        ['balanced accuracy %', share(all.balancedAccuracy)],
        ...(found ? [['calibration error (ECE)', decimal(found.calibrationError)]] : []),
      ],
    ),
    ...(comparison
      ? [
          columns(
            ['first minus second', 'first', 'second', 'difference'],
            comparison.map((row) => {
              const format = row.figure === 'AUC' ? decimal : share;
              return [
                harmless(`${row.figure}${row.label === null ? ' %' : ` ${row.label}`}`),
                ...[row.first, row.second, row.difference].map(format),
              ];
            }),
          ),
        ]
      : []),
    folder
      ? wrap(`All tables and plots: ${folder}/evaluation.html`)
      : wrap(
          'All tables: pipe this command into a file (Markdown), or add --json, or --report DIR for a page with plots.',
        ),
  ].join('\n\n');
}
