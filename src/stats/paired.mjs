// paired.mjs - two models on the same films: every figure of both and their difference with its interval, McNemar's and
// DeLong's tests, adjusted for their number.
import { bootstrap, patientsOf, ROUNDS } from './bootstrap.mjs';
import { calibrationErrorFigure } from './calibration.mjs';
import { areaFigure, delong, twoSided } from './delong.mjs';
import { FEWEST, numbered, pairedDifference, share, Z } from './intervals.mjs';
import { auc, balancedAccuracy, calibrationError, confusion, kappa, matthews, oneVsRest } from './scores.mjs';

/** @typedef {import('./intervals.mjs').Figure} Figure */

/**
 * The tails of McNemar's tests: the two-sided p-value of the null hypothesis that either model is equally likely to win
 * on the discordant films, which only one of them gets right. `exact` doubles the binomial tail (McNemar 1947); `mid`
 * counts only half of the probability of the observed count (Fagerland, Lydersen and Laake 2013), and is less cautious.
 * @param {number} first  films that only the first model gets right @param {number} second
 * @returns {{ exact: number, mid: number }}
 */
export function mcnemar(first, second) {
  const n = first + second,
    fewer = Math.min(first, second);
  let log = -n * Math.LN2,
    below = 0,
    at = 0;
  for (let k = 0; k <= fewer; k++) {
    below += at;
    at = Math.exp(log);
    log += Math.log((n - k) / (k + 1));
  }
  const tail = below + at;
  return { exact: Math.min(1, 2 * tail), mid: Math.min(1, 2 * tail - at) };
}

/**
 * McNemar's test for several films per patient (Durkalski et al., Stat Med 2003): with b and c discordant of the n films
 * of a patient, chi^2 = (sum (b - c) / n)^2 / sum ((b - c) / n)^2 on one degree of freedom.
 * @param {boolean[]} first @param {boolean[]} second @param {string[]} patients @returns {number}  p-value
 */
export function clusteredMcnemar(first, second, patients) {
  /** @type {Map<string, [number, number]>} */
  const groups = new Map();
  first.forEach((hit, i) => {
    const [gap, n] = groups.get(patients[i]) ?? [0, 0];
    groups.set(patients[i], [gap + Number(hit) - Number(second[i]), n + 1]);
  });
  let total = 0,
    squares = 0;
  for (const [gap, n] of groups.values()) {
    total += gap / n;
    squares += (gap / n) ** 2;
  }
  return squares ? twoSided(total / Math.sqrt(squares)) : 1;
}

/**
 * Holm's adjustment for several tests (Holm 1979): sorted upwards, the i-th of m p-values times m - i + 1, never below
 * one before it.
 * @param {number[]} p @returns {number[]}  in the same order; NaN stays
 */
export function holm(p) {
  const order = p
    .map((_, i) => i)
    .filter((i) => !Number.isNaN(p[i]))
    .sort((a, b) => p[a] - p[b]);
  const adjusted = p.map(() => NaN);
  let last = 0;
  order.forEach((i, place) => {
    last = Math.max(last, Math.min(1, p[i] * (order.length - place)));
    adjusted[i] = last;
  });
  return adjusted;
}

/**
 * @typedef {{ truth: string, patient: string, first: Record<string, number>, second: Record<string, number> }} Pair
 *   one film with the probabilities of both models
 * @typedef {object} Row  one figure of both models
 * @property {string} figure @property {string | null} label @property {number} n  films that it is computed from
 * @property {Figure | null} first @property {Figure | null} second @property {Figure | null} difference  first minus
 *   second
 * @property {string} [test] @property {number} [p] @property {number} [clustered]  p-value that allows for several films
 *   per patient @property {number} [holm]
 * @property {[number, number]} [discordant]  films that only the first, only the second gets right
 */

/** The label with the largest probability. @param {Record<string, number>} probability */
const likeliest = (probability) =>
  Object.keys(probability).reduce((best, label) => (probability[label] > probability[best] ? label : best));

/**
 * Compares two models; every difference is first minus second. The predicted label is the one with the largest
 * probability, whatever the gate says.
 * @param {Pair[]} pairs @param {string[]} labels  known to both models @param {import('./bootstrap.mjs').Draws} [draws]
 */
export function compare(pairs, labels, draws = { rounds: ROUNDS }) {
  const classes = [
    ...new Set(pairs.flatMap(({ truth, first, second }) => [truth, ...Object.keys(first), ...Object.keys(second)])),
  ];
  const truth = pairs.map((pair) => classes.indexOf(pair.truth)),
    patients = pairs.map(({ patient }) => patient);
  const present = [...new Set(truth)];
  const positive = labels.map((label) => pairs.map((pair) => pair.truth === label));
  const counts = positive.map((all) => all.filter(Boolean).length);
  const some = labels.map((_, i) => i).filter((i) => Math.min(counts[i], pairs.length - counts[i]) >= FEWEST);
  const complete = pairs.length > 0 && present.every((c) => truth.filter((t) => t === c).length >= FEWEST);
  const models = /** @type {const} */ (['first', 'second']).map((name) => {
    const predicted = pairs.map((pair) => classes.indexOf(likeliest(pair[name])));
    const scores = labels.map((label) => pairs.map((pair) => pair[name][label]));
    return {
      predicted,
      scores,
      correct: predicted.map((label, i) => label === truth[i]),
      areas: some.map((i) => auc(scores[i], positive[i])),
      confidence: pairs.map((pair) => Math.max(...Object.values(pair[name]))),
      loss: pairs.map((pair) => -Math.log(Math.max(1e-6, pair[name][pair.truth]))),
      brier: pairs.map((pair) =>
        classes.reduce((sum, c) => sum + ((pair[name][c] ?? 0) - Number(c === pair.truth)) ** 2, 0),
      ),
    };
  });
  const [a, b] = models;

  const overall = ['balanced accuracy', 'macro AUC', 'kappa', 'MCC', 'Brier score', 'log loss', 'ECE'];
  const perLabel = labels.flatMap((_, i) => /** @type {const} */ (['ppv', 'npv']).map((name) => ({ i, name })));
  /** @param {typeof a} model @param {ArrayLike<number>} weight */
  const measure = ({ predicted, areas, correct, confidence, loss, brier }, weight) => {
    const matrix = confusion(truth, predicted, classes.length, weight);
    let total = 0,
      losses = 0,
      briers = 0;
    for (let i = 0; i < weight.length; i++) {
      total += weight[i];
      losses += weight[i] * loss[i];
      briers += weight[i] * brier[i];
    }
    const area = areas.reduce((sum, of) => sum + of(weight), 0) / areas.length;
    const lost = present.some((label) => !matrix[label].some(Boolean));
    return [
      ...(lost ? [NaN, NaN, NaN, NaN] : [balancedAccuracy(matrix, present), area, kappa(matrix), matthews(matrix)]),
      briers / total,
      losses / total,
      calibrationError(confidence, correct, weight),
      ...perLabel.map(({ i, name }) => oneVsRest(matrix, classes.indexOf(labels[i]))[name]),
    ];
  };
  const width = overall.length + perLabel.length;
  const drawn = pairs.length
    ? bootstrap(
        pairs,
        (weight) => {
          const [one, two] = models.map((model) => measure(model, weight));
          return [...one, ...two, ...one.map((value, i) => value - two[i])];
        },
        draws,
      )
    : [];
  const finite = (/** @type {Figure} */ figure) => (Number.isFinite(figure.value) ? figure : null);
  /** @param {string} figure @param {string | null} label @param {number} n @param {number} at @returns {Row} */
  const drawnRow = (figure, label, n, at) => ({
    figure,
    label,
    n,
    first: finite(drawn[at]),
    second: finite(drawn[width + at]),
    difference: finite(drawn[2 * width + at]),
  });
  /** @param {string} figure @param {string | null} label @param {number} n @returns {Row} */
  const empty = (figure, label, n) => ({ figure, label, n, first: null, second: null, difference: null });

  /**
   * A share of films that both models get right or wrong, with McNemar's test.
   * @param {string} figure @param {string | null} label @param {number[]} films @param {((m: typeof a, i: number) => boolean)} hit
   * @returns {Row}
   */
  function shareRow(figure, label, films, hit) {
    if (films.length < FEWEST) return empty(figure, label, films.length);
    const [one, two] = models.map((model) => films.map((i) => hit(model, i))),
      owners = films.map((i) => patients[i]);
    /** @type {[number, number]} */
    const discordant = [one.filter((x, i) => x && !two[i]).length, two.filter((x, i) => x && !one[i]).length];
    return {
      figure,
      label,
      n: films.length,
      first: share(one, owners),
      second: share(two, owners),
      difference: pairedDifference(one, two, owners),
      test: 'McNemar mid-p',
      p: mcnemar(...discordant).mid,
      ...(new Set(owners).size < owners.length && { clustered: clusteredMcnemar(one, two, owners) }),
      discordant,
    };
  }
  /** The predictive values of both models, each among the films that it calls so. @param {'ppv' | 'npv'} name @param {number} i */
  function predictive(name, i) {
    const own = classes.indexOf(labels[i]);
    const [first, second] = models.map(({ predicted }) => {
      const called = all.filter((film) => (predicted[film] === own) === (name === 'ppv'));
      if (called.length < FEWEST) return null;
      return share(
        called.map((film) => positive[i][film] === (name === 'ppv')),
        called.map((film) => patients[film]),
      );
    });
    return { first, second };
  }
  const one = pairs.map(() => 1),
    owner = numbered(patients);
  /** The bootstrap has no sound interval of an ECE; see calibration.mjs. @param {typeof a} model */
  const errorOf = ({ confidence, correct }) => calibrationErrorFigure(confidence, correct, one, owner, draws.seed);
  /** @param {number} i @returns {Row} */
  function areaRow(i) {
    const figure = 'AUC',
      label = labels[i];
    if (!some.includes(i)) return empty(figure, label, counts[i]);
    const { difference, error, p } = delong(a.scores[i], b.scores[i], positive[i], patients);
    return {
      figure,
      label,
      n: counts[i],
      first: areaFigure(a.scores[i], positive[i], patients),
      second: areaFigure(b.scores[i], positive[i], patients),
      difference:
        error > 0
          ? { value: difference, low: difference - Z * error, high: difference + Z * error }
          : { value: difference, low: null, high: null },
      test: 'DeLong',
      p,
    };
  }
  const all = pairs.map((_, i) => i);
  /** @type {Row[]} */
  const rows = [
    shareRow('accuracy', null, all, ({ correct }, i) => correct[i]),
    ...overall.map((figure, at) => {
      if (!complete || !drawn.length) return empty(figure, null, pairs.length);
      const row = drawnRow(figure, null, pairs.length, at);
      return figure === 'ECE' ? { ...row, first: errorOf(a), second: errorOf(b) } : row;
    }),
    ...labels.flatMap((label, i) => {
      const own = classes.indexOf(label);
      return [
        shareRow(
          'sensitivity',
          label,
          all.filter((film) => positive[i][film]),
          ({ predicted }, film) => predicted[film] === own,
        ),
        shareRow(
          'specificity',
          label,
          all.filter((film) => !positive[i][film]),
          ({ predicted }, film) => predicted[film] !== own,
        ),
        ...perLabel
          .map((one, at) => ({ ...one, at: overall.length + at }))
          .filter((one) => one.i === i)
          .map(({ name, at }) =>
            some.includes(i)
              ? { ...drawnRow(name.toUpperCase(), label, pairs.length, at), ...predictive(name, i) }
              : empty(name.toUpperCase(), label, pairs.length),
          ),
        areaRow(i),
      ];
    }),
  ];
  const tested = rows.filter(({ p }) => p !== undefined);
  const adjusted = holm(tested.map(({ p, clustered }) => clustered ?? p ?? NaN));
  tested.forEach((row, i) => {
    row.holm = adjusted[i];
  });
  return { n: pairs.length, patients: patientsOf(pairs), tests: tested.length, rows };
}
