// A long run needs no more memory than a short one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { cli, film, folder, tiny } from './command.mjs';

const FILMS = 2000, EARLY = 400;

test('2,000 films, some of them broken, leave the memory as 400 do', async () => {
  mkdirSync(join(folder, 'films'));
  for (let i = 0; i < 10; i++) writeFileSync(join(folder, `films/${i}.png`), i === 3 ? 'A letter.' : film(200, i));
  writeFileSync(join(folder, 'list'), Array.from({ length: FILMS }, (_, i) => `films/${i % 10}.png\n`).join(''));
  const run = spawn(process.execPath, [cli, '--model', tiny, '--jobs', '2', '--files', 'list'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(run, 'exit');
  const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${run.pid}/status`, 'utf8'))[1]);
  let seen = 0, early = 0, late = 0;
  for await (const _ of createInterface({ input: run.stdout })) {
    seen++;
    if (seen === EARLY) early = resident();
    if (seen > EARLY && seen % 100 === 0 && run.exitCode === null && seen < FILMS) late = Math.max(late, resident());
  }
  await ended;
  assert.equal(seen, FILMS);
  assert.ok(late < early + 48 * 1024, `${early} kB, then ${late} kB`); // What the collector leaves lying about comes and goes.
});
