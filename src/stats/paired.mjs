// Two models on the same films: paired bootstrap over patients, DeLong's test of the AUCs and McNemar's exact test.
import { bootstrap, FEWEST, patientsOf } from './bootstrap.mjs';
import { auc, balancedAccuracy, confusion } from './scores.mjs';

/**
 * The two-sided p-value of a normal deviate: the series of erf, and in the tails the continued fraction of erfc
 * (Abramowitz and Stegun, 7.1.6 and 7.1.14).
 * @param {number} z
 */
export function twoSided(z) {
  const x = Math.abs(z) / Math.SQRT2;
  if (x < 2) {
    let term = x,
      sum = x;
    for (let n = 1; term > sum * 1e-17; n++) sum += term *= (2 * x * x) / (2 * n + 1);
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

/**
 * McNemar's exact test: the two-sided p-value of the null hypothesis that either model is equally likely to win on the
 * discordant films, which only one of them gets right.
 * @param {number} first  films that only the first model gets right @param {number} second @returns {number}
 */
export function mcnemar(first, second) {
  const n = first + second;
  let log = -n * Math.LN2,
    sum = 0;
  for (let k = 0; k <= Math.min(first, second); k++) {
    sum += Math.exp(log);
    log += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * sum);
}

/** The rank of each value, from 1; ties share their mean rank. @param {number[]} values */
function midranks(values) {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks = new Float64Array(values.length);
  for (let i = 0, end; i < order.length; i = end) {
    for (end = i; end < order.length && values[order[end]] === values[order[i]];) end++;
    for (let j = i; j < end; j++) ranks[order[j]] = (i + end + 1) / 2;
  }
  return ranks;
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function covariance(a, b) {
  const mean = (/** @type {ArrayLike<number>} */ values) =>
    Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  return Array.from(a).reduce((sum, x, i) => sum + (x - ma) * (b[i] - mb), 0) / (a.length - 1);
}

/**
 * DeLong's test (DeLong, DeLong and Clarke-Pearson 1988; midranks by Sun and Xu 2014): the difference of two AUCs over
 * the same films, its standard error and the p-value of no difference (NaN if the variance is zero). It treats films as
 * independent.
 * @param {number[]} first  scores @param {number[]} second @param {boolean[]} positive
 */
export function delong(first, second, positive) {
  // The structural components: for each film, the fraction of the other class that it is ranked correctly against.
  const [a, b] = [first, second].map((scores) => {
    const up = scores.filter((_, i) => positive[i]),
      down = scores.filter((_, i) => !positive[i]);
    const all = midranks([...up, ...down]),
      ofUp = midranks(up),
      ofDown = midranks(down);
    return {
      up: ofUp.map((rank, i) => (all[i] - rank) / down.length),
      down: ofDown.map((rank, i) => 1 - (all[up.length + i] - rank) / up.length),
    };
  });
  const area = (/** @type {{ up: Float64Array }} */ { up }) => up.reduce((sum, x) => sum + x, 0) / up.length;
  const spread = (/** @type {'up' | 'down'} */ side) => {
    const gap = a[side].map((x, i) => x - b[side][i]);
    return covariance(gap, gap) / gap.length;
  };
  const difference = area(a) - area(b),
    error = Math.sqrt(spread('up') + spread('down'));
  return { difference, error, p: error > 0 ? twoSided(difference / error) : difference ? NaN : 1 };
}

/**
 * @typedef {{ truth: string, patient: string, first: Record<string, number>, second: Record<string, number> }} Pair
 *   one film with the probabilities of both models
 */

/** The label with the largest probability. @param {Record<string, number>} probability */
const likeliest = (probability) =>
  Object.keys(probability).reduce((best, label) => (probability[label] > probability[best] ? label : best));

/**
 * Compares two models; every difference is first minus second. The predicted label is the one with the largest
 * probability, whatever the gate says.
 * @param {Pair[]} pairs @param {string[]} labels  known to both models
 */
export function compare(pairs, labels) {
  const classes = [
    ...new Set(pairs.flatMap(({ truth, first, second }) => [truth, ...Object.keys(first), ...Object.keys(second)])),
  ];
  const truth = pairs.map((pair) => classes.indexOf(pair.truth));
  const models = /** @type {const} */ (['first', 'second']).map((name) => ({
    predicted: pairs.map((pair) => classes.indexOf(likeliest(pair[name]))),
    scores: labels.map((label) => pairs.map((pair) => pair[name][label])),
  }));
  const positive = labels.map((label) => pairs.map((pair) => pair.truth === label));
  const areas = models.map(({ scores }) => labels.map((_, i) => auc(scores[i], positive[i])));
  /** The differences: the AUC of each label, then balanced accuracy. @param {Float64Array} weight */
  const statistic = (weight) => {
    const values = models.map(({ predicted }, m) => [
      ...areas[m].map((area) => area(weight)),
      balancedAccuracy(confusion(truth, predicted, classes.length, weight)),
    ]);
    return values[0].map((value, i) => value - values[1][i]);
  };
  const ones = new Float64Array(pairs.length).fill(1),
    differences = bootstrap(pairs, statistic);
  const correct = models.map(({ predicted }) => predicted.map((label, i) => label === truth[i]));
  const smallest = Math.min(...labels.map((_, i) => positive[i].filter(Boolean).length).filter((n) => n));
  const balancedOf = (/** @type {number} */ m) =>
    balancedAccuracy(confusion(truth, models[m].predicted, classes.length, ones));
  const discordant = [0, 1].map((m) => pairs.filter((_, i) => correct[m][i] && !correct[1 - m][i]).length);
  return {
    n: pairs.length,
    patients: patientsOf(pairs),
    classes: labels.map((label, i) => {
      const n = positive[i].filter(Boolean).length;
      if (Math.min(n, pairs.length - n) < FEWEST)
        return { label, n, first: null, second: null, difference: null, delong: null };
      const [first, second] = areas.map((all) => all[i](ones));
      return {
        label,
        n,
        first,
        second,
        difference: differences[i],
        delong: delong(models[0].scores[i], models[1].scores[i], positive[i]),
      };
    }),
    balancedAccuracy:
      pairs.length && smallest >= FEWEST
        ? { first: balancedOf(0), second: balancedOf(1), difference: differences[labels.length] }
        : { first: null, second: null, difference: null },
    mcnemar: { firstAlone: discordant[0], secondAlone: discordant[1], p: mcnemar(discordant[0], discordant[1]) },
  };
}
