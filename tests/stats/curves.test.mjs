// The numbers behind the plots, against values worked out by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibrationErrorFigure, calibrationSlope, reliability } from '../../src/stats/calibration.mjs';
import { GRID, netBenefit, onGrid, roc } from '../../src/stats/curves.mjs';
import { share, weightedSum, wilson } from '../../src/stats/intervals.mjs';
import { atPrevalence, curves, metrics } from '../../src/stats/metrics.mjs';
import { random } from '../../src/stats/bootstrap.mjs';
import { auc } from '../../src/stats/scores.mjs';
import { scored } from './scored.mjs';

const near = (a, b, limit = 1e-9) => assert.ok(Math.abs(a - b) < limit, `${a} is not ${b}`);
const ones = (n) => Array(n).fill(1);
const each = (n) => Array.from({ length: n }, (_, i) => i);
const FEW = { rounds: 50 };

test('the ROC curve keeps corners only, joins ties and respects weights', () => {
  const curve = roc([0.9, 0.8, 0.8, 0.7, 0.1], [true, true, false, true, false]);
  assert.deepEqual(curve(ones(5)), [
    [0, 0],
    [0, 1 / 3],
    [0.5, 2 / 3],
    [0.5, 1],
    [1, 1],
  ]);
  assert.deepEqual(curve([1, 0, 1, 1, 1]), [
    [0, 0],
    [0, 0.5],
    [0.5, 0.5],
    [0.5, 1],
    [1, 1],
  ]);
  assert.deepEqual(
    roc([3, 2, 1], [true, true, false])(ones(3)),
    [
      [0, 0],
      [0, 1],
      [1, 1],
    ],
    'no point on the way',
  );
  assert.deepEqual(roc([1, 1], [true, false])(ones(2)), [
    [0, 0],
    [1, 1],
  ]);
  assert.deepEqual(roc([1, 2], [true, true])(ones(2)), []);
});

test('the area under the ROC curve is the AUC', () => {
  const draw = random(3);
  const positive = Array.from({ length: 300 }, () => draw() < 0.4);
  const scores = positive.map((is) => Math.round(20 * (draw() + (is ? 0.3 : 0))));
  const weight = positive.map(() => Math.floor(3 * draw()));
  const points = roc(scores, positive)(weight);
  const area = points.slice(1).reduce((sum, [x, y], i) => sum + ((x - points[i][0]) * (y + points[i][1])) / 2, 0);
  near(area, auc(scores, positive)(weight));
});

test('on the grid a curve is linear between corners and takes the upper end of a step', () => {
  const on = onGrid([
    [0, 0],
    [0, 0.4],
    [0.5, 0.6],
    [0.5, 0.8],
    [1, 1],
  ]);
  assert.equal(on.length, GRID.length);
  near(on[0], 0.4);
  near(on[25], 0.5);
  near(on[50], 0.8);
  near(on[75], 0.9);
  near(on[100], 1);
  assert.ok(onGrid([]).every(Number.isNaN));
});

test('reliability: predicted and observed frequencies, counts, and an interval that weights and patients widen', () => {
  const probability = [0.1, 0.2, 0.9, 1],
    outcome = [false, true, true, true];
  const bins = reliability({ probability, outcome, weight: ones(4), patient: each(4) }, 2);
  assert.deepEqual(
    bins.map(({ from, to, n }) => [from, to, n]),
    [
      [0, 0.5, 2],
      [0.5, 1, 2],
    ],
  );
  near(bins[0].predicted, 0.15);
  near(bins[0].observed, 0.5);
  near(bins[1].observed, 1);
  assert.deepEqual([bins[1].low, bins[1].high], [wilson(1, 2).low, 1]);
  const [, same] = reliability({ probability, outcome, weight: ones(4), patient: [0, 1, 2, 2] }, 2);
  near(same.low, wilson(1, 1).low); // both films are of one patient
  const [only] = reliability({ probability: [0.6, 0.7], outcome: [true, false], weight: [3, 1], patient: [0, 1] }, 2);
  near(only.predicted, 0.625);
  near(only.observed, 0.75);
  near(only.low, wilson(0.75, 1.6).low); // (3 + 1)^2 / (9 + 1) films
});

test('net benefit: true positives minus false positives at the odds of the threshold, with a band over patients', () => {
  const [low, high] = netBenefit([0.9, 0.5, 0.5, 0.2], [true, true, false, false], ones(4), each(4), [0.5, 0.8]);
  near(low.model, 2 / 4 - 1 / 4);
  near(low.all, 2 / 4 - 2 / 4);
  assert.equal(low.low, null, 'four patients are too few for a band');
  near(high.model, 1 / 4);
  near(high.all, 2 / 4 - (4 * 2) / 4);
  near(netBenefit([0.9, 0.5], [true, false], [1, 3], each(2), [0.5])[0].model, 1 / 4 - 3 / 4);
  // A mean over 40 films of a number with a known spread: three in four act, half of these rightly.
  const films = each(40);
  const [one] = netBenefit(
    films.map((i) => (i % 4 ? 0.9 : 0.1)),
    films.map((i) => i % 2 === 1),
    ones(40),
    films,
    [0.5],
  );
  const values = films.map((i) => (i % 4 ? (i % 2 ? 1 : -1) : 0)),
    mean = values.reduce((a, b) => a + b) / 40;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 39 / 40;
  near(one.high - one.model, 1.959963984540054 * Math.sqrt(variance), 1e-9);
});

test('the calibration slope is the slope of the log odds', () => {
  const logit = (p) => Math.log(p / (1 - p));
  const slope = (probability, outcome, weight = ones(outcome.length)) =>
    calibrationSlope({ probability, outcome, weight, patient: each(outcome.length) });
  // Two probabilities, so the fit goes through both observed shares: 3 of 10 at 0.4, 9 of 10 at 0.6.
  const probability = [...Array(10).fill(0.4), ...Array(10).fill(0.6)];
  const positive = probability.map((p, i) => (p === 0.4 ? i < 3 : i < 19));
  near(slope(probability, positive).value, (logit(0.9) - logit(0.3)) / (logit(0.6) - logit(0.4)), 1e-6);
  const half = slope(
    probability,
    positive,
    positive.map((is) => (is ? 1 : 2)),
  );
  near(half.value, (logit(9 / 11) - logit(3 / 17)) / (logit(0.6) - logit(0.4)), 1e-6);
  assert.equal(slope([0.2, 0.8], [true, true]), null);
  assert.equal(slope([0.2, 0.8], [false, true]), null, 'no finite slope separates');
});

test('an overconfident model has a slope: scaling the log odds by k divides the slope by k', () => {
  const draw = random(3),
    odds = Array.from({ length: 400 }, () => 2.6 * draw() - 1.3),
    positive = odds.map((z) => draw() < 1 / (1 + Math.exp(-z)));
  const slope = (k, outcome) =>
    calibrationSlope({
      probability: odds.map((z) => 1 / (1 + Math.exp(-k * z))),
      outcome,
      weight: ones(400),
      patient: each(400),
    });
  const { value, low, high } = slope(1, positive);
  assert.ok(
    value > 0.5 && value < 1.5 && low < value && value < high,
    `${value} of the odds that they were drawn with`,
  );
  for (const k of [2, 5, 10]) near(slope(k, positive).value, value / k, 1e-6);
  for (const k of [1, 5, 20])
    assert.equal(
      slope(
        k,
        odds.map((z) => z > 0),
      ),
      null,
      'no finite slope separates',
    );
});

test('the interval of the ECE holds 0 for a calibrated model, and the true error for one that is too sure', () => {
  const draw = random(3),
    rounds = 40;
  for (const [n, gap] of [
    [100, 0],
    [400, 0],
    [100, 0.12],
    [400, 0.12],
  ]) {
    let covered = 0;
    for (let round = 0; round < rounds; round++) {
      const confidence = each(n).map(() => 0.4 + 0.6 * draw()),
        correct = confidence.map((p) => draw() < p - gap);
      const { value, low, high, calibrated } = calibrationErrorFigure(confidence, correct, ones(n), each(n));
      assert.ok(low <= value && value <= high && calibrated > 0);
      if (low <= gap && gap <= high) covered++;
    }
    assert.ok(covered >= (gap ? 0.75 : 0.9) * rounds, `${n} films, error ${gap}: ${covered} of ${rounds}`);
  }
});

const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;
const LABELS = ['covid', 'pneumonia', 'normal'];
const films = scored(LABELS);

test('predictive values at another prevalence follow from sensitivity and specificity', () => {
  const { classes } = metrics(films, LABELS, null);
  for (const { sensitivity, specificity, atPrevalence: rows } of classes) {
    for (const { prevalence, ppv, npv } of rows) {
      const hit = sensitivity.value * prevalence,
        alarm = (1 - specificity.value) * (1 - prevalence);
      near(ppv.value, hit / (hit + alarm));
      near(
        npv.value,
        (specificity.value * (1 - prevalence)) /
          (specificity.value * (1 - prevalence) + (1 - sensitivity.value) * prevalence),
      );
      assert.ok(ppv.low < ppv.value && ppv.value < ppv.high);
    }
  }
});

test('at a given prevalence each film is weighted by the patients it represents', () => {
  const { classes, accuracy, shares, calibration } = atPrevalence(films, LABELS, [0.05, 0.1, 0.85]);
  near(
    calibration.classes[0].observedToExpected.value,
    0.05 /
      mean(
        LABELS.map(
          (_, i) =>
            [0.05, 0.1, 0.85][i] *
            mean(films.filter(({ truth }) => truth === i).map(({ probability }) => probability[0])) *
            3,
        ),
      ),
  );
  near(classes[0].sensitivity.value, 0.75);
  near(classes[0].specificity.value, (0.1 + 0.85 * 0.75) / 0.95);
  assert.deepEqual(shares, { covid: 0.05, pneumonia: 0.1, normal: 0.85 });
  near(accuracy.value, 0.75);
  // A quarter of covid is called pneumonia, of pneumonia normal, of normal covid.
  near(classes[0].ppv.value, (0.05 * 0.75) / (0.05 * 0.75 + 0.85 * 0.25));
  near(classes[2].npv.value, (0.05 + 0.1 * 0.75) / (0.05 + 0.1 * 0.75 + 0.85 * 0.25));
  assert.ok(accuracy.low < 0.75 && accuracy.high > 0.75);
  const without = atPrevalence(
    films.filter(({ truth }) => truth),
    LABELS,
    [0.05, 0.1, 0.85],
  );
  assert.equal(without.accuracy, null, 'no film stands for covid');
});

test('at a given prevalence few films give no metric, and perfect proportions have bounds', () => {
  const shares = [0.05, 0.1, 0.85];
  const few = atPrevalence(films.slice(0, 24), LABELS, shares);
  assert.deepEqual([few.accuracy, few.classes[0].sensitivity, few.classes[0].ppv], [null, null, null]);
  const sure = atPrevalence(
    films.map((film) => ({ ...film, predicted: film.truth })),
    LABELS,
    shares,
  );
  const patients = films.filter(({ truth }) => truth === 0).map(({ patient }) => patient);
  const perfect = share(Array(40).fill(true), patients);
  for (const { sensitivity, ppv, npv } of sure.classes) {
    near(sensitivity.low, perfect.low);
    assert.deepEqual([sensitivity.value, sensitivity.high, ppv.value, npv.value], [1, 1, 1, 1]);
    assert.ok(ppv.low < 1 && npv.low < 1, '100 % of few films is no certainty about others');
  }
  assert.ok(
    sure.classes[0].ppv.low < 0.7 && sure.classes[2].ppv.low > 0.9,
    'a rare label is called wrongly more often',
  );
  near(sure.classes[0].specificity.low, weightedSum([null, perfect, perfect], [0, 0.1 / 0.95, 0.85 / 0.95]).low);
  assert.ok(sure.accuracy.low < perfect.value);
});

test('the ROC curve of a label has a band and its AUC an interval', () => {
  const [covid] = curves(films, LABELS, null, FEW);
  assert.deepEqual([covid.label, covid.n, covid.others], ['covid', 40, 80]);
  assert.ok(covid.auc.low < covid.auc.value && covid.auc.value < covid.auc.high);
  onGrid(covid.roc).forEach((y, i) =>
    assert.ok(covid.band[i].low <= y + 1e-9 && y - 1e-9 <= covid.band[i].high, `at ${i}`),
  );
  assert.deepEqual(
    curves(
      films.filter(({ truth }) => truth === 2),
      LABELS,
      null,
      FEW,
    ),
    [],
    'one class has no curve',
  );
  const sure = films.map((film) => ({ ...film, probability: [0, 1, 2].map((label) => Number(label === film.truth)) }));
  const [rare] = curves(films, LABELS, { shares: [0.05, 0.1, 0.85], scored: sure }, FEW);
  near(rare.netBenefit[0].all, 0.05 - 0.95 / 99);
  near(rare.netBenefit[50].model, 0.05, 1e-9); // by the probabilities that are moved there
  assert.deepEqual(
    rare.reliability.map(({ observed }) => observed),
    [0, 1],
  );
  assert.deepEqual(rare.roc, covid.roc, 'the ROC curve stays that of the own prior');
  const few = films.filter(({ truth }, i) => truth || i < 20),
    drawn = (shares) =>
      curves(few, LABELS, { shares, scored: few }, FEW).map(
        ({ label, roc: { length }, reliability: bins, netBenefit: net }) => [
          label,
          length > 0,
          Boolean(bins),
          Boolean(net),
        ],
      );
  assert.deepEqual(
    drawn([0.05, 0.1, 0.85]),
    [
      ['pneumonia', true, false, false],
      ['normal', true, false, false],
    ],
    'seven films cannot stand for a share',
  );
  assert.deepEqual(drawn([0, 0.1, 0.9]), [
    ['pneumonia', true, true, true],
    ['normal', true, true, true],
  ]);
});
