// promises.md names only tests and commands that exist, and each promise has one. That is the quick check;
// tests/run.mjs adds that in a whole run each of these tests ran and passed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { unproved } from './run.mjs';
import { readPromises } from './promises.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

test('every promise names a test or a command, and all that are named exist', () => {
  const promises = readPromises();
  assert.ok(promises.length > 30, `${promises.length} promises`);
  for (const { promise, cells, tests, targets } of promises) {
    assert.equal(cells.length, 3, `three cells: ${promise}`);
    assert.ok(tests.length + targets.length > 0, promise);
    for (const { file, title } of tests) {
      const source = readFileSync(`${root}tests/${file}`, 'utf8').replaceAll("\\'", "'");
      if (title) assert.ok(source.includes(title), `${file} has no test “${title}”`);
    }
    for (const target of targets)
      assert.equal(spawnSync('make', ['--dry-run', target], { cwd: root }).status, 0, `make ${target}`);
  }
});

test('a promise whose test failed, was skipped or did not run is named', () => {
  const result = (name, outcome) => ({ file: '/tests/a.test.mjs', name, outcome });
  const promise = (title) => ({
    promise: `P ${title}`,
    cells: [],
    targets: [],
    tests: [{ file: 'a.test.mjs', title }],
  });
  const results = [
    result('Firefox: one', 'passed'),
    result('WebKit: one', 'passed'),
    result('Firefox: two', 'passed'),
    result('WebKit: two', 'skipped'),
    result('three', 'failed'),
  ];
  const missing = unproved(['one', 'two', 'three', 'four'].map(promise), results);
  assert.deepEqual(
    missing.map((line) => line.slice(0, line.indexOf(':'))),
    ['P two', 'P three', 'P four'],
  );
  assert.deepEqual(unproved([promise('one')], [{ ...result('one', 'passed'), file: '/tests/b.test.mjs' }]).length, 1);
});
