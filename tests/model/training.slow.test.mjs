// The training, from the films to a file that the command opens: real commands, real films, but few of both.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { data, missing } from '../support/data.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const smoke = join(root, 'build/smoke');

test('every step of `make model` runs on a few films and gives a file that answers', (t) => {
  if (missing(t)) return;
  const made = spawnSync('make', ['--no-print-directory', 'model-smoke'], {
    encoding: 'utf8',
    cwd: root,
    env: { ...process.env, PLEURA_DATA: data },
  });
  assert.equal(made.status, 0, made.stdout + made.stderr);
  const weights = join(smoke, 'pleura.gguf');
  const film = join(data, 'images/openist', readdirSync(join(data, 'images/openist'))[0]);
  const run = spawnSync(process.execPath, [join(root, 'src/cli.mjs'), '--model', weights, film], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  const { status, probability } = JSON.parse(run.stdout);
  assert.equal(status, 'ok');
  assert.deepEqual(Object.keys(probability), ['covid', 'pneumonia', 'normal', 'other']);
});

test('a table that cannot be right is refused with its row before training begins', (t) => {
  if (missing(t)) return;
  const copy = mkdtempSync(join(tmpdir(), 'pleura-tables-'));
  t.after(() => rmSync(copy, { recursive: true }));
  const few = join(copy, 'data');
  const python = (/** @type {string[]} */ ...words) =>
    spawnSync('/usr/bin/python3', words, {
      encoding: 'utf8',
      cwd: join(root, 'model'),
      env: { ...process.env, PLEURA_DATA: few, PLEURA_TRAINED: join(copy, 'trained') },
    });
  const made = python('../tests/model/few_films.py', data, few);
  assert.equal(made.status, 0, made.stderr);
  for (const [table, column, value, sentence] of /** @type {const} */ ([
    ['manifest.csv', 'file', 'images/gone.png', /manifest\.csv, row 3: .*images\/gone\.png does not exist/],
    ['manifest.csv', 'label', 'covid-19', /manifest\.csv, row 3: the label 'covid-19' is not one of covid, /],
    ['manifest.csv', 'split', 'dev', /manifest\.csv, row 3: the split 'dev' is not one of train, /],
    [
      'more/manifest.csv',
      'reading',
      'doubtful',
      /manifest\.csv, row 3: the reading 'doubtful' is not one of typical, /,
    ],
    ['boxes.csv', 'x', '0.9', /boxes\.csv, row 3: the box .* is not inside the film/],
  ])) {
    const path = join(few, table);
    const right = readFileSync(path, 'utf8');
    const edit = `import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
rows[2][rows[0].index(sys.argv[2])] = sys.argv[3]
csv.writer(open(sys.argv[1], "w", newline="")).writerows(rows)`;
    assert.equal(python('-c', edit, path, column, value).status, 0);
    const { status, stderr } = python('-m', 'training.train', '--seed', '1');
    writeFileSync(path, right);
    assert.equal(status, 1, `${table} ${column}`);
    assert.match(stderr, sentence);
  }
  assert.match(
    python('-m', 'training.train', '--seed', '1').stderr,
    /^.*lungs\.pt is missing\. `make model` trains it\.\n$/,
  );
});
