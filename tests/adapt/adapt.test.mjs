// The fit of the last layer on made-up features with known answers; overlays, whole and damaged; the command from films to verdicts.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { advise, compareFits, crossValidate, folds, selectFilms, tooFew } from '../../src/adapt/crossval.mjs';
import { adapt } from '../../src/adapt/adapt.mjs';
import { applyAdapter, readLastLayer } from '../../src/weights/adapter.mjs';
import { createEngine } from '../../src/engine.mjs';
import { floatsIn, floatValues, readGguf, textOf, textValue, writeGguf } from '../../src/weights/gguf.mjs';
import {
  applyLayer,
  fitRidgePath,
  fitTemperature,
  project,
  softmax,
  startLayer,
  totalLoss,
} from '../../src/adapt/logistic.mjs';
import { sha256 } from '../../src/node/assets.mjs';
import { random } from '../../src/stats/bootstrap.mjs';
import { film, folder, lines, pleura, root, tiny, tried } from '../cli/command.mjs';
import { dicomFile } from '../dicom/file.mjs';

const LABELS = ['covid', 'pneumonia', 'normal'],
  WIDTH = 12;
const draw = random(5),
  normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
const rows = (size) => LABELS.map(() => Float64Array.from({ length: WIDTH }, () => size * normal()));
const shipped = { weight: rows(1), bias: [0, 0, 0] };

/** Films whose labels are drawn as `layer` says, two of each patient. */
function make(count, layer) {
  return Array.from({ length: count }, (_, i) => {
    const features = Float64Array.from({ length: WIDTH }, () => Math.max(0, normal())),
      p = softmax(applyLayer(layer, features));
    let label = 0;
    for (let left = draw(); label < 2 && left > p[label]; label++) left -= p[label];
    return { features, label, patient: `p${i >> 1}` };
  });
}
const lossOf = (films, layer, temperature = 1) =>
  totalLoss(
    films.map(({ features }) => applyLayer(layer, features).map((z) => z / temperature)),
    films.map(({ label }) => label),
  ) / films.length;

test('a known change of the layer is recovered: its loss on new films is close to that of the true layer', () => {
  const truth = {
    weight: shipped.weight.map((row, k) => row.map((w, i) => w + (i % 3 === k ? 1.5 : 0))),
    bias: [1, -1, 0],
  };
  const films = make(400, truth),
    fresh = make(2000, truth),
    { layer, temperature, before, after } = crossValidate(films, shipped);
  const [best, was, now] = [lossOf(fresh, truth), lossOf(fresh, shipped), lossOf(fresh, layer, temperature)];
  assert.ok(was - best > 0.2, `${was} ${best}`);
  assert.ok(now - best < 0.1 * (was - best), `${now} of ${best}..${was}`);
  const comparisons = compareFits(films, { before, after }, LABELS);
  assert.equal(advise(comparisons), 'better');
  const { value } = comparisons.find(({ name }) => name === 'logLoss').after;
  assert.ok(Math.abs(value - now) < 0.1, `what cross-validation promises is what new films keep: ${value} ${now}`);
});

test('if the shipped layer is already right, no gain is claimed and almost nothing changes', () => {
  const films = make(200, shipped),
    { layer, temperature, before, after } = crossValidate(films, shipped);
  const advice = advise(compareFits(films, { before, after }, LABELS)),
    fresh = make(2000, shipped);
  assert.ok(advice === 'same' || advice === 'worse', advice);
  assert.ok(lossOf(fresh, layer, temperature) - lossOf(fresh, shipped) < 0.05);
});

test('random labels lead to no claim', () => {
  const films = make(120, shipped).map((one, i) => ({ ...one, label: i % 3 }));
  const start = { weight: rows(0), bias: [0, 0, 0] };
  assert.ok(['same', 'worse'].includes(advise(compareFits(films, crossValidate(films, start), LABELS))));
});

test('no ridge strength fits the training films worse than the original layer, and weaker ones fit them better', () => {
  const films = make(90, { weight: rows(1), bias: [0, 0, 0] }),
    { points, toLayer } = project(films, shipped);
  const losses = fitRidgePath(points, [Infinity, 100, 10, 1, 0.1]).map((change) => lossOf(films, toLayer(change)));
  assert.ok(Math.abs(losses[0] - lossOf(films, shipped)) < 1e-9);
  losses.forEach((own, i) => assert.ok(i === 0 || own < losses[i - 1] + 1e-4, losses.join(' ')));
});

test('temperature and shift match those that the labels were drawn with', () => {
  const films = make(3000, shipped),
    logits = films.map(({ features }) => applyLayer(shipped, features).map((z, k) => 2.5 * (z - [1, 0, -1][k])));
  const { temperature, shift } = fitTemperature(
      logits,
      films.map(({ label }) => label),
    ),
    middle = (shift[0] + shift[2]) / 2;
  assert.ok(Math.abs(temperature - 2.5) < 0.25, String(temperature));
  [1, 0, -1].forEach((truth, k) => assert.ok(Math.abs(shift[k] - middle - truth) < 0.3, shift.join(' ')));
});

test('the starting point is the shipped layer at its temperature, adjusted to the class mix by Bayes’ rule', () => {
  const prior = [0.5, 0.25, 0.25],
    mixture = [0.1, 0.3, 0.6],
    [{ features }] = make(1, shipped);
  const p = softmax(applyLayer(shipped, features).map((z) => z / 1.7)),
    moved = p.map((share, k) => (share * mixture[k]) / prior[k]),
    sum = moved.reduce((a, b) => a + b);
  softmax(applyLayer(startLayer(shipped, 1.7, prior, mixture), features)).forEach((share, k) =>
    assert.ok(Math.abs(share - moved[k] / sum) < 1e-12),
  );
});

test('folds are grouped by patient, stratified by label and independent of the order of the films', () => {
  const films = make(211, shipped).map((one, i) => ({ ...one, patient: `p${i % 70}` })),
    own = folds(films),
    back = [...films].reverse();
  const byPatient = new Map();
  films.forEach(({ patient }, f) =>
    assert.equal(byPatient.get(patient) ?? (byPatient.set(patient, own[f]), own[f]), own[f], patient),
  );
  assert.deepEqual(folds(back).reverse(), own);
  const alone = films.map((one, i) => ({ ...one, patient: `q${i}` })),
    fold = folds(alone);
  for (const label of [0, 1, 2]) {
    const counts = [0, 1, 2, 3, 4].map((f) => alone.filter((one, i) => one.label === label && fold[i] === f).length);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join(' '));
  }
});

test('the same films give the same result', () => {
  const films = make(60, shipped);
  assert.deepEqual(crossValidate(films, shipped), crossValidate(films, shipped));
});

test('refused, duplicate, contradictory and unlabelled films are left out and counted', () => {
  const features = new Float32Array(1),
    found = (label, hash, patient = null, own = features) => ({ label, hash, patient, features: own });
  const { films, leftOut } = selectFilms(
    [
      found('covid', 'a', 'x'),
      found('covid', 'a'),
      found('normal', 'b'),
      found('covid', 'c', null, null),
      found('covid', 'd'),
      found('normal', 'd'),
      found('fracture', 'e'),
    ],
    LABELS,
  );
  assert.deepEqual(films, [
    { label: 'covid', patient: 'x', hash: 'a', known: true, features },
    { label: 'normal', patient: 'b', hash: 'b', known: false, features },
  ]);
  assert.deepEqual(leftOut, { otherLabel: 1, refused: 1, repeated: 1, contradictory: 2 });
  assert.deepEqual(
    tooFew(make(0, shipped), LABELS).map(({ films: n }) => n),
    [0, 0, 0],
  );
  const few = Array.from({ length: 60 }, (_, i) => ({ label: i % 3, patient: `p${i % 3 === 1 ? 0 : i}` }));
  assert.deepEqual(tooFew(few, LABELS), [{ label: 'pneumonia', films: 20, patients: 1 }]);
});

/** An adapter for weights from made-up features as wide as theirs; no film has the label `missing`. */
async function adapterFor(path, width, missing = '') {
  const [wasm, weights] = [join(root, 'build/pleura.wasm'), path].map((file) => new Uint8Array(readFileSync(file))),
    base = sha256(weights);
  const { model } = await createEngine({ wasm, weights });
  const labels = model.labels.filter((label) => label !== missing),
    count = labels.length;
  const films = Array.from({ length: 20 * count }, (_, i) => ({
    label: labels[i % count],
    patient: `p${i}`,
    features: Float32Array.from({ length: width }, (_, j) => Math.abs(normal()) + (j % count === i % count ? 1 : 0)),
  }));
  return { wasm, weights, base, model, films, ...(await adapt({ wasm, weights, base, model, films, sha256 })) };
}
const widthOf = (path) => {
  const { tensors } = readGguf(readFileSync(path)),
    count = ({ dims }) => dims.reduce((a, b) => a * b, 1);
  return count(tensors.get('diagnosis.logits.weight')) / count(tensors.get('diagnosis.logits.bias'));
};

test('without films of other findings that label keeps its row and its share, and the others are compared', async () => {
  const path = join(root, 'tests/fixtures/findings.gguf'),
    { wasm, weights, adapter, comparisons, films } = await adapterFor(path, widthOf(path), 'other');
  assert.deepEqual(
    comparisons.flatMap(({ label }) => label ?? []),
    LABELS,
  );
  assert.deepEqual(films, { covid: 20, pneumonia: 20, normal: 20, other: 0 });
  const adapted = await applyAdapter(weights, adapter, sha256);
  const { model } = await createEngine({ wasm, weights: adapted });
  for (const [label, share] of Object.entries({ covid: 0.3, pneumonia: 0.3, normal: 0.3, other: 0.1 }))
    assert.ok(Math.abs(model.prior[label] - share) < 1e-5, `${label} ${model.prior[label]}`);
  const [before, after] = [weights, adapted].map((bytes) => readLastLayer(bytes, model.labels));
  const { temperature } = (await createEngine({ wasm, weights })).model;
  after.weight[3].forEach((w, i) => assert.ok(Math.abs(w - before.weight[3][i] / temperature) < 1e-5));
  assert.notDeepEqual(after.weight[0], before.weight[0]);
  assert.deepEqual(
    (await adapt({ wasm, weights, base: '', model: { ...model, prior: null }, films: [], sha256 })).missing.length,
    4,
    'without a prior there is no share to keep',
  );
});

test('an adapter changes only the last layer, and the engine reports that it is adapted', async () => {
  const path = join(root, 'model/pleura.gguf'),
    { wasm, weights, base, model, adapter, advice } = await adapterFor(path, widthOf(path));
  assert.equal(advice, 'better');
  assert.ok(adapter.length < 16384);
  const merged = await applyAdapter(weights, adapter, sha256, base),
    engine = await createEngine({ wasm, weights: merged }),
    plain = await createEngine({ wasm, weights });
  assert.equal(plain.model.adapted, null);
  assert.deepEqual(engine.model.adapted, { base, films: Object.fromEntries(model.labels.map((label) => [label, 20])) });
  assert.equal(engine.model.version, `${model.version}+adapted`);
  assert.equal(engine.model.certain, model.certain, 'one rule tells which films are uncertain');
  for (const share of Object.values(engine.model.prior)) assert.ok(Math.abs(share - 1 / model.labels.length) < 1e-6);
  const [a, b] = [plain.phantom(), engine.phantom()];
  assert.notEqual(a.bits, b.bits);
  assert.deepEqual([a.lungs, a.gate], [b.lungs, b.gate]);
  assert.deepEqual(plain.features(), engine.features());
  assert.equal(textOf(readGguf(merged).values.get('pleura.selftest.bits')), b.bits);
  assert.deepEqual(await applyAdapter(weights, adapter, sha256, base), merged, 'the same bytes again');
});

test('the features are what the last layer reads', async () => {
  const weights = new Uint8Array(readFileSync(tiny)),
    engine = await createEngine({ wasm: readFileSync(join(root, 'build/pleura.wasm')), weights });
  const { logits } = engine.diagnose(new Uint8Array(film(72))),
    features = engine.features(),
    { tensors } = readGguf(weights);
  assert.equal(features.length, widthOf(tiny));
  const { adapter, base, wasm } = await adapterFor(tiny, widthOf(tiny)),
    adapted = await createEngine({ wasm, weights: await applyAdapter(weights, adapter, sha256, base) });
  const now = adapted.diagnose(new Uint8Array(film(72))),
    own = readGguf(adapter).tensors,
    packed = new Float32Array(own.get('diagnosis.logits.weight').data.slice().buffer);
  const bias = new Float32Array(own.get('diagnosis.logits.bias').data.slice().buffer);
  now.logits.forEach((z, k) =>
    assert.ok(
      Math.abs(z - features.reduce((sum, x, i) => sum + x * packed[4 * i + k], bias[k])) < 1e-4 * (1 + Math.abs(z)),
    ),
  );
  assert.notDeepEqual(now.logits, logits);
  assert.equal(tensors.get('diagnosis.logits.bias').dims[0], 4);
});

test('an adapter that belongs to other weights, is damaged or is cut anywhere is refused with a sentence', async () => {
  const { weights, base, adapter } = await adapterFor(tiny, widthOf(tiny)),
    attempt = (bytes, hash = base) => applyAdapter(weights, bytes, sha256, hash);
  await assert.rejects(attempt(adapter, '0'.repeat(64)), {
    code: 'overlay-foreign',
    message: /belongs to other weights/,
  });
  for (let size = 0; size < adapter.length; size += 7)
    await assert.rejects(
      attempt(adapter.slice(0, size)),
      { code: 'overlay-damaged', message: /damaged/ },
      String(size),
    );
  for (let at = 0; at < adapter.length; at += 5) {
    const bytes = adapter.slice();
    bytes[at] ^= 16;
    await assert.rejects(attempt(bytes), { code: 'overlay-damaged' }, String(at));
  }
  await assert.rejects(
    attempt(new Uint8Array(readFileSync(tiny))),
    { code: 'overlay-damaged' },
    'weights are not an adapter',
  );
  await assert.rejects(attempt(new Uint8Array(5 << 20)), { code: 'overlay-damaged' });
  const { values, tensors } = readGguf(adapter);
  values.delete('pleura.overlay.sha256');
  values.set('pleura.prior', floatValues([1]));
  const sealed = (own) =>
    writeGguf({
      values: new Map(own).set('pleura.overlay.sha256', textValue(sha256(writeGguf({ values: own, tensors })))),
      tensors,
    });
  await assert.rejects(attempt(sealed(values)), { code: 'overlay-damaged' }, 'one share for three labels');
  assert.equal(floatsIn(values.get('pleura.temperature')).length, 1);
});

for (const [n, label] of LABELS.entries()) {
  mkdirSync(join(folder, 'films', label), { recursive: true });
  for (let i = 0; i < 20; i++) writeFileSync(join(folder, 'films', label, `${i}.png`), film(64 + 12 * n, i));
}

test('the command fits, reports before and after, and every record names the adapter in use', () => {
  const { status, stdout, stderr } = tried(['adapt', '--labels', 'films', '--out', 'own.gguf']);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /Films: covid 20, pneumonia 20, normal 20, of 60 patients/);
  assert.match(
    stdout,
    /\| balanced accuracy % \| 33\.3 \| [\d.]+ \([\d.]+–[\d.]+\) \|/,
    'before, all is called the same, whoever is drawn',
  );
  assert.match(stdout, /\| accuracy % \| [\d.]+ \([\d.]+–[\d.]+\) \|/);
  assert.match(stdout, /\*\*(Better|No better|Its prob|Worse)/);
  const [plain, own] = [[], ['--adapter', 'own.gguf']].map(
    (more) => lines(tried(['films/covid/0.png', '--json', ...more]).stdout)[0],
  );
  assert.match(own.model, /^tiny-0\.0\.1\+adapted [0-9a-f]{12}$/);
  assert.notEqual(own.model, plain.model);
  assert.notEqual(own.bits, plain.bits);
  const facts = JSON.parse(tried(['info', '--adapter', 'own.gguf', '--json']).stdout);
  assert.deepEqual(facts.adapted.films, { covid: 20, pneumonia: 20, normal: 20 });
  assert.equal(own.model.slice(-12), facts.sha256.slice(0, 12));
  assert.match(tried(['info', '--overlay', 'own.gguf']).stdout, /adapted +from the weights/, 'the old spelling');
  const judge = [
    'evaluate',
    '--labels',
    'films',
    '--json',
    '--adapter',
    'own.gguf',
    '--against',
    tiny,
    '--rounds',
    '100',
  ];
  const refused = tried(judge);
  assert.deepEqual([refused.status, refused.stdout], [2, '']);
  assert.match(refused.stderr, /is one of the films that the adapter was fitted to\./);
  const compared = JSON.parse(tried([...judge, '--allow-seen']).stdout);
  assert.notEqual(compared.model, compared.comparison.against);
  assert.equal(compared.seen, 60);
});

/** Sixty films as DICOM, in a folder a label. @param {string} name @param {(label: number, i: number) => string} patient */
function writeDicom(name, patient) {
  LABELS.forEach((label, n) => {
    mkdirSync(join(folder, name, label), { recursive: true });
    for (let i = 0; i < 20; i++) {
      const pixels = Uint8Array.from({ length: 72 * 72 }, (_, p) => (p % 72) * 2 + 20 * n + i);
      writeFileSync(
        join(folder, name, label, `${i}.dcm`),
        dicomFile({ width: 72, height: 72, pixels, tags: { '00100020': ['LO', patient(n, i)] } }),
      );
    }
  });
}

test('DICOM films with one Patient ID are one patient, ignoring padding; a film without an ID is its own patient', () => {
  writeDicom('discs', (n, i) => (i < 4 ? '' : `${i % 2 ? '' : ' '}ID-${n}${i >> 1}${i % 2 ? '  ' : ''}`));
  const { status, stdout, stderr } = tried(['adapt', '--labels', 'discs', '--out', 'discs.gguf', '--json']);
  assert.equal(status, 0, stderr);
  assert.equal(JSON.parse(stdout).patients, 3 * (4 + 8));
  assert.doesNotMatch(stdout + stderr + readFileSync(join(folder, 'discs.gguf'), 'latin1'), /ID-/);
  writeDicom('one', (n) => `P${n}`);
  assert.match(
    tried(['adapt', '--labels', 'one', '--out', 'one.gguf']).stderr,
    /Too few films: covid has 20 of 1, pneumonia has 20 of 1, normal has 20 of 1;/,
  );
});

test('the command reports missing input in one sentence', () => {
  mkdirSync(join(folder, 'few/covid'), { recursive: true });
  writeFileSync(join(folder, 'few/covid/0.png'), film(64));
  assert.match(
    tried(['adapt', '--labels', 'few', '--out', 'x.gguf']).stderr,
    /Too few films: covid has 1 of 1, .*every label needs 20 films of 10 patients\. Nothing was written\./,
  );
  assert.match(tried(['adapt', '--labels', 'films']).stderr, /'adapt' needs --out FILE/);
  const { status, stderr } = tried(['films/covid/0.png', '--adapter', tiny]);
  assert.deepEqual([status, /This is not an adapter made by Pleura/.test(stderr)], [1, true]);
  tried(['adapt', '--labels', 'films', '--out', 'own.gguf']);
  assert.match(pleura(['films/covid/0.png', '--adapter', 'own.gguf']).stderr, /This adapter belongs to other weights/);
});
