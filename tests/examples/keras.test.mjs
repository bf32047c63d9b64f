// The README's walk-through: its commands after the training, with a Keras file of the fixtures. The training itself
// needs TensorFlow from PyPI: `make walk-through` runs it as well, and then the page.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandsOf, drawFilms, enter } from './keras/walk_through.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'pleura-walk-'));
after(() => rmSync(folder, { recursive: true }));

test('every command of the walk-through after the training works', () => {
  const commands = commandsOf(readFileSync(join(root, 'README.md'), 'utf8'));
  const training = commands.find((line) => line.startsWith('python3 tests/'));
  for (const word of training?.split(' ').filter((one) => one.startsWith('tests/')) ?? [])
    assert.ok(existsSync(join(root, word)), word);
  const [convert, ...others] = commands.filter((line) => line.startsWith('pleura '));
  assert.ok(others.length >= 2, commands.join('\n'));
  drawFilms(folder);
  enter(folder);
  copyFileSync(join(root, 'tests/fixtures/convert/functional.keras'), join(folder, 'net.keras'));
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync('bash', ['-ec', [convert, ...others].join('\n')], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /calibrated on 48 films/);
  assert.equal(readFileSync(join(folder, 'results.csv'), 'utf8').trimEnd().split('\n').length, 1 + 48);
  assert.match(stdout, /balanced accuracy/i);
});
