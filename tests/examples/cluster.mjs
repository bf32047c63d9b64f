// What the examples for many machines are tested with: films, the result of one machine, and a `pleura` in the PATH whose first process is killed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { cli, film, folder, pleura, root } from '../cli/command.mjs';

const FILMS = 60;

export const examples = join(root, 'tests/examples');
mkdirSync(join(folder, 'films'));
const large = film(500);
// Bytes after the end of a PNG make a different file of the same film.
for (let i = 0; i < FILMS; i++)
  writeFileSync(join(folder, `films/${i}.png`), Buffer.concat([large, Buffer.from(String(i))]));
writeFileSync(join(folder, 'films/broken.png'), 'A letter.');

/** What one machine prints, which every example must give. */
export const whole = pleura(['films']).stdout;
assert.equal(whole.split('\n').length, FILMS + 2);

const bin = join(folder, 'bin'),
  started = join(folder, 'started'),
  doom = join(folder, 'doom.mjs');
mkdirSync(bin);
// The first process kills itself once it has written some answers: nobody else could be sure to be in time. Another one,
// on the Slurm node HELD, stops until the node is killed.
writeFileSync(
  doom,
  `import { fstatSync, statSync } from 'node:fs';
const at = process.argv.indexOf('--resume');
const size = () => (at < 0 ? fstatSync(1).size : statSync(process.argv[at + 1], { throwIfNoEntry: false })?.size ?? 0);
setInterval(() => size() > 600 && process.kill(process.pid, process.env.DOOM), 1).unref();
`,
);
writeFileSync(
  join(bin, 'pleura'),
  `#!/bin/sh
echo >> '${started}'
mkdir '${folder}/doomed' 2>/dev/null && DOOM=SIGKILL exec '${process.execPath}' --import '${doom}' '${cli}' "$@"
[ "$SLURMD_NODENAME" = "\${HELD-none}" ] && mkdir '${folder}/held' 2>/dev/null && DOOM=SIGSTOP exec '${process.execPath}' --import '${doom}' '${cli}' "$@"
exec '${process.execPath}' '${cli}' "$@"
`,
);
chmodSync(join(bin, 'pleura'), 0o755);
writeFileSync(started, '');

/** @param {Record<string, string>} [more] */
export const environment = (more = {}) => ({ ...process.env, PATH: `${bin}:${process.env.PATH}`, ...more });

/** @param {() => unknown} ready @param {string} what */
export async function until(ready, what) {
  for (let tries = 0; !(await ready()); tries++) {
    assert.ok(tries < 6000, `waiting in vain: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

/** @returns {Promise<number>} a port that is free */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {any} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** How often `pleura` was started. */
export const starts = () => readFileSync(started, 'utf8').length;

/** Fails where a program of Debian is missing: .ci/setup brings it. @param {string} program */
export const needs = (program) =>
  assert.equal(
    spawnSync('sh', ['-c', `command -v ${program}`], { env: environment({ PATH: `${process.env.PATH}:/usr/sbin` }) })
      .status,
    0,
    `${program} is missing: run .ci/setup test`,
  );
