// What the examples for many machines are tested with: films, the result of one machine, and a `pleura` in the PATH that can be killed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { cli, film, folder, pleura, root } from './command.mjs';

const FILMS = 60;

export const examples = join(root, 'tests/examples');
mkdirSync(join(folder, 'films'));
const large = film(500);
// What follows the end of a PNG makes another file of the same film.
for (let i = 0; i < FILMS; i++) writeFileSync(join(folder, `films/${i}.png`), Buffer.concat([large, Buffer.from(String(i))]));
writeFileSync(join(folder, 'films/broken.png'), 'A letter.');

/** What one machine prints, which every example must give. */
export const whole = pleura(['films']).stdout;
assert.equal(whole.split('\n').length, FILMS + 2);

const bin = join(folder, 'bin'), pids = join(folder, 'pids');
mkdirSync(bin);
writeFileSync(join(bin, 'pleura'), `#!/bin/sh\necho $$ >> '${pids}'\nexec '${process.execPath}' '${cli}' "$@"\n`);
chmodSync(join(bin, 'pleura'), 0o755);
writeFileSync(pids, '');

/** @param {Record<string, string>} [more] */
export const environment = (more = {}) => ({ ...process.env, PATH: `${bin}:${process.env.PATH}`, ...more });

/** @param {() => unknown} ready @param {string} what */
export async function until(ready, what) {
  for (let tries = 0; !await ready(); tries++) {
    assert.ok(tries < 6000, `waiting in vain: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

/** Kills the first `pleura` once it has written an answer into a file of `results`. @param {string} results @returns {Promise<void>} */
export async function killOne(results) {
  const begun = () => existsSync(results) && readdirSync(results).some((name) => statSync(join(results, name)).size > 600);
  await until(begun, `no answer in ${results}`);
  const [first] = readFileSync(pids, 'utf8').split('\n');
  process.kill(Number(first), 'SIGKILL');
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
export const starts = () => readFileSync(pids, 'utf8').trim().split('\n').length;

/** Fails where a program of Debian is missing: .ci/setup brings it. @param {string} program */
export const needs = (program) => assert.equal(spawnSync('sh', ['-c', `command -v ${program}`], { env: environment({ PATH: `${process.env.PATH}:/usr/sbin` }) }).status, 0, `${program} is missing: run .ci/setup test`);
