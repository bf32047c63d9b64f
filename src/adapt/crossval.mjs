// crossval.mjs - fits the last layer and the temperature to a user's own labelled films, and measures the effect by
// nested cross-validation.
//
// No film is scored by a layer that was fitted to it. The outer folds measure: each is scored by a fit to the other
// four. The inner folds choose: each such fit picks its ridge strength, temperature and shift by cross-validation among
// its own films. Folds are stratified by label and grouped by patient, because films of one patient are correlated.
import { changedLogits, crossEntropy, fitRidgePath, fitTemperature, project, softmax, totalLoss } from './logistic.mjs';
import { bootstrap, random } from '../stats/bootstrap.mjs';
import { auc, balancedAccuracy, calibrationError, confusion } from '../stats/scores.mjs';

/**
 * @typedef {import('./logistic.mjs').Film} Film
 * @typedef {import('../weights/adapter.mjs').Layer} Layer
 * @typedef {import('./logistic.mjs').Point} Point
 * @typedef {import('./logistic.mjs').Change} Change
 * @typedef {{ change: Change, temperature: number, strength: number }} Fit
 * @typedef {import('../stats/bootstrap.mjs').Figure} Figure
 * @typedef {{ name: 'balancedAccuracy' | 'accuracy' | 'auc' | 'calibrationError' | 'logLoss', label: string | null,
 *   before: Figure, after: Figure, difference: Figure }} Comparison  difference: after minus before
 * @typedef {'better' | 'calibrated' | 'same' | 'worse'} Advice
 */

/** With fewer films or patients of a label, a last layer would learn these films by heart. */
export const MIN_FILMS = 20;
export const MIN_PATIENTS = 10;
const FOLDS = 5;
/** Ridge strengths towards the shipped layer, strongest first; infinity keeps the layer unchanged. */
const STRENGTHS = [Infinity, 100, 30, 10, 3, 1, 0.3, 0.1];

/**
 * @typedef {object} Candidate  a labelled film as the user gave it
 * @property {string} label
 * @property {string} hash  of its file
 * @property {string | null} patient
 * @property {Float32Array | null} features  null if the gate refused the film
 * @property {number[]} [logits]
 */

/** The files that were given more than one label. @param {Candidate[]} candidates @returns {Set<string>} hashes */
function findContradictions(candidates) {
  const labelOf = new Map();
  const contradictory = new Set();
  for (const { hash, label } of candidates) {
    if ((labelOf.get(hash) ?? label) !== label) contradictory.add(hash);
    labelOf.set(hash, label);
  }
  return contradictory;
}

/**
 * Selects the films that count, each with its hash and whether its patient is known: with a label of the model, accepted by the gate, each file once, and only one label per
 * file.
 * @param {Candidate[]} candidates @param {string[]} labels
 */
export function selectFilms(candidates, labels) {
  const leftOut = { otherLabel: 0, refused: 0, repeated: 0, contradictory: 0 };
  const contradictory = findContradictions(candidates);
  const seen = new Set();
  const films = [];
  for (const { label, hash, patient, features, ...others } of candidates) {
    const repeated = seen.has(hash);
    seen.add(hash);
    if (!labels.includes(label)) leftOut.otherLabel++;
    else if (contradictory.has(hash)) leftOut.contradictory++;
    else if (repeated) leftOut.repeated++;
    else if (!features) leftOut.refused++;
    else films.push({ ...others, label, patient: patient ?? hash, hash, known: patient !== null, features });
  }
  return { films, leftOut };
}

/**
 * Labels with too few films or patients for a fit.
 * @param {{ label: number, patient: string }[]} films @param {string[]} labels
 */
export const tooFew = (films, labels) =>
  labels
    .map((label, number) => {
      const patients = films.filter((film) => film.label === number).map(({ patient }) => patient);
      return { label, films: patients.length, patients: new Set(patients).size };
    })
    .filter(({ films: count, patients }) => count < MIN_FILMS || patients < MIN_PATIENTS);

/**
 * A fold for each film, stratified by label and grouped by patient; the order of the films makes no difference.
 * @param {{ label: number, patient: string }[]} films @param {number} [count] @returns {number[]} 0..count-1
 */
export function folds(films, count = FOLDS) {
  const draw = random(1);
  /** @type {Map<string, number>} */
  const labelOf = new Map();
  for (const { patient, label } of films) labelOf.set(patient, Math.min(label, labelOf.get(patient) ?? label));
  const sorted = [...labelOf].sort(([a], [b]) => (a < b ? -1 : 1));
  const patients = sorted.map(([patient, label]) => ({ patient, label, key: draw() }));
  patients.sort((a, b) => a.label - b.label || a.key - b.key);
  const foldOf = new Map(patients.map(({ patient }, i) => [patient, i % count]));
  return films.map(({ patient }) => foldOf.get(patient) ?? 0);
}

/**
 * Cross-validated logits of the points at each strength.
 * @param {Point[]} points @returns {number[][][]} [strength][point][label]
 */
function heldOutLogits(points) {
  const fold = folds(points);
  const logits = STRENGTHS.map(() => new Array(points.length));
  for (let held = 0; held < FOLDS; held++) {
    const training = points.filter((_, i) => fold[i] !== held);
    fitRidgePath(training, STRENGTHS).forEach((change, s) => {
      points.forEach((point, i) => {
        if (fold[i] === held) logits[s][i] = changedLogits(point, change);
      });
    });
  }
  return logits;
}

/**
 * Fits the layer: inner cross-validation chooses the strength, the temperature and the shift.
 * @param {Point[]} points @returns {Fit}
 */
function fitPoints(points) {
  const labels = points.map(({ label }) => label);
  const logits = heldOutLogits(points);
  const losses = logits.map((rows) => totalLoss(rows, labels));
  const best = losses.indexOf(Math.min(...losses));
  const { temperature, shift } = fitTemperature(logits[best], labels);
  const change = fitRidgePath(points, STRENGTHS.slice(0, best + 1))[best];
  change.forEach((row, label) => {
    row[row.length - 1] += temperature * shift[label];
  });
  return { change, temperature, strength: STRENGTHS[best] };
}

/**
 * Fits a layer to the films, and scores every film by a fit without its fold.
 * @param {Film[]} films @param {Layer} layer  from `startLayer` @param {(share: number) => void} [progress] 0..1
 * @returns {{ layer: Layer, temperature: number, strength: number, before: number[][], after: number[][] }}
 *   before, after: probabilities of each film, softmax(logits / temperature)
 */
export function crossValidate(films, layer, progress = () => {}) {
  const { points, toLayer } = project(films, layer);
  const fold = folds(points);
  const after = new Array(films.length);
  for (let held = 0; held < FOLDS; held++) {
    progress(held / (FOLDS + 1));
    const { change, temperature } = fitPoints(points.filter((_, i) => fold[i] !== held));
    points.forEach((point, i) => {
      if (fold[i] === held) after[i] = softmax(changedLogits(point, change).map((z) => z / temperature));
    });
  }
  progress(FOLDS / (FOLDS + 1));
  const { change, temperature, strength } = fitPoints(points);
  const before = points.map(({ baseLogits }) => softmax(baseLogits));
  return { layer: toLayer(change), temperature, strength, before, after };
}

/**
 * The metrics of `comparedMetrics` in order, as a function of the films' weights.
 * @param {number[]} truth @param {number[][]} probability @param {number} classes
 */
function measure(truth, probability, classes) {
  const confidence = probability.map((row) => Math.max(...row));
  const predicted = probability.map((row, i) => row.indexOf(confidence[i]));
  const correct = predicted.map((label, i) => label === truth[i]);
  const losses = probability.map((row, i) => crossEntropy(row[truth[i]]));
  const areas = Array.from({ length: classes }, (_, label) =>
    auc(
      probability.map((row) => row[label]),
      truth.map((t) => t === label),
    ),
  );
  return (/** @type {Float64Array} */ weight) => {
    const matrix = confusion(truth, predicted, classes, weight);
    const total = weight.reduce((a, b) => a + b, 0);
    return [
      balancedAccuracy(matrix),
      matrix.reduce((sum, row, label) => sum + row[label], 0) / total,
      ...areas.map((area) => area(weight)),
      calibrationError(confidence, correct, weight),
      losses.reduce((sum, loss, i) => sum + loss * weight[i], 0) / total,
    ];
  };
}

/** @param {string[]} labels @returns {{ name: Comparison['name'], label: string | null }[]} */
const comparedMetrics = (labels) => [
  { name: 'balancedAccuracy', label: null },
  { name: 'accuracy', label: null },
  ...labels.map((label) => ({ name: /** @type {const} */ ('auc'), label })),
  { name: 'calibrationError', label: null },
  { name: 'logLoss', label: null },
];

/**
 * Every metric before and after, and the difference, by one bootstrap over patients that draws the same films for both.
 * @param {Film[]} films @param {{ before: number[][], after: number[][] }} probability @param {string[]} labels
 * @returns {Comparison[]}
 */
export function compareFits(films, { before, after }, labels) {
  const truth = films.map(({ label }) => label);
  const measureBefore = measure(truth, before, labels.length);
  const measureAfter = measure(truth, after, labels.length);
  const drawn = bootstrap(films, (/** @type {Float64Array} */ weight) => {
    const first = measureBefore(weight);
    const second = measureAfter(weight);
    return [...first, ...second, ...second.map((value, i) => value - first[i])];
  });
  const metrics = comparedMetrics(labels);
  const count = metrics.length;
  return metrics.map((metric, i) => ({
    ...metric,
    before: drawn[i],
    after: drawn[count + i],
    difference: drawn[2 * count + i],
  }));
}

/**
 * What the differences mean. Only two metrics decide, to leave chance few openings: whether the model is right more
 * often over all classes, and whether it gives the true class more probability.
 * @param {Comparison[]} comparisons @returns {Advice}
 */
export function advise(comparisons) {
  /** @param {Comparison['name']} name */
  const differenceOf = (name) => comparisons.find((one) => one.name === name)?.difference;
  const accuracy = differenceOf('balancedAccuracy');
  const loss = differenceOf('logLoss');
  if ((accuracy?.high ?? 0) < 0 || (loss?.low ?? 0) > 0) return 'worse';
  if ((accuracy?.low ?? 0) > 0) return 'better';
  return (loss?.high ?? 0) < 0 ? 'calibrated' : 'same';
}
