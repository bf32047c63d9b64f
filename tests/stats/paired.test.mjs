// Two models on the same films: the tests against straightforward ones in Python, and the comparison as a whole.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { compare, delong, mcnemar, twoSided } from '../../src/stats/paired.mjs';
import { random } from '../../src/stats/bootstrap.mjs';
import { auc } from '../../src/stats/scores.mjs';

/** Runs a program of Debian's Python that reads JSON and writes JSON. @param {string} program @param {any} input */
const python = (program, input) =>
  JSON.parse(
    execFileSync('/usr/bin/python3', ['-c', `import json, math, sys\ngiven = json.load(sys.stdin)\n${program}`], {
      input: JSON.stringify(input),
      encoding: 'utf8',
    }),
  );
const near = (a, b, limit) => assert.ok(Math.abs(a - b) <= limit * Math.abs(b), `${a} is not ${b}`);

test('the p-value of a normal deviate matches erfc to eleven significant digits', () => {
  const deviates = Array.from({ length: 120 }, (_, i) => i / 10);
  const expected = python('print(json.dumps([math.erfc(z / math.sqrt(2)) for z in given]))', deviates);
  deviates.forEach((z, i) => near(twoSided(z), expected[i], 1e-11));
  near(twoSided(-1.959963984540054), 0.05, 1e-12);
});

test("McNemar's exact p is twice the tail of the binomial, and at most 1", () => {
  const counts = [
    [0, 0],
    [1, 0],
    [5, 15],
    [15, 5],
    [12, 12],
    [3, 40],
    [200, 260],
    [700, 900],
  ];
  const expected = python(
    `from fractions import Fraction
def p(b, c):
    n = b + c
    return float(min(Fraction(1), 2 * sum(Fraction(math.comb(n, k), 2 ** n) for k in range(min(b, c) + 1))))
print(json.dumps([p(b, c) for b, c in given]))`,
    counts,
  );
  counts.forEach(([b, c], i) => near(mcnemar(b, c), expected[i], 1e-9));
  near(mcnemar(5, 15), 0.0413895, 1e-5);
});

/** DeLong as the paper writes it: every positive against every negative, twice. */
const DELONG = `import numpy as np
def delong(a, b, positive):
    positive = np.array(positive)
    up, down = [], []
    for scores in (np.array(a), np.array(b)):
        x, y = scores[positive], scores[~positive]
        psi = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
        up.append(psi.mean(1)); down.append(psi.mean(0))
    s10, s01 = np.cov(up), np.cov(down)
    s = s10 / len(up[0]) + s01 / len(down[0])
    difference = up[0].mean() - up[1].mean()
    error = math.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    return [difference, error, math.erfc(abs(difference) / error / math.sqrt(2))]
print(json.dumps([delong(*one) for one in given]))`;

test("DeLong's test equals the straightforward sum over all pairs, ties included", () => {
  const draw = random(7);
  const sets = [
    [30, 0.4, 1],
    [200, 0.1, 0.5],
    [400, 0.5, 0.05],
  ].map(([n, share, grain]) => {
    const positive = Array.from({ length: n }, (_, i) => i < 2 || (i > 3 && draw() < share));
    const scores = (shift) => positive.map((is) => Math.round((draw() + (is ? shift : 0)) * 20 * grain) / (20 * grain));
    return [scores(0.3), scores(0.15), positive];
  });
  const expected = python(DELONG, sets);
  sets.forEach(([a, b, positive], i) => {
    const { difference, error, p } = delong(a, b, positive);
    [difference, error, p].forEach((value, j) => near(value, expected[i][j], 1e-9));
    const ones = new Float64Array(a.length).fill(1);
    near(difference, auc(a, positive)(ones) - auc(b, positive)(ones), 1e-9);
  });
  const [a, , positive] = sets[0];
  assert.deepEqual(delong(a, a, positive), { difference: 0, error: 0, p: 1 });
});

/** One film in two calls of two models that err on different films. */
const pairs = Array.from({ length: 200 }, (_, i) => {
  const truth = i % 2 ? 'covid' : 'normal',
    patient = `p${i >> 2}`;
  const says = (right, sure) => {
    const p = right === (truth === 'covid') ? sure : 1 - sure;
    return { covid: p, normal: 1 - p };
  };
  return { truth, patient, first: says(i % 10 > 0, 0.9 - (i % 7) / 50), second: says(i % 4 > 0, 0.8 - (i % 5) / 50) };
});

test('a comparison gives both values, their difference with an interval, and the discordant films', () => {
  const {
    n,
    patients,
    classes: [covid, normal],
    balancedAccuracy: all,
    mcnemar: calls,
  } = compare(pairs, ['covid', 'normal']);
  assert.deepEqual([n, patients], [200, 50]);
  near(covid.difference.value, covid.first - covid.second, 1e-9);
  assert.ok(covid.difference.low < covid.difference.value && covid.difference.value < covid.difference.high);
  near(covid.delong.difference, covid.difference.value, 1e-9);
  near(normal.first, covid.first, 1e-9);
  near(all.first, 0.9, 1e-9);
  near(all.second, 0.75, 1e-9);
  near(all.difference.value, 0.15, 1e-9);
  assert.ok(all.difference.low > 0.08 && all.difference.high < 0.22);
  // Of 200, 20 are wrong by the first, 50 by the second, 10 by both.
  assert.deepEqual([calls.firstAlone, calls.secondAlone], [40, 10]);
  near(calls.p, mcnemar(40, 10), 1e-9);
});

test('a model does not differ from itself, and the bootstrap draws whole patients', () => {
  const same = compare(
    pairs.map((pair) => ({ ...pair, second: pair.first })),
    ['covid', 'normal'],
  );
  assert.deepEqual(same.balancedAccuracy.difference, { value: 0, low: null, high: null });
  assert.deepEqual([same.classes[0].delong.p, same.mcnemar.p], [1, 1]);
  // A patient's films of the same errors: the same number of films proves less.
  const spread = (patientOf) => {
    const { low, high } = compare(
      pairs.map((pair, i) => ({ ...pair, patient: patientOf(i) })),
      ['covid', 'normal'],
    ).balancedAccuracy.difference;
    return high - low;
  };
  assert.ok(spread((i) => `p${i % 20}`) > 1.5 * spread((i) => `p${i}`));
});

test('labels known to one model only count as wrong predictions; few films give no AUC', () => {
  const other = pairs.map((pair, i) => ({ ...pair, second: { ...pair.second, flu: i % 2 ? 0 : 1 } }));
  const { balancedAccuracy, classes } = compare(other, ['covid', 'normal']);
  near(balancedAccuracy.second, 0.5, 1e-9); // every normal film is called flu
  assert.equal(classes.length, 2);
  const few = compare(pairs.slice(0, 15), ['covid', 'normal']);
  assert.deepEqual([few.classes[0].difference, few.balancedAccuracy.difference], [null, null]);
});
