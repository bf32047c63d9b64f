// metrics.mjs - the figures of scored films: sensitivity, AUC, calibration and so on, each with its 95 % interval.
import { bootstrap, patientsOf, ROUNDS } from './bootstrap.mjs';
import { calibrationCurve, calibrationErrorFigure, calibrationOf, overallScores, reliability } from './calibration.mjs';
import { GRID, netBenefit, onGrid, onRecalls, precisionRecall, RECALLS, roc } from './curves.mjs';
import { areaFigure } from './delong.mjs';
import { FEWEST, likelihoodRatios, numbered, predictiveValues, share, weightedSum } from './intervals.mjs';
import { atThreshold, reached, RULES, thresholdOf } from './operating.mjs';
import { auc, confusion, kappa, matthews } from './scores.mjs';

/**
 * @typedef {import('./intervals.mjs').Figure | null} Figure  null if there are too few films
 * @typedef {import('./intervals.mjs').Share | null} Share
 * @typedef {import('./bootstrap.mjs').Draws} Draws
 * @typedef {import('./operating.mjs').Rule} Rule
 * @typedef {{ truth: number, predicted: number, probability: number[], patient: string }} Scored  labels are indices
 */

/** Predictive values are also given at these prevalences, because those of the films hold for their own class mix only. */
const PREVALENCES = [0.02, 0.1, 0.3];
const THRESHOLDS = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);

/** @param {number[]} values */
const sum = (values) => values.reduce((total, x) => total + x, 0);
/** @param {number[]} values */
const mean = (values) => sum(values) / values.length;

/**
 * The weight of each film that gives every label its share of the total; 1 each without shares.
 * @param {number[]} truth @param {number[] | null} shares
 */
function weightsFor(truth, shares) {
  if (!shares) return truth.map(() => 1);
  const counts = shares.map((_, label) => truth.filter((t) => t === label).length);
  return truth.map((label) => shares[label] / counts[label]);
}

/** The columns that the metrics need. @param {Scored[]} scored @param {string[]} labels */
function prepare(scored, labels) {
  const truth = scored.map((film) => film.truth);
  const positive = labels.map((_, label) => truth.map((t) => t === label));
  const patients = scored.map(({ patient }) => patient);
  return {
    truth,
    positive,
    patients,
    patient: numbered(patients),
    predicted: scored.map(({ predicted }) => predicted),
    ones: new Float64Array(scored.length).fill(1),
    probability: labels.map((_, label) => scored.map((film) => film.probability[label])),
    counts: positive.map((all) => all.filter(Boolean).length),
    confidence: scored.map(({ probability }) => Math.max(...probability)),
    correct: scored.map((film) => film.truth === film.predicted),
  };
}

/**
 * The share of some films that are hits; null if there are fewer than FEWEST of them.
 * @template {Scored} T @param {T[]} films @param {(film: T) => boolean} hit @returns {Share}
 */
const shareOf = (films, hit) =>
  films.length < FEWEST
    ? null
    : share(
        films.map(hit),
        films.map(({ patient }) => patient),
      );

/** Sensitivity, specificity and predictive values of a label. @param {Scored[]} scored @param {number} label */
const sharesOf = (scored, label) => ({
  sensitivity: shareOf(
    scored.filter(({ truth }) => truth === label),
    ({ predicted }) => predicted === label,
  ),
  specificity: shareOf(
    scored.filter(({ truth }) => truth !== label),
    ({ predicted }) => predicted !== label,
  ),
  ppv: shareOf(
    scored.filter(({ predicted }) => predicted === label),
    ({ truth }) => truth === label,
  ),
  npv: shareOf(
    scored.filter(({ predicted }) => predicted !== label),
    ({ truth }) => truth !== label,
  ),
});

/** Labels whose AUC exists: those with films of both sides. @param {number[]} counts @param {number} n */
const ranked = (counts, n) => counts.map((_, i) => i).filter((i) => counts[i] > 0 && counts[i] < n);

/**
 * The figures that only a bootstrap gives an interval. A round without one of the classes is left out.
 * @param {Scored[]} scored @param {string[]} labels @param {Draws} draws
 */
function drawn(scored, labels, draws) {
  const { truth, positive, predicted, probability, counts } = prepare(scored, labels);
  const some = ranked(counts, scored.length);
  const areas = some.map((label) => auc(probability[label], positive[label]));
  const points = some.flatMap((label) => RULES.map((rule) => reached(probability[label], positive[label], rule)));
  const present = counts.map((_, label) => label).filter((label) => counts[label]);
  const figures = bootstrap(
    scored,
    (weight) => {
      const matrix = confusion(truth, predicted, labels.length, weight);
      const complete = present.every((label) => matrix[label].some(Boolean));
      const area = areas.map((of) => of(weight));
      const all = complete ? [mean(area), kappa(matrix), matthews(matrix)] : [NaN, NaN, NaN];
      return [...all, ...area, ...points.map((point) => point(weight))];
    },
    draws,
  );
  const [macroAuc, kappaFigure, mcc] = figures;
  return {
    macroAuc,
    kappa: kappaFigure,
    mcc,
    /** @param {number} label */
    auc: (label) => figures[3 + some.indexOf(label)],
    /** @param {number} label @param {number} rule */
    reached: (label, rule) => figures[3 + some.length + some.indexOf(label) * RULES.length + rule],
  };
}

/** @template {{ value: number }} T @param {T} figure @returns {T | null}  null if it is not defined */
const finite = (figure) => (Number.isFinite(figure.value) ? figure : null);

/**
 * All metrics of a set of scored films; `predicted` is the largest probability or the verdict. Shares have Wilson
 * intervals (intervals.mjs), areas DeLong's (delong.mjs), calibration that of a sandwich (calibration.mjs), the rest a
 * bootstrap.
 * @param {Scored[]} scored @param {string[]} labels @param {Draws | null} [draws]  null: no bootstrap
 */
export function metrics(scored, labels, draws = { rounds: ROUNDS }) {
  const { truth, positive, predicted, ones, probability, counts, confidence, correct, patients, patient } = prepare(
    scored,
    labels,
  );
  const matrix = confusion(truth, predicted, labels.length, ones);
  const present = counts.map((_, label) => label).filter((label) => counts[label]);
  const smallest = Math.min(...present.map((label) => counts[label]));
  const complete = present.length > 1 && smallest >= FEWEST;
  const some = ranked(counts, scored.length);
  const boot = complete && draws ? drawn(scored, labels, draws) : null;
  const weight = truth.map(() => 1);
  const classes = labels.map((label, i) => {
    const fewer = Math.min(counts[i], scored.length - counts[i]),
      enough = fewer >= FEWEST;
    const own = sharesOf(scored, i),
      ratios = likelihoodRatios(own.sensitivity, own.specificity);
    const { intercept, slope, observedToExpected, brier } = enough
      ? calibrationOf({ probability: probability[i], outcome: positive[i], weight, patient })
      : { intercept: null, slope: null, observedToExpected: null, brier: null };
    return {
      label,
      n: counts[i],
      ...own,
      likelihoodRatios: ratios,
      auc: enough ? areaFigure(probability[i], positive[i], patients) : null,
      aucBootstrap: enough && boot && some.includes(i) ? boot.auc(i) : null,
      intercept,
      slope,
      observedToExpected,
      brier,
      atPrevalence: PREVALENCES.map((prevalence) => ({ prevalence, ...predictiveValues(ratios, prevalence) })),
    };
  });
  const scores = scored.length >= FEWEST ? overallScores(scored, weight, patient) : { brier: null, logLoss: null };
  const area = some.map((label) => auc(probability[label], positive[label])(ones));
  const point = (/** @type {number} */ value) =>
    complete && Number.isFinite(value) ? { value, low: null, high: null } : null;
  return {
    n: scored.length,
    patients: patientsOf(scored),
    confusion: matrix,
    /** over which labels balanced accuracy and macro AUC are the mean */
    over: present.map((label) => labels[label]),
    classes,
    accuracy: shareOf(scored, (film) => film.truth === film.predicted),
    balancedAccuracy: present.length
      ? weightedSum(
          present.map((label) => classes[label].sensitivity),
          present.map(() => 1 / present.length),
        )
      : null,
    macroAuc: boot ? finite(boot.macroAuc) : point(mean(area)),
    kappa: boot ? finite(boot.kappa) : point(kappa(matrix)),
    mcc: boot ? finite(boot.mcc) : point(matthews(matrix)),
    ...scores,
    calibrationError:
      scored.length >= FEWEST ? calibrationErrorFigure(confidence, correct, weight, patient, draws?.seed) : null,
    /** @type {null | { label: string, rule: Rule, figure: import('./intervals.mjs').Figure }[]} */
    reached:
      boot &&
      some
        .filter((i) => Math.min(counts[i], scored.length - counts[i]) >= FEWEST)
        .flatMap((i) => RULES.map((rule, r) => ({ label: labels[i], rule, figure: boot.reached(i, r) }))),
  };
}

/**
 * Operating points whose thresholds were chosen on other films, or given.
 * @param {Scored[]} scored  the films to report on @param {Scored[] | null} chosenOn  the films to choose on
 * @param {string[]} labels @param {{ label: string, rule: Rule }[]} wanted
 */
export function operatingPoints(scored, chosenOn, labels, wanted) {
  const own = prepare(scored, labels),
    other = chosenOn && prepare(chosenOn, labels);
  return wanted.flatMap(({ label, rule }) => {
    const i = labels.indexOf(label);
    const from = rule.rule === 'threshold' ? own : (other ?? own);
    const scoresOf = (/** @type {typeof own} */ { probability, positive, patients }) => ({
      probability: probability[i],
      positive: positive[i],
      patients,
    });
    const threshold = thresholdOf(scoresOf(from), rule);
    if (Number.isNaN(threshold)) return [];
    return [{ label, rule, threshold, ...atThreshold(scoresOf(own), threshold) }];
  });
}

/**
 * Figures if refused and uncertain films count as wrong whatever they show (the worst case of Schuetz et al., BMJ 2012).
 * @param {(Scored & { answered: boolean })[]} scored  predicted by verdict @param {string[]} labels
 */
export const intentionToDiagnose = (scored, labels) => ({
  n: scored.length,
  accuracy: shareOf(scored, (film) => film.answered && film.truth === film.predicted),
  classes: labels.map((label, i) => ({
    label,
    sensitivity: shareOf(
      scored.filter(({ truth }) => truth === i),
      (film) => film.answered && film.predicted === i,
    ),
    specificity: shareOf(
      scored.filter(({ truth }) => truth !== i),
      (film) => film.answered && film.predicted !== i,
    ),
  })),
});

/**
 * Whether there are enough films of each label that has a share.
 * @param {number[]} counts  per label @param {number[] | null} shares
 */
const enough = (counts, shares) => !shares || counts.every((n, i) => n >= FEWEST || shares[i] === 0);

/**
 * Calibration where each label has the given share: films are weighted to it. Without shares, of the films as they are.
 * @param {Scored[]} scored  with probabilities for that class mix @param {string[]} labels
 * @param {number[] | null} shares @param {number} [seed] @returns null if a label has too few films
 */
export function calibrationAt(scored, labels, shares, seed) {
  const { truth, positive, probability, counts, confidence, patient } = prepare(scored, labels);
  if (scored.length < FEWEST || !enough(counts, shares)) return null;
  const weight = weightsFor(truth, shares);
  const right = scored.map(({ probability: own, truth: label }) => own.indexOf(Math.max(...own)) === label);
  return {
    shares: shares && Object.fromEntries(labels.map((label, i) => [label, shares[i]])),
    ...overallScores(scored, weight, patient),
    calibrationError: calibrationErrorFigure(confidence, right, weight, patient, seed),
    classes: labels.map((label, i) => {
      const used = truth.filter((_, j) => weight[j] > 0).length;
      const own = truth.filter((t, j) => t === i && weight[j] > 0).length;
      return Math.min(own, used - own) < FEWEST
        ? { label, n: own, intercept: null, slope: null, observedToExpected: null, brier: null }
        : { label, n: own, ...calibrationOf({ probability: probability[i], outcome: positive[i], weight, patient }) };
    }),
  };
}

/**
 * The metrics to expect where each label has the given share. Sensitivities are those of the films; the rest is their
 * sum weighted by the shares, with MOVER intervals, and predictive values follow by Bayes' theorem.
 * @param {Scored[]} scored  classified at these shares @param {string[]} labels @param {number[]} shares  per label
 * @param {number} [seed]
 */
export function atPrevalence(scored, labels, shares, seed) {
  const ofLabel = labels.map((_, label) => scored.filter(({ truth }) => truth === label));
  const drawable = enough(
    ofLabel.map(({ length }) => length),
    shares,
  );
  const sensitivities = ofLabel.map((films, i) =>
    drawable ? shareOf(films, ({ predicted }) => predicted === i) : null,
  );
  return {
    shares: Object.fromEntries(labels.map((label, i) => [label, shares[i]])),
    accuracy: drawable ? weightedSum(sensitivities, shares) : null,
    calibration: calibrationAt(scored, labels, shares, seed),
    classes: labels.map((label, i) => {
      const others = shares.map((p, j) => (j === i ? 0 : p / (1 - shares[i])));
      const specificity =
        drawable && shares[i] < 1
          ? weightedSum(
              ofLabel.map((films) => shareOf(films, ({ predicted }) => predicted !== i)),
              others,
            )
          : null;
      const sensitivity = shares[i] > 0 ? sensitivities[i] : null;
      const ratios = likelihoodRatios(sensitivity, specificity);
      const values = shares[i] > 0 && shares[i] < 1 ? predictiveValues(ratios, shares[i]) : { ppv: null, npv: null };
      return { label, sensitivity, specificity, likelihoodRatios: ratios, ...values };
    }),
  };
}

/**
 * The curves of each label that has enough films on both sides: ROC and precision-recall with bootstrap bands,
 * reliability, calibration and net benefit with closed ones. If a prevalence is given, the last three are of the films
 * classified at it and weighted to it; they are missing if there are too few films.
 * @param {Scored[]} scored @param {string[]} labels
 * @param {{ shares: number[], scored: Scored[] } | null} reclassified  the same films at a given prevalence
 * @param {Draws} [draws]
 */
export function curves(scored, labels, reclassified, draws = { rounds: ROUNDS }) {
  const { truth, positive, ones, probability, counts, patients, patient } = prepare(scored, labels);
  const weight = weightsFor(truth, reclassified?.shares ?? null);
  const drawable = enough(counts, reclassified?.shares ?? null);
  const expected = reclassified ? prepare(reclassified.scored, labels).probability : probability;
  return labels.flatMap((label, i) => {
    if (Math.min(counts[i], scored.length - counts[i]) < FEWEST) return [];
    const rocOf = roc(probability[i], positive[i]),
      recallOf = precisionRecall(probability[i], positive[i]);
    const [average, ...bands] = bootstrap(
      scored,
      (drawnWeight) => {
        const { points, average: area } = recallOf(drawnWeight);
        return [area, ...onGrid(rocOf(drawnWeight)), ...onRecalls(points)];
      },
      draws,
    );
    const band = (/** @type {number[]} */ at, /** @type {number} */ from) =>
      at.map((x, j) => {
        const { value, low, high } = bands[from + j];
        return { x, low: low ?? value, high: high ?? value };
      });
    const outcomes = { probability: expected[i], outcome: positive[i], weight, patient };
    return [
      {
        label,
        n: counts[i],
        others: scored.length - counts[i],
        weighted: reclassified ? reclassified.shares[i] : null,
        auc: /** @type {import('./intervals.mjs').Figure} */ (areaFigure(probability[i], positive[i], patients)),
        roc: rocOf(ones),
        band: band(GRID, 0),
        averagePrecision: average,
        precisionRecall: recallOf(ones).points,
        precisionBand: band(RECALLS, GRID.length),
        ...(drawable && {
          reliability: reliability(outcomes),
          calibration: calibrationCurve(outcomes),
          netBenefit: netBenefit(expected[i], positive[i], weight, patient, THRESHOLDS),
        }),
      },
    ];
  });
}
