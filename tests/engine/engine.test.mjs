// engine.test.mjs - engine.mjs and pleura.wasm in Node: kernels inside wasm, bits, failures and recovery, memory.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { createEngine, PleuraError } from '../../src/engine.mjs';
import { readGguf, textValue, textValues, writeGguf } from '../../src/weights/gguf.mjs';
import { data, missing } from '../support/data.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = async (path) => new Uint8Array(await readFile(new URL(`../../${path}`, import.meta.url)));
const wasm = await read('build/pleura.wasm');
const dot = await read('build/pleura.dot.wasm');
const weights = await read('model/pleura.gguf');
const tiny = await read('tests/fixtures/tiny.gguf');
const film = await read('tests/fixtures/grey.jpg');

test('the SIMD kernels equal the reference kernels bit for bit inside wasm', async () => {
  const { instance } = await WebAssembly.instantiate(await read('build/test_kernels.wasm'), {
    env: { emscripten_notify_memory_growth() {} },
  });
  instance.exports._initialize?.();
  assert.equal(instance.exports.test_kernels(0), 0);
});

test('reference and SIMD kernels give the same diagnosis to the last bit', async () => {
  const [vector, plain] = await Promise.all(
    [false, true].map((reference) => createEngine({ wasm, weights, reference })),
  );
  assert.deepEqual(vector.phantom(), plain.phantom());
  assert.deepEqual(vector.diagnose(film), plain.diagnose(film));
});

test('an engine says what memory it holds, which a large film leaves larger', async () => {
  const engine = await createEngine({ wasm, weights: tiny });
  const before = engine.memory ?? 0;
  engine.diagnose(film);
  assert.equal(engine.memory, before);
  const side = 3000;
  engine.diagnose({ rgba: new Uint8ClampedArray(4 * side * side), width: side, height: side });
  assert.ok((engine.memory ?? 0) >= before + side * side, `${engine.memory} bytes`);
});

test('a diagnosis has the map, the extent, the doubt and the pose that its weights allow', async () => {
  const engine = await createEngine({ wasm, weights: await read('tests/fixtures/findings.gguf') });
  const found = engine.diagnose(film);
  assert.equal(found.heatmapKind, 'opacity');
  for (const share of [found.extent?.right, found.extent?.left])
    assert.ok(share !== undefined && share >= 0 && share <= 1);
  assert.equal(found.quarterTurns, 0);
  const map = engine.classMap('other');
  assert.equal(map.data.length, found.heatmap.data.length);
  assert.throws(() => engine.classMap('mass'), { code: 'no-class-map' });
  const judged = (/** @type {number[]} */ logits) => engine.reclassify({ logits, gate: found.gate });
  assert.deepEqual([judged([9, 0, 0, 0]).verdict, judged([9, 0, 0, 0]).doubt], ['covid', null]);
  assert.equal(judged([0, 0, 0, 9]).verdict, 'uncertain');
  assert.equal(judged([0, 0, 0, 9]).doubt?.reason, 'other-finding');

  const other = await createEngine({ wasm, weights: tiny });
  assert.equal(other.diagnose(film).heatmapKind, 'class');
  assert.equal(other.diagnose(film).extent, null);
});

/** Some films of every source, and the fixtures. */
function manyFiles() {
  const folders = readdirSync(join(data, 'images')).map((source) => join(data, 'images', source));
  folders.push(join(data, 'ood'), join(root, 'tests/fixtures'));
  const names = (folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  return folders.flatMap((folder) =>
    names(folder)
      .sort()
      .slice(0, 6)
      .map((name) => join(folder, name)),
  );
}

test('the native engine gives the same bits, verdicts and refusals as wasm', async (t) => {
  if (missing(t)) return;
  const files = manyFiles();
  const native = execFileSync(join(root, 'build/clang/bits/bits'), [join(root, 'model/pleura.gguf'), ...files], {
    encoding: 'utf8',
  });
  const engine = await createEngine({ wasm, weights });
  const lines = [engine.phantom().bits];
  for (const file of files) {
    try {
      lines.push(engine.diagnose(new Uint8Array(await readFile(file))).bits);
    } catch (error) {
      lines.push(error.code);
    }
  }
  assert.ok(lines.length > 50);
  assert.deepEqual(
    native
      .trim()
      .split('\n')
      .map((line) => {
        const [code, , bits] = line.split(' ');
        return code === 'ok' ? bits : code;
      }),
    lines,
  );
});

test('the bits do not depend on what was diagnosed before', async () => {
  const engine = await createEngine({ wasm, weights });
  const first = engine.phantom().bits;
  engine.diagnose(film);
  assert.equal(engine.phantom().bits, first);
  assert.match(first, /^[0-9a-f]{16}$/);
});

test('a compiled module serves several engines that share nothing', async () => {
  const module = await WebAssembly.compile(wasm);
  const [a, b] = await Promise.all([
    createEngine({ wasm: module, weights }),
    createEngine({ wasm: module, weights: tiny }),
  ]);
  assert.notEqual(a.phantom().bits, b.phantom().bits);
  assert.equal(b.model.name, 'tiny');
});

test('a diagnosis is a plain object with everything that page and command show', async () => {
  const engine = await createEngine({ wasm, weights });
  const result = engine.phantom();
  assert.deepEqual(Object.keys(result.probability), engine.model.labels);
  const sum = Object.values(result.probability).reduce((a, b) => a + b);
  assert.ok(Math.abs(sum - 1) < 1e-5);
  assert.ok([...engine.model.labels, 'uncertain', 'refused'].includes(result.verdict));
  assert.equal(result.gate.accepted, result.verdict !== 'refused');
  assert.equal(result.decoder, 'phantom');
  assert.deepEqual([result.width, result.height], [640, 640]);
  for (const { data, width, height } of [result.heatmap, result.lungs]) {
    assert.equal(data.length, width * height);
    assert.ok(data.every((v) => v >= 0 && v <= 1));
  }
  assert.match(engine.model.notice, /not a medical device/i);
});

test('a stored diagnosis is reclassified at another prevalence like its film, and invalid shares change nothing', async () => {
  const engine = await createEngine({ wasm, weights: tiny }),
    shares = { covid: 0.9, pneumonia: 0.05, normal: 0.05 };
  const own = engine.diagnose(film),
    phantom = engine.phantom();
  assert.deepEqual([own.prevalence, Object.keys(engine.model.prior)], [null, engine.model.labels]);
  engine.setPrevalence(shares);
  const { verdict, doubt, probability, prevalence, ...rest } = engine.diagnose(film);
  assert.deepEqual([verdict, prevalence], ['covid', shares]);
  assert.deepEqual(
    { ...own, verdict, doubt, probability, prevalence },
    { verdict, doubt, probability, prevalence, ...rest },
    'bits, heatmap and the rest stay',
  );
  assert.deepEqual(engine.reclassify(own), { verdict, doubt, probability, prevalence });
  assert.deepEqual([engine.judge(own), own.evidence], [engine.reclassify(own), own.topLabel], 'the former names');
  assert.equal(engine.reclassify({ ...own, gate: { ...own.gate, reason: 'unlike' } }).verdict, 'refused');
  for (const logits of [own.logits.slice(1), [...own.logits, 0], []])
    assert.throws(() => engine.reclassify({ ...own, logits }), TypeError);
  for (const bad of [
    { ...shares, covid: 0.8 },
    { covid: 1 },
    { ...shares, covid: -0.9 },
    { covid: NaN, pneumonia: 0.5, normal: 0.5 },
    {},
  ]) {
    assert.throws(() => engine.setPrevalence(bad), { code: 'prevalence' });
    assert.deepEqual(engine.reclassify(own), { verdict, doubt, probability, prevalence });
  }
  engine.setPrevalence(null);
  assert.deepEqual([engine.diagnose(film), engine.phantom()], [own, phantom]);
  const mute = readGguf(tiny);
  mute.values.delete('pleura.prior');
  const other = await createEngine({ wasm, weights: writeGguf(mute) });
  assert.equal(other.model.prior, null);
  other.setPrevalence(null);
  assert.throws(() => other.setPrevalence(shares), { code: 'no-prior' });
});

test('the view is the last film, scaled down but never enlarged', async () => {
  const engine = await createEngine({ wasm, weights });
  engine.diagnose(film); // 96 x 80
  const whole = engine.film(1000),
    half = engine.film(48);
  assert.deepEqual([whole.width, whole.height, half.width, half.height], [96, 80, 48, 40]);
  assert.ok(whole.data[0] < 10 && whole.data.at(-1) > 245);
  const { data, width, height, low, high } = engine.greys(1000);
  assert.deepEqual([width, height, data.length], [96, 80, 96 * 80]);
  whole.data.forEach((grey, i) =>
    assert.ok(Math.abs(Math.min(255, Math.max(0, (255 * (data[i] - low)) / (high - low))) - grey) < 1, `pixel ${i}`),
  );
  engine.phantom();
  assert.equal(whole.data.length, 96 * 80, 'a view is a copy');
});

test('every failure is a PleuraError with a code and a sentence, and the engine stays usable', async () => {
  const engine = await createEngine({ wasm, weights });
  const before = engine.diagnose(film).bits;
  const text = new TextEncoder();
  const cases = {
    'empty-file': new Uint8Array(0),
    'not-an-image': text.encode('this is a text, renamed to film.png'),
    'image-damaged': film.subarray(0, film.length - 40),
  };
  for (const [code, bytes] of Object.entries(cases)) {
    assert.throws(
      () => engine.diagnose(bytes),
      (error) =>
        error instanceof PleuraError && error.code === code && /\.$/.test(error.message) && error.message.length > 30,
    );
  }
  assert.throws(() => engine.diagnose({ rgba: new Uint8Array(4), width: 1, height: 1 }), { code: 'image-too-small' });
  assert.throws(() => engine.diagnose({ rgba: new Uint8Array(4), width: 9, height: 9 }), TypeError);
  assert.throws(() => engine.checkSize(Infinity, 100), { code: 'image-too-large' });
  assert.throws(() => engine.checkSize(100, 1e30), { code: 'image-too-large' });
  for (const size of [NaN, -1e30, 63.9]) assert.throws(() => engine.checkSize(size, 100), { code: 'image-too-small' });
  engine.checkSize(64, 16384);
  assert.equal(engine.diagnose(film).bits, before);
});

test('invalid weights are refused, each with its own code', async () => {
  const code = (bytes) =>
    createEngine({ wasm, weights: bytes }).then(
      () => null,
      (error) => error.code,
    );
  assert.equal(await code(film), 'not-a-model');
  assert.equal(await code(weights.subarray(0, weights.length - 1)), 'model-damaged');
  assert.equal(await code(weights.subarray(0, 1000)), 'model-damaged');
  const version = tiny.slice();
  version[4] = 2;
  assert.equal(await code(version), 'model-version');
});

test('a network that would run for hours is refused', async () => {
  const { values, tensors } = readGguf(tiny);
  const code = (/** @type {string[]} */ ...graph) =>
    createEngine({
      wasm,
      weights: writeGguf({ values: new Map(values).set('pleura.diagnosis.graph', textValues(graph)), tensors }),
    }).then(
      () => 'taken',
      (error) => error.code,
    );
  assert.equal(
    await code('image = input h=4096 w=4096 c=4', 'wide = maxpool image k=64', 'wider = maxpool image k=64'),
    'model-unsupported',
  );
  assert.equal(
    await code('image = input h=19 w=19 c=4', 'wide = maxpool image k=4', 'wider = maxpool image k=4'),
    'model-damaged',
    'without logits',
  );
});

test('altered weights fail the self-test', async () => {
  const altered = weights.slice();
  altered[(altered.length >> 1) | 1] ^= 0x04; // the exponent of one weight
  await assert.rejects(createEngine({ wasm, weights: altered }), (error) =>
    ['self-test', 'model-damaged'].includes(error.code),
  );
});

test('the self-test can be left out where it has passed before', async () => {
  const { values, tensors } = readGguf(weights);
  const other = writeGguf({ values: new Map(values).set('pleura.selftest.bits', textValue('0'.repeat(16))), tensors });
  await assert.rejects(createEngine({ wasm, weights: other }), { code: 'self-test' });
  const untested = await createEngine({ wasm, weights: other, selfTest: false });
  assert.equal(untested.diagnose(film).bits, (await createEngine({ wasm, weights })).diagnose(film).bits);
});

test('one sentence covers a damaged engine and a missing WebAssembly feature', async () => {
  await assert.rejects(createEngine({ wasm: wasm.subarray(0, 5000), weights }), { code: 'no-simd' });
});

test('memory stays flat over many films, and after a large one', async () => {
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(wasm), {
    env: { emscripten_notify_memory_growth() {} },
  });
  exports._initialize();
  const give = (bytes) => {
    const at = exports.input(bytes.length); // may grow the memory, which detaches its buffer
    new Uint8Array(exports.memory.buffer).set(bytes, at);
  };
  give(tiny);
  assert.equal(exports.load(tiny.length, 0, 1), 0);
  const large = new Uint8Array(3000 * 2000 * 4).fill(90);
  const sizes = [];
  for (let round = 0; round < 8; round++) {
    give(large);
    assert.equal(exports.diagnose_rgba(3000, 2000), 0);
    for (let i = 0; i < 40; i++) {
      give(film);
      assert.equal(exports.diagnose(film.length), 0);
    }
    sizes.push(exports.memory.buffer.byteLength);
  }
  assert.ok(sizes[0] < 100 << 20, `${sizes[0]} bytes`);
  assert.deepEqual(sizes.slice(2), Array(6).fill(sizes[1])); // the heap has found its shape after two rounds
});

test('the engine with its decoders takes at most 45 KB in brotli, the relaxed dot products half a KB', () => {
  assert.ok(brotliCompressSync(wasm).length <= 45 * 1024, `${brotliCompressSync(wasm).length} bytes`);
  assert.ok(brotliCompressSync(dot).length <= 512);
});
