// Intervals in closed form: against formulas written out, and simulated studies. scipy and statsmodels: see python.test.mjs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random } from '../../src/stats/bootstrap.mjs';
import {
  likelihoodRatios,
  pairedDifference,
  predictiveValues,
  ratio,
  share,
  weightedSum,
  wilson,
} from '../../src/stats/intervals.mjs';
import { near } from './python.mjs';

const alone = (n) => Array.from({ length: n }, (_, i) => i);
const hitsOf = (hits, n) => Array.from({ length: n }, (_, i) => i < hits);

test('a film that disagrees never makes an interval shorter, whatever the size of the patients', () => {
  for (const size of [1, 2, 3, 5])
    for (const n of [20, 50, 136, 1000]) {
      const patients = alone(n).map((i) => Math.floor(i / size));
      const none = share(hitsOf(n, n), patients);
      let last = size === 1 ? none : null;
      for (const errors of [1, 2, 3, 5, 10]) {
        const hits = alone(n).map((i) => i >= errors),
          { low } = share(hits, patients);
        assert.ok(low <= none.low, `${errors} of ${n} in patients of ${size}: ${low} above ${none.low}`);
        near(
          share(
            hits.map((hit) => !hit),
            patients,
          ).high,
          1 - low,
        );
        if (last) assert.ok(low < last.low && last.low <= none.low);
        if (last) last = share(hits, patients);
      }
    }
});

/** Twenty to a thousand films, of one to five per patient, the films of a patient alike or not. */
const STUDIES = { sizes: [20, 100, 1000], patients: [[1], [2], [1, 2, 3, 4, 5]], alike: [0, 0.5] };
const SHARES = [0.5, 0.7, 0.9, 0.95, 0.98, 0.995];
/** Rounds per cell; `make interval-coverage` sets more. */
const ROUNDS = Number(process.env.ROUNDS ?? 100);

/**
 * How often the interval of a study contains the truth. At a single share the coverage of any interval jumps, because
 * errors are counted in whole films (Brown, Cai and DasGupta 2001), so the truth is drawn around the share.
 */
function coverage(n, sizes, alike, p, draw) {
  let covered = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const truth = 1 - (1 - p) * (0.5 + draw());
    const hits = [],
      patients = [];
    for (let patient = 0; hits.length < n; patient++) {
      const shared = draw() < truth,
        films = sizes[patient % sizes.length];
      for (let i = 0; i < films && hits.length < n; i++) {
        hits.push(draw() < Math.sqrt(alike) ? shared : draw() < truth);
        patients.push(patient);
      }
    }
    const { low, high } = share(hits, patients);
    if (low <= truth && truth <= high) covered++;
  }
  return covered / ROUNDS;
}

test('95 % intervals of shares contain the truth in 93 to 97 % of simulated studies', (t) => {
  const draw = random(20),
    cells = [];
  for (const n of STUDIES.sizes)
    for (const sizes of STUDIES.patients)
      for (const alike of sizes.length === 1 && sizes[0] === 1 ? [0] : STUDIES.alike)
        for (const p of SHARES)
          cells.push({ n, sizes: sizes.join(), alike, p, covered: coverage(n, sizes, alike, p, draw) });
  const mean = (some) => some.reduce((sum, { covered }) => sum + covered, 0) / some.length;
  const by = (key) =>
    [...new Set(cells.map((cell) => cell[key]))].map((value) => [
      value,
      mean(cells.filter((cell) => cell[key] === value)),
    ]);
  for (const key of ['n', 'sizes', 'alike', 'p'])
    for (const [value, covered] of by(key)) {
      t.diagnostic(`${key} ${value}: ${(100 * covered).toFixed(1)} %`);
      // Two patients in a hundred studies are noise; below one expected error no interval can be exact, only cautious.
      assert.ok(
        covered >= 0.93 && covered <= (key === 'p' && value === 0.995 ? 0.99 : 0.975),
        `${key} ${value}: ${covered}`,
      );
    }
  t.diagnostic(`lowest cell ${(100 * Math.min(...cells.map(({ covered }) => covered))).toFixed(1)} %`);
  assert.ok(mean(cells) > 0.94 && mean(cells) < 0.97, `${mean(cells)}`);
});

test('sums and ratios of shares keep the interval of one share, and have bounds where all films agree', () => {
  const one = share(hitsOf(45, 50), alone(50));
  near(weightedSum([one], [1]).low, one.low);
  const both = weightedSum([one, one], [0.5, 0.5]);
  near(both.value - both.low, (one.value - one.low) / Math.SQRT2);
  assert.equal(weightedSum([one, null], [0.5, 0.5]), null);
  near(weightedSum([one, null], [1, 0]).high, one.high);
  const perfect = share(hitsOf(50, 50), alone(50));
  assert.ok(weightedSum([perfect, perfect], [0.5, 0.5]).low < 0.96);

  // MOVER-R as Donner and Zou print it.
  const other = share(hitsOf(20, 80), alone(80)),
    found = ratio(one, other);
  const [a, la, ua, b, lb, ub] = [one.value, one.low, one.high, other.value, other.low, other.high];
  near(found.low, (a * b - Math.sqrt((a * b) ** 2 - la * ub * (2 * a - la) * (2 * b - ub))) / (ub * (2 * b - ub)));
  near(found.high, (a * b + Math.sqrt((a * b) ** 2 - ua * lb * (2 * a - ua) * (2 * b - lb))) / (lb * (2 * b - lb)));

  const { positive, negative } = likelihoodRatios(one, perfect);
  assert.equal(positive.high, Infinity);
  assert.ok(positive.low > 5 && negative.low > 0 && negative.high < 0.3);
  const { ppv, npv } = predictiveValues({ positive, negative }, 0.1);
  assert.equal(ppv.value, 1);
  assert.ok(ppv.low > 0.3 && ppv.low < 0.7 && ppv.high === 1);
  near(npv.value, 0.9 / (0.9 + 0.1 * 0.1), 1e-9); // specificity 1, sensitivity 0.9
  assert.ok(npv.low < npv.value && npv.value < npv.high);
});

test("Newcombe's paired difference gives his published example", () => {
  // Newcombe 1998, II, table II: 36, 12, 2, 0 of 50 films; method 10: 0.2000 (0.0569 to 0.3404).
  const first = [...Array(48).fill(true), ...Array(2).fill(false)],
    second = [...Array(36).fill(true), ...Array(12).fill(false), ...Array(2).fill(true)];
  const found = pairedDifference(first, second, alone(50));
  near(found.value, 0.2);
  near(found.low, 0.0569, 2e-3);
  near(found.high, 0.3404, 2e-3);
  const same = pairedDifference(first, first, alone(50));
  assert.ok(same.value === 0 && same.low <= 0 && same.high >= 0);
});
