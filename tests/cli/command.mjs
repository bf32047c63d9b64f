// The command with the tiny model of random weights, run as a person runs it, in a folder of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { png } from '../image/png.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const tiny = join(root, 'tests/fixtures/tiny.gguf');
export const cli = join(root, 'src/cli.mjs');
export const folder = mkdtempSync(join(tmpdir(), 'pleura-'));
after(() => rmSync(folder, { recursive: true }));

/** @param {string[]} args @param {object} [options] of spawnSync */
export function pleura(args, options = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    cwd: folder,
    maxBuffer: 1 << 28,
    ...options,
  });
  return { status, stdout, stderr };
}

/** With the tiny model, which needs no training. */
export const tried = (args, options) => pleura(['--model', tiny, ...args], options);

/** @param {string} script of bash, where `$pleura` is the command with the tiny model @param {object} [options] */
export function bash(script, options = {}) {
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-c', `pleura() { "$node" "$cli" --model "$tiny" "$@"; }\n${script}`],
    {
      encoding: 'utf8',
      cwd: folder,
      maxBuffer: 1 << 28,
      ...options,
      env: { ...process.env, node: process.execPath, cli, tiny, ...options.env },
    },
  );
  return { status, stdout, stderr };
}

/** Asserts that a message mentions all of this: the file or option it is about, and the fact. @param {string} stderr @param {(string | RegExp)[]} parts */
export function says(stderr, ...parts) {
  for (const part of parts)
    assert.ok(typeof part === 'string' ? stderr.includes(part) : part.test(stderr), `no ${part} in: ${stderr}`);
}

/** @param {string} text JSON Lines */
export const lines = (text) =>
  text
    .trimEnd()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** @param {string[]} words */
export const quote = (words) => words.map((word) => `'${word}'`).join(' ');

/** What a terminal shows. @param {string[]} args */
export function onTerminal(args, env = {}) {
  const command = `stty cols 90; ${quote([process.execPath, cli, '--model', tiny, ...args])}`;
  return spawnSync('script', ['-qec', command, '/dev/null'], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, ...env },
  }).stdout.replaceAll('\r\n', '\n');
}

/** A ramp with two dark ovals: enough for the engine to chew on. @param {number} size @param {number} [tone] tells films apart */
export const film = (size, tone = 0) =>
  png({ width: size, height: size }, (x, y) => [
    Math.hypot(Math.abs(x - size / 2) - size / 5, (y - size / 2) / 2) < size / 8
      ? 40 + tone
      : 120 + Math.round((100 * y) / size),
  ]);
