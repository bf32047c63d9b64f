// The figures of an evaluation against values worked out by hand or published.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCsv } from '../../src/cli/csv.mjs';
import { evaluationMarkdown } from '../../src/cli/evaluation_markdown.mjs';
import { ROUNDS, bootstrap, quantile, random } from '../../src/stats/bootstrap.mjs';
import { wilson } from '../../src/stats/intervals.mjs';
import { ageBand, report } from '../../src/stats/evaluation.mjs';
import { oneVsRest, auc, balancedAccuracy, calibrationError, confusion } from '../../src/stats/scores.mjs';

const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-4, `${a} is not ${b}`);
const ones = (n) => new Float64Array(n).fill(1);

test("Wilson's interval gives the published values", () => {
  for (const [hits, n, low, high] of [
    [8, 10, 0.4902, 0.9433],
    [0, 10, 0, 0.2775],
    [10, 10, 0.7225, 1],
    [81, 263, 0.2553, 0.3662],
  ]) {
    const found = wilson(hits / n, n);
    assert.equal(found.value, hits / n);
    near(found.low, low);
    near(found.high, high);
  }
});

test('the random numbers match mulberry32', () => {
  const draw = random(1);
  near(draw(), 0.62707394);
  near(draw(), 0.00273572);
  near(draw(), 0.52744703);
});

test('one versus rest from a matrix computed by hand', () => {
  const matrix = confusion([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 2], 3, ones(6));
  assert.deepEqual(matrix, [
    [2, 1, 0],
    [1, 1, 0],
    [0, 0, 1],
  ]);
  const { sensitivity, specificity, ppv, npv } = oneVsRest(matrix, 0);
  near(sensitivity, 2 / 3);
  near(specificity, 2 / 3);
  near(ppv, 2 / 3);
  near(npv, 2 / 3);
  near(balancedAccuracy(matrix), (2 / 3 + 1 / 2 + 1) / 3);
  assert.ok(
    Number.isNaN(
      oneVsRest(
        [
          [0, 0],
          [0, 3],
        ],
        0,
      ).sensitivity,
    ),
  );
});

test('the AUC counts ties half and respects weights', () => {
  const positive = [false, false, true, true];
  near(auc([0.1, 0.4, 0.35, 0.8], positive)(ones(4)), 0.75);
  near(auc([0.5, 0.5, 0.5, 0.5], positive)(ones(4)), 0.5);
  near(auc([0.1, 0.4, 0.35, 0.8], positive)([1, 0, 1, 1]), 1);
  near(auc([0.1, 0.4, 0.35, 0.8], positive)([1, 3, 1, 1]), (1 + 4 + 0 + 0) / 8);
  assert.ok(Number.isNaN(auc([0.1, 0.2], [true, true])(ones(2))));
});

test('the calibration error is the weighted gap of the bins', () => {
  near(calibrationError([1, 1, 1, 1], [true, true, true, false], ones(4)), 0.25);
  near(calibrationError([0.95, 0.95, 0.55, 0.55], [true, true, true, false], ones(4), 10), (2 * 0.05 + 2 * 0.05) / 4);
  near(calibrationError([1, 0], [true, false], ones(2)), 0);
});

test('quantiles are interpolated between the two nearest values', () => {
  near(quantile(Float64Array.of(1, 2, 3, 4), 0.5), 2.5);
  near(quantile(Float64Array.of(1, 2, 3, 4), 0), 1);
  near(quantile(Float64Array.of(7), 0.975), 7);
});

test('the bootstrap is reproducible, draws patients, and gives no interval when it cannot', () => {
  const right = Array.from({ length: 200 }, (_, i) => Number(i % 4 > 0));
  const mean = (weight) => [
    right.reduce((sum, x, i) => sum + x * weight[i], 0) / weight.reduce((sum, w) => sum + w, 0),
  ];
  const films = right.map((_, i) => ({ patient: `${i}` }));
  const [{ value, low, high }] = bootstrap(films, mean);
  assert.equal(value, 0.75);
  assert.deepEqual(bootstrap(films, mean), [{ value, low, high }]);
  // The normal approximation: 0.75 +- 1.96 sqrt(0.75 * 0.25 / 200).
  assert.ok(Math.abs(low - 0.69) < 0.015 && Math.abs(high - 0.81) < 0.015, `${low} to ${high}`);
  // Ten copies of each of 20 patients prove no more than 20 films.
  const few = right.map((_, i) => Number((i % 20) % 4 > 0));
  const clustered = (weight) => [
    few.reduce((sum, x, i) => sum + x * weight[i], 0) / weight.reduce((sum, w) => sum + w, 0),
  ];
  const [wide] = bootstrap(
    few.map((_, i) => ({ patient: `${i % 20}` })),
    clustered,
  );
  assert.ok(wide.high - wide.low > 2.5 * (high - low));
  assert.deepEqual(
    bootstrap(films, () => [NaN, 1]),
    [
      { value: NaN, low: null, high: null, leftOut: ROUNDS },
      { value: 1, low: null, high: null },
    ],
  );
});

test('CSV with quotes, commas, line breaks and a byte order mark is read', () => {
  assert.deepEqual(parseCsv('\ufefffile,note\r\n"a,b.png","say ""so""\nagain"\n\nc.png,\n'), [
    { file: 'a,b.png', note: 'say "so"\nagain' },
    { file: 'c.png', note: '' },
  ]);
  assert.deepEqual(parseCsv(''), []);
  assert.deepEqual(
    parseCsv('file,note\na.png,5" tube\nb.png,3" and "4"\n"",""\n').map(({ note }) => note),
    ['5" tube', '3" and "4"', ''],
  );
  assert.throws(
    () => parseCsv('file,note\na.png,"never\nb.png,closed\n'),
    /quotation mark in row 2 of the CSV is never closed/,
  );
});

test('ages fall into bands', () => {
  assert.deepEqual(['3', '18', '59.5', '80', '', 'old', '-1'].map(ageBand), [
    '0-17',
    '18-39',
    '40-59',
    '80+',
    'unknown',
    'unknown',
    'unknown',
  ]);
});

const LABELS = ['covid', 'normal'];
const FEW = { rounds: 200 };
/** Films of two labels, every third one called wrongly, every tenth refused. */
const films = Array.from({ length: 60 }, (_, i) => {
  const label = LABELS[i % 2];
  const p = i % 3 ? 0.8 : 0.3;
  const probability = label === 'covid' ? { covid: p, normal: 1 - p } : { covid: 1 - p, normal: p };
  const refused = i % 10 === 0;
  return {
    row: { file: `${i}.png`, label, patient_id: `p${i >> 1}`, source: i < 50 ? 'a' : 'b', age: '' },
    answer: {
      verdict: refused ? 'refused' : p > 0.5 ? label : LABELS[1 - (i % 2)],
      probability,
      gate: { accepted: !refused, reason: refused ? 'unlike' : null },
    },
  };
});

test('a report counts all films, and separately those with an answer', () => {
  const extra = [
    {
      row: { file: 'x', label: 'other', patient_id: '', source: 'b', age: '90' },
      answer: { code: 'not-an-image', message: '' },
    },
  ];
  const result = report([...films, ...extra], LABELS, ['source'], undefined, FEW);
  assert.equal(result.films, 61);
  assert.equal(result.errors, 1);
  assert.deepEqual(result.notScored, { other: 1 });
  assert.deepEqual(result.refusals, { unlike: 6 });
  assert.equal(result.all.n, 60);
  near(result.all.accuracy.value, 40 / 60);
  assert.ok(result.all.accuracy.low < 40 / 60 && result.all.accuracy.high > 40 / 60);
  assert.equal(result.answered.n, 54);
  assert.deepEqual(
    result.outcomes.map(({ label, n, counts }) => [label, n, counts.refused, counts.error]),
    [
      ['covid', 30, 6, 0],
      ['normal', 30, 0, 0],
      ['other', 1, 0, 1],
    ],
  );
  const [
    {
      values: [a, b],
    },
  ] = result.groups;
  assert.deepEqual(
    [
      [a.n, a.patients],
      [b.n, b.patients],
    ],
    [
      [50, 25],
      [11, 6],
    ],
    'patients of all films, not of those that were scored',
  );
  assert.equal(a.figures.classes[0].n, 25);
  assert.ok(a.figures.classes[0].sensitivity);
  assert.equal(b.figures.classes[0].sensitivity, null, 'five films are too few for a share');
});

test('if all films agree, every figure still has an interval, and more films of a patient do not narrow it', () => {
  const right = films.map(({ row, answer }) => ({
    row,
    answer: {
      ...answer,
      verdict: row.label,
      probability: { covid: Number(row.label === 'covid'), normal: Number(row.label === 'normal') },
    },
  }));
  const {
    all,
    outcomes: [covid],
  } = report(right, LABELS, [], undefined, FEW);
  const bounds = ({ value, low, high }) => ({ value, low, high });
  assert.deepEqual([all.patients, bounds(all.accuracy)], [30, wilson(1, 30)]);
  assert.deepEqual(bounds(all.classes[0].ppv), wilson(1, 30));
  for (const figure of [all.balancedAccuracy, all.classes[0].auc, all.classes[0].atPrevalence[0].ppv])
    assert.ok(figure.value === 1 && figure.low < 1 && figure.high === 1);
  assert.deepEqual(bounds(covid.shares.covid), wilson(1, 30));
  // Three films of each patient are no more cases than one.
  const thrice = report([right, right, right].flat(), LABELS, [], undefined, FEW);
  assert.deepEqual(
    [thrice.all.n, bounds(thrice.all.accuracy), bounds(thrice.outcomes[0].shares.covid)],
    [180, wilson(1, 30), wilson(1, 30)],
  );
});

test('a round of the bootstrap without a class is left out, and balanced accuracy never covers fewer classes', () => {
  // Sixty covid films of one patient, all missed, and sixty normals: half of the rounds have no covid film, or only these.
  const odd = Array.from({ length: 120 }, (_, i) => ({
    row: { file: `${i}`, label: i < 60 ? 'covid' : 'normal', patient_id: i < 60 ? 'one' : `p${i}` },
    answer: { verdict: 'normal', probability: { covid: 0.2 + (i % 7) / 100, normal: 0.8 - (i % 7) / 100 } },
  }));
  const { all } = report(odd, LABELS, [], undefined, FEW);
  assert.equal(all.balancedAccuracy.value, 0.5);
  assert.ok(all.balancedAccuracy.low > 0.4 && all.balancedAccuracy.high < 0.95);
  assert.ok(all.macroAuc.leftOut > 0.2 * FEW.rounds);
  assert.deepEqual([all.macroAuc.low, all.classes[0].auc.low, all.classes[0].intercept.value < 0], [null, null, false]);
});

test('refused and uncertain films can count as wrong', () => {
  const { intentionToDiagnose: worst, answered } = report(films, LABELS, [], undefined, FEW);
  near(worst.classes[0].sensitivity.value, 16 / 30); // 20 of 30 right, 4 of these refused
  near(worst.classes[1].specificity.value, 16 / 30);
  near(answered.classes[0].sensitivity.value, 16 / 24);
  assert.ok(worst.accuracy.value < answered.accuracy.value);
});

test('a set with one class has proportions only, and its report is reproducible', () => {
  const one = films.filter(({ row }) => row.label === 'normal');
  const result = {
    command: 'pleura',
    model: 'm',
    notice: 'n',
    split: null,
    ...report(one, LABELS, ['source', 'age'], undefined, FEW),
  };
  assert.equal(result.all.classes[1].auc, null);
  assert.match(
    evaluationMarkdown(result, LABELS),
    /Sensitivity for normal: 66\.7 \(.*\) %\. With one class alone there are no other metrics\./,
  );
  const whole = () =>
    evaluationMarkdown(
      {
        command: 'pleura',
        model: 'm',
        notice: 'n',
        split: 'test',
        ...report(films, LABELS, ['source'], undefined, FEW),
      },
      LABELS,
    );
  assert.equal(whole(), whole());
  assert.doesNotMatch(whole(), /NaN|undefined|null/);
});
