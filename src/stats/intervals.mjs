// intervals.mjs - 95 % intervals in closed form: of a share, of sums, ratios and differences of shares.
//
// Every share has Wilson's interval for an effective number of films. Films of one patient are correlated, so n films
// are worth n / deff independent ones, where deff is the design effect of Rao and Scott. Combinations of shares get
// their intervals from those of the shares (MOVER: method of variance estimates recovery). None of these intervals
// shrinks to a point where all films agree.

/** The 97.5 % quantile of the normal distribution. */
export const Z = 1.959963984540054;

/** No metric is reported over fewer films, and no interval by bootstrap, DeLong or regression over fewer patients. */
export const FEWEST = 10;

/**
 * A value with its 95 % interval; the bounds are null where there is no interval.
 * @typedef {{ value: number, low: number | null, high: number | null }} Figure
 * @typedef {{ value: number, low: number, high: number }} Bounded
 * @typedef {Bounded & { n: number, effective: number }} Share  of n films that are worth `effective` independent ones
 */

/** @param {number} x @param {number} low @param {number} high */
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

/**
 * Wilson's score interval of a proportion p of n independent cases: the q with |p - q| <= z sqrt(q (1 - q) / n)
 * (Wilson, J Am Stat Assoc 1927). n need not be an integer.
 * @param {number} p  0..1 @param {number} n @returns {Figure}  without bounds if n is 0
 */
export function wilson(p, n) {
  if (!(n > 0)) return { value: p, low: null, high: null };
  const centre = p + (Z * Z) / (2 * n);
  const spread = Z * Math.sqrt((p * (1 - p)) / n + (Z * Z) / (4 * n * n));
  const scale = 1 + (Z * Z) / n;
  return { value: p, low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}

/**
 * How many films and hits each patient has.
 * @param {ArrayLike<boolean>} hits @param {ArrayLike<string | number>} patients
 * @returns {{ films: number, hits: number }[]}
 */
function clusters(hits, patients) {
  const found = new Map();
  for (let i = 0; i < hits.length; i++) {
    const one = found.get(patients[i]);
    if (!one) found.set(patients[i], { films: 1, hits: Number(hits[i]) });
    else {
      one.films++;
      one.hits += Number(hits[i]);
    }
  }
  return [...found.values()];
}

/**
 * The design effect of a share (Rao and Scott, Biometrics 1992): its variance between patients over that of as many
 * independent films,
 *   deff = G / (G - 1) * sum over patients (hits - films p)^2 / n^2 / (p (1 - p) / (n - 1)),
 * at least 1; it is 1 if each of the G patients has one film. Where all films agree nothing can be estimated, so films of one patient count as one (Kish 1965):
 * deff = sum films^2 / n.
 * @param {{ films: number, hits: number }[]} groups  one per patient, not empty
 * @returns {{ n: number, p: number, deff: number, kish: number }}
 */
function designEffect(groups) {
  let n = 0,
    hits = 0,
    squares = 0;
  for (const group of groups) {
    n += group.films;
    hits += group.hits;
    squares += group.films * group.films;
  }
  const p = hits / n,
    kish = squares / n,
    count = groups.length;
  if (count < 2 || hits === 0 || hits === n) return { n, p, deff: kish, kish };
  const between = groups.reduce((sum, group) => sum + (group.hits - group.films * p) ** 2, 0) / (n * n);
  const deff = ((count / (count - 1)) * between) / ((p * (1 - p)) / (n - 1));
  return { n, p, deff: clamp(deff, 1, n), kish };
}

/**
 * The share of films that are hits, with Wilson's interval for n / deff films. A film that disagrees never makes the
 * interval begin later, or end earlier, than it does where all films agree.
 * @param {ArrayLike<boolean>} hits @param {ArrayLike<string | number>} patients  of the same films
 * @returns {Share | null}  null without films
 */
export function share(hits, patients) {
  if (!hits.length) return null;
  const { n, p, deff, kish } = designEffect(clusters(hits, patients));
  const { low, high } = /** @type {Bounded} */ (wilson(p, n / deff));
  const none = /** @type {Bounded} */ (wilson(0, n / kish)),
    all = /** @type {Bounded} */ (wilson(1, n / kish));
  return { value: p, low: Math.min(low, all.low), high: Math.max(high, none.high), n, effective: n / deff };
}

/**
 * A weighted sum of independent shares, by MOVER: the distances of a bound add in squares (Zou and Donner, Stat Med
 * 2008). With one share it is that share's own interval.
 * @param {(Bounded | null)[]} shares @param {number[]} weights  not negative @returns {Bounded | null}  null if a share
 *   with weight is missing
 */
export function weightedSum(shares, weights) {
  let value = 0,
    below = 0,
    above = 0;
  for (const [i, one] of shares.entries()) {
    if (!weights[i]) continue;
    if (!one) return null;
    value += weights[i] * one.value;
    below += (weights[i] * (one.value - one.low)) ** 2;
    above += (weights[i] * (one.high - one.value)) ** 2;
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { value, low: Math.max(0, value - Math.sqrt(below)), high: Math.min(total, value + Math.sqrt(above)) };
}

/** @param {Bounded} one @returns {Bounded}  1 minus it */
const complement = ({ value, low, high }) => ({ value: 1 - value, low: 1 - high, high: 1 - low });

/**
 * The ratio a / b of two independent shares, by MOVER-R (Donner and Zou, Stat Methods Med Res 2012). The upper bound
 * is Infinity where b may be 0.
 * @param {Bounded | null} a @param {Bounded | null} b @returns {Bounded | null}  null for 0 / 0
 */
export function ratio(a, b) {
  if (!a || !b || (a.value === 0 && b.value === 0)) return null;
  const product = a.value * b.value;
  // The bounds of the paper, multiplied by their conjugates where these avoid a division by almost 0.
  const low = a.low * (2 * a.value - a.low),
    under = Math.max(0, product ** 2 - low * b.high * (2 * b.value - b.high));
  const high = a.high * (2 * a.value - a.high),
    divisor = b.low * (2 * b.value - b.low),
    over = Math.max(0, product ** 2 - high * divisor);
  return {
    value: a.value / b.value,
    low: low ? low / (product + Math.sqrt(under)) : 0,
    high: divisor > 0 ? (product + Math.sqrt(over)) / divisor : Infinity,
  };
}

/**
 * The likelihood ratios (Deeks and Altman, BMJ 2004), LR+ = sensitivity / (1 - specificity) and
 * LR- = (1 - sensitivity) / specificity, with MOVER-R intervals.
 * @param {Bounded | null} sensitivity @param {Bounded | null} specificity
 */
export const likelihoodRatios = (sensitivity, specificity) => ({
  positive: sensitivity && specificity && ratio(sensitivity, complement(specificity)),
  negative: sensitivity && specificity && ratio(complement(sensitivity), specificity),
});

/**
 * Predictive values at a prevalence, by Bayes' theorem in odds: PPV = LR+ o / (1 + LR+ o), NPV = 1 / (1 + LR- o) with
 * o = prevalence / (1 - prevalence). Both are monotonic in their likelihood ratio, so its bounds carry over.
 * @param {ReturnType<typeof likelihoodRatios>} ratios @param {number} prevalence  0 < prevalence < 1
 */
export function predictiveValues({ positive, negative }, prevalence) {
  const odds = prevalence / (1 - prevalence);
  const ppv = (/** @type {number} */ lr) => (lr === Infinity ? 1 : (lr * odds) / (1 + lr * odds));
  const npv = (/** @type {number} */ lr) => 1 / (1 + lr * odds);
  return {
    ppv: positive && { value: ppv(positive.value), low: ppv(positive.low), high: ppv(positive.high) },
    npv: negative && { value: npv(negative.value), low: npv(negative.high), high: npv(negative.low) },
  };
}

/**
 * The difference of two shares of the same films, with Newcombe's interval from the Wilson intervals of both and the
 * correlation phi of the paired answers (method 10, Newcombe, Stat Med 1998).
 * @param {ArrayLike<boolean>} first @param {ArrayLike<boolean>} second @param {ArrayLike<string | number>} patients
 * @returns {Bounded | null}  first minus second
 */
export function pairedDifference(first, second, patients) {
  const a = share(first, patients),
    b = share(second, patients);
  if (!a || !b) return null;
  let both = 0,
    neither = 0,
    only = [0, 0];
  for (let i = 0; i < first.length; i++) {
    if (first[i] && second[i]) both++;
    else if (first[i]) only[0]++;
    else if (second[i]) only[1]++;
    else neither++;
  }
  const product = (both + only[0]) * (only[1] + neither) * (both + only[1]) * (only[0] + neither);
  const excess = both * neither - only[0] * only[1];
  // The continuity correction of the paper applies to positive correlation.
  const corrected = excess > 0 ? Math.max(0, excess - first.length / 2) : excess;
  const phi = product ? corrected / Math.sqrt(product) : 0;
  const distance = (/** @type {number} */ x, /** @type {number} */ y) =>
    Math.sqrt(Math.max(0, x * x - 2 * phi * x * y + y * y));
  const value = a.value - b.value;
  return {
    value,
    low: Math.max(-1, value - distance(a.value - a.low, b.high - b.value)),
    high: Math.min(1, value + distance(a.high - a.value, b.value - b.low)),
  };
}

/**
 * The interval of a mean or ratio whose estimate is approximately a sum over patients: value +- z SE with
 *   SE^2 = G / (G - 1) * sum over patients (sum of the influences of their films)^2.
 * @param {ArrayLike<number>} influence  of each film on the value @param {ArrayLike<number>} patient  numbers from 0
 * @returns {number}  the standard error; NaN with fewer than FEWEST patients
 */
export function clusteredError(influence, patient) {
  /** @type {number[]} */ const sums = [];
  for (let i = 0; i < influence.length; i++) sums[patient[i]] = (sums[patient[i]] ?? 0) + influence[i];
  const all = sums.filter((x) => x !== undefined);
  if (all.length < FEWEST) return NaN;
  const squares = all.reduce((total, x) => total + x * x, 0);
  return Math.sqrt((all.length / (all.length - 1)) * squares);
}

/** Patients as numbers from 0. @param {ArrayLike<string>} patients @returns {number[]} */
export function numbered(patients) {
  const numbers = new Map();
  return Array.from(patients, (patient) => {
    if (!numbers.has(patient)) numbers.set(patient, numbers.size);
    return numbers.get(patient);
  });
}
