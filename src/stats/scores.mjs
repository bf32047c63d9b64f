// Classification scores over weighted films, so that one bootstrap can resample all of them by their weights.

/** @typedef {ArrayLike<number>} Numbers */

/**
 * The confusion matrix: rows are the truth, columns the prediction.
 * @param {Numbers} truth @param {Numbers} predicted @param {number} classes @param {Numbers} weight
 */
export function confusion(truth, predicted, classes, weight) {
  const matrix = Array.from({ length: classes }, () => new Array(classes).fill(0));
  for (let i = 0; i < truth.length; i++) matrix[truth[i]][predicted[i]] += weight[i];
  return matrix;
}

/** @param {number} part @param {number} total */
const ratio = (part, total) => (total ? part / total : NaN);

/**
 * Sensitivity, specificity and predictive values of one class against the rest; NaN where undefined.
 * @param {number[][]} matrix  of confusion() @param {number} label
 */
export function oneVsRest(matrix, label) {
  const sum = (/** @type {number[]} */ cells) => cells.reduce((total, cell) => total + cell, 0);
  const all = sum(matrix.map(sum));
  const truePositive = matrix[label][label];
  const positives = sum(matrix[label]);
  const predicted = sum(matrix.map((row) => row[label]));
  const trueNegative = all - positives - predicted + truePositive;
  return {
    sensitivity: ratio(truePositive, positives),
    specificity: ratio(trueNegative, all - positives),
    ppv: ratio(truePositive, predicted),
    npv: ratio(trueNegative, all - predicted),
  };
}

/** Balanced accuracy: the mean sensitivity over the classes that occur. @param {number[][]} matrix @returns {number} */
export function balancedAccuracy(matrix) {
  const found = matrix.map((row, label) => oneVsRest(matrix, label).sensitivity).filter((x) => !Number.isNaN(x));
  return ratio(
    found.reduce((total, x) => total + x, 0),
    found.length,
  );
}

/**
 * Area under the ROC curve; ties count half (Mann and Whitney 1947). Sorts once and returns a function of the weights.
 * @param {Numbers} scores @param {ArrayLike<boolean>} positive
 * @returns {(weight: Numbers) => number}  NaN if only one class has weight
 */
export function auc(scores, positive) {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a] - scores[b]);
  return (weight) => {
    let below = 0,
      wins = 0,
      positives = 0;
    for (let i = 0; i < order.length;) {
      let up = 0,
        down = 0;
      const score = scores[order[i]];
      for (; i < order.length && scores[order[i]] === score; i++) {
        if (positive[order[i]]) up += weight[order[i]];
        else down += weight[order[i]];
      }
      wins += up * (below + down / 2);
      positives += up;
      below += down;
    }
    return ratio(wins, positives * below);
  };
}

/**
 * Expected calibration error: the gap between confidence and accuracy over bins of equal width (Guo et al. 2017).
 * @param {Numbers} confidence  0..1 @param {ArrayLike<boolean>} correct @param {Numbers} weight @param {number} [bins]
 */
export function calibrationError(confidence, correct, weight, bins = 15) {
  const gap = new Float64Array(bins);
  let total = 0;
  for (let i = 0; i < confidence.length; i++) {
    const bin = Math.min(bins - 1, Math.floor(confidence[i] * bins));
    gap[bin] += weight[i] * (confidence[i] - Number(correct[i]));
    total += weight[i];
  }
  return ratio(
    gap.reduce((sum, x) => sum + Math.abs(x), 0),
    total,
  );
}
