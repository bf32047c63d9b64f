// A long run needs no more memory than a short one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import jpeg from 'jpeg-js';
import { createEngine } from '../src/engine.mjs';
import { cli, film, folder, root, tiny } from './command.mjs';
import { png } from './png.mjs';

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

const LEAST = 256; // pages that the module asks for at once

/** The engine with another limit of its memory, in pages of 64 KiB. @param {Buffer} wasm @param {number} pages */
function limited(wasm, pages) {
  const at = wasm.indexOf(Buffer.from([5, 7, 1, 1])); // section 5, one memory with a limit; least and most in LEB128
  assert.deepEqual([...wasm.subarray(at + 6, at + 9)], [0x80, 0x80, 2], '2 GB');
  const bytes = Buffer.from(wasm);
  bytes.set([pages & 127 | 128, pages >> 7 & 127 | 128, pages >> 14], at + 6);
  return bytes;
}

test('whatever the room, a film has its own bits or is refused for want of memory, and the next is answered', async () => {
  const wasm = readFileSync(join(root, 'build/pleura.wasm')), weights = readFileSync(tiny), engine = await createEngine({ wasm, weights });
  const small = film(64), large = 1000, noise = (x, y) => (x * 40503 + y * 977 >> 4) & 255;
  const films = [png({ width: large, height: large }, (x, y) => [noise(x, y)]), png({ width: large, height: large, depth: 16, type: 2 }, (x, y) => [noise(x, y), 9, x]),
    jpeg.encode({ width: large, height: large, data: Buffer.from({ length: 4 * large * large }, (_, i) => noise(i % large, i)) }, 90).data, small];
  const right = films.map((bytes) => engine.diagnose(bytes).bits), seen = new Set();
  for (let pages = LEAST, finished = false; !finished; pages += 24) {
    const narrow = await createEngine({ wasm: limited(wasm, pages), weights });
    const answers = films.map((bytes) => {
      try {
        return narrow.diagnose(bytes).bits;
      } catch (error) {
        return error.code;
      }
    });
    answers.forEach((answer, place) => assert.ok(answer === right[place] || answer === 'out-of-memory', `${pages} pages, film ${place}: ${answer}`));
    assert.equal(answers.at(-1), right.at(-1), `${pages} pages: the small film after the large`);
    for (const answer of answers) seen.add(answer);
    finished = answers.every((answer, place) => answer === right[place]);
  }
  assert.ok(seen.has('out-of-memory'));
});
