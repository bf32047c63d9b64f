// regression.mjs - logistic regression whose standard errors allow for several films of one patient.
import { FEWEST } from './intervals.mjs';

/** @typedef {ArrayLike<number>} Numbers @typedef {{ beta: number[], covariance: number[][] }} Fit */

const MAX_STEPS = 50,
  /** A log odds ratio beyond this means that the outcome is separated: there is no finite fit. */
  MAX_BETA = 100;

/**
 * Solves A x = b by Gauss with pivots.
 * @param {number[][]} a  square @param {number[]} b @returns {number[]}  NaN where A is singular
 */
function solve(a, b) {
  const rows = a.map((row, i) => [...row, b[i]]),
    n = b.length;
  for (let i = 0; i < n; i++) {
    const pivot = rows
      .slice(i)
      .reduce((best, row, j) => (Math.abs(row[i]) > Math.abs(rows[best][i]) ? i + j : best), i);
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let j = i + 1; j < n; j++) {
      const factor = rows[j][i] / rows[i][i];
      for (let k = i; k <= n; k++) rows[j][k] -= factor * rows[i][k];
    }
  }
  const x = new Array(n).fill(0);
  for (let i = n - 1; i >= 0; i--)
    x[i] = (rows[i][n] - x.reduce((sum, value, j) => (j > i ? sum + rows[i][j] * value : sum), 0)) / rows[i][i];
  return x;
}

/** @param {number[][]} a @returns {number[][]} its inverse */
const inverse = (a) => {
  const columns = a.map((_, i) =>
    solve(
      a,
      a.map((_, j) => Number(i === j)),
    ),
  );
  return a.map((_, i) => columns.map((column) => column[i]));
};

/** @param {number[][]} a @param {number[][]} b */
const product = (a, b) => a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));

/**
 * Logistic regression by Newton's method, with the sandwich covariance over patients (Liang and Zeger, Biometrika 1986):
 *   V = G / (G - 1) H^-1 (sum over patients s s') H^-1,
 * where H is the information and s a patient's sum of w (y - p) x.
 * @param {object} data
 * @param {Numbers[]} data.columns  of the design matrix, one per coefficient @param {Numbers} [data.offset]
 * @param {ArrayLike<boolean>} data.outcome @param {Numbers} data.weight  not negative
 * @param {Numbers} data.patient  numbers from 0
 * @returns {Fit | null}  null if there is no finite fit, as with one class only; the covariance is NaN with fewer than
 *   FEWEST patients
 */
export function logistic({ columns, offset, outcome, weight, patient }) {
  const k = columns.length,
    n = outcome.length;
  let beta = new Array(k).fill(0);
  /** @param {number[]} at */
  const evaluate = (at) => {
    const gradient = new Array(k).fill(0),
      information = Array.from({ length: k }, () => new Array(k).fill(0));
    let loss = 0;
    for (let i = 0; i < n; i++) {
      if (!weight[i]) continue;
      let z = offset?.[i] ?? 0;
      for (let j = 0; j < k; j++) z += at[j] * columns[j][i];
      const p = 1 / (1 + Math.exp(-z)),
        signed = outcome[i] ? z : -z;
      loss += weight[i] * (signed > 0 ? Math.log1p(Math.exp(-signed)) : Math.log1p(Math.exp(signed)) - signed);
      const residual = weight[i] * (Number(outcome[i]) - p),
        curve = weight[i] * p * (1 - p);
      for (let j = 0; j < k; j++) {
        gradient[j] += residual * columns[j][i];
        for (let l = 0; l <= j; l++) information[j][l] += curve * columns[j][i] * columns[l][i];
      }
    }
    for (let j = 0; j < k; j++) for (let l = 0; l < j; l++) information[l][j] = information[j][l];
    return { gradient, information, loss };
  };
  let state = evaluate(beta);
  for (let step = 0; ; step++) {
    const move = solve(state.information, state.gradient);
    if (step === MAX_STEPS || !move.every(Number.isFinite)) return null;
    // Halve a step that overshoots: far from the solution the curvature nearly vanishes.
    let length = 1,
      next = beta.map((b, j) => b + move[j]),
      reached = evaluate(next);
    while (!(reached.loss <= state.loss + 1e-12 * Math.abs(state.loss)) && length > 1e-6) {
      length /= 2;
      next = beta.map((b, j) => b + length * move[j]);
      reached = evaluate(next);
    }
    beta = next;
    state = reached;
    if (beta.some((b) => !(Math.abs(b) < MAX_BETA))) return null;
    if (move.every((x) => Math.abs(x) < 1e-9)) break;
  }
  const bread = inverse(state.information);
  if (!bread.flat().every(Number.isFinite)) return null;
  /** @type {number[][]} */ const scores = [];
  for (let i = 0; i < n; i++) {
    if (!weight[i]) continue;
    let z = offset?.[i] ?? 0;
    for (let j = 0; j < k; j++) z += beta[j] * columns[j][i];
    const residual = weight[i] * (Number(outcome[i]) - 1 / (1 + Math.exp(-z)));
    const own = (scores[patient[i]] ??= new Array(k).fill(0));
    for (let j = 0; j < k; j++) own[j] += residual * columns[j][i];
  }
  const all = scores.filter(Boolean);
  const meat = Array.from({ length: k }, (_, i) =>
    Array.from({ length: k }, (_, j) => all.reduce((sum, s) => sum + s[i] * s[j], 0)),
  );
  const factor = all.length < FEWEST ? NaN : all.length / (all.length - 1);
  const covariance = product(product(bread, meat), bread).map((row) => row.map((x) => x * factor));
  return { beta, covariance };
}

/** Quantiles of x at which the knots of a spline lie, by their number (Harrell, Regression Modeling Strategies). */
/** @type {{ [knots: number]: number[] }} */
const KNOTS = { 3: [0.1, 0.5, 0.9], 4: [0.05, 0.35, 0.65, 0.95] };

/**
 * The columns of a restricted cubic spline, linear beyond its outer knots (Stone and Koo 1985; Harrell's form): 1, x and
 * for each knot t_j but the last two, with (u)+ = max(0, u),
 *   ((x - t_j)+^3 - (x - t_k-1)+^3 (t_k - t_j) / (t_k - t_k-1) + (x - t_k)+^3 (t_k-1 - t_j) / (t_k - t_k-1)) / (t_k - t_1)^2.
 * @param {number[]} knots  increasing; fewer than three give a straight line
 * @returns {(x: number) => number[]}
 */
export function spline(knots) {
  const cube = (/** @type {number} */ u) => (u > 0 ? u ** 3 : 0);
  const last = knots[knots.length - 1],
    before = knots[knots.length - 2];
  return (x) => [
    1,
    x,
    ...knots
      .slice(0, -2)
      .map(
        (knot) =>
          (cube(x - knot) -
            (cube(x - before) * (last - knot)) / (last - before) +
            (cube(x - last) * (before - knot)) / (last - before)) /
          (last - knots[0]) ** 2,
      ),
  ];
}

/**
 * The knots for values x: none if two of them would coincide.
 * @param {number[]} x @param {3 | 4} count @param {(sorted: Float64Array, q: number) => number} quantile
 */
export function knotsOf(x, count, quantile) {
  const sorted = Float64Array.from(x).sort();
  const knots = KNOTS[count].map((q) => quantile(sorted, q));
  return knots.every((knot, i) => !i || knot - knots[i - 1] > 1e-6) ? knots : [];
}
