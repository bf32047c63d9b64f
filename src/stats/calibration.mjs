// calibration.mjs - whether probabilities can be taken at their word: in the large, slope, curve, Brier score, log loss
// and ECE, as TRIPOD+AI asks for. Films may have weights, so that their class mix is that of a given prevalence.
import { quantile, random } from './bootstrap.mjs';
import { clusteredError, FEWEST, share, wilson, Z } from './intervals.mjs';
import { knotsOf, logistic, spline } from './regression.mjs';
import { bins } from './scores.mjs';

/**
 * @typedef {import('./intervals.mjs').Figure} Figure
 * @typedef {ArrayLike<number>} Numbers
 * @typedef {object} Outcomes  films with the probability of one label
 * @property {number[]} probability  0..1 @property {boolean[]} outcome  whether the label is the truth
 * @property {number[]} weight  not negative @property {number[]} patient  numbers from 0
 */

/** Probabilities are kept away from 0 and 1 by this much before a logarithm; records have six decimals. */
const SMALLEST = 1e-6;

/** @param {number} p */
const clamped = (p) => Math.min(1 - SMALLEST, Math.max(SMALLEST, p));
/** @param {number} p */
const logit = (p) => Math.log(clamped(p) / (1 - clamped(p)));
/** @param {number} x */
const expit = (x) => 1 / (1 + Math.exp(-x));
/** @param {Numbers} values */
const sum = (values) => Array.from(values).reduce((total, x) => total + x, 0);

/** @param {number} value @param {number} error @returns {Figure} */
const normal = (value, error) =>
  Number.isFinite(error)
    ? { value, low: value - Z * error, high: value + Z * error }
    : { value, low: null, high: null };

/**
 * A weighted mean over films, with its interval over patients. @param {number[]} values @param {Outcomes} films
 * @returns {Figure}
 */
function meanOf(values, { weight, patient }) {
  const total = sum(weight),
    value = sum(values.map((x, i) => weight[i] * x)) / total;
  return normal(
    value,
    clusteredError(
      values.map((x, i) => (weight[i] * (x - value)) / total),
      patient,
    ),
  );
}

/**
 * Calibration in the large: the intercept a of logit P(y) = a + logit p (Cox 1958; Steyerberg 2009). 0 is ideal; above 0
 * the label is more frequent than predicted. The interval is that of the sandwich over patients.
 * @param {Outcomes} films @returns {Figure | null}
 */
function calibrationIntercept(films) {
  const fit = logistic({ ...films, columns: [films.probability.map(() => 1)], offset: films.probability.map(logit) });
  return fit && normal(fit.beta[0], Math.sqrt(fit.covariance[0][0]));
}

/**
 * The calibration slope: b of logit P(y) = a + b logit p (Cox 1958). 1 is ideal, less than 1 overconfident.
 * @param {Outcomes} films @returns {Figure | null}  null if no finite fit exists
 */
export function calibrationSlope(films) {
  const fit = logistic({ ...films, columns: [films.probability.map(() => 1), films.probability.map(logit)] });
  return fit && normal(fit.beta[1], Math.sqrt(fit.covariance[1][1]));
}

/**
 * O/E: how many films have the label, over the sum of their probabilities (Debray et al., BMJ 2017). The interval is
 * computed on the logarithm, with the standard error of a ratio over patients.
 * @param {Outcomes} films @returns {Figure | null}
 */
export function observedToExpected({ probability, outcome, weight, patient }) {
  const observed = sum(weight.map((w, i) => w * Number(outcome[i]))),
    expected = sum(weight.map((w, i) => w * probability[i]));
  if (!(observed > 0 && expected > 0)) return null;
  const value = observed / expected;
  const error = clusteredError(
    weight.map((w, i) => (w * (Number(outcome[i]) - value * probability[i])) / observed),
    patient,
  );
  return Number.isFinite(error)
    ? { value, low: value * Math.exp(-Z * error), high: value * Math.exp(Z * error) }
    : { value, low: null, high: null };
}

/**
 * The Brier score of one label, the mean of (p - y)^2 (Brier 1950), and its decomposition over ten bins (Murphy 1973;
 * the part within bins, Stephenson et al. 2008):
 *   Brier = reliability - resolution + uncertainty + within.
 * Reliability is 0 at best, resolution is what the probabilities tell apart, uncertainty is that of the class mix.
 * @param {Outcomes} films
 */
export function brier(films) {
  const { probability, outcome, weight } = films;
  const score = meanOf(
    probability.map((p, i) => (p - Number(outcome[i])) ** 2),
    films,
  );
  const total = sum(weight),
    base = sum(weight.map((w, i) => w * Number(outcome[i]))) / total;
  let reliability = 0,
    resolution = 0;
  for (const bin of bins(probability, outcome, weight, 10)) {
    reliability += (bin.weight / total) * (bin.predicted - bin.observed) ** 2;
    resolution += (bin.weight / total) * (bin.observed - base) ** 2;
  }
  const uncertainty = base * (1 - base);
  return { score, reliability, resolution, uncertainty, within: score.value - reliability + resolution - uncertainty };
}

/**
 * Scores over all classes: the multiclass Brier score, the mean of sum_k (p_k - y_k)^2 (0 to 2), and the log loss, the
 * mean of -ln of the probability that the true class was given (natural logarithm).
 * @param {{ truth: number, probability: number[] }[]} scored @param {number[]} weight @param {number[]} patient
 */
export function overallScores(scored, weight, patient) {
  const films = { probability: [], outcome: [], weight, patient };
  return {
    brier: meanOf(
      scored.map(({ truth, probability }) => sum(probability.map((p, k) => (p - Number(k === truth)) ** 2))),
      films,
    ),
    logLoss: meanOf(
      scored.map(({ truth, probability }) => -Math.log(Math.max(SMALLEST, probability[truth]))),
      films,
    ),
  };
}

/** Points of a calibration curve. */
const POINTS = 41;

/**
 * The smooth calibration curve with its pointwise 95 % band: logistic regression of the outcome on a restricted cubic
 * spline of logit p (Harrell; Van Calster et al., J Clin Epidemiol 2016), four knots from 100 films of either outcome on,
 * else three, none if probabilities coincide. The band is that of the sandwich over patients, on the logit scale.
 * @param {Outcomes} films
 * @returns {{ predicted: number, observed: number, low: number | null, high: number | null }[]}  from the 1 % to the 99 %
 *   quantile of the probabilities; empty if no finite fit exists
 */
export function calibrationCurve(films) {
  const { probability, outcome, weight } = films;
  const used = probability.map((_, i) => i).filter((i) => weight[i]);
  const x = used.map((i) => logit(probability[i]));
  const positives = used.filter((i) => outcome[i]).length,
    rarer = Math.min(positives, used.length - positives);
  if (rarer < FEWEST) return [];
  const basis = spline(knotsOf(x, rarer < 100 ? 3 : 4, quantile));
  const rows = probability.map((p) => basis(logit(p)));
  const fit = logistic({ ...films, columns: rows[0].map((_, j) => rows.map((row) => row[j])) });
  if (!fit) return [];
  const sorted = Float64Array.from(used, (i) => probability[i]).sort();
  const [first, last] = [quantile(sorted, 0.01), quantile(sorted, 0.99)];
  return Array.from({ length: POINTS }, (_, i) => {
    const predicted = first + ((last - first) * i) / (POINTS - 1),
      row = basis(logit(predicted));
    const z = sum(row.map((b, j) => b * fit.beta[j]));
    const variance = sum(row.map((a, j) => sum(row.map((b, k) => a * b * fit.covariance[j][k]))));
    const error = Math.sqrt(Math.max(0, variance));
    return Number.isFinite(error)
      ? { predicted, observed: expit(z), low: expit(z - Z * error), high: expit(z + Z * error) }
      : { predicted, observed: expit(z), low: null, high: null };
  });
}

/**
 * The reliability diagram: predicted and observed frequency in ten bins, the observed one with Wilson's interval for the
 * number of films that these are worth (see intervals.mjs; weights by Kish 1965).
 * @param {Outcomes} films @param {number} [count] of bins
 */
export function reliability({ probability, outcome, weight, patient }, count = 10) {
  return bins(probability, outcome, weight, count).map(({ from, to, films, predicted, observed, weight: total }) => {
    const effective = effectiveFilms(films, outcome, weight, patient);
    const { low, high } = wilson(observed, effective);
    return { from, to, n: films.length, weight: total, effective, predicted, observed, low, high };
  });
}

/**
 * How many independent films of equal weight these are worth.
 * @param {number[]} films @param {boolean[]} outcome @param {number[]} weight @param {number[]} patient
 */
function effectiveFilms(films, outcome, weight, patient) {
  const own = share(
    films.map((i) => outcome[i]),
    films.map((i) => patient[i]),
  );
  const total = sum(films.map((i) => weight[i])),
    squares = sum(films.map((i) => weight[i] ** 2));
  return ((own?.effective ?? 0) * total ** 2) / squares / films.length;
}

/** Simulated studies per step of the search for a bound. */
const STUDIES = 1000;

/**
 * Hits among n films at probability p, as the u-quantile of the binomial distribution; beyond a variance of 10 by the
 * normal approximation. @param {number} n @param {number} p @param {number} u  0..1 @param {number} z  its normal deviate
 * @returns {number}
 */
function binomial(n, p, u, z) {
  if (p <= 0) return 0;
  if (p >= 1) return n;
  const variance = n * p * (1 - p);
  if (variance > 10) return Math.min(n, Math.max(0, n * p + z * Math.sqrt(variance)));
  if (p > 0.5) return n - binomial(n, 1 - p, 1 - u, -z);
  let term = (1 - p) ** n,
    total = term,
    hits = 0;
  while (total < u && hits < n) {
    term *= ((n - hits) / (hits + 1)) * (p / (1 - p));
    hits++;
    total += term;
  }
  return hits;
}

/**
 * The expected calibration error over 15 bins with an interval by test inversion. The ECE of few films is above 0 even
 * if every probability is right, so no resampling of the films can reach 0. Instead studies of this size are simulated in
 * which the gap of each bin is s times the one found, or in which all gaps are s * ECE, and the interval holds the errors
 * s * ECE of those s whose studies give an ECE like the one found (neither tail below 2.5 %). A calibrated model, s = 0,
 * is in it in 97.5 % of studies.
 * @param {number[]} confidence @param {boolean[]} correct @param {number[]} weight @param {number[]} patient
 * @param {number} [seed]
 * @returns {Figure & { calibrated: number }}  calibrated: the mean ECE of a calibrated model over as many films
 */
export function calibrationErrorFigure(confidence, correct, weight, patient, seed = 1) {
  const total = sum(weight);
  const found = bins(confidence, correct, weight, 15).map((bin) => ({
    share: bin.weight / total,
    predicted: bin.predicted,
    gap: bin.predicted - bin.observed,
    n: Math.max(1, Math.round(effectiveFilms(bin.films, correct, weight, patient))),
  }));
  const value = sum(found.map(({ share: part, gap }) => part * Math.abs(gap)));
  const draw = random(seed);
  const chances = found.map(() =>
    Array.from({ length: STUDIES }, () => {
      const u = draw();
      return { u, z: normalQuantile(u) };
    }),
  );
  const direction = Math.sign(sum(found.map(({ share: part, gap }) => part * gap)));
  const patterns = [found.map(({ gap }) => gap), found.map(() => direction * value)];
  /** ECEs of simulated studies, sorted. @param {number} scale @param {number[]} gaps of the bins */
  const studies = (scale, gaps) => {
    const errors = new Float64Array(STUDIES);
    found.forEach(({ share: part, predicted, n }, b) => {
      const truth = Math.min(1, Math.max(0, predicted - scale * gaps[b]));
      for (let study = 0; study < STUDIES; study++) {
        const { u, z } = chances[b][study];
        errors[study] += part * Math.abs(predicted - binomial(n, truth, u, z) / n);
      }
    });
    return errors.sort();
  };
  const calibrated = studies(0, patterns[0]);
  /**
   * The scale at which a quantile of the studies is the value found.
   * @param {number} q @param {number} top @param {number[]} gaps
   */
  function scaleAt(q, top, gaps) {
    if (quantile(calibrated, q) >= value) return 0;
    let low = 0,
      high = top;
    for (let step = 0; step < 12; step++) {
      const middle = (low + high) / 2;
      if (quantile(studies(middle, gaps), q) < value) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  }
  return {
    value,
    low: value * Math.min(...patterns.map((gaps) => scaleAt(0.975, 1, gaps))),
    high: Math.min(1, value * Math.max(1, ...patterns.map((gaps) => scaleAt(0.025, 4, gaps)))),
    calibrated: sum(calibrated) / STUDIES,
  };
}

/**
 * The quantile of the normal distribution, to 4.5e-4 (Abramowitz and Stegun 26.2.23): enough to draw from it.
 * @param {number} u  0 < u < 1
 */
function normalQuantile(u) {
  const t = Math.sqrt(-2 * Math.log(Math.max(1e-300, Math.min(u, 1 - u))));
  const z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  return u < 0.5 ? -z : z;
}

/**
 * Everything about the calibration of one label.
 * @param {Outcomes} films
 */
export const calibrationOf = (films) => ({
  intercept: calibrationIntercept(films),
  slope: calibrationSlope(films),
  observedToExpected: observedToExpected(films),
  brier: brier(films),
});
