// Two models on the same films: the tests against straightforward ones in Python, and the comparison as a whole.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { delong, twoSided } from '../../src/stats/delong.mjs';
import { clusteredMcnemar, compare, mcnemar } from '../../src/stats/paired.mjs';
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
  counts.forEach(([b, c], i) => near(mcnemar(b, c).exact, expected[i], 1e-9));
  near(mcnemar(5, 15).exact, 0.0413895, 1e-5);
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

test('DeLong’s test and areas match R’s pROC where it is installed', (t) => {
  const sets = [40, 200].map((n) => {
    const next = random(n),
      positive = Array.from({ length: n }, (_, i) => i % 3 === 0);
    const scores = () => positive.map((yes) => Math.round(20 * (next() + (yes ? 0.4 : 0))) / 20);
    return { first: scores(), second: scores(), positive };
  });
  const vector = (/** @type {(number | boolean)[]} */ values) => `c(${values.map(Number).join(', ')})`;
  const program = sets.map(
    ({ first, second, positive }) => `y <- ${vector(positive)}
a <- roc(y, ${vector(first)}, direction = "<", quiet = TRUE, levels = c(0, 1))
b <- roc(y, ${vector(second)}, direction = "<", quiet = TRUE, levels = c(0, 1))
cat(sprintf("%.15g", c(auc(a), auc(b), roc.test(a, b, method = "delong", paired = TRUE)$p.value)), "\\n")`,
  );
  const ran = spawnSync('Rscript', ['-e', ['suppressMessages(library(pROC))', ...program].join('\n')], {
    encoding: 'utf8',
  });
  if (ran.error || /there is no package called/.test(ran.stderr)) return t.skip('R or its package pROC is missing');
  assert.equal(ran.status, 0, ran.stderr);
  const rows = ran.stdout.trim().split('\n');
  sets.forEach(({ first, second, positive }, i) => {
    const ones = new Float64Array(positive.length).fill(1);
    const own = [auc(first, positive)(ones), auc(second, positive)(ones), delong(first, second, positive).p];
    const expected = rows[i].trim().split(' ').map(Number);
    own.forEach((value, j) => near(value, expected[j], 1e-9));
  });
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

const FEW = { rounds: 300 };
const rowOf = ({ rows }, figure, label = null) => rows.find((row) => row.figure === figure && row.label === label);

test('a comparison gives every figure of both, their difference with an interval, and the discordant films', () => {
  const found = compare(pairs, ['covid', 'normal'], FEW);
  assert.deepEqual([found.n, found.patients], [200, 50]);
  for (const row of found.rows) {
    near(row.difference.value + 1, row.first.value - row.second.value + 1, 1e-9);
    // All covid films are right by both, so NPV does not differ in any round.
    if (row.figure !== 'NPV' && row.figure !== 'PPV') assert.ok(row.difference.low < row.difference.high, row.figure);
    assert.ok(row.first.low <= row.first.value && row.first.value <= row.first.high, row.figure);
  }
  assert.deepEqual(
    [...new Set(found.rows.map(({ figure }) => figure))].sort(),
    [
      'AUC',
      'Brier score',
      'ECE',
      'MCC',
      'NPV',
      'PPV',
      'accuracy',
      'balanced accuracy',
      'kappa',
      'log loss',
      'macro AUC',
      'sensitivity',
      'specificity',
    ].sort(),
  );
  const [covid, normal] = ['covid', 'normal'].map((label) => rowOf(found, 'AUC', label));
  near(normal.first.value, covid.first.value, 1e-9);
  assert.equal(covid.test, 'DeLong');
  const all = rowOf(found, 'balanced accuracy');
  near(all.first.value, 0.9, 1e-9);
  near(all.second.value, 0.75, 1e-9);
  assert.ok(all.difference.low > 0.06 && all.difference.high < 0.24);
  // Of 200, 20 are wrong by the first, 50 by the second, 10 by both.
  const accuracy = rowOf(found, 'accuracy');
  assert.deepEqual(accuracy.discordant, [40, 10]);
  near(accuracy.p, mcnemar(40, 10).mid, 1e-9);
  assert.ok(accuracy.clustered > 0 && accuracy.clustered < 0.01);
  const sensitivity = rowOf(found, 'sensitivity', 'covid');
  assert.equal(sensitivity.n, 100);
  const tested = found.rows.filter(({ test: name }) => name);
  assert.equal(found.tests, tested.length);
  assert.ok(
    tested.every(({ p, clustered, holm }) => holm >= (clustered ?? p)),
    'the adjustment never lowers a p-value',
  );
});

test("McNemar's test over patients: films of one patient count once", () => {
  const first = pairs.map((_, i) => i % 5 > 0),
    second = pairs.map((_, i) => i % 4 > 0);
  const patients = pairs.map((_, i) => `p${i}`);
  // One film per patient: chi^2 = (b - c)^2 / (b + c), McNemar's own.
  const b = first.filter((x, i) => x && !second[i]).length,
    c = second.filter((x, i) => x && !first[i]).length;
  near(clusteredMcnemar(first, second, patients), twoSided((b - c) / Math.sqrt(b + c)), 1e-12);
  assert.equal(clusteredMcnemar(first, first, patients), 1);
});

test('a model does not differ from itself, and intervals are over whole patients', () => {
  const same = compare(
    pairs.map((pair) => ({ ...pair, second: pair.first })),
    ['covid', 'normal'],
    FEW,
  );
  assert.deepEqual(rowOf(same, 'balanced accuracy').difference, { value: 0, low: null, high: null });
  for (const { p, holm } of same.rows) assert.ok(p === undefined || (p === 1 && holm === 1));
  // A patient's films of the same errors: the same number of films proves less.
  const spread = (patientOf, figure) => {
    const { low, high } = rowOf(
      compare(
        pairs.map((pair, i) => ({ ...pair, patient: patientOf(i) })),
        ['covid', 'normal'],
        FEW,
      ),
      figure,
    ).difference;
    return high - low;
  };
  for (const figure of ['balanced accuracy', 'accuracy'])
    assert.ok(spread((i) => `p${i % 20}`, figure) > 1.3 * spread((i) => `p${i}`, figure), figure);
});

test('labels known to one model only count as wrong predictions; few films give no figure', () => {
  const other = pairs.map((pair, i) => ({ ...pair, second: { ...pair.second, flu: i % 2 ? 0 : 1 } }));
  const found = compare(other, ['covid', 'normal'], FEW);
  near(rowOf(found, 'balanced accuracy').second.value, 0.5, 1e-9); // every normal film is called flu
  const few = compare(pairs.slice(0, 15), ['covid', 'normal'], FEW);
  for (const [figure, label] of [
    ['AUC', 'covid'],
    ['balanced accuracy', null],
    ['sensitivity', 'covid'],
  ])
    assert.equal(rowOf(few, figure, label).difference, null);
  assert.deepEqual(
    compare([], ['covid'], FEW)
      .rows.map(({ difference }) => difference)
      .filter(Boolean),
    [],
  );
});
