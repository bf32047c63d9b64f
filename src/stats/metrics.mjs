// The figures of scored films: sensitivities, areas, calibration, each with an interval from a bootstrap over patients.
import { calibrationSlope, GRID, netBenefit, onGrid, reliability, roc } from './curves.mjs';
import { bootstrap, FEWEST, patientsOf, wilson } from './bootstrap.mjs';
import { oneVsRest, auc, balancedAccuracy, calibrationError, confusion } from './scores.mjs';

/**
 * @typedef {import('./bootstrap.mjs').Figure | null} Figure  null where too few films stand behind it
 * @typedef {{ truth: number, guess: number, probability: number[], patient: string }} Scored  labels by their number
 */

/** Where predictive values are given, because those of the films at hand hold for their own mixture only. */
const PREVALENCES = [0.02, 0.1, 0.3];
const THRESHOLDS = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);

/** Bayes: the share of the called that are, at another prevalence; NaN when none is called. */
const predictive = (hit, falseAlarm, prevalence) =>
  (hit * prevalence) / (hit * prevalence + falseAlarm * (1 - prevalence));

/** @param {number[]} values */
const sum = (values) => values.reduce((total, x) => total + x, 0);
/** @param {number[]} values */
const mean = (values) => sum(values) / values.length;

/**
 * Weights that give each label its share of all, as far as it occurs.
 * @param {number[]} truth @param {number[]} shares
 */
const reweigh = (truth, shares) => (weight) => {
  const total = shares.map(() => 0);
  truth.forEach((label, i) => {
    total[label] += weight[i];
  });
  return weight.map((w, i) => (w ? (w * shares[truth[i]]) / total[truth[i]] : 0));
};

/** What every question needs. @param {Scored[]} scored @param {string[]} labels */
function prepare(scored, labels) {
  const truth = scored.map((film) => film.truth);
  const positive = labels.map((_, label) => truth.map((t) => t === label));
  return {
    truth,
    positive,
    guess: scored.map(({ guess }) => guess),
    ones: new Float64Array(scored.length).fill(1),
    probability: labels.map((_, label) => scored.map((film) => film.probability[label])),
    counts: positive.map((all) => all.filter(Boolean).length),
    confidence: scored.map(({ probability }) => Math.max(...probability)),
    right: scored.map((film) => film.truth === film.guess),
  };
}

/** As many patients as weigh alike (Kish 1965). @param {{ patient: string, weight: number }[]} films */
function alike(films) {
  const own = new Map();
  for (const { patient, weight } of films) own.set(patient, (own.get(patient) ?? 0) + weight);
  const all = [...own.values()];
  return sum(all) ** 2 / sum(all.map((weight) => weight * weight));
}

/** Whether films can stand for these shares. @param {number[]} counts of the labels @param {number[]} shares */
const enough = (counts, shares) => counts.every((n, i) => n >= FEWEST || shares[i] === 0);

/**
 * The figures that `ask` gives of the films so weighted, by name, as far as films stand behind them.
 * @param {Scored[]} scored @param {(weight: Float64Array) => Record<string, number>} ask
 */
function draw(scored, ask) {
  const names = Object.keys(ask(new Float64Array(scored.length).fill(1))),
    drawn = bootstrap(scored, (weight) => Object.values(ask(weight)));
  /** @param {string} name @param {number} films behind it @returns {Figure} */
  const figure = (name, films) => {
    const given = drawn[names.indexOf(name)];
    return films < FEWEST || !Number.isFinite(given.value) ? null : given;
  };
  /**
   * Where resampling tells nothing, because none is wrong or all are, Wilson does.
   * @param {string} name @param {Scored[]} films that it is a share of @param {number} [cases]
   */
  const share = (name, films, cases = patientsOf(films)) => {
    const given = figure(name, films.length);
    return given?.low === null ? wilson(given.value, cases) : given;
  };
  /**
   * At another prevalence it is no share of films that Wilson could bound, and without an interval none.
   * @param {string} name @param {number} films
   */
  const predicted = (name, films) => {
    const given = figure(name, films);
    return given?.low === null ? null : given;
  };
  return { figure, share, predicted };
}

/**
 * Everything about a set of scored films, by `guess` (the largest probability, or the verdict).
 * @param {Scored[]} scored @param {string[]} labels
 */
export function figures(scored, labels) {
  const { truth, positive, guess, ones, probability, counts, confidence, right } = prepare(scored, labels);
  const areas = labels.map((_, label) => auc(probability[label], positive[label]));
  const slopes = labels.map((_, label) => calibrationSlope(probability[label], positive[label]));
  /** @param {Float64Array} weight @returns {Record<string, number>} */
  const ask = (weight) => {
    const matrix = confusion(truth, guess, labels.length, weight);
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
      calibrationError: calibrationError(confidence, right, weight),
    };
  };
  const { figure, share, predicted } = draw(scored, ask);
  const matrix = confusion(truth, guess, labels.length, ones);
  const classes = labels.map((label, i) => {
    const fewer = Math.min(counts[i], scored.length - counts[i]);
    return {
      label,
      n: counts[i],
      sensitivity: share(
        `${i} sensitivity`,
        scored.filter(({ truth }) => truth === i),
      ),
      specificity: share(
        `${i} specificity`,
        scored.filter(({ truth }) => truth !== i),
      ),
      ppv: share(
        `${i} ppv`,
        scored.filter(({ guess }) => guess === i),
      ),
      npv: share(
        `${i} npv`,
        scored.filter(({ guess }) => guess !== i),
      ),
      auc: figure(`${i} auc`, fewer),
      slope: figure(`${i} slope`, fewer),
      atPrevalence: PREVALENCES.map((prevalence) => ({
        prevalence,
        ppv: predicted(`${i} ppv ${prevalence}`, fewer),
        npv: predicted(`${i} npv ${prevalence}`, fewer),
      })),
    };
  });
  const smallest = Math.min(...counts.filter((n) => n));
  return {
    n: scored.length,
    patients: patientsOf(scored),
    confusion: matrix,
    classes,
    accuracy: share('accuracy', scored),
    balancedAccuracy: figure('balancedAccuracy', smallest),
    macroAuc: figure('macroAuc', smallest),
    calibrationError: figure('calibrationError', scored.length),
  };
}

/**
 * The same films as if each label had the share that a person expects.
 * @param {Scored[]} scored judged at these shares @param {string[]} labels @param {number[]} shares of the labels
 */
export function atPrevalence(scored, labels, shares) {
  const { truth, guess, ones, counts, confidence, right } = prepare(scored, labels);
  const weigh = reweigh(truth, shares);
  /** @param {Float64Array} weight @returns {Record<string, number>} */
  const ask = (weight) => {
    const weighed = weigh(weight);
    const matrix = confusion(truth, guess, labels.length, weighed);
    return {
      accuracy: sum(labels.map((_, label) => matrix[label][label])) / sum(matrix.flat()),
      calibrationError: calibrationError(confidence, right, weighed),
      ...Object.fromEntries(
        labels.flatMap((_, label) =>
          Object.entries(oneVsRest(matrix, label)).map(([name, value]) => [`${label} ${name}`, value]),
        ),
      ),
    };
  };
  const { figure, share, predicted } = draw(scored, ask);
  const weighed = weigh(ones),
    films = enough(counts, shares)
      ? scored.map((film, i) => ({ ...film, weight: weighed[i] })).filter(({ weight }) => weight)
      : [];
  const shareOf = (name, own) => share(name, own, alike(own));
  return {
    shares: Object.fromEntries(labels.map((label, i) => [label, shares[i]])),
    accuracy: shareOf('accuracy', films),
    calibrationError: figure('calibrationError', films.length),
    classes: labels.map((label, i) => ({
      label,
      sensitivity: shareOf(
        `${i} sensitivity`,
        films.filter(({ truth }) => truth === i),
      ),
      specificity: shareOf(
        `${i} specificity`,
        films.filter(({ truth }) => truth !== i),
      ),
      ppv: predicted(`${i} ppv`, films.filter(({ guess }) => guess === i).length),
      npv: predicted(`${i} npv`, films.filter(({ guess }) => guess !== i).length),
    })),
  };
}

/**
 * What the plots show of each label that has films and others against it: ROC curve with a band from the bootstrap over
 * patients, reliability, net benefit; the last two of the films judged at a person's own prevalence and weighted to it,
 * if one is given, and missing where too few films stand for it.
 * @param {Scored[]} scored @param {string[]} labels
 * @param {{ shares: number[], scored: Scored[] } | null} moved the same films
 */
export function curves(scored, labels, moved) {
  const { truth, positive, ones, probability, counts } = prepare(scored, labels);
  const weight = moved ? reweigh(truth, moved.shares)(ones) : ones;
  const drawable = !moved || enough(counts, moved.shares);
  const expected = moved ? prepare(moved.scored, labels).probability : probability;
  return labels.flatMap((label, i) => {
    if (Math.min(counts[i], scored.length - counts[i]) < FEWEST) return [];
    const curve = roc(probability[i], positive[i]),
      area = auc(probability[i], positive[i]);
    const [whole, ...band] = bootstrap(scored, (drawn) => [area(drawn), ...onGrid(curve(drawn))]);
    return [
      {
        label,
        n: counts[i],
        others: scored.length - counts[i],
        weighted: moved ? moved.shares[i] : null,
        auc: whole,
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
