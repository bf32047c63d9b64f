// The figures of an evaluation: pure functions over arrays, each film with a weight so that one bootstrap serves all.

/** @typedef {ArrayLike<number>} Numbers */

/** A figure with fewer films behind it is not given. */
export const FEWEST = 10;

/** 97.5 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/** Wilson's 95 % interval of a share. @param {number} hits @param {number} n @returns {[number, number]} */
export function wilson(hits, n) {
  if (!n) return [NaN, NaN];
  const share = hits / n;
  const centre = share + (Z * Z) / (2 * n);
  const spread = Z * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n));
  const scale = 1 + (Z * Z) / n;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
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
 * One class against the rest; `of` holds what each share was taken of.
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
    sensitivity: share(hit, is), specificity: share(neither, all - is),
    ppv: share(hit, called), npv: share(neither, all - called),
    of: { sensitivity: is, specificity: all - is, ppv: called, npv: all - called },
  };
}

/** @param {number[][]} matrix @returns {number} mean sensitivity over the classes that occur */
export function balanced(matrix) {
  const found = matrix.map((row, label) => against(matrix, label).sensitivity).filter((x) => !Number.isNaN(x));
  return share(found.reduce((total, x) => total + x, 0), found.length);
}

/**
 * Area under the ROC curve, ties counted half. Sorts once; the returned function is called for each set of weights.
 * @param {Numbers} scores @param {ArrayLike<boolean>} positive @returns {(weight: Numbers) => number} NaN with one class only
 */
export function auc(scores, positive) {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a] - scores[b]);
  return (weight) => {
    let below = 0, wins = 0, positives = 0;
    for (let i = 0; i < order.length;) {
      let up = 0, down = 0;
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
  return share(gap.reduce((sum, x) => sum + Math.abs(x), 0), total);
}

/** Linear between the two nearest. @param {Float64Array} sorted @param {number} q */
export function quantile(sorted, q) {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

/**
 * 95 % intervals by drawing whole clusters (patients) with replacement. A figure that more than one round in twenty
 * cannot give has no interval.
 * @param {Numbers} cluster of each film, 0..clusters-1 @param {number} clusters
 * @param {(weight: Float64Array) => number[]} figures @param {number} [rounds] @param {number} [seed]
 * @returns {([number, number] | null)[]} one for each figure
 */
export function bootstrap(cluster, clusters, figures, rounds = 1000, seed = 1) {
  const draw = random(seed);
  const times = new Float64Array(clusters);
  const weight = new Float64Array(cluster.length);
  /** @type {number[][]} */ const values = [];
  for (let round = 0; round < rounds; round++) {
    times.fill(0);
    for (let i = 0; i < clusters; i++) times[Math.floor(draw() * clusters)]++;
    for (let i = 0; i < weight.length; i++) weight[i] = times[cluster[i]];
    values.push(figures(weight));
  }
  return (values[0] ?? []).map((_, i) => {
    const known = Float64Array.from(values.map((row) => row[i]).filter((x) => !Number.isNaN(x))).sort();
    return known.length < 0.95 * rounds ? null : [quantile(known, 0.025), quantile(known, 0.975)];
  });
}
