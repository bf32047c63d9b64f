// Synthetic films for the tests of metrics and plots: 40 of each of three labels, three in four predicted right.
import { curves, metrics } from '../../src/stats/metrics.mjs';
import { comparisonPlot, confusionPlot, decisionPlot, reliabilityPlot, rocPlot } from '../../src/cli/plots.mjs';

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
    lines = curves(films, labels, null);
  return {
    confusion: confusionPlot(metrics(films, labels).confusion, labels),
    roc: rocPlot(lines),
    reliability: reliabilityPlot(lines),
    decision: decisionPlot(lines),
    comparison: comparisonPlot([
      { name: 'first', curves: lines },
      { name: 'second', curves: lines },
    ]),
  };
}
