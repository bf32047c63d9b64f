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
 * Sensitivity TP / (TP + FN), specificity TN / (TN + FP), PPV TP / (TP + FP) and NPV TN / (TN + FN) of one class against
 * the rest (Altman and Bland, BMJ 1994); NaN where undefined.
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

/**
 * Balanced accuracy: the mean sensitivity over classes (Brodersen et al. 2010); NaN if one of them has no weight.
 * @param {number[][]} matrix @param {number[]} [classes]  default: all @returns {number}
 */
export const balancedAccuracy = (matrix, classes = matrix.map((_, label) => label)) =>
  classes.reduce((total, label) => total + oneVsRest(matrix, label).sensitivity, 0) / classes.length;

/** @param {number[][]} matrix */
function margins(matrix) {
  const rows = matrix.map((row) => row.reduce((sum, n) => sum + n, 0));
  const columns = matrix.map((_, j) => matrix.reduce((sum, row) => sum + row[j], 0));
  return {
    rows,
    columns,
    all: rows.reduce((sum, n) => sum + n, 0),
    hits: matrix.reduce((sum, row, i) => sum + row[i], 0),
  };
}

/**
 * Cohen's kappa, (observed - expected) / (1 - expected), where expected is the agreement by chance of both margins
 * (Cohen 1960); NaN if it is 1.
 * @param {number[][]} matrix
 */
export function kappa(matrix) {
  const { rows, columns, all, hits } = margins(matrix);
  const expected = rows.reduce((sum, n, i) => sum + (n / all) * (columns[i] / all), 0);
  return ratio(hits / all - expected, 1 - expected);
}

/**
 * Matthews' correlation coefficient of several classes (Gorodkin 2004): with s films, c of them right, t of each class
 * and p predicted, (c s - sum t p) / sqrt((s^2 - sum p^2) (s^2 - sum t^2)); NaN if all films have one class or
 * prediction.
 * @param {number[][]} matrix
 */
export function matthews(matrix) {
  const { rows, columns, all, hits } = margins(matrix);
  const dot = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  return ratio(
    hits * all - dot(rows, columns),
    Math.sqrt((all ** 2 - dot(columns, columns)) * (all ** 2 - dot(rows, rows))),
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
 * Films by probability in bins of equal width, without the empty ones.
 * @param {Numbers} probability  0..1 @param {ArrayLike<boolean>} outcome @param {Numbers} weight @param {number} count
 *   of bins
 */
export function bins(probability, outcome, weight, count) {
  const all = Array.from({ length: count }, (_, i) => ({
    from: i / count,
    to: (i + 1) / count,
    weight: 0,
    predicted: 0,
    observed: 0,
    /** @type {number[]} */ films: [],
  }));
  for (let i = 0; i < probability.length; i++) {
    if (!weight[i]) continue;
    const bin = all[Math.min(count - 1, Math.floor(probability[i] * count))];
    bin.weight += weight[i];
    bin.predicted += weight[i] * probability[i];
    bin.observed += weight[i] * Number(outcome[i]);
    bin.films.push(i);
  }
  return all
    .filter((bin) => bin.weight)
    .map((bin) => ({ ...bin, predicted: bin.predicted / bin.weight, observed: bin.observed / bin.weight }));
}

/**
 * Expected calibration error: the mean distance of confidence and accuracy over bins of equal width, sum over bins of
 * n_b / n |accuracy_b - confidence_b| (Guo et al. 2017).
 * @param {Numbers} confidence  0..1 @param {ArrayLike<boolean>} correct @param {Numbers} weight @param {number} [count]
 *   of bins
 */
export function calibrationError(confidence, correct, weight, count = 15) {
  const gap = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < confidence.length; i++) {
    const bin = Math.min(count - 1, Math.floor(confidence[i] * count));
    gap[bin] += weight[i] * (confidence[i] - Number(correct[i]));
    total += weight[i];
  }
  return ratio(
    gap.reduce((sum, x) => sum + Math.abs(x), 0),
    total,
  );
}
