// bootstrap.mjs - intervals by a bootstrap that resamples patients, for figures that have none in closed form.

/** @typedef {import('./intervals.mjs').Figure} Figure @typedef {{ rounds?: number, seed?: number }} Draws */

/** Rounds of a bootstrap unless a person sets them: with so many, another seed moves no bound by a tenth of a percent. */
export const ROUNDS = 10000;

/** Rounding error below which two values are equal. */
const ROUNDING = 1e-12;

/** A bound is not reported if more than this share of the rounds could not compute the metric. */
const MAX_LEFT_OUT = 0.05;

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
 * The weights of each round: how often its patient was drawn, with replacement (Efron 1979; whole patients, Field and
 * Welsh 2007).
 * @param {{ patient: string }[]} films @param {Draws} draws
 * @param {(weight: Float64Array) => void} use  called once per round; the array is overwritten by the next
 */
function eachRound(films, { rounds = ROUNDS, seed = 1 }, use) {
  const numbers = new Map([...new Set(films.map((film) => film.patient))].map((patient, number) => [patient, number]));
  const patient = Int32Array.from(films, (film) => numbers.get(film.patient) ?? 0);
  const draw = random(seed);
  const times = new Float64Array(numbers.size);
  const weight = new Float64Array(films.length);
  for (let round = 0; round < rounds; round++) {
    times.fill(0);
    for (let i = 0; i < times.length; i++) times[Math.floor(draw() * times.length)]++;
    for (let i = 0; i < weight.length; i++) weight[i] = times[patient[i]];
    use(weight);
  }
}

/**
 * Metrics with percentile intervals from a bootstrap over patients. Rounds that cannot compute a metric, for example
 * because a class is missing in them, are left out and counted in `leftOut`. No interval is given if more than 5 % are
 * left out, or if all rounds agree: a zero-width interval would be misleading.
 * @param {{ patient: string }[]} films
 * @param {(weight: Float64Array) => ArrayLike<number>} metrics  of the films with these weights; NaN where undefined
 * @param {Draws} [draws]  ROUNDS with seed 1 @returns {(Figure & { leftOut?: number })[]}
 */
export function bootstrap(films, metrics, draws = {}) {
  const values = Array.from(metrics(new Float64Array(films.length).fill(1)));
  const { rounds = ROUNDS } = draws;
  const drawn = values.map(() => new Float64Array(rounds));
  let round = 0;
  eachRound(films, draws, (weight) => {
    const found = metrics(weight);
    for (let i = 0; i < drawn.length; i++) drawn[i][round] = found[i];
    round++;
  });
  return values.map((value, i) => {
    const defined = drawn[i].filter((x) => !Number.isNaN(x)).sort();
    const leftOut = rounds - defined.length;
    if (!defined.length || leftOut > MAX_LEFT_OUT * rounds) return { value, low: null, high: null, leftOut };
    const [low, high] = [0.025, 0.975].map((q) => quantile(defined, q));
    const figure = high - low < ROUNDING ? { value, low: null, high: null } : { value, low, high };
    return leftOut ? { ...figure, leftOut } : figure;
  });
}
