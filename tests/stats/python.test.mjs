// The figures against scipy, scikit-learn and statsmodels, and against formulas written out in numpy: the same films to
// both, once. Each program is an independent implementation; none was made from Pleura's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random } from '../../src/stats/bootstrap.mjs';
import { calibrationCurve, calibrationOf, overallScores } from '../../src/stats/calibration.mjs';
import { onRecalls, precisionRecall, RECALLS, roc } from '../../src/stats/curves.mjs';
import { areaFigure, delong } from '../../src/stats/delong.mjs';
import { share, wilson } from '../../src/stats/intervals.mjs';
import { atThreshold, reached, thresholdOf } from '../../src/stats/operating.mjs';
import { holm, mcnemar } from '../../src/stats/paired.mjs';
import { auc, balancedAccuracy, confusion, kappa, matthews } from '../../src/stats/scores.mjs';
import { near, python } from './python.mjs';

const draw = random(11);
const N = 400;
const patient = Array.from({ length: N }, () => Math.floor(150 * draw()));
const odds = patient.map((_, i) => [0, 1, 2].map(() => 3 * draw() - 1.5 + (i % 7 ? 0 : 0.5)));
/** Six decimals, as in records; ties among them. */
const probability = odds.map((row) => {
  const shares = row.map((z) => Math.exp(Math.round(8 * z) / 8)),
    total = shares.reduce((sum, x) => sum + x, 0);
  return shares.map((x) => Math.round((1e6 * x) / total) / 1e6);
});
const truth = probability.map((row) => {
  const u = draw() * row.reduce((sum, x) => sum + Math.sqrt(x), 0);
  return u < Math.sqrt(row[0]) ? 0 : u < Math.sqrt(row[0]) + Math.sqrt(row[1]) ? 1 : 2;
});
const predicted = probability.map((row) => row.indexOf(Math.max(...row)));
const first = probability.map((row) => row[0]);
const second = first.map((p) =>
  Math.min(0.999999, Math.max(0.000001, Math.round(1e6 * (p + 0.4 * (draw() - 0.5))) / 1e6)),
);
const positive = truth.map((label) => label === 0);
const ones = new Float64Array(N).fill(1);
const weight = truth.map((label) => [0.4, 1.7, 0.9][label]);
const shares = [
  [8, 10],
  [0, 10],
  [10, 10],
  [81, 263],
  [49, 50],
  [995, 1000],
];
const discordant = [
  [5, 15],
  [12, 12],
  [3, 40],
  [0, 0],
  [1, 0],
];
const pvalues = [0.01, 0.04, 0.03, 0.005, 0.5];

const PROGRAM = `
import numpy as np, statsmodels.api as sm
from scipy.stats import binom
from sklearn import metrics as m
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.multitest import multipletests
P = np.array(given['probability']); y = np.array(given['truth']); guess = np.array(given['predicted'])
a = np.array(given['first']); b = np.array(given['second']); up = np.array(given['positive'])
who = np.array(given['patient']); w = np.array(given['weight'])
out = {}
out['wilson'] = [proportion_confint(k, n, method='wilson') for k, n in given['shares']]
right = (y == guess).astype(float)
fit = sm.OLS(right, np.ones(len(y))).fit(cov_type='cluster', cov_kwds={'groups': who})
out['share'] = [float(right.mean()), float(fit.cov_params()[0, 0])]
out['kappa'] = m.cohen_kappa_score(y, guess); out['mcc'] = m.matthews_corrcoef(y, guess)
out['balanced'] = m.balanced_accuracy_score(y, guess)
out['confusion'] = m.confusion_matrix(y, guess).tolist()
out['logloss'] = m.log_loss(y, P, labels=[0, 1, 2]); out['brier'] = m.brier_score_loss(up, a)
out['multibrier'] = float(((P - np.eye(3)[y]) ** 2).sum(1).mean())
out['auc'] = m.roc_auc_score(up, a); out['average'] = m.average_precision_score(up, a)
precision, recall, _ = m.precision_recall_curve(up, a)
out['precision'] = [float(precision[:-1][recall[:-1] >= r - 1e-12].tolist()[-1]) for r in given['recalls']]
fpr, tpr, cuts = m.roc_curve(up, a, drop_intermediate=False)
out['sensitivity_at_90'] = float(tpr[fpr <= 0.1 + 1e-12].max())
out['cut_at_90'] = float(cuts[fpr <= 0.1 + 1e-12].min())
out['specificity_at_90'] = float(1 - fpr[tpr >= 0.9 - 1e-12].min())
out['specificity_cut'] = float(cuts[tpr >= 0.9 - 1e-12].max())
z = np.log(a / (1 - a)); G = len(set(who)); n = len(y)
def glm(X, offset=None, weights=None):
    fit = sm.GLM(up.astype(float), X, family=sm.families.Binomial(), offset=offset, var_weights=weights).fit(
        tol=1e-14, maxiter=100, cov_type='cluster', cov_kwds={'groups': who, 'use_correction': False})
    return fit.params, fit.cov_params() * G / (G - 1)
for name, weights in (('', None), ('_weighted', w)):
    beta, cov = glm(np.ones((n, 1)), z, weights); out['intercept' + name] = [float(beta[0]), float(np.sqrt(cov[0, 0]))]
    beta, cov = glm(np.column_stack([np.ones(n), z]), None, weights); out['slope' + name] = [float(beta[1]), float(np.sqrt(cov[1, 1]))]
knots = np.quantile(z, [.05, .35, .65, .95])
def rcs(x):
    cube = lambda u: np.maximum(u, 0) ** 3
    t = knots; k = len(t)
    return np.column_stack([np.ones(len(x)), x] + [(cube(x - t[j]) - cube(x - t[k-2]) * (t[k-1] - t[j]) / (t[k-1] - t[k-2])
        + cube(x - t[k-1]) * (t[k-2] - t[j]) / (t[k-1] - t[k-2])) / (t[k-1] - t[0]) ** 2 for j in range(k - 2)])
beta, cov = glm(rcs(z))
at = np.linspace(np.quantile(a, .01), np.quantile(a, .99), 41); X = rcs(np.log(at / (1 - at)))
mid = X @ beta; se = np.sqrt(np.einsum('ij,jk,ik->i', X, cov, X)); e = lambda v: 1 / (1 + np.exp(-v))
Z = 1.959963984540054
out['curve'] = [at.tolist(), e(mid).tolist(), e(mid - Z * se).tolist(), e(mid + Z * se).tolist()]
# The Brier score's parts: Murphy's, over ten bins.
bins = np.minimum(9, np.floor(a * 10)).astype(int); base = up.mean(); rel = res = 0
for k in set(bins):
    own = bins == k; rel += own.mean() * (a[own].mean() - up[own].mean()) ** 2; res += own.mean() * (up[own].mean() - base) ** 2
out['murphy'] = [float(rel), float(res), float(base * (1 - base))]
# Obuchowski 1997 as the paper writes it, pair by pair.
def components(scores):
    x, v = scores[up], scores[~up]
    psi = (x[:, None] > v[None, :]) + 0.5 * (x[:, None] == v[None, :])
    return psi.mean(1), psi.mean(0)
def obuchowski(scores):
    V, W = components(scores); A = V.mean(); M, N = len(V), len(W)
    ids = sorted(set(who)); X = np.array([(V[who[up] == i] - A).sum() for i in ids]); Y = np.array([(W[who[~up] == i] - A).sum() for i in ids])
    I, I10, I01 = len(ids), len(set(who[up])), len(set(who[~up]))
    S10 = I10 / (I10 - 1) / M * (X ** 2).sum(); S01 = I01 / (I01 - 1) / N * (Y ** 2).sum(); S11 = I / (I - 1) * (X * Y).sum()
    return A, S10 / M + S01 / N + 2 * S11 / (M * N)
A, variance = obuchowski(a); half = Z * np.sqrt(variance) / (A * (1 - A)); l = np.log(A / (1 - A))
out['obuchowski'] = [float(A), float(e(l - half)), float(e(l + half))]
V1, W1 = components(a); V2, W2 = components(b); D, F = V1 - V2, W1 - W2; d = D.mean(); M, N = len(D), len(F)
ids = sorted(set(who)); X = np.array([(D[who[up] == i] - d).sum() for i in ids]); Y = np.array([(F[who[~up] == i] - d).sum() for i in ids])
I, I10, I01 = len(ids), len(set(who[up])), len(set(who[~up]))
out['difference'] = [float(d), float(np.sqrt(I10 / (I10 - 1) / M ** 2 * (X ** 2).sum() + I01 / (I01 - 1) / N ** 2 * (Y ** 2).sum() + 2 * I / (I - 1) * (X * Y).sum() / (M * N)))]
out['midp'] = [float(1 if p == q == 0 else min(1, 2 * binom.cdf(min(p, q), p + q, .5) - binom.pmf(min(p, q), p + q, .5))) for p, q in given['discordant']]
out['holm'] = multipletests(given['pvalues'], method='holm')[1].tolist()
print(json.dumps(out))`;

const expected = python(PROGRAM, {
  probability,
  truth,
  predicted,
  first,
  second,
  positive,
  patient,
  weight,
  shares,
  discordant,
  pvalues,
  recalls: RECALLS,
});
const films = { probability: first, outcome: positive, patient };
const Z = 1.959963984540054;
const both = (found, [value, error], limit = 1e-8) => {
  near(found.value, value, limit);
  near(found.high - found.low, 2 * Z * error, limit);
};

test('shares: Wilson as statsmodels, and the variance of a clustered mean', () => {
  shares.forEach(([hits, n], i) => {
    const own = share(
      Array.from({ length: n }, (_, j) => j < hits),
      Array.from({ length: n }, (_, j) => j),
    );
    for (const found of [wilson(hits / n, n), own]) {
      near(found.low, expected.wilson[i][0]);
      near(found.high, expected.wilson[i][1]);
    }
  });
  const [mean, variance] = expected.share,
    found = share(
      truth.map((label, i) => label === predicted[i]),
      patient,
    );
  near(found.value, mean);
  assert.ok(N / found.effective > 1);
  near(found.effective, (mean * (1 - mean) * N) / (N - 1) / variance);
});

test('confusion, balanced accuracy, kappa and MCC as scikit-learn', () => {
  const matrix = confusion(truth, predicted, 3, ones);
  assert.deepEqual(matrix, expected.confusion);
  near(balancedAccuracy(matrix), expected.balanced);
  near(kappa(matrix), expected.kappa);
  near(matthews(matrix), expected.mcc);
});

test('AUC, precision-recall, average precision and operating points as scikit-learn', () => {
  near(auc(first, positive)(ones), expected.auc);
  const { points, average } = precisionRecall(first, positive)(ones);
  near(average, expected.average);
  onRecalls(points).forEach((precision, i) => near(precision, expected.precision[i]));
  const corners = roc(first, positive)(ones);
  assert.deepEqual(
    [corners[0], corners.at(-1)],
    [
      [0, 0],
      [1, 1],
    ],
  );
  const scores = { probability: first, positive, patients: patient.map(String) };
  const specificity = { rule: 'specificity', value: 0.9 },
    sensitivity = { rule: 'sensitivity', value: 0.9 };
  near(reached(first, positive, specificity)(ones), expected.sensitivity_at_90);
  near(reached(first, positive, sensitivity)(ones), expected.specificity_at_90);
  near(thresholdOf(scores, specificity), expected.cut_at_90);
  near(thresholdOf(scores, sensitivity), expected.specificity_cut);
  near(atThreshold(scores, expected.cut_at_90).sensitivity.value, expected.sensitivity_at_90);
  near(atThreshold(scores, expected.specificity_cut).specificity.value, expected.specificity_at_90);
});

test('calibration: intercept and slope with clustered errors as statsmodels, with weights and without', () => {
  for (const [name, weights] of [
    ['', Array.from(ones)],
    ['_weighted', weight],
  ]) {
    const { intercept, slope } = calibrationOf({ ...films, weight: weights });
    both(intercept, expected[`intercept${name}`]);
    both(slope, expected[`slope${name}`]);
  }
});

test('calibration: the spline curve and its band as statsmodels', () => {
  const curve = calibrationCurve({ ...films, weight: Array.from(ones) });
  assert.equal(curve.length, 41);
  curve.forEach(({ predicted: x, observed, low, high }, i) =>
    [x, observed, low, high].forEach((value, j) => near(value, expected.curve[j][i], 1e-7)),
  );
});

test('Brier score with its parts, and log loss, as scikit-learn', () => {
  const { score, reliability, resolution, uncertainty, within } = calibrationOf({
    ...films,
    weight: Array.from(ones),
  }).brier;
  near(score.value, expected.brier);
  [reliability, resolution, uncertainty].forEach((value, i) => near(value, expected.murphy[i]));
  near(reliability - resolution + uncertainty + within, expected.brier);
  const all = overallScores(
    probability.map((row, i) => ({ probability: row, truth: truth[i] })),
    Array.from(ones),
    patient,
  );
  near(all.brier.value, expected.multibrier);
  near(all.logLoss.value, expected.logloss, 1e-5); // scikit-learn makes each row sum to exactly 1
});

test("areas with Obuchowski's variance, and their difference, pair by pair", () => {
  const { value, low, high } = areaFigure(first, positive, patient.map(String));
  [value, low, high].forEach((x, i) => near(x, expected.obuchowski[i]));
  const { difference, error } = delong(first, second, positive, patient.map(String));
  near(difference, expected.difference[0]);
  near(error, expected.difference[1]);
});

test("McNemar's mid-p and Holm's adjustment as scipy and statsmodels", () => {
  discordant.forEach(([b, c], i) => near(mcnemar(b, c).mid, expected.midp[i]));
  holm(pvalues).forEach((p, i) => near(p, expected.holm[i]));
  assert.deepEqual(holm([NaN, 0.5]), [NaN, 0.5]);
});
