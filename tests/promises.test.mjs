// The page of promises names only tests and commands that exist, and every promise has one.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const makefile = readFileSync(join(folder, '../Makefile'), 'utf8');
const rows = readFileSync(join(folder, 'promises.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| (?!promise )/.test(line))
  .map((line) => line.slice(2, -1).split(/ \| ?/));

test('every promise names a test or a command, and all that are named exist', () => {
  assert.ok(rows.length > 30, `${rows.length} promises`);
  for (const [promise, proof, figure, ...more] of rows) {
    assert.ok(figure !== undefined && !more.length, `three cells: ${promise}`);
    const tests = [...proof.matchAll(/\[[^\]]+\]\(([^)]+)\)(?:: “([^”]+)”)?/g)],
      commands = [...proof.matchAll(/`make ([a-z-]+)/g)];
    assert.ok(tests.length + commands.length > 0, promise);
    for (const [, file, title] of tests) {
      const source = readFileSync(join(folder, file), 'utf8');
      if (title) assert.ok(source.replaceAll("\\'", "'").includes(title), `${file} has no test “${title}”`);
    }
    for (const [, target] of commands) assert.match(makefile, new RegExp(`^${target}:`, 'm'), promise);
  }
});
