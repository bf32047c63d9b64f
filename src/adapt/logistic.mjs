// logistic.mjs - the statistics of a last layer: multinomial logistic regression on features, then temperature scaling.
//
// A few dozen films cannot determine a layer with hundreds of inputs. So the layer may change only along the directions
// in which the films' features vary most (`project`), and ridge regression pulls it towards the shipped layer
// (`fitRidgePath`). All sums run in a fixed order, so the same films give the same layer.
import { random } from '../stats/bootstrap.mjs';
import { cholesky, choleskySolve, dot, orthonormalise } from './linalg.mjs';

/**
 * @typedef {import('../weights/adapter.mjs').Layer} Layer
 * @typedef {{ features: ArrayLike<number>, label: number, patient: string }} Film  features: what the last layer reads
 *   of it
 * @typedef {object} Point  a film in the coordinates of `project`
 * @property {Float64Array} x  one coordinate per direction, then 1 for the bias
 * @property {number[]} baseLogits  of the layer that the fit starts from
 * @property {number} label
 * @property {string} patient
 * @typedef {Float64Array[]} Change  what the fit adds to the layer, in the coordinates of `project`: one row per label
 */

/** Number of directions in which the layer may change. */
const MAX_DIRECTIONS = 64;
/** Rounds of orthogonal iteration. A rough subspace is enough. */
const ITERATIONS = 6;
/** Ridge of the bias: tiny, but it makes the solution unique. */
const BIAS_RIDGE = 1e-6;
/** Clamp: log(0) would be infinite. */
const MIN_PROBABILITY = 1e-12;
/** Steps end when one improves the loss by less than this per film, far below what a probability shows. */
const MIN_GAIN = 1e-5;
const MAX_STEPS = 200;
/** Ridge worth one film; keeps temperature and shift finite when the folds are perfectly separable. */
const CALIBRATION_RIDGE = 1;
const MIN_CALIBRATION_GAIN = 1e-9;
const MIN_STEP = 1e-6;

/** @param {number[]} logits */
export function softmax(logits) {
  const max = Math.max(...logits);
  const powers = logits.map((z) => Math.exp(z - max));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** @param {Layer} layer @param {ArrayLike<number>} features */
export const applyLayer = ({ weight, bias }, features) => weight.map((row, label) => bias[label] + dot(row, features));

/** The loss of a film whose true label got this probability. @param {number} probability */
export const crossEntropy = (probability) => -Math.log(Math.max(probability, MIN_PROBABILITY));

/** The summed cross-entropy. @param {number[][]} logits  of films @param {number[]} labels */
export const totalLoss = (logits, labels) =>
  logits.reduce((sum, row, i) => sum + crossEntropy(softmax(row)[labels[i]]), 0);

/**
 * The layer that every fit starts from: the shipped one with its temperature applied and, if it records its prior,
 * moved to the class mix of the films. It answers as the shipped model does with `--prevalence` set to that mix.
 * @param {Layer} layer @param {number} temperature @param {number[] | null} prior @param {number[]} mix
 * @returns {Layer}
 */
export const startLayer = ({ weight, bias }, temperature, prior, mix) => ({
  weight: weight.map((row) => Float64Array.from(row, (w) => w / temperature)),
  bias: bias.map((b, label) => b / temperature + (prior ? Math.log(mix[label] / prior[label]) : 0)),
});

/** out += scale * v @param {Float64Array} out @param {number} scale @param {Float64Array} v */
function addScaled(out, scale, v) {
  for (let i = 0; i < out.length; i++) out[i] += scale * v[i];
}

/**
 * The directions of the largest variance, by orthogonal iteration on X^T X.
 * @param {Float64Array[]} rows  X, centred @param {number} width @param {number} [most] directions
 */
export function principalDirections(rows, width, most = MAX_DIRECTIONS) {
  const draw = random(1);
  const count = Math.min(most, width, rows.length);
  const covary = (/** @type {Float64Array} */ v) => {
    const out = new Float64Array(width);
    for (const row of rows) addScaled(out, dot(row, v), row);
    return out;
  };
  /** @type {Float64Array[]} */
  let basis = Array.from({ length: count }, () => Float64Array.from({ length: width }, () => draw() - 0.5));
  for (let i = 0; i < ITERATIONS; i++) basis = orthonormalise(basis.map(covary));
  return basis;
}

/**
 * Describes films by the directions in which their features vary most. The features are centred and scaled to a mean
 * squared length of 1, so that a ridge strength means the same for every network. Labels are not used, so all folds of
 * a cross-validation may share the directions.
 * @param {Film[]} films @param {Layer} layer  that the fit starts from
 * @returns {{ points: Point[], toLayer: (change: Change) => Layer }}  toLayer: the layer with a change applied
 */
export function project(films, layer) {
  const width = layer.weight[0].length;
  const mean = new Float64Array(width);
  for (const { features } of films) for (let i = 0; i < width; i++) mean[i] += features[i] / films.length;
  const rows = films.map(({ features }) => mean.map((m, i) => features[i] - m));
  const scale = Math.sqrt(rows.reduce((sum, row) => sum + dot(row, row), 0) / films.length) || 1;
  for (const row of rows) for (let i = 0; i < width; i++) row[i] /= scale;
  const directions = principalDirections(rows, width);
  const points = films.map(({ features, label, patient }, f) => ({
    x: Float64Array.from([...directions.map((direction) => dot(direction, rows[f])), 1]),
    baseLogits: applyLayer(layer, features),
    label,
    patient,
  }));

  /** @param {Change} change @returns {Layer} */
  function toLayer(change) {
    const added = change.map((row) => {
      const out = new Float64Array(width);
      directions.forEach((direction, d) => {
        for (let i = 0; i < width; i++) out[i] += (row[d] * direction[i]) / scale;
      });
      return out;
    });
    return {
      weight: layer.weight.map((row, label) => Float64Array.from(row, (w, i) => w + added[label][i])),
      bias: layer.bias.map((b, label) => b + change[label][directions.length] - dot(added[label], mean)),
    };
  }
  return { points, toLayer };
}

/** @param {Point} point @param {Change} change @returns {number[]} */
export const changedLogits = ({ baseLogits, x }, change) => baseLogits.map((z, label) => z + dot(x, change[label]));

/** The lower triangle of X^T X / 2. @param {Point[]} points */
function halfGram(points) {
  const n = points[0].x.length;
  const gram = new Float64Array(n * n);
  for (const { x } of points)
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) gram[i * n + j] += (x[i] * x[j]) / 2;
  return gram;
}

/**
 * Loss and gradient of ridge logistic regression.
 * @param {Point[]} points @param {Change} change @param {Float64Array} ridge
 */
function ridgeLoss(points, change, ridge) {
  const gradient = change.map((row) => row.map((value, i) => ridge[i] * value));
  let loss = change.reduce((sum, row, label) => sum + dot(row, gradient[label]) / 2, 0);
  for (const point of points) {
    const probability = softmax(changedLogits(point, change));
    loss += crossEntropy(probability[point.label]);
    probability.forEach((p, label) => addScaled(gradient[label], p - Number(point.label === label), point.x));
  }
  return { loss, gradient };
}

/**
 * Multinomial logistic regression at each ridge strength, where each fit starts from the one before. A step minimises
 * Böhning's bound (1992), a parabola above the loss with the constant Hessian X^T X / 2, so no step can raise the loss.
 * @param {Point[]} points @param {number[]} strengths  strongest first; Infinity keeps the layer unchanged
 * @returns {Change[]}
 */
export function fitRidgePath(points, strengths) {
  const n = points[0].x.length;
  const change = points[0].baseLogits.map(() => new Float64Array(n));
  const gram = halfGram(points);

  /** @param {number} strength */
  function descend(strength) {
    const ridge = Float64Array.from({ length: n }, (_, i) => (i < n - 1 ? strength : BIAS_RIDGE));
    const hessian = Float64Array.from(gram);
    for (let i = 0; i < n; i++) hessian[i * n + i] += ridge[i];
    cholesky(hessian, n);
    let previous = Infinity;
    for (let step = 0; step < MAX_STEPS; step++) {
      const { loss, gradient } = ridgeLoss(points, change, ridge);
      if (previous - loss < MIN_GAIN * points.length) return;
      previous = loss;
      gradient.forEach((row, label) => {
        choleskySolve(hessian, row);
        addScaled(change[label], -1, row);
      });
    }
  }

  return strengths.map((strength) => {
    if (strength < Infinity) descend(strength);
    return change.map((row) => Float64Array.from(row));
  });
}

/**
 * Temperature scaling with one shift per label, by maximum likelihood. Newton's method with step halving finds the
 * parameters [shift of each label, 1 / temperature]; a ridge holds them near [0, ..., 0, 1].
 * @param {number[][]} logits  of films that the layer was not fitted to @param {number[]} labels
 * @returns {{ temperature: number, shift: number[] }}  calibrated logits are logits / temperature + shift
 */
export function fitTemperature(logits, labels) {
  const classes = logits[0].length;
  const start = Float64Array.from({ length: classes + 1 }, (_, i) => Number(i === classes));

  /** @param {number[]} row @param {Float64Array} params */
  const calibrated = (row, params) => row.map((z, label) => z * params[classes] + params[label]);
  /** @param {Float64Array} params */
  function lossOf(params) {
    if (!(params[classes] > 0)) return Infinity; // no temperature is negative
    const ridge = (CALIBRATION_RIDGE / 2) * params.reduce((sum, value, i) => sum + (value - start[i]) ** 2, 0);
    const rows = logits.map((row) => calibrated(row, params));
    return totalLoss(rows, labels) + ridge;
  }
  /** The Newton step. @param {Float64Array} params */
  function newtonStep(params) {
    const n = params.length;
    const gradient = params.map((value, i) => CALIBRATION_RIDGE * (value - start[i]));
    const hessian = new Float64Array(n * n);
    for (let i = 0; i < n; i++) hessian[i * n + i] = CALIBRATION_RIDGE;
    logits.forEach((row, f) => {
      const mean = new Float64Array(n);
      softmax(calibrated(row, params)).forEach((p, label) => {
        const error = p - Number(labels[f] === label);
        gradient[label] += error;
        gradient[classes] += error * row[label];
        mean[label] = p;
        mean[classes] += p * row[label];
        hessian[label * n + label] += p;
        hessian[classes * n + label] += p * row[label];
        hessian[classes * n + classes] += p * row[label] ** 2;
      });
      for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) hessian[i * n + j] -= mean[i] * mean[j];
    });
    cholesky(hessian, n);
    choleskySolve(hessian, gradient);
    return gradient;
  }

  let params = start;
  let loss = lossOf(params);
  for (let iteration = 0; iteration < MAX_STEPS; iteration++) {
    const step = newtonStep(params);
    let candidate = params;
    let candidateLoss = Infinity;
    for (let size = 1; candidateLoss > loss && size > MIN_STEP; size /= 2) {
      candidate = params.map((value, i) => value - size * step[i]);
      candidateLoss = lossOf(candidate);
    }
    if (!(loss - candidateLoss > MIN_CALIBRATION_GAIN * logits.length)) break;
    params = candidate;
    loss = candidateLoss;
  }
  return { temperature: 1 / params[classes], shift: Array.from(params.subarray(0, classes)) };
}
