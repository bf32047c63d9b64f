// delong.mjs - the area under the ROC curve with DeLong's variance, for films of which several may be of one patient.
import { FEWEST, Z } from './intervals.mjs';

/** @typedef {import('./intervals.mjs').Figure} Figure */

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

/**
 * The structural components (DeLong, DeLong and Clarke-Pearson, Biometrics 1988; by midranks, Sun and Xu 2014): for
 * each film the share of the other class that it is ranked correctly against; ties count half.
 * @param {number[]} scores @param {boolean[]} positive
 * @returns {{ area: number, component: Float64Array }}  NaN if a class is missing
 */
function structural(scores, positive) {
  const up = scores.map((_, i) => i).filter((i) => positive[i]),
    down = scores.map((_, i) => i).filter((i) => !positive[i]);
  const all = midranks(scores);
  const component = new Float64Array(scores.length);
  for (const [members, others, sign] of /** @type {const} */ ([
    [up, down, 1],
    [down, up, -1],
  ])) {
    const own = midranks(members.map((i) => scores[i]));
    members.forEach((i, j) => {
      const below = (all[i] - own[j]) / others.length;
      component[i] = sign > 0 ? below : 1 - below;
    });
  }
  return { area: up.reduce((sum, i) => sum + component[i], 0) / up.length, component };
}

/**
 * The variance of an area, or of a difference of areas, whose components are given (Obuchowski, Biometrics 1997). With
 * M positive and N negative films, and for each patient the sums X of its positive and Y of its negative components less
 * their expectation,
 *   S10 = I10 / (I10 - 1) sum X^2 / M^2, S01 = I01 / (I01 - 1) sum Y^2 / N^2, S11 = I / (I - 1) sum X Y / (M N)
 *   variance = S10 + S01 + 2 S11,
 * where I10 patients have positive, I01 negative and I any films. With one film per patient it is DeLong's.
 * @param {ArrayLike<number>} component  of each film @param {number} area @param {boolean[]} positive
 * @param {ArrayLike<string>} patients
 */
function clusteredVariance(component, area, positive, patients) {
  /** @type {Map<string, { x: number, y: number, up: number, down: number }>} */
  const groups = new Map();
  let ups = 0;
  for (let i = 0; i < positive.length; i++) {
    let group = groups.get(patients[i]);
    if (!group) groups.set(patients[i], (group = { x: 0, y: 0, up: 0, down: 0 }));
    if (positive[i]) {
      ups++;
      group.up++;
      group.x += component[i] - area;
    } else {
      group.down++;
      group.y += component[i] - area;
    }
  }
  const downs = positive.length - ups;
  let xx = 0,
    yy = 0,
    xy = 0,
    withUp = 0,
    withDown = 0;
  for (const { x, y, up, down } of groups.values()) {
    xx += x * x;
    yy += y * y;
    xy += x * y;
    if (up) withUp++;
    if (down) withDown++;
  }
  const correction = (/** @type {number} */ count) => count / (count - 1);
  return (
    (correction(withUp) * xx) / ups ** 2 +
    (correction(withDown) * yy) / downs ** 2 +
    (2 * correction(groups.size) * xy) / (ups * downs)
  );
}

/**
 * The score-type interval for an area of 0 or 1, whose estimated variance is 0: Newcombe's method 5 (Stat Med 2006),
 * the areas t with |area - t| <= z sqrt(V(t)) and
 *   V(t) = t (1 - t) (1 + N (1 - t) / (2 - t) + N t / (1 + t)) / (m n), N = (m + n) / 2 - 1.
 * @param {number} area  0 or 1 @param {number} m  independent positive cases @param {number} n  negative
 * @returns {[number, number]}
 */
function newcombe(area, m, n) {
  const half = (m + n) / 2 - 1;
  const variance = (/** @type {number} */ t) =>
    (t * (1 - t) * (1 + (half * (1 - t)) / (2 - t) + (half * t) / (1 + t))) / (m * n);
  // |area - t| / sqrt(V(t)) rises with the distance from the area.
  let near = area,
    far = 1 - area;
  for (let step = 0; step < 60; step++) {
    const middle = (near + far) / 2;
    if (Math.abs(area - middle) <= Z * Math.sqrt(variance(middle))) near = middle;
    else far = middle;
  }
  return area > 0.5 ? [near, 1] : [0, near];
}

/** How many patients have films of this kind. @param {boolean[]} chosen @param {ArrayLike<string>} patients */
const countPatients = (chosen, patients) => new Set(Array.from(patients).filter((_, i) => chosen[i])).size;

/**
 * The area under the ROC curve with its 95 % interval: Obuchowski's variance on the logit scale (Qin and Hotilovac,
 * Stat Methods Med Res 2008), area' +- z SE / (A (1 - A)). If the area is 0 or 1, Newcombe's score interval with one case
 * per patient.
 * @param {number[]} scores @param {boolean[]} positive @param {ArrayLike<string>} patients
 * @returns {Figure | null}  null if a class is missing; without bounds if a class has fewer than FEWEST patients
 */
export function areaFigure(scores, positive, patients) {
  const { area, component } = structural(scores, positive);
  if (Number.isNaN(area) || positive.every(Boolean)) return null;
  const [m, n] = [positive, positive.map((is) => !is)].map((chosen) => countPatients(chosen, patients));
  if (Math.min(m, n) < FEWEST) return { value: area, low: null, high: null };
  const error = Math.sqrt(clusteredVariance(component, area, positive, patients));
  if (!(area > 0 && area < 1 && error > 0)) {
    if (area > 0 && area < 1) return { value: area, low: null, high: null };
    const [low, high] = newcombe(Math.round(area), m, n);
    return { value: area, low, high };
  }
  const logit = Math.log(area / (1 - area)),
    spread = (Z * error) / (area * (1 - area));
  const expit = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
  return { value: area, low: expit(logit - spread), high: expit(logit + spread) };
}

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
 * DeLong's test: the difference of two areas over the same films, its standard error and the p-value of no difference
 * (NaN if the variance is 0 and the difference is not). With `patients` the variance is Obuchowski's, which allows for
 * several films per patient; without, films are independent.
 * @param {number[]} first  scores @param {number[]} second @param {boolean[]} positive @param {ArrayLike<string>} [patients]
 */
export function delong(first, second, positive, patients = positive.map((_, i) => String(i))) {
  const a = structural(first, positive),
    b = structural(second, positive);
  const difference = a.area - b.area;
  const gap = a.component.map((x, i) => x - b.component[i]);
  const error = Math.sqrt(Math.max(0, clusteredVariance(gap, difference, positive, patients)));
  return { difference, error, p: error > 0 ? twoSided(difference / error) : difference ? NaN : 1 };
}
