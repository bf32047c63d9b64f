// The figures of an evaluation: pure functions over arrays, each film with a weight so that one bootstrap serves all.

/** @typedef {ArrayLike<number>} Numbers */

/** A figure with fewer films behind it is not given. */
export const FEWEST = 10;

/** Figures that differ by less are the same. */
const ROUNDING = 1e-12;

/** 97.5 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/**
 * A value with its 95 % interval; null where too few films stand behind it to tell one.
 * @typedef {{ value: number, low: number | null, high: number | null }} Figure
 */

/**
 * A share with Wilson's 95 % interval. The films of one patient are alike: they count as one case.
 * @param {number} share 0..1 @param {number} n independent cases, whole or not @returns {Figure}
 */
export function wilson(share, n) {
  if (!n) return { value: share, low: null, high: null };
  const centre = share + (Z * Z) / (2 * n);
  const spread = Z * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n));
  const scale = 1 + (Z * Z) / n;
  return { value: share, low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}

/** mulberry32: the same numbers from the same seed everywhere. @param {number} seed @returns {() => number} 0 <= x < 1 */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

/** Rows: truth, columns: guess. @param {Numbers} truth @param {Numbers} guess @param {number} classes @param {Numbers} weight */
export function confusion(truth, guess, classes, weight) {
  const matrix = Array.from({ length: classes }, () => new Array(classes).fill(0));
  for (let i = 0; i < truth.length; i++) matrix[truth[i]][guess[i]] += weight[i];
  return matrix;
}

/** @param {number} part @param {number} whole */
const share = (part, whole) => (whole ? part / whole : NaN);

/**
 * One class against the rest.
 * @param {number[][]} matrix @param {number} label
 */
export function against(matrix, label) {
  const sum = (cells) => cells.reduce((total, cell) => total + cell, 0);
  const all = sum(matrix.map(sum));
  const hit = matrix[label][label];
  const is = sum(matrix[label]);
  const called = sum(matrix.map((row) => row[label]));
  const neither = all - is - called + hit;
  return {
    sensitivity: share(hit, is),
    specificity: share(neither, all - is),
    ppv: share(hit, called),
    npv: share(neither, all - called),
  };
}

/** @param {number[][]} matrix @returns {number} mean sensitivity over the classes that occur */
export function balanced(matrix) {
  const found = matrix.map((row, label) => against(matrix, label).sensitivity).filter((x) => !Number.isNaN(x));
  return share(
    found.reduce((total, x) => total + x, 0),
    found.length,
  );
}

/**
 * Area under the ROC curve, ties counted half. Sorts once; the returned function is called for each set of weights.
 * @param {Numbers} scores @param {ArrayLike<boolean>} positive @returns {(weight: Numbers) => number} NaN with one class only
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
    return share(wins, positives * below);
  };
}

/**
 * Expected calibration error: confidence against accuracy in equal bins (Guo et al. 2017).
 * @param {Numbers} confidence 0..1 @param {ArrayLike<boolean>} right @param {Numbers} weight @param {number} [bins]
 */
export function calibrationError(confidence, right, weight, bins = 15) {
  const gap = new Float64Array(bins);
  let total = 0;
  for (let i = 0; i < confidence.length; i++) {
    const bin = Math.min(bins - 1, Math.floor(confidence[i] * bins));
    gap[bin] += weight[i] * (confidence[i] - Number(right[i]));
    total += weight[i];
  }
  return share(
    gap.reduce((sum, x) => sum + Math.abs(x), 0),
    total,
  );
}

/** Linear between the two nearest. @param {Float64Array} sorted @param {number} q */
export function quantile(sorted, q) {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

/** @param {{ patient: string }[]} films */
export const patientsOf = (films) => new Set(films.map(({ patient }) => patient)).size;

/**
 * Figures of films with their intervals, by drawing whole patients with replacement. One that more than one round in twenty
 * cannot give has no interval; nor has one that is the same in every round: where all agree, nothing tells how far others
 * would be off.
 * @param {{ patient: string }[]} films @param {(weight: Float64Array) => number[]} figures of the films so weighted
 * @param {number} [rounds] @param {number} [seed] @returns {Figure[]}
 */
export function bootstrap(films, figures, rounds = 1000, seed = 1) {
  const numbers = new Map(
    [...new Set(films.map(({ patient }) => patient))].map((patient, number) => [patient, number]),
  );
  const patient = films.map((film) => numbers.get(film.patient));
  const draw = random(seed);
  const times = new Float64Array(numbers.size);
  const weight = new Float64Array(films.length);
  /** @type {number[][]} */ const drawn = [];
  for (let round = 0; round < rounds; round++) {
    times.fill(0);
    for (let i = 0; i < times.length; i++) times[Math.floor(draw() * times.length)]++;
    for (let i = 0; i < weight.length; i++) weight[i] = times[patient[i]];
    drawn.push(figures(weight));
  }
  return figures(weight.fill(1)).map((value, i) => {
    const known = Float64Array.from(drawn.map((values) => values[i]).filter((x) => !Number.isNaN(x))).sort();
    const [low, high] = [0.025, 0.975].map((q) => quantile(known, q));
    return known.length < 0.95 * rounds || high - low < ROUNDING
      ? { value, low: null, high: null }
      : { value, low, high };
  });
}
