// Synthetic films for the tests of metrics and plots: 40 of each of three labels, three in four predicted right.
import { curves, metrics } from '../../src/stats/metrics.mjs';
import {
  calibrationPlot,
  comparisonPlot,
  confusionPlot,
  decisionPlot,
  flowPlot,
  forestPlot,
  recallPlot,
  rocPlot,
} from '../../src/cli/plots.mjs';

/** @param {string[]} labels three @returns {import('../../src/stats/metrics.mjs').Scored[]} */
export const scored = (labels) =>
  Array.from({ length: 120 }, (_, i) => {
    const truth = i % 3,
      predicted = i % 4 ? truth : (truth + 1) % 3;
    return {
      truth,
      predicted,
      probability: labels.map((_, label) => (label === predicted ? 0.5 + (i % 5) / 20 : 0.25 - (i % 5) / 40)),
      patient: `p${i >> 1}`,
    };
  });

/** Every plot of these films, by name. @param {string[]} labels */
export function plots(labels) {
  const films = scored(labels),
    lines = curves(films, labels, null, { rounds: 50 }),
    figures = metrics(films, labels, null),
    outcomes = labels.map((label) => ({ label, n: 40, counts: { [label]: 30, refused: 6, uncertain: 4 } }));
  return {
    confusion: confusionPlot(figures.confusion, labels),
    flow: flowPlot({ films: 120, patients: 60, errors: 0, refusals: { [labels[0]]: 6 }, outcomes }, labels),
    subgroups: forestPlot(
      [{ column: labels[0], values: [{ value: labels[0], figures }] }],
      labels[2],
      figures.classes[2].auc,
    ),
    roc: rocPlot(lines),
    recall: recallPlot(lines),
    calibration: calibrationPlot(lines),
    decision: decisionPlot(lines),
    comparison: comparisonPlot([
      { name: 'first', curves: lines },
      { name: 'second', curves: lines },
    ]),
  };
}
