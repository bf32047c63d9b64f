// Intervals: Wilson's for shares, and a bootstrap that resamples patients for everything else.

/** No metric is reported over fewer films. */
export const FEWEST = 10;

/** Rounding error below which two values are equal. */
const ROUNDING = 1e-12;

/** The 97.5 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/**
 * A value with its 95 % interval; the bounds are null where there is no interval.
 * @typedef {{ value: number, low: number | null, high: number | null }} Figure
 */

/**
 * A proportion with Wilson's 95 % interval (Wilson 1927). Films of one patient are correlated, so each patient counts
 * as one case.
 * @param {number} share  0..1 @param {number} n  independent cases, not necessarily an integer @returns {Figure}
 */
export function wilson(share, n) {
  if (!n) return { value: share, low: null, high: null };
  const centre = share + (Z * Z) / (2 * n);
  const spread = Z * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n));
  const scale = 1 + (Z * Z) / n;
  return { value: share, low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}

/**
 * mulberry32 by Tommy Ettinger: the same seed gives the same numbers everywhere.
 * @param {number} seed
 * @returns {() => number} 0 <= x < 1
 */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * The q-quantile, interpolated linearly (type 7 of Hyndman and Fan 1996).
 * @param {Float64Array} sorted  not empty @param {number} q  0..1
 */
export function quantile(sorted, q) {
  const position = q * (sorted.length - 1);
  const low = Math.floor(position);
  return sorted[low] + (position - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

/** The number of different patients. @param {{ patient: string }[]} films */
export const patientsOf = (films) => new Set(films.map(({ patient }) => patient)).size;

/**
 * Metrics with percentile intervals from a bootstrap that draws whole patients with replacement (Efron 1979). No
 * interval is given if more than 5 % of the rounds cannot compute the metric, or if all rounds agree: a zero-width
 * interval would be misleading.
 * @param {{ patient: string }[]} films
 * @param {(weight: Float64Array) => number[]} metrics  the metrics of the films with these weights; NaN where undefined
 * @param {number} [rounds] @param {number} [seed] @returns {Figure[]}
 */
export function bootstrap(films, metrics, rounds = 1000, seed = 1) {
  const numbers = new Map(
    [...new Set(films.map(({ patient }) => patient))].map((patient, number) => [patient, number]),
  );
  const patient = films.map((film) => numbers.get(film.patient) ?? 0);
  const draw = random(seed);
  const times = new Float64Array(numbers.size);
  const weight = new Float64Array(films.length);
  /** @type {number[][]} */ const drawn = [];
  for (let round = 0; round < rounds; round++) {
    times.fill(0);
    for (let i = 0; i < times.length; i++) times[Math.floor(draw() * times.length)]++;
    for (let i = 0; i < weight.length; i++) weight[i] = times[patient[i]];
    drawn.push(metrics(weight));
  }
  return metrics(weight.fill(1)).map((value, i) => {
    const defined = Float64Array.from(drawn.map((values) => values[i]).filter((x) => !Number.isNaN(x))).sort();
    const [low, high] = [0.025, 0.975].map((q) => quantile(defined, q));
    return defined.length < 0.95 * rounds || high - low < ROUNDING
      ? { value, low: null, high: null }
      : { value, low, high };
  });
}
