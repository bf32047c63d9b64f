// The command over every film of the test split and over pictures that are no chest films.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseCsv } from '../src/labels.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const data = process.env.PLEURA_DATA ?? join(root, '../shared/data');

/** Whether the films are there; without them the test is skipped, but for CI that is a failure. */
function missing(t) {
  if (existsSync(join(data, 'manifest.csv'))) return false;
  assert.ok(!process.env.CI, `the films are missing: ${data}`);
  t.skip(`the films are missing: put them into ${data} or set PLEURA_DATA, see README.md`);
  return true;
}

/** @param {string[]} paths */
function records(paths) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src/cli.mjs'), '--json', ...paths],
    { encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr);
  return stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
}

test('every film of the test split is answered', (t) => {
  if (missing(t)) return;
  const files = parseCsv(readFileSync(join(data, 'manifest.csv'), 'utf8')).filter(({ split }) => split === 'test').map(({ file }) => join(data, file));
  const answers = records(files);
  assert.deepEqual(answers.map(({ file }) => file), files);
  for (const { file, verdict, probability, bits } of answers) {
    assert.match(verdict, /^(covid|pneumonia|normal|uncertain|refused)$/, file);
    assert.ok(Math.abs(Object.values(probability).reduce((sum, p) => sum + p) - 1) < 1e-5, file);
    assert.match(bits, /^[0-9a-f]{16}$/, file);
  }
  assert.ok(answers.filter(({ verdict }) => verdict === 'refused').length < 0.03 * files.length, 'good films are rarely refused');
});

test('most pictures that are no frontal chest film are refused', (t) => {
  if (missing(t)) return;
  const answers = records([join(data, 'ood')]);
  assert.equal(answers.length, 32);
  assert.ok(answers.filter(({ verdict }) => verdict === 'refused').length >= 31, '95 %');
});

test('the samples are films that the manifest knows, under the licence that it names', (t) => {
  if (missing(t)) return;
  const known = new Map(parseCsv(readFileSync(join(data, 'manifest.csv'), 'utf8')).map((row) => [row.file, row]));
  for (const sample of JSON.parse(readFileSync(join(root, 'model/samples.json'), 'utf8'))) {
    const { sha256, license, label, split } = known.get(sample.local);
    assert.deepEqual([sample.sha256, sample.license, sample.label, sample.split], [sha256, license, label, split]);
    assert.equal(createHash('sha256').update(readFileSync(join(data, sample.local))).digest('hex'), sample.localSha256);
  }
});
