// pool.test.mjs - the asynchronous library: answers, signals, limits, crashes and closing.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import threads from 'node:worker_threads';
import { zipSync } from 'fflate';
import { createEngine, createPool, openArchive, PleuraError } from '../../src/node.mjs';
import { dicomFile } from '../dicom/file.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path) => new Uint8Array(readFileSync(join(root, path)));
const weights = read('tests/fixtures/tiny.gguf'),
  film = read('tests/fixtures/grey.jpg'),
  dicom = dicomFile({ width: 64, height: 64, pixels: new Uint8Array(64 * 64).map((_, i) => i) });
let pool, engine;
before(async () => {
  [pool, engine] = await Promise.all([createPool({ threads: 1, weights, maxQueue: 4 }), createEngine({ weights })]);
});
after(() => pool.close());

const failsWith = (promise, code) =>
  assert.rejects(promise, (error) => error instanceof PleuraError && error.code === code);

test('a result carries all that belongs to its film, and its JSON is short', async () => {
  const shares = { covid: 0.1, pneumonia: 0.2 };
  const [own, other, plain] = await Promise.all([
    pool.diagnose(film, { heatmap: true, view: 64 }),
    pool.diagnose(dicom, { prevalence: shares }),
    pool.diagnose(film.buffer),
  ]);
  const expected = engine.diagnose(film);
  assert.deepEqual([own.bits, own.verdict, own.prevalence], [expected.bits, expected.verdict, null]);
  assert.deepEqual(own.heatmap, expected.heatmap);
  assert.deepEqual(own.view, engine.film(64));
  assert.equal(other.dicom.syntax.length > 0, true);
  assert.ok(Math.abs(other.prevalence.normal - 0.7) < 1e-6);
  assert.deepEqual([plain.prevalence, plain.bits, 'heatmap' in plain], [null, expected.bits, false]);
  for (const result of [own, expected]) assert.ok(JSON.stringify(result).length < 3000);
  assert.equal(JSON.parse(JSON.stringify(own.heatmap)).data.length, own.heatmap.width * own.heatmap.height);
});

test('a prevalence means the same to a pool and to an engine, and so does a buffer of another context', async (t) => {
  const findings = read('tests/fixtures/findings.gguf');
  const own = await createPool({ threads: 1, weights: findings });
  t.after(() => own.close());
  const one = await createEngine({ weights: findings });
  const shares = { covid: 0.1, pneumonia: 0.2, normal: 0.7 };
  one.setPrevalence(shares);
  const expected = one.diagnose(film);
  const foreign = runInNewContext('new ArrayBuffer(size)', { size: film.length });
  new Uint8Array(foreign).set(film);
  const { prevalence, probability } = await own.diagnose(foreign, { prevalence: shares });
  assert.deepEqual([prevalence, probability], [expected.prevalence, expected.probability]);
});

test('a film that cannot be answered rejects with a code', async () => {
  await failsWith(pool.diagnose(new Uint8Array(9)), 'not-an-image');
  await failsWith(pool.diagnose(new Uint8Array(0)), 'empty-file');
  await failsWith(pool.diagnose(film, { prevalence: { flu: 1 } }), 'prevalence');
  await failsWith(createPool({ jobs: 2 }), 'unknown-option');
  await failsWith(createPool({ threads: 0 }), 'wrong-option');
  await failsWith(pool.diagnose(film, { hetmap: true }), 'unknown-option');
  for (const request of [{ view: 0 }, { view: -1 }, { view: 1.5 }, { view: '64' }, { signal: new AbortController() }])
    await failsWith(pool.diagnose(film, request), 'wrong-option');
  await assert.rejects(pool.diagnose('film.png'), TypeError);
});

test('a signal ends queued and running work; too many films are refused', async () => {
  const reason = new Error('gone'),
    controller = new AbortController();
  const films = [1, 2, 3, 4].map(() => pool.diagnose(film, { signal: controller.signal }));
  await failsWith(pool.diagnose(film), 'busy');
  controller.abort(reason);
  for (const one of films) await assert.rejects(one, reason);
  await assert.rejects(pool.diagnose(film, { signal: controller.signal }), reason);
  assert.equal((await pool.diagnose(film)).bits, engine.diagnose(film).bits);
});

test('closing answers the films that wait and refuses others', async () => {
  const own = await createPool({ threads: 1, weights });
  const films = [own.diagnose(film), own.diagnose(film)];
  const closing = own.close();
  await failsWith(own.diagnose(film), 'pool-closed');
  await closing;
  for (const { bits } of await Promise.all(films)) assert.equal(bits, engine.diagnose(film).bits);
});

/** Makes pools use another class until the test ends. @param {import('node:test').TestContext} t @param {any} Class */
function replaceWorker(t, Class) {
  const { Worker } = threads;
  const use = (one) => {
    threads.Worker = one;
    syncBuiltinESMExports();
  };
  use(Class);
  t.after(() => use(Worker));
}

test('a thread that dies is replaced; its film is tried again, then answered with an error', async (t) => {
  let kills = 0;
  const { Worker } = threads;
  /** Dies while it computes a film. */
  class Mortal extends Worker {
    postMessage(...message) {
      super.postMessage(...message);
      if (kills-- > 0) this.terminate();
    }
  }
  replaceWorker(t, Mortal);
  const own = await createPool({ threads: 1, weights });
  t.after(() => own.close());
  const { bits } = engine.diagnose(film);
  kills = 1;
  const [first, waiting] = await Promise.all([own.diagnose(film), own.diagnose(film)]);
  assert.deepEqual([first.bits, waiting.bits], [bits, bits]);
  assert.ok(kills < 0, 'no thread was ended');
  kills = 2;
  await failsWith(own.diagnose(film), 'engine-stopped');
  assert.equal((await own.diagnose(film)).bits, bits);
  assert.equal(own.pending, 0);
});

test(
  'on Linux the threads of a pool leave the processor to the program',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const nice = () =>
      readdirSync('/proc/self/task').map((task) =>
        Number(readFileSync(`/proc/self/task/${task}/stat`, 'utf8').split(') ')[1].split(' ')[16]),
      );
    const own = await createPool({ threads: 2, weights });
    t.after(() => own.close());
    const stepped = nice().filter((value) => value === getPriority() + 10);
    assert.equal(stepped.length, 2 + pool.threads);
  },
);

test('a pool whose threads cannot start rejects with a code, and so do films once none can be replaced', async (t) => {
  await failsWith(createPool({ threads: 2, weights: new Uint8Array(9) }), 'not-a-model');
  await failsWith(createPool({ threads: 2, weights, wasm: new Uint8Array(9) }), 'no-simd');
  const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]); // a module that exports nothing
  await failsWith(createPool({ threads: 2, weights, wasm: empty }), 'engine-not-started');
  const { Worker } = threads;
  let starts = 1;
  /** Starts as often as it may, as where processes or memory are limited, and ends with its first film. */
  class Limited extends Worker {
    constructor(...given) {
      if (starts-- <= 0) throw new Error('EAGAIN');
      super(...given);
    }
    postMessage() {
      this.terminate();
    }
  }
  replaceWorker(t, Limited);
  const own = await createPool({ threads: 1, weights });
  t.after(() => own.close());
  await failsWith(own.diagnose(film), 'engine-not-started');
  await failsWith(own.diagnose(film), 'engine-not-started');
  await failsWith(createPool({ threads: 1, weights }), 'engine-not-started');
});

test('bytes in any form are a film; what is none says so', async () => {
  const { bits } = engine.diagnose(film);
  for (const form of [film.buffer, new DataView(film.buffer), new Uint8ClampedArray(film.buffer), Buffer.from(film)])
    assert.equal(engine.diagnose(form).bits, bits);
  for (const wrong of ['film.png', undefined, {}, Promise.resolve(film)])
    assert.throws(() => engine.diagnose(wrong), { name: 'TypeError', message: /Uint8Array/ });
  assert.throws(() => engine.diagnose(dicom), /DICOM.*createPool/);
});

test('an archive lists and reads its films, and each of its failures is a PleuraError', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pleura-archive-')),
    path = join(folder, 'films.zip');
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(path, zipSync({ 'a.jpg': film, '../out.jpg': film, 'in.zip': zipSync({}) }));
  const archive = await openArchive(path);
  t.after(() => archive.close());
  const read = (name) => archive.read(archive.members.find((one) => one.name === name)?.index ?? 99);
  assert.equal(engine.diagnose(await read('a.jpg')).bits, engine.diagnose(film).bits);
  await failsWith(read('../out.jpg'), 'unsafe-name');
  await failsWith(read('in.zip'), 'nested-archive');
  await failsWith(read('none.jpg'), 'archive-damaged');
  await failsWith(openArchive(join(folder, 'none.zip')), 'no-such-file');
});
