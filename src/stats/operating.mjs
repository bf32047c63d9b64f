// operating.mjs - operating points: a label is called positive where its probability reaches a threshold.
import { FEWEST, likelihoodRatios, share } from './intervals.mjs';

/**
 * @typedef {import('./intervals.mjs').Share} Share
 * @typedef {{ rule: 'threshold', value: number } | { rule: 'sensitivity' | 'specificity', value: number }} Rule
 *   a threshold as such, or the one with at least this sensitivity or specificity
 * @typedef {{ probability: number[], positive: boolean[], patients: string[] }} Scores  of one label
 */

/** The operating points that every evaluation shows. @type {Rule[]} */
export const RULES = [
  { rule: 'specificity', value: 0.9 },
  { rule: 'specificity', value: 0.95 },
  { rule: 'sensitivity', value: 0.9 },
  { rule: 'sensitivity', value: 0.95 },
];

/** Records have six decimals: nothing lies between two such steps. */
const STEP = 1e-6;

/**
 * The threshold of a rule on these films: the lowest probability at which the specificity is reached, or the highest at
 * which the sensitivity is.
 * @param {Scores} scores @param {Rule} rule @returns {number}  NaN if a class is missing
 */
export function thresholdOf({ probability, positive }, { rule, value }) {
  if (rule === 'threshold') return value;
  const wanted = rule === 'sensitivity';
  const own = probability.filter((_, i) => positive[i] === wanted).sort((a, b) => a - b);
  if (!own.length || own.length === probability.length) return NaN;
  // A rounding error must not ask for one film more.
  const needed = Math.ceil(value * own.length - 1e-9);
  if (wanted) return own[own.length - Math.max(1, needed)];
  if (needed === 0) return 0;
  const beyond = own[needed - 1];
  const above = probability.filter((p) => p > beyond);
  return above.length ? Math.min(...above) : beyond + STEP;
}

/**
 * Sensitivity, specificity and predictive values at a threshold, shares with Wilson's interval (share() in intervals.mjs),
 * and likelihood ratios (likelihoodRatios() there). A film is positive where its probability is at least the threshold.
 * @param {Scores} scores @param {number} threshold
 */
export function atThreshold({ probability, positive, patients }, threshold) {
  const called = probability.map((p) => p >= threshold);
  /** @param {(i: number) => boolean} counted @param {(i: number) => boolean} hit @returns {Share | null} */
  const among = (counted, hit) => {
    const films = probability.map((_, i) => i).filter(counted);
    if (films.length < FEWEST) return null;
    return share(
      films.map(hit),
      films.map((i) => patients[i]),
    );
  };
  const sensitivity = among(
    (i) => positive[i],
    (i) => called[i],
  );
  const specificity = among(
    (i) => !positive[i],
    (i) => !called[i],
  );
  return {
    sensitivity,
    specificity,
    ppv: among(
      (i) => called[i],
      (i) => positive[i],
    ),
    npv: among(
      (i) => !called[i],
      (i) => !positive[i],
    ),
    likelihoodRatios: likelihoodRatios(sensitivity, specificity),
  };
}

/**
 * What a rule reaches where its threshold is chosen on the very films, as a function of their weights: the best
 * sensitivity at this specificity, or the best specificity at this sensitivity. A bootstrap of it contains the choice.
 * @param {number[]} probability @param {boolean[]} positive @param {Rule} rule
 * @returns {(weight: ArrayLike<number>) => number}  NaN if a class has no weight
 */
export function reached(probability, positive, { rule, value }) {
  const order = probability.map((_, i) => i).sort((a, b) => probability[b] - probability[a]);
  return (weight) => {
    let ups = 0,
      downs = 0;
    for (let i = 0; i < order.length; i++) {
      if (positive[i]) ups += weight[i];
      else downs += weight[i];
    }
    if (!ups || !downs) return NaN;
    let up = 0,
      down = 0,
      best = rule === 'specificity' ? 0 : NaN;
    for (let i = 0; i < order.length;) {
      const p = probability[order[i]];
      for (; i < order.length && probability[order[i]] === p; i++) {
        if (positive[order[i]]) up += weight[order[i]];
        else down += weight[order[i]];
      }
      if (rule === 'specificity') {
        if (down > (1 - value) * downs + 1e-9) break;
        best = up / ups;
      } else if (up >= value * ups - 1e-9) return 1 - down / downs;
    }
    return best;
  };
}
