// curves.mjs - the curves of an evaluation as numbers, over weighted films: ROC, precision-recall and net benefit.
import { clusteredError, Z } from './intervals.mjs';

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

/** Sensitivities at which the band of a precision-recall curve is computed: 0.01 ... 1. */
export const RECALLS = GRID.slice(1);

/**
 * The precision-recall curve (Davis and Goadrich 2006) and its average precision, sum of (R_n - R_n-1) P_n over the
 * thresholds, without interpolation.
 * @param {Numbers} scores @param {ArrayLike<boolean>} positive
 * @returns {(weight: Numbers) => { points: Point[], average: number }}  points: sensitivity and PPV, one per threshold;
 *   empty, and NaN, if no positive film has weight
 */
export function precisionRecall(scores, positive) {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  return (weight) => {
    let positives = 0;
    for (let i = 0; i < order.length; i++) if (positive[i]) positives += weight[i];
    if (!positives) return { points: [], average: NaN };
    let up = 0,
      all = 0,
      average = 0;
    /** @type {Point[]} */ const points = [];
    for (let i = 0; i < order.length;) {
      const score = scores[order[i]],
        before = up;
      for (; i < order.length && scores[order[i]] === score; i++) {
        if (positive[order[i]]) up += weight[order[i]];
        all += weight[order[i]];
      }
      if (!all) continue;
      average += ((up - before) / positives) * (up / all);
      points.push([up / positives, up / all]);
    }
    return { points, average };
  };
}

/**
 * The precision of a curve at each of RECALLS: that of the first threshold which reaches the sensitivity.
 * @param {Point[]} points  of precisionRecall() @returns {number[]}  NaN if the curve is empty
 */
export function onRecalls(points) {
  let i = 0;
  return RECALLS.map((recall) => {
    while (i < points.length && points[i][0] < recall - 1e-12) i++;
    return points[i]?.[1] ?? NaN;
  });
}

/**
 * The decision curve (Vickers and Elkin 2006): net benefit of acting where the probability reaches a threshold t,
 * TP/n - FP/n * t/(1 - t). `all` is the net benefit of always acting; that of never acting is 0. The band is value +- z
 * SE of that mean over patients (see clusteredError).
 * @param {Numbers} probability @param {ArrayLike<boolean>} positive @param {Numbers} weight @param {ArrayLike<number>}
 *   patient  numbers from 0
 * @param {number[]} thresholds 0 <= t < 1
 */
export function netBenefit(probability, positive, weight, patient, thresholds) {
  const films = Array.from(probability, (_, i) => i);
  const total = films.reduce((sum, i) => sum + weight[i], 0);
  return thresholds.map((threshold) => {
    const odds = threshold / (1 - threshold);
    const benefit = (/** @type {number} */ i) => (positive[i] ? 1 : -odds);
    const own = films.map((i) => (probability[i] >= threshold ? benefit(i) : 0));
    const model = films.reduce((sum, i) => sum + (weight[i] * own[i]) / total, 0);
    const all = films.reduce((sum, i) => sum + (weight[i] * benefit(i)) / total, 0);
    const error = clusteredError(
      films.map((i) => (weight[i] * (own[i] - model)) / total),
      patient,
    );
    return Number.isFinite(error)
      ? { threshold, model, low: model - Z * error, high: model + Z * error, all }
      : { threshold, model, low: null, high: null, all };
  });
}
