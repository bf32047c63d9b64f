// node.test.mjs - the doors of the library: options, defaults, adapters, and failures with a code and a sentence.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { adapt } from '../../src/adapt/adapt.mjs';
import { createEngine as createBare } from '../../src/engine.mjs';
import { createEngine, PleuraError } from '../../src/node.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path) => new Uint8Array(readFileSync(join(root, path)));
const wasm = read('build/pleura.wasm'),
  dot = read('build/pleura.dot.wasm'),
  weights = read('model/pleura.gguf'),
  tiny = read('tests/fixtures/tiny.gguf'),
  film = read('tests/fixtures/grey.jpg');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** A copy of the package whose files a test may damage. */
const copy = mkdtempSync(join(tmpdir(), 'pleura-node-'));
after(() => rmSync(copy, { recursive: true }));
const SHIPPED = ['build/pleura.wasm', 'build/pleura.dot.wasm', 'model/pleura.gguf'];
cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true });
for (const folder of ['build', 'model']) mkdirSync(join(copy, folder));
function restore() {
  for (const name of SHIPPED.flatMap((file) => [file, `${file}.sha256`])) cpSync(join(root, name), join(copy, name));
}

test('a missing or altered part of the package is a PleuraError with advice for library users', async () => {
  const door = await import(pathToFileURL(join(copy, 'src/node.mjs')).href);
  const refused = async (code, sentence) =>
    assert.rejects(door.createEngine(), (error) => {
      assert.ok(error instanceof door.PleuraError && error.name === 'PleuraError', String(error));
      assert.equal(error.code, code);
      assert.match(error.message, sentence);
      assert.doesNotMatch(error.message, /--model|make wasm/, 'advice for the command');
      return true;
    });
  for (const name of SHIPPED) {
    restore();
    const path = join(copy, name);
    rmSync(path);
    await refused('asset-missing', /is missing\. Install the package pleura again/);
    writeFileSync(path, read(name).fill(0, 100, 200));
    await refused('asset-damaged', /is damaged or altered\. Install/);
    writeFileSync(`${path}.sha256`, '');
    rmSync(`${path}.sha256`);
    await refused('asset-missing', /\.sha256 cannot be read/);
  }
  restore();
  writeFileSync(join(copy, SHIPPED[0]), wasm.subarray(0, 5000));
  writeFileSync(join(copy, `${SHIPPED[0]}.sha256`), sha256(wasm.subarray(0, 5000)));
  await refused('asset-damaged', /damaged, or this Node is too old/);
  for (const name of SHIPPED) rmSync(join(copy, name), { force: true });
  assert.equal((await door.createEngine({ wasm, weights: tiny })).model.name, 'tiny', 'nothing else is read');
});

test('each undefined option is replaced by the part that comes with the package', async () => {
  const { bits } = (await createBare({ wasm, weights })).phantom();
  for (const options of [{ wasm: undefined, dot: undefined, weights: undefined, reference: undefined }, { wasm }])
    assert.equal((await createEngine(options)).phantom().bits, bits);
  assert.equal((await createEngine({ wasm: undefined, weights: tiny })).model.name, 'tiny');
  assert.equal((await createEngine({ wasm, weights: undefined, dot })).model.name, 'pleura');
});

test('both doors refuse unknown options and name them', async () => {
  for (const create of [createEngine, createBare])
    await assert.rejects(create({ wasm, weights: tiny, overlay: film, Reference: true }), (error) => {
      assert.ok(error instanceof PleuraError);
      assert.equal(error.code, 'unknown-option');
      assert.match(error.message, /: overlay, Reference\./);
      return true;
    });
});

test('without wasm or weights the bare engine names the missing option', async () => {
  await assert.rejects(createBare({ weights: tiny }), { code: 'missing-option', message: /\bwasm\b/ });
  await assert.rejects(createBare({ wasm, weights: undefined }), { code: 'missing-option', message: /\bweights\b/ });
  await assert.rejects(createBare(), { code: 'missing-option', message: /wasm, weights/ });
});

test('before the first diagnosis film, greys and features are absent, and the self-test leaves none', async () => {
  const engine = await createEngine(),
    failed = await createEngine();
  assert.throws(() => failed.diagnose(new Uint8Array(9)), { code: 'not-an-image' });
  for (const fresh of [engine, failed])
    for (const view of [() => fresh.film(64), () => fresh.greys(64), () => fresh.features()])
      assert.throws(
        view,
        (error) => error instanceof PleuraError && error.code === 'no-film' && /\.$/.test(error.message),
      );
  engine.diagnose(film);
  assert.deepEqual([engine.film(48).width, engine.greys(48).width], [48, 48]);
  assert.ok(engine.features().length > 0);
});

test('the decoder of the phantom is `phantom`, because the engine drew it', async () => {
  assert.equal((await createEngine()).phantom().decoder, 'phantom');
});

/** Films with made-up features that tell the labels apart. */
const madeUp = (labels, width) =>
  Array.from({ length: 60 }, (_, i) => ({
    label: labels[i % 3],
    patient: `p${i}`,
    features: Float32Array.from({ length: width }, (_, j) => ((i * 31 + j * 17) % 23) / 23 + (j % 3 === i % 3 ? 1 : 0)),
  }));

test('both doors apply an adapter and refuse a foreign or damaged one by its code', async () => {
  const plain = await createBare({ wasm, weights });
  const own = plain.diagnose(film);
  const films = madeUp(plain.model.labels, plain.features().length);
  const base = sha256(weights);
  const { adapter } = await adapt({ wasm, weights, base, model: plain.model, films, sha256 });
  const engines = [await createEngine({ adapter }), await createBare({ wasm, weights, adapter })];
  for (const engine of engines) {
    assert.equal(engine.model.adapted.base, base);
    assert.match(engine.model.version, /\+adapted$/);
    assert.notDeepEqual(engine.diagnose(film).logits, own.logits);
  }
  assert.equal(engines[0].phantom().bits, engines[1].phantom().bits);
  await assert.rejects(createEngine({ weights: tiny, adapter }), { name: 'PleuraError', code: 'overlay-foreign' });
  await assert.rejects(createBare({ wasm, weights: tiny, adapter }), { code: 'overlay-foreign' });
  await assert.rejects(createEngine({ adapter: adapter.subarray(1) }), { code: 'overlay-damaged' });
  await assert.rejects(createEngine({ adapter: tiny }), { code: 'overlay-damaged' });
});
