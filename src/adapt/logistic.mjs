// logistic.mjs - the arithmetic of a last layer: logits, its fit to labelled films, temperature and shift.
import { random } from '../stats/bootstrap.mjs';

/**
 * One film: what the last layer reads of it, the number of its label, whose it is.
 * @typedef {{ features: ArrayLike<number>, label: number, patient: string }} Film
 * @typedef {{ weight: ArrayLike<number>[], bias: number[] }} Layer  one row of weights and one bias a label: features to logits
 * @typedef {{ x: Float64Array, given: number[], label: number, patient: string }} Point  x: a film in the directions of `project`, then 1;
 *   given: logits of the layer to begin with
 */

/** In which the layer may change. */
const DIRECTIONS = 64;
/** Of orthogonal iteration: the directions need to be wide ones, not the widest exactly. */
const ROUNDS = 6,
  NO_DIRECTION = 1e-9;
/** What holds the bias back, so that it has one solution only. */
const FREE = 1e-6;
/** A probability that is as good as none. */
const LEAST = 1e-12;
/** Steps end when one gains less than this a film; far below what a probability shows. */
const ENOUGH = 1e-5,
  MOST_STEPS = 200;
/** Keeps temperature and shift finite where the folds are told apart without an error: as much as one film has to say. */
const RIDGE = 1;

/** a[n][n], symmetric and positive definite, to its lower factor in place. @param {Float64Array} a @param {number} n */
function factor(a, n) {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / a[j * n + j];
    }
  }
}

/** The solution in place of b, by the factor of `factor`. @param {Float64Array} l @param {Float64Array} b */
function solve(l, b) {
  const n = b.length;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) b[i] -= l[i * n + k] * b[k];
    b[i] /= l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) b[i] -= l[k * n + i] * b[k];
    b[i] /= l[i * n + i];
  }
}

/** @param {number[]} logits */
export function softmax(logits) {
  const most = Math.max(...logits),
    powers = logits.map((z) => Math.exp(z - most)),
    sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Gram and Schmidt's, without the vectors that are none of their own. @param {Float64Array[]} vectors */
function orthonormal(vectors) {
  const basis = [];
  for (const v of vectors) {
    const length = Math.sqrt(dot(v, v));
    for (const other of basis) {
      const along = dot(v, other);
      for (let i = 0; i < v.length; i++) v[i] -= along * other[i];
    }
    const left = Math.sqrt(dot(v, v));
    if (left > NO_DIRECTION * length) basis.push(v.map((x) => x / left));
  }
  return basis;
}

/** @param {Layer} layer @param {ArrayLike<number>} features @returns {number[]} logits */
export const apply = ({ weight, bias }, features) => weight.map((row, label) => bias[label] + dot(row, features));

/** What it costs to give the true label so little. @param {number} share */
export const cost = (share) => -Math.log(Math.max(share, LEAST));

/** @param {number[][]} logits of films @param {number[]} labels @returns {number} the cost of all */
export const loss = (logits, labels) => logits.reduce((sum, row, i) => sum + cost(softmax(row)[labels[i]]), 0);

/**
 * The layer as it is, its logits divided by its temperature and, where it tells its prior, moved to the mixture of the
 * films: what a person gets who gives that prevalence, and where every fit begins.
 * @param {Layer} layer @param {number} temperature @param {number[] | null} prior @param {number[]} mixture @returns {Layer}
 */
export const begin = ({ weight, bias }, temperature, prior, mixture) => ({
  weight: weight.map((row) => Float64Array.from(row, (w) => w / temperature)),
  bias: bias.map((b, label) => b / temperature + (prior ? Math.log(mixture[label] / prior[label]) : 0)),
});

/**
 * Films in the directions in which they differ most, by orthogonal iteration: only there the layer may change, which is all
 * that so few films can tell, and quick. The features are centred and brought to a mean squared length of 1, so that a
 * strength means the same for every network. No label is asked, so that the folds may share the directions.
 * @param {Film[]} films @param {Layer} layer to begin with
 * @returns {{ points: Point[], back: (change: Float64Array[]) => Layer }} back: the layer that a change makes
 */
export function project(films, layer) {
  const width = layer.weight[0].length,
    count = films.length,
    draw = random(1);
  const middle = new Float64Array(width);
  for (const { features } of films) for (let i = 0; i < width; i++) middle[i] += features[i] / count;
  const centred = films.map(({ features }) => Float64Array.from(middle, (m, i) => features[i] - m));
  const scale = Math.sqrt(centred.reduce((sum, row) => sum + dot(row, row), 0) / count) || 1;
  for (const row of centred) for (let i = 0; i < width; i++) row[i] /= scale;
  const spread = (v) => {
    const out = new Float64Array(width);
    for (const row of centred) {
      const along = dot(row, v);
      for (let i = 0; i < width; i++) out[i] += along * row[i];
    }
    return out;
  };
  let basis = Array.from({ length: Math.min(DIRECTIONS, width, count) }, () =>
    Float64Array.from({ length: width }, () => draw() - 0.5),
  );
  for (let round = 0; round < ROUNDS; round++) basis = orthonormal(basis.map(spread));
  const points = films.map(({ features, label, patient }, f) => ({
    x: Float64Array.from([...basis.map((v) => dot(v, centred[f])), 1]),
    given: apply(layer, features),
    label,
    patient,
  }));
  const back = (change) => {
    const added = change.map((row) => {
      const out = new Float64Array(width);
      basis.forEach((v, d) =>
        v.forEach((part, i) => {
          out[i] += (row[d] * part) / scale;
        }),
      );
      return out;
    });
    return {
      weight: layer.weight.map((row, label) => Float64Array.from(row, (w, i) => w + added[label][i])),
      bias: layer.bias.map((b, label) => b + change[label].at(-1) - dot(added[label], middle)),
    };
  };
  return { points, back };
}

/** Logits after a change. @param {Point} point @param {Float64Array[]} change one row a label @returns {number[]} */
export const moved = ({ given, x }, change) => given.map((z, label) => z + dot(x, change[label]));

/**
 * Multinomial logistic regression with the sum of squared changes held back: the change at each strength. A step goes to
 * the minimum of Böhning's bound (1992), a parabola above the loss, so that no step ever makes it worse.
 * @param {Point[]} points @param {number[]} strengths from strong to weak @returns {Float64Array[][]} one row a label each
 */
export function fit(points, strengths) {
  const n = points[0].x.length,
    labels = points.map(({ label }) => label);
  const change = points[0].given.map(() => new Float64Array(n)),
    half = new Float64Array(n * n);
  for (const { x } of points)
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) half[i * n + j] += (x[i] * x[j]) / 2;

  /** @param {number} strength */
  function descend(strength) {
    const held = Float64Array.from({ length: n }, (_, i) => (i < n - 1 ? strength : FREE));
    const bound = Float64Array.from(half);
    for (let i = 0; i < n; i++) bound[i * n + i] += held[i];
    factor(bound, n);
    for (let step = 0, before = Infinity; step < MOST_STEPS; step++) {
      const slope = change.map((row) => row.map((d, i) => held[i] * d));
      let now = change.reduce((sum, row, label) => sum + dot(row, slope[label]) / 2, 0);
      for (const point of points) {
        const p = softmax(moved(point, change));
        now += cost(p[point.label]);
        p.forEach((share, label) => {
          const wrong = share - Number(point.label === label),
            row = slope[label];
          for (let i = 0; i < n; i++) row[i] += wrong * point.x[i];
        });
      }
      if (before - now < ENOUGH * points.length) return;
      before = now;
      slope.forEach((row, label) => {
        solve(bound, row);
        for (let i = 0; i < n; i++) change[label][i] -= row[i];
      });
    }
  }

  return strengths.map((strength) => {
    if (strength < Infinity) descend(strength);
    return change.map((row) => Float64Array.from(row));
  });
}

/**
 * Temperature and a shift for each label by maximum likelihood, for logits of films that the layer has not seen.
 * @param {number[][]} logits @param {number[]} labels @returns {{ temperature: number, shift: number[] }} to divide by; to add then
 */
export function calibrate(logits, labels) {
  const classes = logits[0].length,
    n = classes + 1;
  const of = (row, at) => row.map((z, label) => z * at[classes] + at[label]);
  const costs = (at) =>
    loss(
      logits.map((row) => of(row, at)),
      labels,
    ) +
    (RIDGE / 2) * at.reduce((sum, v, i) => sum + (v - Number(i === classes)) ** 2, 0);
  let at = Float64Array.from({ length: n }, (_, i) => Number(i === classes)),
    now = costs(at);
  for (let step = 0; step < MOST_STEPS; step++) {
    const slope = at.map((v, i) => RIDGE * (v - Number(i === classes))),
      curve = new Float64Array(n * n);
    for (let i = 0; i < n; i++) curve[i * n + i] = RIDGE;
    logits.forEach((row, f) => {
      const p = softmax(of(row, at)),
        mean = new Float64Array(n);
      p.forEach((share, label) => {
        slope[label] += share - Number(labels[f] === label);
        slope[classes] += (share - Number(labels[f] === label)) * row[label];
        mean[label] = share;
        mean[classes] += share * row[label];
        curve[label * n + label] += share;
        curve[classes * n + label] += share * row[label];
        curve[classes * n + classes] += share * row[label] ** 2;
      });
      for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) curve[i * n + j] -= mean[i] * mean[j];
    });
    factor(curve, n);
    solve(curve, slope);
    let next = at,
      then = Infinity;
    for (let part = 1; then > now && part > 1e-6; part /= 2) {
      next = at.map((v, i) => v - part * slope[i]);
      then = next[classes] > 0 ? costs(next) : Infinity;
    }
    if (!(now - then > 1e-9 * logits.length)) break;
    at = next;
    now = then;
  }
  return { temperature: 1 / at[classes], shift: Array.from(at.subarray(0, classes)) };
}
