// calibrate.mjs - what a brought classifier lacks: a temperature and intercepts that make its probabilities true, the
// class mix that they assume, and a gate that refuses films unlike those it was calibrated on.
//
// The gate is that of model/training/calibrate.py: the length of a whitened vector of the pooled features is a
// Mahalanobis distance (Lee et al., 2018), and its quantiles over other films say how unusual a film is. The films are
// parted by patient: one half gives the whitening, the other the quantiles.
import { createEngine } from '../engine.mjs';
import { quantile } from '../stats/bootstrap.mjs';
import {
  floatsIn,
  floatsOf,
  floatTensor,
  floatValue,
  floatValues,
  readGguf,
  tensorOf,
  textOf,
  textsOf,
  textValue,
  textValues,
  writeGguf,
} from '../weights/gguf.mjs';
import { pooledLayer } from '../weights/adapter.mjs';
import { LANES, packConv } from '../weights/layout.mjs';
import { FITTED, packFilms } from '../weights/seen.mjs';
import { folds } from './crossval.mjs';
import { cholesky, dot } from './linalg.mjs';
import { fitTemperature, principalDirections, totalLoss } from './logistic.mjs';

/** With fewer films of a label, its intercept would be that of a few films. */
export const MIN_PER_LABEL = 10;
/** With fewer films, the tail of the distances is unknown. */
export const MIN_FOR_GATE = 100;
/** As of the shipped weights: share of valid films that the gate may refuse, and probability that an answer needs. */
const GATE_TAIL = 0.005;
const MIN_PROBABILITY = 0.5;
/** Directions of the gate, at most one for so many films. */
const MAX_WIDTH = 64;
const FILMS_PER_DIRECTION = 4;
/** Ridge of the whitening, as a share of the largest variance. */
const RIDGE = 1e-3;
const QUANTILES = 101;

/**
 * @typedef {object} CalibrationFilm
 * @property {number[]} logits @property {ArrayLike<number>} features @property {string} label @property {string} hash
 * @property {string} patient
 * @typedef {object} Calibration
 * @property {Uint8Array} weights @property {number} temperature @property {number[]} counts of films per label
 * @property {number} before @property {number} after  mean log loss of films that were not fitted, at their class mix
 * @property {boolean} gated  whether there is a gate
 */

/** @param {number[][]} logits @param {{ temperature: number, shift: number[] }} fit */
const calibrated = (logits, { temperature, shift }) =>
  logits.map((row) => row.map((z, i) => z / temperature + shift[i]));

/**
 * The mean log loss of each fold by a fit to the others.
 * @param {number[][]} logits @param {number[]} labels @param {number[]} fold
 */
function crossValidated(logits, labels, fold) {
  let loss = 0;
  for (const held of new Set(fold)) {
    const part = (/** @type {boolean} */ own) => fold.flatMap((f, i) => ((f === held) === own ? [i] : []));
    const [own, others] = [part(true), part(false)];
    const fit = fitTemperature(
      others.map((i) => logits[i]),
      others.map((i) => labels[i]),
    );
    loss += totalLoss(
      calibrated(
        own.map((i) => logits[i]),
        fit,
      ),
      own.map((i) => labels[i]),
    );
  }
  return loss / logits.length;
}

/**
 * A dense layer whose output is as long as the Mahalanobis distance of features in the directions of most variance.
 * @param {ArrayLike<number>[]} features
 */
function whitening(features) {
  const width = features[0].length;
  const mean = new Float64Array(width);
  for (const row of features) for (let i = 0; i < width; i++) mean[i] += row[i] / features.length;
  const rows = features.map((row) => mean.map((m, i) => row[i] - m));
  const most = Math.min(MAX_WIDTH, Math.floor(features.length / FILMS_PER_DIRECTION / LANES) * LANES);
  const directions = principalDirections(rows, width, most);
  const n = Math.floor(directions.length / LANES) * LANES;
  if (!n) return null;
  directions.length = n;
  const points = rows.map((row) => directions.map((direction) => dot(direction, row)));
  const spread = new Float64Array(n * n);
  for (const point of points)
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) spread[i * n + j] += (point[i] * point[j]) / points.length;
  const largest = Math.max(...directions.map((_, i) => spread[i * n + i]));
  if (!(largest > 0)) return null;
  for (let i = 0; i < n; i++) spread[i * n + i] += RIDGE * largest;
  cholesky(spread, n);
  // The rows of the inverse of L, applied to the directions.
  const weight = directions.map((direction) => Float64Array.from(direction));
  weight.forEach((row, i) => {
    for (let k = 0; k < i; k++) for (let c = 0; c < width; c++) row[c] -= spread[i * n + k] * weight[k][c];
    for (let c = 0; c < width; c++) row[c] /= spread[i * n + i];
  });
  return { weight, bias: weight.map((row) => -dot(row, mean)) };
}

/**
 * Adds the gate to the weights. @param {import('../weights/gguf.mjs').Gguf} gguf
 * @param {CalibrationFilm[]} films @param {number[]} fold @returns {boolean} whether there is one
 */
function addGate(gguf, films, fold) {
  const { values, tensors } = gguf;
  const lines = textsOf(values.get('pleura.diagnosis.graph')) ?? [];
  const pool = pooledLayer(gguf);
  if (pool === null || films.length < MIN_FOR_GATE || lines.some((line) => /^gate\s*=/.test(line))) return false;
  const half = (/** @type {number} */ odd) => films.filter((_, i) => fold[i] % 2 === odd).map((film) => film.features);
  const layer = whitening(half(0));
  if (!layer) return false;
  const distances = Float64Array.from(half(1), (row) =>
    Math.hypot(...layer.weight.map((weight, i) => Math.fround(dot(weight, row) + layer.bias[i]))),
  ).sort();
  const count = layer.weight.length;
  values.set('pleura.diagnosis.graph', textValues([...lines, `gate = dense ${pool} c=${count}`]));
  tensors.set(
    'diagnosis.gate.weight',
    floatTensor(packConv(layer.weight, Float32Array), [LANES * layer.weight[0].length, 1, 1, count / LANES]),
  );
  tensors.set('diagnosis.gate.bias', floatTensor(layer.bias));
  const quantiles = Array.from({ length: QUANTILES }, (_, i) => quantile(distances, i / (QUANTILES - 1)));
  values.set('pleura.gate.diagnosis.quantiles', floatValues(quantiles));
  values.set('pleura.gate.min_score', floatValue(GATE_TAIL));
  return true;
}

/**
 * Calibrates weights that `convert` wrote. The temperature is 1 in them.
 * @param {{ wasm: import('./adapt.mjs').AdaptOptions['wasm'], weights: Uint8Array, films: CalibrationFilm[] }} parts  MIN_PER_LABEL films of each label
 * @returns {Promise<Calibration>}
 */
export async function calibrateWeights({ wasm, weights, films }) {
  const gguf = readGguf(weights);
  const { values, tensors } = gguf;
  const labels = textsOf(values.get('pleura.labels')) ?? [];
  const numbers = films.map(({ label }) => labels.indexOf(label));
  const counts = labels.map((_, label) => numbers.filter((n) => n === label).length);
  const mix = counts.map((count) => count / films.length);
  const logits = films.map((film) => film.logits);
  const numbered = films.map(({ patient }, i) => ({ patient, label: numbers[i] }));
  const fit = fitTemperature(logits, numbers);

  // The intercepts move on to the class mix that --prior names.
  const prior = floatsIn(values.get('pleura.prior')) ?? mix;
  const bias = floatsOf(tensorOf(gguf, 'diagnosis.logits.bias'));
  fit.shift.forEach((shift, i) => {
    bias[i] += fit.temperature * (shift + Math.log(prior[i] / mix[i]));
  });
  tensors.set('diagnosis.logits.bias', floatTensor(bias));
  values.set('pleura.temperature', floatValue(fit.temperature));
  values.set('pleura.prior', floatValues(prior));
  values.set('pleura.threshold.certain', floatValue(MIN_PROBABILITY));
  values.set(FITTED, textValue(packFilms(films.map(({ hash }) => hash)))); // `evaluate` leaves these films out
  const made = (textOf(values.get('pleura.card.summary')) ?? '').split(';')[0];
  const perLabel = labels.map((label, i) => `${label} ${counts[i]}`).join(', ');
  const summary = `${made}; calibrated on ${films.length} films (${perLabel}), not evaluated on others.`;
  values.set('pleura.card.summary', textValue(summary));
  const gated = addGate(gguf, films, folds(numbered, 2));
  const { bits } = (await createEngine({ wasm, weights: writeGguf(gguf) })).phantom();
  values.set('pleura.selftest.bits', textValue(bits));
  return {
    weights: writeGguf(gguf),
    temperature: fit.temperature,
    counts,
    before: totalLoss(logits, numbers) / films.length,
    after: crossValidated(logits, numbers, folds(numbered)),
    gated,
  };
}
