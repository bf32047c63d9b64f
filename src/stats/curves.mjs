// The curves of an evaluation as numbers: ROC, reliability, net benefit and calibration slope, over weighted films.
import { wilson } from './bootstrap.mjs';

/** @typedef {import('./scores.mjs').Numbers} Numbers @typedef {[number, number]} Point */

/** False positive rates at which the band of a ROC curve is computed: 0, 0.01 ... 1. */
export const GRID = Array.from({ length: 101 }, (_, i) => i / 100);

/**
 * The ROC curve from (0, 0) to (1, 1); films with equal scores form one straight segment. Sorts once and returns a
 * function of the weights.
 * @param {Numbers} scores @param {ArrayLike<boolean>} positive
 * @returns {(weight: Numbers) => Point[]} false positive rate and sensitivity, corners only; empty if only one class
 *   has weight
 */
export function roc(scores, positive) {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  return (weight) => {
    let up = 0,
      down = 0;
    /** @type {Point[]} */ const points = [[0, 0]];
    for (let i = 0; i < order.length;) {
      const score = scores[order[i]];
      for (; i < order.length && scores[order[i]] === score; i++) {
        if (positive[order[i]]) up += weight[order[i]];
        else down += weight[order[i]];
      }
      const [from, by] = points.slice(-2);
      // The cross product of both segments is zero: the last point lies on a straight line and is not a corner.
      if (by && (by[0] - from[0]) * (up - by[1]) === (by[1] - from[1]) * (down - by[0])) points.pop();
      points.push([down, up]);
    }
    return up && down ? points.map(([x, y]) => [x / down, y / up]) : [];
  };
}

/**
 * A ROC curve at the rates of GRID.
 * @param {Point[]} curve  of roc()
 * @returns {number[]} the sensitivity at each rate; NaN if the curve is empty
 */
export function onGrid(curve) {
  if (!curve.length) return GRID.map(() => NaN);
  let i = 0;
  return GRID.map((x) => {
    while (i + 1 < curve.length && curve[i + 1][0] <= x) i++;
    const [x0, y0] = curve[i],
      [x1, y1] = curve[i + 1] ?? curve[i];
    return x1 > x0 ? y0 + ((x - x0) * (y1 - y0)) / (x1 - x0) : y0;
  });
}

/**
 * The reliability diagram: predicted and observed frequency in bins of equal width, without the empty ones. The
 * interval is Wilson's for Kish's effective sample size (Kish 1965).
 * @param {Numbers} probability 0..1 @param {ArrayLike<boolean>} positive @param {Numbers} weight @param {number} [bins]
 */
export function reliability(probability, positive, weight, bins = 10) {
  const all = Array.from({ length: bins }, () => ({ n: 0, total: 0, squares: 0, predicted: 0, observed: 0 }));
  for (let i = 0; i < probability.length; i++) {
    const bin = all[Math.min(bins - 1, Math.floor(probability[i] * bins))];
    bin.n++;
    bin.total += weight[i];
    bin.squares += weight[i] * weight[i];
    bin.predicted += weight[i] * probability[i];
    bin.observed += weight[i] * Number(positive[i]);
  }
  return all.flatMap(({ n, total, squares, predicted, observed }, i) => {
    if (!total) return [];
    const { low, high } = wilson(observed / total, (total * total) / squares);
    return [
      { from: i / bins, to: (i + 1) / bins, n, predicted: predicted / total, observed: observed / total, low, high },
    ];
  });
}

/**
 * The decision curve (Vickers and Elkin 2006): net benefit of acting where the probability reaches a threshold t,
 * TP/n - FP/n * t/(1 - t). `all` is the net benefit of always acting; that of never acting is 0.
 * @param {Numbers} probability @param {ArrayLike<boolean>} positive @param {Numbers} weight
 * @param {number[]} thresholds 0 <= t < 1
 */
export function netBenefit(probability, positive, weight, thresholds) {
  const order = Array.from(probability, (_, i) => i).sort((a, b) => probability[b] - probability[a]);
  let total = 0,
    positives = 0;
  for (let i = 0; i < order.length; i++) {
    total += weight[i];
    if (positive[i]) positives += weight[i];
  }
  let up = 0,
    down = 0,
    i = 0;
  return [...thresholds]
    .sort((a, b) => b - a)
    .map((threshold) => {
      for (; i < order.length && probability[order[i]] >= threshold; i++) {
        if (positive[order[i]]) up += weight[order[i]];
        else down += weight[order[i]];
      }
      const odds = threshold / (1 - threshold);
      return { threshold, model: (up - down * odds) / total, all: (positives - (total - positives) * odds) / total };
    })
    .reverse();
}

/**
 * The calibration slope: the coefficient of the predicted log odds in a logistic regression on the outcome (Cox 1958).
 * 1 is ideal, less than 1 overconfident. Newton's method; NaN if there is no finite fit, as with one class only.
 * @param {Numbers} probability @param {ArrayLike<boolean>} positive @returns {(weight: Numbers) => number}
 */
export function calibrationSlope(probability, positive) {
  const odds = Float64Array.from(probability, (p) => {
    const clamped = Math.min(1 - 1e-6, Math.max(1e-6, p));
    return Math.log(clamped / (1 - clamped));
  });
  /** @param {Numbers} weight @param {[number, number]} start intercept, slope @returns {[number, number]} */
  function fit(weight, [intercept, slope]) {
    for (let round = 0; round < 30 && Math.abs(slope) < 100; round++) {
      let g0 = 0,
        g1 = 0,
        h00 = 0,
        h01 = 0,
        h11 = 0;
      for (let i = 0; i < odds.length; i++) {
        if (!weight[i]) continue;
        const p = 1 / (1 + Math.exp(-intercept - slope * odds[i]));
        const gap = weight[i] * (Number(positive[i]) - p),
          curve = weight[i] * p * (1 - p);
        g0 += gap;
        g1 += gap * odds[i];
        h00 += curve;
        h01 += curve * odds[i];
        h11 += curve * odds[i] * odds[i];
      }
      const determinant = h00 * h11 - h01 * h01;
      const deltaIntercept = (h11 * g0 - h01 * g1) / determinant,
        deltaSlope = (h00 * g1 - h01 * g0) / determinant;
      intercept += deltaIntercept;
      slope += deltaSlope;
      if (Math.abs(deltaIntercept) < 1e-6 && Math.abs(deltaSlope) < 1e-6) return [intercept, slope];
    }
    return [NaN, NaN];
  }
  // Started at slope 1, Newton overshoots for overconfident models and never recovers. The fit to all films is a good
  // start for each resample of them.
  const found = fit(new Float64Array(odds.length).fill(1), [0, 0]);
  return (weight) => fit(weight, found)[1];
}
