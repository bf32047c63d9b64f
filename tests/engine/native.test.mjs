// pleura.node: the same functions and bits as pleura.wasm, and passed by when it may not be used.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEngine } from '../../src/engine.mjs';
import { createPool } from '../../src/node.mjs';
import { findNative } from '../../src/node/native.mjs';
import { quantise } from '../../src/weights/quantise.mjs';
import { floatWeights } from '../support/float_weights.mjs';

delete process.env.PLEURA_ENGINE; // of a run that tests pleura.wasm alone
const root = fileURLToPath(new URL('../..', import.meta.url));
const at = (path) => join(root, path);
const read = (path) => new Uint8Array(readFileSync(at(path)));
const NODE = at('build/pleura.node'),
  WASM = at('build/pleura.wasm');
const wasm = read('build/pleura.wasm'),
  native = await findNative(NODE, WASM);
assert.ok(native, 'build/pleura.node is not of this pleura.wasm: make native');
const samples = existsSync(at('build/samples'))
  ? readdirSync(at('build/samples')).filter((name) => !/txt$/.test(name))
  : [];
const films = [
  ...['grey.jpg', 'grey16.png', 'progressive.jpg', 'corners.jpg', 'colour.jpg'].map((name) => `tests/fixtures/${name}`),
  ...samples.map((name) => `build/samples/${name}`),
].map(read);
const wide = read('tests/fixtures/extended12.jpg');
const scratch = mkdtempSync(join(tmpdir(), 'pleura-native-'));
after(() => rmSync(scratch, { recursive: true }));

/** All that the engine says about the films. */
function answers(engine) {
  const all = [engine.phantom(), ...films.map((film) => engine.diagnose(film))];
  const { data } = engine.film(500),
    { data: greys } = engine.greys(700);
  return { all, data, greys, jpeg: engine.decodeJpeg(wide) };
}

test('machine code has every function of the wasm', async () => {
  assert.equal((await createEngine({ wasm: native, weights: read('tests/fixtures/tiny.gguf') })).memory, null);
  const { Instance, wasm: twin } = createRequire(import.meta.url)(NODE);
  const names = WebAssembly.Module.exports(await WebAssembly.compile(wasm))
    .map(({ name }) => name)
    .filter((name) => !/^(_|stack|memory$)/.test(name) && name !== 'offer_products');
  assert.ok(names.length > 50);
  assert.deepEqual(
    names.filter((name) => typeof Instance.prototype[name] !== 'function'),
    [],
  );
  assert.equal(twin, createHash('sha256').update(wasm).digest('hex'));
  assert.throws(() => Instance.prototype.verdict.call({}), TypeError);
  assert.throws(() => new Instance().write(0, [1]), TypeError);
});

for (const name of ['model/pleura.gguf', 'tests/fixtures/tiny.gguf', 'tests/fixtures/findings.gguf'])
  test(`machine code gives the bits of the wasm: ${name}, in floats and bytes`, async () => {
    const floats = name.includes('model') ? await floatWeights() : read(name),
      bytes = name.includes('model') ? read(name) : await quantise(wasm, floats, films.slice(0, 1));
    for (const weights of [floats, bytes]) {
      const [own, other] = await Promise.all([native, wasm].map((engine) => createEngine({ wasm: engine, weights })));
      assert.deepEqual([own.model.native, other.model.native], [true, false]);
      assert.deepEqual(answers(own), answers(other));
      const [features, others] = [own, other].map((engine) => (name.includes('model') ? engine.features() : []));
      assert.deepEqual(features, others);
    }
  });

test('errors of machine code are those of the wasm', async () => {
  const weights = read('tests/fixtures/tiny.gguf');
  for (const engine of [native, wasm]) {
    const own = await createEngine({ wasm: engine, weights });
    assert.throws(() => own.diagnose(new Uint8Array(0)), { code: 'empty-file' });
    assert.throws(() => own.diagnose(films[0].slice(0, 20)), { name: 'PleuraError' });
    assert.throws(() => own.film(10), { code: 'no-film' });
    await assert.rejects(createEngine({ wasm: engine, weights: weights.slice(0, 500) }), { code: 'model-damaged' });
  }
});

test('a module that is absent, damaged, of another source or not wanted is passed by', async () => {
  const copy = join(scratch, 'pleura.node');
  const write = (bytes, promised = createHash('sha256').update(bytes).digest('hex')) => {
    writeFileSync(copy, bytes);
    writeFileSync(`${copy}.sha256`, `${promised}  pleura.node\n`);
  };
  const bytes = readFileSync(NODE);
  assert.equal(await findNative(copy, WASM), null, 'absent');
  write(bytes.subarray(0, bytes.length / 2), createHash('sha256').update(bytes).digest('hex'));
  assert.equal(await findNative(copy, WASM), null, 'cut off');
  write(Buffer.from('no machine code'));
  assert.equal(await findNative(copy, WASM), null, 'of another machine');
  write(bytes);
  assert.ok(await findNative(copy, WASM), 'whole');
  const other = join(scratch, 'other.wasm');
  writeFileSync(`${other}.sha256`, `${'0'.repeat(64)}  other.wasm\n`);
  assert.equal(await findNative(copy, other), null, 'of another source');
  process.env.PLEURA_ENGINE = 'wasm';
  assert.equal(await findNative(copy, WASM), null, 'not wanted');
  delete process.env.PLEURA_ENGINE;
});

test('command and pool use it, and answer the same without it', async () => {
  const pool = await createPool({ threads: 2 });
  assert.equal(pool.model.native, true);
  const [first, second] = await Promise.all([pool.diagnose(films[0]), pool.diagnose(films[1])]);
  await pool.close();

  for (const folder of ['build', 'model']) mkdirSync(join(scratch, folder));
  for (const name of ['src', 'package.json']) cpSync(at(name), join(scratch, name), { recursive: true });
  symlinkSync(at('node_modules'), join(scratch, 'node_modules'));
  for (const name of ['build/pleura.wasm', 'build/pleura.dot.wasm', 'model/pleura.gguf'])
    for (const file of [name, `${name}.sha256`]) cpSync(at(file), join(scratch, file));
  writeFileSync(join(scratch, 'build/pleura.node'), 'damaged');
  writeFileSync(join(scratch, 'build/pleura.node.sha256'), `${'0'.repeat(64)}  pleura.node\n`);
  const bitsOf = async (folder, env) => {
    const paths = ['grey.jpg', 'grey16.png'].map((name) => at(`tests/fixtures/${name}`));
    const command = [join(folder, 'src/cli.mjs'), '--jobs', '2', ...paths];
    const { stdout } = await promisify(execFile)(process.execPath, command, { env: { ...process.env, ...env } });
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).bits);
  };
  const expected = [first.bits, second.bits];
  assert.deepEqual(await Promise.all([bitsOf(root), bitsOf(root, { PLEURA_ENGINE: 'wasm' }), bitsOf(scratch)]), [
    expected,
    expected,
    expected,
  ]);
});
