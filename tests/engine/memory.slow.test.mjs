// A long run needs no more memory than a short one.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import jpeg from 'jpeg-js';
import { createEngine } from '../../src/engine.mjs';
import { cli, film, folder, lines, root, tiny } from '../cli/command.mjs';
import { dicomFile, element, item } from '../dicom/file.mjs';
import { png } from '../image/png.mjs';

const FILMS = 2000,
  EARLY = 400;

test('2,000 films, some of them broken, need no more memory than 400', async () => {
  mkdirSync(join(folder, 'films'));
  for (let i = 0; i < 10; i++) writeFileSync(join(folder, `films/${i}.png`), i === 3 ? 'A letter.' : film(200, i));
  writeFileSync(join(folder, 'list'), Array.from({ length: FILMS }, (_, i) => `films/${i % 10}.png\n`).join(''));
  const run = spawn(process.execPath, [cli, '--model', tiny, '--jobs', '2', '--files', 'list'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(run, 'exit');
  // Kilobytes; 0 if the process has just ended.
  const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${run.pid}/status`, 'utf8'))?.[1] ?? 0);
  let seen = 0,
    early = 0,
    late = 0;
  for await (const _ of createInterface({ input: run.stdout })) {
    seen++;
    if (seen === EARLY) early = resident();
    if (seen > EARLY && seen % 100 === 0 && run.exitCode === null && seen < FILMS) late = Math.max(late, resident());
  }
  await ended;
  assert.equal(seen, FILMS);
  // The margin is for uncollected garbage, which comes and goes.
  assert.ok(late < early + 48 * 1024, `${early} kB, then ${late} kB`);
});

test('a hundred films need at most 64 MB more than Node itself', async () => {
  writeFileSync(join(folder, 'large.png'), film(1024));
  writeFileSync(join(folder, 'hundred'), 'large.png\n'.repeat(100));
  /** The most memory that Node needed, in kilobytes. @param {string[]} parameters */
  const peakOf = (parameters) => {
    const printPeak =
      'data:text/javascript,import{readFileSync}from"fs";import{isMainThread}from"worker_threads";' +
      'isMainThread&&process.on("exit",()=>console.error(/VmHWM.*/.exec(readFileSync("/proc/self/status","utf8"))[0]))';
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', printPeak, ...parameters], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { lines: stdout.split('\n').length - 1, peak: Number(/VmHWM:\s+(\d+)/.exec(stderr)?.[1]) };
  };
  const bare = peakOf(['-e', '0']),
    hundred = peakOf([cli, '--jobs', '1', '--files', 'hundred']);
  assert.equal(hundred.lines, 100);
  assert.ok(hundred.peak < bare.peak + 64 * 1024, `${hundred.peak} kB, Node alone ${bare.peak} kB`);
});

const LEAST = 256; // pages of the module's initial memory

/** The wasm with another memory limit, in pages of 64 KiB. @param {Buffer} wasm @param {number} pages */
function limited(wasm, pages) {
  const at = wasm.indexOf(Buffer.from([5, 7, 1, 1])); // section 5: one memory with minimum and maximum in LEB128
  assert.deepEqual([...wasm.subarray(at + 6, at + 9)], [0x80, 0x80, 2], '2 GB');
  const bytes = Buffer.from(wasm);
  bytes.set([(pages & 127) | 128, ((pages >> 7) & 127) | 128, pages >> 14], at + 6);
  return bytes;
}

test('at every memory limit a film gets its own bits or `out-of-memory`, and the next one is answered', async () => {
  const wasm = readFileSync(join(root, 'build/pleura.wasm')),
    weights = readFileSync(tiny),
    engine = await createEngine({ wasm, weights });
  const small = film(64),
    large = 1000,
    noise = (x, y) => ((x * 40503 + y * 977) >> 4) & 255;
  const films = [
    png({ width: large, height: large }, (x, y) => [noise(x, y)]),
    png({ width: large, height: large, depth: 16, type: 2 }, (x, y) => [noise(x, y), 9, x]),
    jpeg.encode(
      { width: large, height: large, data: Buffer.from({ length: 4 * large * large }, (_, i) => noise(i % large, i)) },
      90,
    ).data,
    small,
  ];
  const right = films.map((bytes) => engine.diagnose(bytes).bits),
    seen = new Set();
  for (let pages = LEAST, finished = false; !finished; pages += 24) {
    const narrow = await createEngine({ wasm: limited(wasm, pages), weights });
    const answers = films.map((bytes) => {
      try {
        return narrow.diagnose(bytes).bits;
      } catch (error) {
        return error.code;
      }
    });
    answers.forEach((answer, place) =>
      assert.ok(answer === right[place] || answer === 'out-of-memory', `${pages} pages, film ${place}: ${answer}`),
    );
    assert.equal(answers.at(-1), right.at(-1), `${pages} pages: the small film after the large`);
    for (const answer of answers) seen.add(answer);
    finished = answers.every((answer, place) => answer === right[place]);
  }
  assert.ok(seen.has('out-of-memory'));
});

test('an engine without a spare page gives the same answers two hundred times', async () => {
  const wasm = readFileSync(join(root, 'build/pleura.wasm')),
    weights = readFileSync(tiny),
    side = 300;
  const whole = film(side),
    cut = whole.subarray(0, whole.length - 20),
    rgba = new Uint8Array(4 * side * side).fill(90);
  const photo = jpeg.encode({ width: side, height: side, data: rgba }, 90).data;
  /** Calls everything that allocates memory. @param {any} engine */
  const use = (engine) =>
    [whole, cut, photo, photo.subarray(0, 300), { rgba, width: side, height: side }]
      .map((given) => {
        try {
          const { bits } = engine.diagnose(given);
          return [bits, engine.film(side).data.length, engine.greys(side).data.length];
        } catch (error) {
          return error.code;
        }
      })
      .concat(engine.decodeJpeg(photo).width);
  const right = use(await createEngine({ wasm, weights }));
  for (let pages = LEAST; ; pages++) {
    const narrow = await createEngine({ wasm: limited(wasm, pages), weights });
    try {
      assert.deepEqual(use(narrow), right);
    } catch {
      continue; // too little memory to start
    }
    for (let round = 1; round <= 200; round++) assert.deepEqual(use(narrow), right, `${pages} pages, round ${round}`);
    break;
  }
});

/** A DICOM film in so many fragments that listing them exhausts a thread's heap. */
function crowded() {
  const one = item(Buffer.alloc(0)),
    pixelElement = element('7fe00010', 'OB', Buffer.alloc(2_000_000 * one.length, one), 0xffffffff);
  return dicomFile({ width: 128, height: 128, bits: 8, pixelElement, syntax: '1.2.840.10008.1.2.5' });
}

test('a film too large for the memory of engine or thread is named, and the others are answered', () => {
  mkdirSync(join(folder, 'narrow'));
  const films = {
    'a.png': film(200),
    'b.png': png({ width: 4000, height: 4000 }, () => [7]),
    'c.png': film(200),
    'd.dcm': crowded(),
    'e.png': film(200),
    'f.png': film(200),
  };
  for (const [name, bytes] of Object.entries(films)) writeFileSync(join(folder, 'narrow', name), bytes);
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--wasm-max-mem-pages=640', '--max-old-space-size=100', cli, '--model', tiny, '--json', 'narrow'],
    { encoding: 'utf8', cwd: folder },
  );
  assert.deepEqual(
    lines(stdout).map(({ file, code, status }) => [file, code ?? status]),
    Object.keys(films).map((name) => [
      `narrow/${name}`,
      { 'b.png': 'out-of-memory', 'd.dcm': 'engine-stopped' }[name] ?? 'ok',
    ]),
  );
  assert.equal(status, 1);
});
