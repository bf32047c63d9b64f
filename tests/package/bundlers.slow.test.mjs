// bundlers.slow.test.mjs - the example of programs that bundlers build for Node: Rollup, webpack, Node's single
// executable and Next, each built from the packed package, moved away from it, and run.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root } from '../cli/command.mjs';
import { answers, copyCodecs, copyEngine, deployed, films, run } from './bundled.mjs';
import { install } from './pack.mjs';

/** Kept from run to run, because the bundlers are large. */
const example = join(root, 'build/bundles');

before(() => install('bundles', example));
after(() => rmSync(join(example, 'built'), { recursive: true, force: true }));

/** Runs one of the example's scripts. @param {string} script */
const build = (script) =>
  execFileSync('npm', ['run', '--silent', script], {
    cwd: example,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
    stdio: 'pipe',
  });

for (const [script, ...command] of [
  ['rollup', process.execPath, 'program.mjs'],
  ['webpack', process.execPath, 'program.mjs'],
  ['executable', 'program'],
])
  test(`built by ${script}, a program finds what it needs beside itself, or says what to copy`, () => {
    build(script);
    const place = deployed();
    cpSync(join(example, 'built', script), join(place, script), { recursive: true });
    const program = join(place, script),
      parts = command.map((part) => (part === process.execPath ? part : join(program, part)));
    assert.match(run(...parts).join(), /^asset-missing: .*copy pleura\.wasm, .*pleura\.gguf/);
    copyEngine(program);
    assert.match(run(...parts).join(), /asset-missing: .*copy charlswasm_decode\.wasm/);
    copyCodecs(program);
    assert.deepEqual(run(...parts), answers);
  });

test('the standalone server of Next holds all that Pleura reads', async (t) => {
  build('next');
  const place = deployed();
  cpSync(join(example, '.next/standalone'), place, { recursive: true });
  const server = spawn(process.execPath, ['server.js'], {
    cwd: place,
    env: { ...process.env, HOSTNAME: '127.0.0.1', PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    server.kill();
    await once(server, 'exit');
  });
  let said = '';
  for await (const text of server.stdout) if (/Ready/.test((said += text))) break;
  const [address] = said.match(/http:\/\/127\.0\.0\.1:\d+/) ?? [];
  for (const [i, film] of films.entries()) {
    const response = await fetch(`${address}/diagnose`, { method: 'POST', body: readFileSync(film) });
    assert.equal((await response.json()).bits, answers[i]);
  }
});
