// The metrics of scored films: sensitivity, AUC, calibration and so on, with intervals from a bootstrap over patients.
import { calibrationSlope, GRID, netBenefit, onGrid, reliability, roc } from './curves.mjs';
import { bootstrap, FEWEST, patientsOf, wilson } from './bootstrap.mjs';
import { oneVsRest, auc, balancedAccuracy, calibrationError, confusion } from './scores.mjs';

/**
 * @typedef {import('./bootstrap.mjs').Figure | null} Figure  null if there are too few films
 * @typedef {{ truth: number, predicted: number, probability: number[], patient: string }} Scored  labels are indices
 */

/**
 * Predictive values are also given at these prevalences, because those of the films hold for their own class mix only.
 */
const PREVALENCES = [0.02, 0.1, 0.3];
const THRESHOLDS = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);

/**
 * A predictive value at another prevalence, by Bayes' theorem; NaN if no film is called so.
 * @param {number} truePositiveRate @param {number} falsePositiveRate @param {number} prevalence
 */
const predictive = (truePositiveRate, falsePositiveRate, prevalence) =>
  (truePositiveRate * prevalence) / (truePositiveRate * prevalence + falsePositiveRate * (1 - prevalence));

/** @param {number[]} values */
const sum = (values) => values.reduce((total, x) => total + x, 0);
/** @param {number[]} values */
const mean = (values) => sum(values) / values.length;

/**
 * Scales weights so that each label that occurs has its share of the total.
 * @param {number[]} truth @param {number[]} shares
 */
const reweigh = (truth, shares) => (/** @type {Float64Array} */ weight) => {
  const total = shares.map(() => 0);
  truth.forEach((label, i) => {
    total[label] += weight[i];
  });
  return weight.map((w, i) => (w ? (w * shares[truth[i]]) / total[truth[i]] : 0));
};

/** The columns that the metrics need. @param {Scored[]} scored @param {string[]} labels */
function prepare(scored, labels) {
  const truth = scored.map((film) => film.truth);
  const positive = labels.map((_, label) => truth.map((t) => t === label));
  return {
    truth,
    positive,
    predicted: scored.map(({ predicted }) => predicted),
    ones: new Float64Array(scored.length).fill(1),
    probability: labels.map((_, label) => scored.map((film) => film.probability[label])),
    counts: positive.map((all) => all.filter(Boolean).length),
    confidence: scored.map(({ probability }) => Math.max(...probability)),
    correct: scored.map((film) => film.truth === film.predicted),
  };
}

/** Kish's effective number of patients (Kish 1965). @param {{ patient: string, weight: number }[]} films */
function effectivePatients(films) {
  const totals = new Map();
  for (const { patient, weight } of films) totals.set(patient, (totals.get(patient) ?? 0) + weight);
  const all = [...totals.values()];
  return sum(all) ** 2 / sum(all.map((weight) => weight * weight));
}

/**
 * Whether there are enough films of each label that has a share.
 * @param {number[]} counts  per label @param {number[]} shares
 */
const enough = (counts, shares) => counts.every((n, i) => n >= FEWEST || shares[i] === 0);

/**
 * Bootstraps named metrics; the returned functions give each with its interval, or null if there are too few films.
 * @param {Scored[]} scored @param {(weight: Float64Array) => Record<string, number>} statistic
 */
function draw(scored, statistic) {
  const names = Object.keys(statistic(new Float64Array(scored.length).fill(1))),
    drawn = bootstrap(scored, (weight) => Object.values(statistic(weight)));
  /** @param {string} name @param {number} films  that it is computed from @returns {Figure} */
  const figure = (name, films) => {
    const given = drawn[names.indexOf(name)];
    return films < FEWEST || !Number.isFinite(given.value) ? null : given;
  };
  /**
   * A proportion. If all films agree the bootstrap has no interval, so Wilson's is used.
   * @param {string} name @param {Scored[]} films  the denominator @param {number} [cases]
   */
  const proportion = (name, films, cases = patientsOf(films)) => {
    const given = figure(name, films.length);
    return given?.low === null ? wilson(given.value, cases) : given;
  };
  /**
   * A predictive value at another prevalence is not a proportion of these films: without a bootstrap interval it is
   * omitted.
   * @param {string} name @param {number} films
   */
  const atOtherPrevalence = (name, films) => {
    const given = figure(name, films);
    return given?.low === null ? null : given;
  };
  return { figure, proportion, atOtherPrevalence };
}

/**
 * All metrics of a set of scored films; `predicted` is the largest probability or the verdict.
 * @param {Scored[]} scored @param {string[]} labels
 */
export function metrics(scored, labels) {
  const { truth, positive, predicted, ones, probability, counts, confidence, correct } = prepare(scored, labels);
  const areas = labels.map((_, label) => auc(probability[label], positive[label]));
  const slopes = labels.map((_, label) => calibrationSlope(probability[label], positive[label]));
  /** @param {Float64Array} weight @returns {Record<string, number>} */
  const statistic = (weight) => {
    const matrix = confusion(truth, predicted, labels.length, weight);
    const area = areas.map((of) => of(weight));
    const own = labels.map((_, label) => {
      const shares = oneVsRest(matrix, label);
      const other = PREVALENCES.flatMap((prevalence) => [
        [`ppv ${prevalence}`, predictive(shares.sensitivity, 1 - shares.specificity, prevalence)],
        [`npv ${prevalence}`, predictive(shares.specificity, 1 - shares.sensitivity, 1 - prevalence)],
      ]);
      return Object.entries({
        ...shares,
        auc: area[label],
        slope: slopes[label](weight),
        ...Object.fromEntries(other),
      }).map(([name, value]) => [`${label} ${name}`, value]);
    });
    return {
      ...Object.fromEntries(own.flat()),
      accuracy: sum(labels.map((_, label) => matrix[label][label])) / sum(matrix.flat()),
      balancedAccuracy: balancedAccuracy(matrix),
      macroAuc: mean(area.filter((x) => !Number.isNaN(x))),
      calibrationError: calibrationError(confidence, correct, weight),
    };
  };
  const { figure, proportion, atOtherPrevalence } = draw(scored, statistic);
  const matrix = confusion(truth, predicted, labels.length, ones);
  const classes = labels.map((label, i) => {
    const fewer = Math.min(counts[i], scored.length - counts[i]);
    return {
      label,
      n: counts[i],
      sensitivity: proportion(
        `${i} sensitivity`,
        scored.filter(({ truth }) => truth === i),
      ),
      specificity: proportion(
        `${i} specificity`,
        scored.filter(({ truth }) => truth !== i),
      ),
      ppv: proportion(
        `${i} ppv`,
        scored.filter(({ predicted }) => predicted === i),
      ),
      npv: proportion(
        `${i} npv`,
        scored.filter(({ predicted }) => predicted !== i),
      ),
      auc: figure(`${i} auc`, fewer),
      slope: figure(`${i} slope`, fewer),
      atPrevalence: PREVALENCES.map((prevalence) => ({
        prevalence,
        ppv: atOtherPrevalence(`${i} ppv ${prevalence}`, fewer),
        npv: atOtherPrevalence(`${i} npv ${prevalence}`, fewer),
      })),
    };
  });
  const smallest = Math.min(...counts.filter((n) => n));
  return {
    n: scored.length,
    patients: patientsOf(scored),
    confusion: matrix,
    classes,
    accuracy: proportion('accuracy', scored),
    balancedAccuracy: figure('balancedAccuracy', smallest),
    macroAuc: figure('macroAuc', smallest),
    calibrationError: figure('calibrationError', scored.length),
  };
}

/**
 * The metrics to expect where each label has the given share.
 * @param {Scored[]} scored  classified at these shares @param {string[]} labels @param {number[]} shares  per label
 */
export function atPrevalence(scored, labels, shares) {
  const { truth, predicted, ones, counts, confidence, correct } = prepare(scored, labels);
  const weigh = reweigh(truth, shares);
  /** @param {Float64Array} weight @returns {Record<string, number>} */
  const statistic = (weight) => {
    const weighed = weigh(weight);
    const matrix = confusion(truth, predicted, labels.length, weighed);
    return {
      accuracy: sum(labels.map((_, label) => matrix[label][label])) / sum(matrix.flat()),
      calibrationError: calibrationError(confidence, correct, weighed),
      ...Object.fromEntries(
        labels.flatMap((_, label) =>
          Object.entries(oneVsRest(matrix, label)).map(([name, value]) => [`${label} ${name}`, value]),
        ),
      ),
    };
  };
  const { figure, proportion, atOtherPrevalence } = draw(scored, statistic);
  const weighed = weigh(ones),
    films = enough(counts, shares)
      ? scored.map((film, i) => ({ ...film, weight: weighed[i] })).filter(({ weight }) => weight)
      : [];
  const weightedProportion = (/** @type {string} */ name, /** @type {typeof films} */ counted) =>
    proportion(name, counted, effectivePatients(counted));
  return {
    shares: Object.fromEntries(labels.map((label, i) => [label, shares[i]])),
    accuracy: weightedProportion('accuracy', films),
    calibrationError: figure('calibrationError', films.length),
    classes: labels.map((label, i) => ({
      label,
      sensitivity: weightedProportion(
        `${i} sensitivity`,
        films.filter(({ truth }) => truth === i),
      ),
      specificity: weightedProportion(
        `${i} specificity`,
        films.filter(({ truth }) => truth !== i),
      ),
      ppv: atOtherPrevalence(`${i} ppv`, films.filter(({ predicted }) => predicted === i).length),
      npv: atOtherPrevalence(`${i} npv`, films.filter(({ predicted }) => predicted !== i).length),
    })),
  };
}

/**
 * The curves of each label that has enough films on both sides: ROC with a bootstrap band, reliability and net benefit.
 * If a prevalence is given, the last two are of the films classified at it and weighted to it; they are missing if
 * there are too few films.
 * @param {Scored[]} scored @param {string[]} labels
 * @param {{ shares: number[], scored: Scored[] } | null} reclassified  the same films at a given prevalence
 */
export function curves(scored, labels, reclassified) {
  const { truth, positive, ones, probability, counts } = prepare(scored, labels);
  const weight = reclassified ? reweigh(truth, reclassified.shares)(ones) : ones;
  const drawable = !reclassified || enough(counts, reclassified.shares);
  const expected = reclassified ? prepare(reclassified.scored, labels).probability : probability;
  return labels.flatMap((label, i) => {
    if (Math.min(counts[i], scored.length - counts[i]) < FEWEST) return [];
    const curve = roc(probability[i], positive[i]),
      area = auc(probability[i], positive[i]);
    const [areaFigure, ...band] = bootstrap(scored, (drawn) => [area(drawn), ...onGrid(curve(drawn))]);
    return [
      {
        label,
        n: counts[i],
        others: scored.length - counts[i],
        weighted: reclassified ? reclassified.shares[i] : null,
        auc: areaFigure,
        roc: curve(ones),
        band: band.map(({ value, low, high }, at) => ({ x: GRID[at], low: low ?? value, high: high ?? value })),
        ...(drawable && {
          reliability: reliability(expected[i], positive[i], weight),
          netBenefit: netBenefit(expected[i], positive[i], weight, THRESHOLDS),
        }),
      },
    ];
  });
}
