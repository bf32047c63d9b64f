// crossval.mjs - fits the last layer and the temperature to a person's own labelled films, and tells what that is worth there.
//
// Nothing that is said of the new layer comes from a film that it was fitted to: of each outer fold, strength, temperature
// and shift are chosen by inner folds of the others alone. All of a patient's films lie in one fold.
import { calibrate, cost, fit, loss, moved, project, softmax } from './logistic.mjs';
import { bootstrap, random } from '../stats/bootstrap.mjs';
import { auc, balancedAccuracy, calibrationError, confusion } from '../stats/scores.mjs';

/**
 * @typedef {import('./logistic.mjs').Film} Film @typedef {import('./logistic.mjs').Layer} Layer
 * @typedef {import('./logistic.mjs').Point} Point
 * @typedef {{ change: Float64Array[], temperature: number, strength: number }} Refit
 * @typedef {import('../stats/bootstrap.mjs').Figure} Figure
 * @typedef {{ name: 'balancedAccuracy' | 'accuracy' | 'auc' | 'calibrationError' | 'logLoss', label: string | null,
 *   before: Figure, after: Figure, difference: Figure }} Comparison  difference: after minus before
 * @typedef {'better' | 'calibrated' | 'same' | 'worse'} Advice
 */

/** A last layer fitted to fewer films of a label, or of fewer patients, would learn these films and no more. */
export const FEWEST_FILMS = 20,
  FEWEST_PATIENTS = 10;
const FOLDS = 5;
/** Of the pull towards the shipped layer; at the first the layer stays as it is. Warm starts go from strong to weak. */
const STRENGTHS = [Infinity, 100, 30, 10, 3, 1, 0.3, 0.1];

/**
 * The films that may count: of the model's labels, accepted by the gate, each file once; a file that was given two labels
 * has none.
 * @param {{ label: string, hash: string, patient: string | null, features: Float32Array | null }[]} found  features: null where the gate refuses
 * @param {string[]} labels
 */
export function choose(found, labels) {
  const said = new Map(),
    seen = new Set();
  for (const { hash, label } of found) said.set(hash, (said.get(hash) ?? new Set()).add(label));
  const leftOut = { otherLabel: 0, refused: 0, repeated: 0, contradictory: 0 };
  const films = found.flatMap(({ label, hash, patient, features }) => {
    const why = !labels.includes(label)
      ? 'otherLabel'
      : said.get(hash).size > 1
        ? 'contradictory'
        : seen.has(hash)
          ? 'repeated'
          : !features
            ? 'refused'
            : null;
    seen.add(hash);
    if (why) leftOut[why]++;
    return why ? [] : [{ label, patient: patient ?? hash, features }];
  });
  return { films, leftOut };
}

/**
 * A fold for each film: patients stay whole, labels are spread evenly, and the order of the films makes no difference.
 * @param {{ label: number, patient: string }[]} films @param {number} [count] @returns {number[]} 0..count-1
 */
export function folds(films, count = FOLDS) {
  const draw = random(1),
    first = new Map();
  for (const { patient, label } of films) first.set(patient, Math.min(label, first.get(patient) ?? label));
  const patients = [...first.keys()].sort().map((patient) => ({ patient, label: first.get(patient), at: draw() }));
  patients.sort((a, b) => a.label - b.label || a.at - b.at);
  const fold = new Map(patients.map(({ patient }, place) => [patient, place % count]));
  return films.map(({ patient }) => fold.get(patient));
}

/** What is said of points that it was not fitted to, for each strength. @param {Point[]} points @returns {number[][][]} logits */
function heldOut(points) {
  const fold = folds(points),
    logits = STRENGTHS.map(() => new Array(points.length));
  for (let out = 0; out < FOLDS; out++) {
    const changes = fit(
      points.filter((_, f) => fold[f] !== out),
      STRENGTHS,
    );
    points.forEach((point, f) => {
      if (fold[f] === out)
        changes.forEach((change, s) => {
          logits[s][f] = moved(point, change);
        });
    });
  }
  return logits;
}

/** @param {Point[]} points @returns {Refit} */
function refitPoints(points) {
  const labels = points.map(({ label }) => label),
    logits = heldOut(points);
  const losses = logits.map((rows) => loss(rows, labels)),
    best = losses.indexOf(Math.min(...losses));
  const { temperature, shift } = calibrate(logits[best], labels);
  const change = fit(points, STRENGTHS.slice(0, best + 1))[best];
  change.forEach((row, label) => {
    row[row.length - 1] += temperature * shift[label];
  });
  return { change, temperature, strength: STRENGTHS[best] };
}

/**
 * The layer for these films, and what it is worth by cross-validation: every film is judged by a layer that was fitted
 * without its fold.
 * @param {Film[]} films @param {Layer} layer what `begin` gives @param {(share: number) => void} [progress] 0..1
 * @returns {{ layer: Layer, temperature: number, strength: number, before: number[][], after: number[][] }}
 *   probabilities are softmax(logits / temperature)
 */
export function refit(films, layer, progress = () => {}) {
  const { points, back } = project(films, layer),
    fold = folds(points),
    after = new Array(films.length);
  for (let out = 0; out < FOLDS; out++) {
    progress(out / (FOLDS + 1));
    const own = refitPoints(points.filter((_, f) => fold[f] !== out));
    points.forEach((point, f) => {
      if (fold[f] === out) after[f] = softmax(moved(point, own.change).map((z) => z / own.temperature));
    });
  }
  progress(FOLDS / (FOLDS + 1));
  const { change, ...rest } = refitPoints(points);
  return { layer: back(change), ...rest, before: points.map(({ given }) => softmax(given)), after };
}

/**
 * Every figure before and after, and the difference, by one bootstrap over patients that draws the same films for both.
 * @param {Film[]} films @param {{ before: number[][], after: number[][] }} probability @param {string[]} labels
 * @returns {Comparison[]}
 */
export function compareFits(films, { before, after }, labels) {
  const truth = films.map(({ label }) => label),
    positive = labels.map((_, label) => truth.map((t) => t === label));
  /** @type {{ name: Comparison['name'], label: string | null }[]} */
  const names = [
    { name: 'balancedAccuracy', label: null },
    { name: 'accuracy', label: null },
    ...labels.map((label) => ({ name: /** @type {const} */ ('auc'), label })),
    { name: 'calibrationError', label: null },
    { name: 'logLoss', label: null },
  ];
  /** @param {number[][]} probability @returns {(weight: Float64Array) => number[]} */
  function measure(probability) {
    const confidence = probability.map((row) => Math.max(...row)),
      guess = probability.map((row, f) => row.indexOf(confidence[f]));
    const right = guess.map((label, f) => label === truth[f]),
      areas = labels.map((_, label) =>
        auc(
          probability.map((row) => row[label]),
          positive[label],
        ),
      );
    const losses = probability.map((row, f) => cost(row[truth[f]]));
    return (weight) => {
      const matrix = confusion(truth, guess, labels.length, weight),
        all = weight.reduce((a, b) => a + b, 0);
      return [
        balancedAccuracy(matrix),
        matrix.reduce((sum, row, label) => sum + row[label], 0) / all,
        ...areas.map((area) => area(weight)),
        calibrationError(confidence, right, weight),
        losses.reduce((sum, l, f) => sum + l * weight[f], 0) / all,
      ];
    };
  }
  const both = [measure(before), measure(after)];
  const ask = (weight) => {
    const [a, b] = both.map((of) => of(weight));
    return [...a, ...b, ...b.map((value, i) => value - a[i])];
  };
  const drawn = bootstrap(films, ask);
  return names.map((name, i) => ({
    ...name,
    before: drawn[i],
    after: drawn[names.length + i],
    difference: drawn[2 * names.length + i],
  }));
}

/**
 * What the differences say. Two figures decide, so that chance has few occasions: is it more often right over all classes,
 * and does it give the true class more.
 * @param {Comparison[]} comparisons @returns {Advice}
 */
export function advise(comparisons) {
  const of = (name) => comparisons.find((one) => one.name === name).difference;
  const right = of('balancedAccuracy'),
    loss = of('logLoss');
  if ((right.high ?? 0) < 0 || (loss.low ?? 0) > 0) return 'worse';
  if ((right.low ?? 0) > 0) return 'better';
  return (loss.high ?? 0) < 0 ? 'calibrated' : 'same';
}

/** What is missing before a fit is worth trying: labels with too few films or patients. @param {{ label: number, patient: string }[]} films @param {string[]} labels */
export const missing = (films, labels) =>
  labels
    .map((label, number) => {
      const own = films.filter((film) => film.label === number);
      return { label, films: own.length, patients: new Set(own.map(({ patient }) => patient)).size };
    })
    .filter(({ films: count, patients }) => count < FEWEST_FILMS || patients < FEWEST_PATIENTS);
