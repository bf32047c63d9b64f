// `convert --calibrate` and `--prior`: a brought classifier gets temperature, class mix and gate, and keeps its map.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { createEngine } from '../../src/engine.mjs';
import { film, folder, lines, pleura, root, says } from '../cli/command.mjs';

const wasm = readFileSync(join(root, 'build/pleura.wasm'));
const fixture = (name) => join(root, 'tests/fixtures/convert', name);
const LABELS = ['covid', 'pneumonia', 'normal'];
const COUNTS = { covid: 24, pneumonia: 24, normal: 72 };
const out = join(folder, 'out.gguf');

before(() => {
  for (const [n, label] of LABELS.entries()) {
    mkdirSync(join(folder, 'films', label), { recursive: true });
    mkdirSync(join(folder, 'few', label), { recursive: true });
    for (let i = 0; i < COUNTS[label]; i++) {
      writeFileSync(join(folder, 'films', label, `${i}.png`), film(64 + 12 * n, i));
      if (i < 9) writeFileSync(join(folder, 'few', label, `${i}.png`), film(64 + 12 * n, i));
    }
  }
});

const convert = (...options) =>
  pleura(['convert', fixture('resnet18.onnx'), out, '--classes', LABELS.join(), '--no-verify', ...options]);
const open = () => createEngine({ wasm, weights: readFileSync(out) });
const films = (label) =>
  Array.from({ length: COUNTS[label] }, (_, i) => readFileSync(join(folder, 'films', label, `${i}.png`)));

test('calibrated probabilities have the class mix of the films as their mean, the gate refuses what is unlike them, and the class activation map stays', async () => {
  const { status, stderr } = convert('--calibrate', 'films');
  assert.equal(status, 0, stderr);
  says(stderr, 'calibrated on 120 films', /log loss [\d.]+ before, [\d.]+ after \(cross-validated\)/);
  const engine = await open();
  const answers = LABELS.flatMap((label) => films(label).map((bytes) => engine.diagnose(bytes)));
  for (const label of LABELS) {
    const mean = answers.reduce((sum, { probability }) => sum + probability[label], 0) / answers.length;
    assert.ok(Math.abs(mean - COUNTS[label] / 120) < 0.02, `${label} ${mean}`);
    assert.ok(Math.abs(engine.model.prior[label] - COUNTS[label] / 120) < 1e-6, label);
  }
  assert.notEqual(engine.model.temperature, 1);
  const accepted = answers.filter(({ gate }) => gate.accepted).length;
  assert.ok(accepted >= 117, `${accepted} of 120 accepted`);
  for (const name of ['noise.png', 'rings.png'])
    assert.equal(engine.diagnose(readFileSync(fixture(name))).gate.reason, 'unlike', name);
  assert.equal(answers[0].heatmapKind, 'class');
  assert.ok(Math.max(...answers[0].heatmap.data) > 0.9); // 1, but for the drawing on a finer grid
  for (const label of LABELS) assert.equal(engine.classMap(label).data.length, answers[0].heatmap.data.length);
});

test('weights know the films that calibrated them', () => {
  const { status, stderr } = pleura(['evaluate', '--labels', 'films', '--model', out]);
  assert.notEqual(status, 0);
  says(stderr, /--allow-seen/);
});

test('with --prior the probabilities are those of that class mix', async () => {
  const plain = (await open()).diagnose(films('normal')[3]).logits;
  const { status, stderr } = convert('--calibrate', 'films', '--prior', 'covid=0.01,pneumonia=1/100,normal=0.98');
  assert.equal(status, 0, stderr);
  const engine = await open();
  const { logits } = engine.diagnose(films('normal')[3]);
  const { temperature } = engine.model;
  // Bayes' rule: each odds moves by the ratio of the new shares and the old ones.
  const moved = (logits[2] - logits[0] - (plain[2] - plain[0])) / temperature;
  assert.ok(Math.abs(moved - Math.log(98 / (72 / 24))) < 1e-3, `${moved}`);
});

test('--prior alone lets probabilities be adjusted to a prevalence', () => {
  const { status, stderr } = convert('--prior', 'covid=0.3,pneumonia=0.3,normal=0.4');
  assert.equal(status, 0, stderr);
  const path = join('films', 'covid', '0.png');
  const [own] = lines(pleura(['--model', out, path]).stdout);
  const [rare] = lines(pleura(['--model', out, path, '--prevalence', 'covid=0.01,pneumonia=0.01']).stdout);
  assert.ok(rare.probability.normal > own.probability.normal);
});

test('too few films, strange labels, a wrong class mix and options without --calibrate end in one sentence and no file', () => {
  for (const [options, ...parts] of [
    [['--calibrate', 'few'], 'covid has 9', 'every label needs 10'],
    [['--calibrate', 'missing'], 'missing cannot be read', 'given to --calibrate'],
    [['--calibrate', 'films', '--map', 'x'], '--map needs'],
    [['--prior', 'covid=0.3,normal=0.7'], 'one share for each of covid, pneumonia, normal'],
    [['--prior', 'covid=0.3,pneumonia=0.3,normal=0.3'], 'sum to 1'],
    [['--prior', 'covid=0,pneumonia=0.5,normal=0.5'], 'from 1e-06 to 1'],
    [['--prior', 'covid'], 'covid=0.2,normal=0.8'],
    [['--root', '.'], 'belong to --calibrate'],
  ]) {
    const { status, stderr } = pleura([
      ...['convert', fixture('resnet18.onnx'), 'none.gguf', '--labels', LABELS.join(), '--no-verify'],
      ...options,
    ]);
    assert.notEqual(status, 0, options.join(' '));
    says(stderr, ...parts);
    assert.doesNotMatch(stderr, /Traceback|at .*\.mjs/);
    assert.equal(existsSync(join(folder, 'none.gguf')), false, options.join(' '));
  }
  const older = readFileSync(out);
  assert.notEqual(convert('--calibrate', 'few').status, 0);
  assert.deepEqual(readFileSync(out), older);
});
