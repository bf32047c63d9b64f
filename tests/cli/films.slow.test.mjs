// The command over every film of the test split and over pictures that are no chest films.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseCsv } from '../../src/cli/csv.mjs';
import { wilson } from '../../src/stats/intervals.mjs';
import { data, missing } from '../support/data.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the command says as JSON. @param {string[]} args @param {'wasm' | 'native'} [engine] */
function said(args, engine = 'wasm') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src/cli.mjs'), '--json', ...args], {
    encoding: 'utf8',
    env: { ...process.env, PLEURA_ENGINE: engine },
    maxBuffer: 1 << 28,
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** @param {string} text  JSON Lines */
const recordsIn = (text) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const scratch = mkdtempSync(join(tmpdir(), 'pleura-'));
after(() => rmSync(scratch, { recursive: true }));
const labels = join(scratch, 'labels.csv');

/** The rows of one split of the labels that the card is about. @param {string} name */
function split(name) {
  if (!existsSync(labels)) {
    const args = ['-m', 'training.data', '--labels', labels];
    const env = { ...process.env, PLEURA_DATA: data };
    const { status, stderr } = spawnSync('/usr/bin/python3', args, { cwd: join(root, 'model'), env, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }
  return parseCsv(readFileSync(labels, 'utf8')).filter((row) => row.split === name);
}

const filesOf = (name) => split(name).map(({ file }) => join(data, file));
const results = join(scratch, 'results.jsonl');

/** The records of the test split and the external films, in this order, which machine code diagnoses once. */
function answers() {
  if (!existsSync(results)) writeFileSync(results, said(['test', 'external'].flatMap(filesOf), 'native'));
  return recordsIn(readFileSync(results, 'utf8'));
}

const evaluations = {};
/** What `evaluate` prints for the films of one split; several tests read that of the test split.
 *  @param {'test' | 'external'} name */
function evaluated(name) {
  answers();
  const args = ['evaluate', results, '--labels', labels, '--root', data, '--split', name, '--by', 'source'];
  evaluations[name] ??= JSON.parse(said(args));
  return evaluations[name];
}

test('every film of the test split is answered', (t) => {
  if (missing(t)) return;
  const { films, errors, refusals } = evaluated('test');
  assert.deepEqual([films, errors], [split('test').length, 0]);
  const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0);
  assert.ok(refused < 0.03 * films, 'good films are rarely refused');
});

test('each film has one record, in the order of the arguments', (t) => {
  if (missing(t)) return;
  assert.deepEqual(
    answers().map(({ file }) => file),
    ['test', 'external'].flatMap(filesOf),
  );
  for (const { file, verdict, probability, bits } of answers()) {
    assert.match(verdict, /^(covid|pneumonia|normal|uncertain|refused)$/, file);
    assert.ok(Math.abs(Object.values(probability).reduce((sum, p) => sum + p) - 1) < 1e-5, file);
    assert.match(bits, /^[0-9a-f]{16}$/, file);
  }
});

test('WebAssembly gives the records of machine code', (t) => {
  if (missing(t)) return;
  const some = answers().filter((_, i) => i % 40 === 0);
  assert.deepEqual(recordsIn(said(some.map(({ file }) => file))), some);
});

test('the figures of the card and of the README are those that evaluate gives', (t) => {
  if (missing(t)) return;
  const [card, readme] = ['model/card.md', 'README.md'].map((file) =>
    readFileSync(join(root, file), 'utf8').replaceAll('\u2013', '-'),
  );
  const figure =
    (scale, digits, unit = '') =>
    (interval) => {
      if (!interval) return '-';
      const [at, from, to] = [interval.value, interval.low, interval.high].map((part) =>
        (scale * part).toFixed(digits),
      );
      return `${at}${unit} (${from}-${to})`;
    };
  const percent = figure(100, 1),
    withUnit = figure(100, 1, ' %'),
    area = figure(1, 3);
  const tells = (text, line) => assert.ok(text.includes(line), line);
  const row = (...cells) => `| ${cells.join(' | ')} |`.replace('|  |', '| |');

  const find = (outcomes, label) => outcomes.find((one) => one.label === label);
  const answers = ['normal', 'covid', 'pneumonia', 'uncertain', 'refused'];
  const { outcomes: external } = evaluated('external');
  const { n, shares: called } = find(external, 'normal');
  const { n: ill, shares: missed } = find(external, 'other');
  tells(card, row(`% of ${n} normals`, ...answers.map((name) => percent(called[name]))));
  tells(card, row(`% of ${ill} tuberculosis`, ...answers.map((name) => percent(missed[name]))));
  tells(readme, row(`${n} normal films of a hospital not used in training`, 'called normal', withUnit(called.normal)));
  tells(readme, row('', 'called covid', withUnit(called.covid)));
  const tuberculosis = `${ill} films of tuberculosis, a disease not used in training`;
  tells(readme, row(tuberculosis, 'called normal', withUnit(missed.normal)));

  const {
    outcomes,
    all,
    groups: [{ values }],
  } = evaluated('test');
  all.classes.forEach(({ label, sensitivity, specificity, ppv, npv, auc }, i) => {
    const {
      n: truly,
      shares: { uncertain, refused },
    } = outcomes.find((one) => one.label === label);
    tells(card, row(label, ...all.confusion[i], truly, percent(uncertain), percent(refused)));
    tells(card, row(label, ...[sensitivity, specificity, ppv, npv].map(percent), area(auc)));
  });
  tells(card, `Accuracy ${withUnit(all.accuracy)}, balanced over four classes ${withUnit(all.balancedAccuracy)}`);
  const [covid, pneumonia] = all.classes;
  const figuresOf = (source) => values.find(({ value }) => value === source).figures;
  const [cohen] = figuresOf('cohen').classes;
  const siim = figuresOf('siim');
  const read = `${siim.n} films of hospitals with disease and none, new patients, read by radiologists`;
  tells(readme, row(read, 'normal versus the rest, AUC', area(siim.classes[2].auc)));
  tells(card, `**${area(cohen.auc)}**`);
  tells(
    readme,
    row(
      `test split, ${all.n.toLocaleString('en')} films: hospitals used in training, new patients`,
      'COVID-19 versus the rest, AUC',
      area(covid.auc),
    ),
  );
  tells(
    readme,
    row(
      '',
      'sensitivity and specificity for COVID-19',
      `${withUnit(covid.sensitivity)}, ${withUnit(covid.specificity)}`,
    ),
  );
  tells(readme, row('', 'sensitivity for pneumonia', withUnit(pneumonia.sensitivity)));
  tells(readme, `COVID-19 versus the rest, AUC | ${area(cohen.auc)}: chance |`);
});

test('a share of the report is as sure as its patients are many', (t) => {
  if (missing(t)) return;
  const report = readFileSync(join(root, 'model/report.md'), 'utf8');
  const figure = String.raw`([\d.]+) \(([\d.]+)-([\d.]+)\)`;
  for (const source of ['cohen', 'cxnet', 'hannover', 'nih']) {
    const films = split('test').filter((film) => film.source === source),
      patients = new Set(films.map((film) => film.patient_id));
    const [, refused, ...bounds] = new RegExp(`^\\| ${source} \\| ${films.length} \\| ${figure}`, 'm').exec(report);
    const { low, high } = wilson(Math.round((refused / 100) * films.length) / films.length, patients.size);
    assert.deepEqual(
      bounds,
      [low, high].map((bound) => (100 * bound).toFixed(1)),
      source,
    );
  }
});

test('most pictures that are no frontal chest film are refused', (t) => {
  if (missing(t)) return;
  const others = recordsIn(said([join(data, 'ood')]));
  assert.equal(others.length, 32);
  assert.ok(others.filter(({ verdict }) => verdict === 'refused').length >= 31, '95 %');
  for (const reason of ['no-lungs', 'colour'])
    assert.ok(
      others.some(({ gate }) => gate.reason === reason),
      reason,
    );
});

test('films of some hospitals make an adaptation, and other films of theirs are read with it', (t) => {
  if (missing(t)) return;
  const own = split('val').filter(({ source }) => ['cohen', 'cxnet', 'nih'].includes(source)),
    folder = mkdtempSync(join(tmpdir(), 'pleura-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const labels = join(folder, 'labels.csv'),
    overlay = join(folder, 'own.gguf');
  writeFileSync(
    labels,
    ['file,label,patient_id', ...own.map(({ file, label, patient_id: patient }) => `${file},${label},${patient}`)].join(
      '\n',
    ),
  );
  const { films, patients, leftOut, comparisons } = JSON.parse(
    said(['adapt', '--labels', labels, '--root', data, '--out', overlay]),
  );
  const left = Object.values(leftOut).reduce((sum, count) => sum + count),
    fitted = Object.values(films).reduce((sum, count) => sum + count);
  assert.equal(fitted + left, own.length);
  assert.ok(
    patients <= new Set(own.map(({ patient_id: patient }) => patient)).size,
    'films of a patient stay together',
  );
  for (const { name, before, after, difference } of comparisons)
    assert.ok(Math.abs(after.value - before.value - difference.value) < 1e-9, name);
  const other = split('test')
    .filter(({ source }) => source === 'cohen')
    .slice(0, 3)
    .map(({ file }) => join(data, file));
  const [plain, adapted] = [[], ['--adapter', overlay]].map((more) => recordsIn(said([...other, ...more])));
  adapted.forEach(({ model, bits, verdict }, i) => {
    assert.match(model, /\+adapted /);
    assert.notEqual(bits, plain[i].bits);
    assert.equal(verdict === 'refused', plain[i].verdict === 'refused', 'the gate is the same');
  });
});

test('the samples are films that the manifest knows, under the licence that it names', (t) => {
  if (missing(t)) return;
  const known = new Map(parseCsv(readFileSync(join(data, 'manifest.csv'), 'utf8')).map((row) => [row.file, row]));
  for (const sample of JSON.parse(readFileSync(join(root, 'model/samples/samples.json'), 'utf8'))) {
    const { sha256, license, label, split } = known.get(sample.local);
    assert.deepEqual([sample.sha256, sample.license, sample.label, sample.split], [sha256, license, label, split]);
    assert.equal(
      createHash('sha256')
        .update(readFileSync(join(data, sample.local)))
        .digest('hex'),
      sample.localSha256,
    );
  }
});
