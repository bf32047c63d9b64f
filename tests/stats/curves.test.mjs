// The numbers behind the plots, against values worked out by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibrationSlope, GRID, netBenefit, onGrid, reliability, roc } from '../../src/stats/curves.mjs';
import { atPrevalence, curves, metrics } from '../../src/stats/metrics.mjs';
import { random, wilson } from '../../src/stats/bootstrap.mjs';
import { auc } from '../../src/stats/scores.mjs';
import { scored } from './scored.mjs';

const near = (a, b, limit = 1e-9) => assert.ok(Math.abs(a - b) < limit, `${a} is not ${b}`);
const ones = (n) => new Float64Array(n).fill(1);

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

test('reliability: predicted and observed frequencies, counts, and an interval that weights widen', () => {
  const bins = reliability([0.1, 0.2, 0.9, 1], [false, true, true, true], ones(4), 2);
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
  const [only] = reliability([0.6, 0.7], [true, false], [3, 1], 2);
  near(only.predicted, 0.625);
  near(only.observed, 0.75);
  near(only.low, wilson(0.75, 1.6).low); // (3 + 1)^2 / (9 + 1) films
});

test('net benefit: true positives minus false positives at the odds of the threshold', () => {
  const [low, high] = netBenefit([0.9, 0.5, 0.5, 0.2], [true, true, false, false], ones(4), [0.5, 0.8]);
  near(low.model, 2 / 4 - 1 / 4);
  near(low.all, 2 / 4 - 2 / 4);
  near(high.model, 1 / 4);
  near(high.all, 2 / 4 - (4 * 2) / 4);
  near(netBenefit([0.9, 0.5], [true, false], [1, 3], [0.5])[0].model, 1 / 4 - 3 / 4);
});

test('the calibration slope is the slope of the log odds', () => {
  const logit = (p) => Math.log(p / (1 - p));
  // Two probabilities, so the fit goes through both observed shares: 3 of 10 at 0.4, 9 of 10 at 0.6.
  const probability = [...Array(10).fill(0.4), ...Array(10).fill(0.6)];
  const positive = probability.map((p, i) => (p === 0.4 ? i < 3 : i < 19));
  near(calibrationSlope(probability, positive)(ones(20)), (logit(0.9) - logit(0.3)) / (logit(0.6) - logit(0.4)), 1e-6);
  const half = calibrationSlope(probability, positive)(positive.map((is) => (is ? 1 : 2)));
  near(half, (logit(9 / 11) - logit(3 / 17)) / (logit(0.6) - logit(0.4)), 1e-6);
  assert.ok(Number.isNaN(calibrationSlope([0.2, 0.8], [true, true])(ones(2))));
  assert.ok(Number.isNaN(calibrationSlope([0.2, 0.8], [false, true])(ones(2))), 'no finite slope separates');
});

test('an overconfident model has a slope: scaling the log odds by k divides the slope by k', () => {
  const draw = random(3),
    odds = Array.from({ length: 400 }, () => 2.6 * draw() - 1.3),
    positive = odds.map((z) => draw() < 1 / (1 + Math.exp(-z)));
  const slope = (k) =>
    calibrationSlope(
      odds.map((z) => 1 / (1 + Math.exp(-k * z))),
      positive,
    )(ones(400));
  assert.ok(slope(1) > 0.5 && slope(1) < 1.5, `${slope(1)} of the odds that they were drawn with`);
  for (const k of [2, 5, 10]) near(slope(k), slope(1) / k, 1e-6);
  for (const k of [1, 5, 20])
    assert.ok(
      Number.isNaN(
        calibrationSlope(
          odds.map((z) => 1 / (1 + Math.exp(-k * z))),
          odds.map((z) => z > 0),
        )(ones(400)),
      ),
      'no finite slope separates',
    );
});

const LABELS = ['covid', 'pneumonia', 'normal'];
const films = scored(LABELS);

test('predictive values at another prevalence follow from sensitivity and specificity', () => {
  const { classes } = metrics(films, LABELS);
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
  const { classes, accuracy, shares } = atPrevalence(films, LABELS, [0.05, 0.1, 0.85]);
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

test('at a given prevalence few films give no metric, perfect proportions have bounds, and predictive values without an interval are omitted', () => {
  const shares = [0.05, 0.1, 0.85],
    rarely = films.map((film, i) => ({ ...film, predicted: i ? Math.max(1, film.predicted) : 0 }));
  const {
    classes: [covid, pneumonia],
  } = atPrevalence(rarely, LABELS, shares);
  assert.equal(rarely.filter(({ predicted, truth }) => predicted === 0 && truth === 0).length, 1);
  assert.equal(covid.ppv, null);
  near(covid.sensitivity.value, 1 / 40);
  assert.ok(covid.npv.low < covid.npv.value && pneumonia.ppv.low < pneumonia.ppv.value);
  const sure = atPrevalence(
    films.map((film) => ({ ...film, predicted: film.truth })),
    LABELS,
    shares,
  );
  for (const { sensitivity, ppv, npv } of sure.classes) {
    near(sensitivity.low, wilson(1, 40).low);
    assert.deepEqual([sensitivity.value, sensitivity.high, ppv, npv], [1, 1, null, null]);
  }
  // Of six films in a row two patients have one that is no covid, pneumonia or normal, and one has both.
  near(
    sure.classes[0].specificity.low,
    wilson(1, 0.95 ** 2 / (20 * ((0.1 / 40) ** 2 + (0.85 / 40) ** 2 + (0.95 / 40) ** 2))).low,
  );
  assert.ok(sure.accuracy.low < wilson(1, 60).low, 'the rare labels count less');
});

test('the ROC curve of a label has a band and its AUC an interval', () => {
  const [covid] = curves(films, LABELS, null);
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
    ),
    [],
    'one class has no curve',
  );
  const sure = films.map((film) => ({ ...film, probability: [0, 1, 2].map((label) => Number(label === film.truth)) }));
  const [rare] = curves(films, LABELS, { shares: [0.05, 0.1, 0.85], scored: sure });
  near(rare.netBenefit[0].all, 0.05 - 0.95 / 99);
  near(rare.netBenefit[50].model, 0.05, 1e-9); // by the probabilities that are moved there
  assert.deepEqual(
    rare.reliability.map(({ observed }) => observed),
    [0, 1],
  );
  assert.deepEqual(rare.roc, covid.roc, 'the ROC curve stays that of the own prior');
  const few = films.filter(({ truth }, i) => truth || i < 20),
    drawn = (shares) =>
      curves(few, LABELS, { shares, scored: few }).map(
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
