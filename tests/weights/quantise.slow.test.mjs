// quantise.slow.test.mjs - networks in bytes: near the floats they come from, the same bits from every kernel, a standard file.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gguf } from '@huggingface/gguf';
import { createEngine } from '../../src/engine.mjs';
import {
  floatsOf,
  floatTensor,
  floatValues,
  readGguf,
  TENSOR,
  textValue,
  textValues,
  writeGguf,
} from '../../src/weights/gguf.mjs';
import { quantise } from '../../src/weights/quantise.mjs';
import { floatWeights } from '../support/float_weights.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path) => new Uint8Array(readFileSync(join(root, path)));
const scratch = mkdtempSync(join(tmpdir(), 'pleura-quantise-'));
after(() => rmSync(scratch, { recursive: true }));
const path = join(scratch, 'out.gguf');
const wasm = read('build/pleura.wasm'),
  dot = read('build/pleura.dot.wasm');
const { films, networks } = JSON.parse(readFileSync(join(root, 'tests/fixtures/convert/expected.json'), 'utf8'));
const paths = films.map((film) => join('tests/fixtures/convert', film));

/** The bits of the phantom and of the films from weights, by one kind of kernel. */
async function bitsOf(weights, options) {
  const engine = await createEngine({ wasm, weights, ...options });
  return [engine.phantom(), ...paths.map((film) => engine.diagnose(read(film)))].map(({ bits }) => bits);
}

/** Bits and logits from the native engine, for the phantom and the films. */
function native(weights) {
  writeFileSync(path, weights);
  const text = execFileSync(join(root, 'build/clang/bits/bits'), [path, ...paths.map((film) => join(root, film))], {
    encoding: 'utf8',
  });
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([, , bits, ...logits]) => ({ bits, logits: logits.map(Number) }));
}

/** The length of the difference in units of the length of what was expected; what all logits have in common means nothing. */
function relativeError(got, expected) {
  const centred = (rows) => rows.flatMap((row) => row.map((v) => v - row.reduce((a, b) => a + b) / row.length));
  const [a, b] = [centred(got), centred(expected)],
    length = (values) => Math.hypot(...values);
  return length(a.map((v, i) => v - b[i])) / length(b);
}

for (const [name, { arguments: options, logits }] of Object.entries(networks)) {
  test(`${name} as int8: close to PyTorch, the same bits from every kernel`, async () => {
    execFileSync(
      process.execPath,
      [join(root, 'src/cli.mjs'), 'convert', join(root, 'tests/fixtures/convert', name), path, ...options, '--f32'],
      { stdio: 'ignore' },
    );
    const floats = new Uint8Array(readFileSync(path)),
      bytes = await quantise(wasm, floats, paths.map(read));
    // Layers whose sides are padded unequally, and those of a network that rounds by itself, stay in float32.
    const share = [' left=', 'act=uint8'].some((word) => Buffer.from(floats).includes(word)) ? 0.95 : 0.75;
    assert.ok(bytes.length < floats.length * share, `${bytes.length} of ${floats.length} bytes`);
    const own = native(bytes),
      expected = own.map(({ bits }) => bits);
    const error = relativeError(
      own.slice(1).map((one) => one.logits),
      logits,
    );
    assert.ok(error < 0.1, `relative error ${error}`);
    for (const kernels of [{}, { reference: true }, { dot }]) assert.deepEqual(await bitsOf(bytes, kernels), expected);
  });
}

test('the shipped model is int8, a standard file, and answers as the same numbers in float32', async () => {
  const shipped = read('model/pleura.gguf'),
    floats = await floatWeights();
  const { metadata, tensorInfos } = await gguf(join(root, 'model/pleura.gguf'), { allowLocalFile: true });
  assert.deepEqual(metadata['pleura.labels'].slice(0, 3), ['covid', 'pneumonia', 'normal']);
  const kinds = new Map(tensorInfos.map(({ name, dtype }) => [name, dtype]));
  assert.equal(kinds.get('lungs.enc1b.weight'), TENSOR.I8);
  assert.equal(kinds.get('diagnosis.block9.expand.weight'), TENSOR.I8);
  assert.equal(kinds.get('diagnosis.logits.weight'), TENSOR.Q8_0);
  const [bytes, again, expected] = await Promise.all(
    [shipped, await quantise(wasm, floats, paths.map(read)), floats].map(async (weights) => {
      const engine = await createEngine({ wasm, weights });
      return paths.map((film) => Object.values(engine.diagnose(read(film)).probability));
    }),
  );
  const furthest = (got) => Math.max(...got.flat().map((p, i) => Math.abs(p - expected.flat()[i])));
  assert.ok(furthest(bytes) < 0.1, `${furthest(bytes)} from float32`);
  assert.ok(furthest(again) < 0.1, `${furthest(again)} from float32 after quantising once more`);
  const weights = readGguf(shipped);
  weights.tensors.get('lungs.enc1b.weight').data[7] ^= 64;
  await assert.rejects(createEngine({ wasm, weights: writeGguf(weights) }), { code: 'self-test' });
});

/** The engine's refusal of byte weights after a change. */
async function refusal(change) {
  const weights = readGguf(await small());
  change(weights);
  return createEngine({ wasm, weights: writeGguf(weights) }).then(
    () => 'taken',
    (error) => error.code,
  );
}

const small = async () => read('model/pleura.gguf');

test('int8 weights that could overflow or do not fit their graph are refused', async () => {
  const floatAt = (weights, name) =>
    new DataView(weights.tensors.get(name).data.buffer, weights.tensors.get(name).data.byteOffset);
  const key = 'diagnosis.block0';
  assert.equal(await refusal(() => {}), 'taken');
  assert.equal(await refusal((w) => floatAt(w, `${key}.scale`).setFloat32(0, 0, true)), 'model-damaged');
  assert.equal(await refusal((w) => floatAt(w, `${key}.scale`).setFloat32(0, NaN, true)), 'model-damaged');
  assert.equal(await refusal((w) => floatAt(w, `${key}.scale`).setFloat32(0, 1e9, true)), 'model-damaged');
  assert.equal(await refusal((w) => floatAt(w, `${key}.bias`).setFloat32(0, 1e30, true)), 'model-damaged');
  assert.equal(await refusal((w) => w.tensors.delete(`${key}.scale`)), 'model-damaged');
  assert.equal(
    await refusal((w) => {
      w.tensors.get(`${key}.weight`).dims = [16, 1, 32];
    }),
    'model-damaged',
  );
  assert.equal(await refusal((w) => w.values.delete('pleura.diagnosis.steps')), 'model-damaged');
  assert.equal(await refusal((w) => w.values.get('pleura.diagnosis.zeros').fill(0x43, 16)), 'model-damaged'); // 195.26: no byte
  assert.equal(
    await refusal((w) => {
      w.tensors.get('diagnosis.logits.weight').kind = TENSOR.I8;
    }),
    'model-damaged',
  );
});

test('a layer whose sums are too large for Winograd tiles has the same bits from every kernel', async () => {
  const lines = [
    'image = input h=12 w=12 c=1',
    'bytes = quantise image',
    'deep = conv bytes c=320 k=1 act=relu',
    'sums = conv deep c=4 k=3 pad=1',
    'pool = mean sums',
    'logits = dense pool c=2',
  ];
  const tensors = new Map(),
    add = (layer, part, length, dims, value) =>
      tensors.set(`diagnosis.${layer}.${part}`, floatTensor(new Float32Array(length).map(value), dims));
  for (const [layer, quads, cout, scale] of [
    ['deep', 1, 320, 1 / 64],
    ['sums', 720, 4, 1e-8],
  ]) {
    const data = new Uint8Array(16 * quads * (cout / 4)).map((_, i) => 100 + ((i * 7) % 28));
    tensors.set(`diagnosis.${layer}.weight`, { dims: [16, quads, cout / 4], kind: TENSOR.I8, data });
    add(layer, 'scale', cout, undefined, () => scale);
    add(layer, 'bias', cout, undefined, () => 0);
  }
  add('logits', 'weight', 16, [16, 1, 1, 1], (_, i) => (i % 4 < 2 ? 1 + i : 0));
  add('logits', 'bias', 4, undefined, () => 0);
  const weights = writeGguf({
    tensors,
    values: new Map([
      ['general.architecture', textValue('pleura')],
      ['pleura.labels', textValues(['a', 'b'])],
      ['pleura.diagnosis.graph', textValues(lines)],
      ['pleura.diagnosis.steps', floatValues([0, 1 / 64, 1 / 64, 0, 0, 0])],
      ['pleura.diagnosis.zeros', floatValues([0, 0, 0, 0, 0, 0])],
      ['pleura.input.scale', floatValues([1 / 64])],
      ['pleura.input.offset', floatValues([0])],
    ]),
  });
  const [own] = native(weights),
    expected = (await bitsOf(weights, { reference: true })).at(0);
  const mean = own.logits[0] / (1 + 5 + 9 + 13) / (1e-8 / 64); // of the sums; those on the border are smaller
  assert.ok(mean > 0.9 * 2 ** 25, `${mean}: no sum needs more than 26 bits`);
  for (const kernels of [{}, { dot }]) assert.equal((await bitsOf(weights, kernels)).at(0), expected);
  assert.equal(own.bits, expected);
});

test('changed bytes anywhere in int8 weights are refused or harmless, under sanitizers', async () => {
  const options = networks['unet_map.onnx'].arguments;
  execFileSync(
    process.execPath,
    [join(root, 'src/cli.mjs'), 'convert', join(root, 'tests/fixtures/convert/unet_map.onnx'), path, ...options],
    { stdio: 'ignore' },
  );
  const bytes = await quantise(wasm, new Uint8Array(readFileSync(path)), paths.map(read)),
    text = Buffer.from(bytes).toString('latin1');
  const places = [
    ...text.matchAll(/\.(steps|zeros)|diagnosis\.\w+\.(weight|scale|bias)| = (conv|quantise|maxpool|resize|concat)/g),
  ].map(({ index, 0: found }) => index + found.length);
  let refused = 0;
  for (let i = 0; i < 240; i++) {
    const changed = bytes.slice(),
      at = i % 3 ? places[i % places.length] + ((i * 7) % 40) : (i * 7919) % bytes.length;
    changed[at] ^= 1 << (i % 8);
    writeFileSync(path, changed);
    const { status, stderr } = spawnSync(join(root, 'build/clang/bits/bits'), [path, join(root, paths[0])], {
      encoding: 'utf8',
    });
    assert.ok(status === 0 || (status === 1 && stderr.startsWith(path)), `byte ${at}: ${stderr}`);
    refused += status;
  }
  assert.ok(refused > 40 && refused < 240, `${refused} refused`);
});

test('wrong dot products are rejected', async () => {
  // (module (import "env" "memory" (memory 1)) (func (export "products") (param i32 i32 i32 i32 i32 i32)))
  const name = [...Buffer.from('products')],
    none = Uint8Array.from([
      0,
      97,
      115,
      109,
      1,
      0,
      0,
      0,
      1,
      10,
      1,
      96,
      6,
      127,
      127,
      127,
      127,
      127,
      127,
      0,
      2,
      15,
      1,
      3,
      ...Buffer.from('env'),
      6,
      ...Buffer.from('memory'),
      2,
      0,
      1,
      3,
      2,
      1,
      0,
      7,
      12,
      1,
      8,
      ...name,
      0,
      0,
      10,
      4,
      1,
      2,
      0,
      11,
    ]);
  const weights = await small(),
    engine = await createEngine({ wasm, weights, dot: none });
  assert.equal(engine.model.relaxed, false);
  assert.equal(engine.phantom().bits, (await createEngine({ wasm, weights })).phantom().bits);
});

test('quantise calibrates on films and reports those that it could not use', () => {
  const quantised = (...args) => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'src/cli.mjs'), 'quantise', ...args], {
      encoding: 'utf8',
      cwd: root,
    });
    return { status, stderr };
  };
  const folder = join(root, 'tests/fixtures/convert'),
    tiny = join(root, 'tests/fixtures/tiny.gguf');
  const { status, stderr } = quantised(tiny, path, join(root, 'tests/fixtures'));
  assert.equal(status, 1); // the fixtures are not all films
  assert.match(stderr, /extended12\.jpg: This JPEG is lossless or has more than 8 bits/);
  assert.match(stderr, /out\.gguf: \d+ KB instead of \d+ KB, calibrated on \d+ films/);
  const [prior, carried] = [tiny, path].map((weights) => readGguf(readFileSync(weights)).values.get('pleura.prior'));
  assert.ok(prior.length > 0);
  assert.deepEqual(carried, prior, 'the mixture that the probabilities stand for');
  const film = join(folder, films[0]);
  assert.equal(spawnSync(process.execPath, [join(root, 'src/cli.mjs'), film, '--model', path]).status, 0);
  assert.equal(quantised(tiny, path).status, 2);
  assert.match(quantised(film, path, film).stderr, /not a/i);
  assert.match(quantised(tiny, path, tiny).stderr, /None of the films can be used/);
  assert.match(quantised(tiny, '/nowhere/out.gguf', film).stderr, /cannot be written \(ENOENT\)/);
  assert.match(quantised(path, join(scratch, 'again.gguf'), film).stderr, /already/);
});

test('an output that is not a GGUF file is not overwritten, and an unwritable path is reported before a film is read', () => {
  const run = (...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src/cli.mjs'), ...args], {
      encoding: 'utf8',
      cwd: scratch,
    });
    return { status, stdout, stderr };
  };
  const tiny = join(root, 'tests/fixtures/tiny.gguf'),
    film = read(paths[0]);
  writeFileSync(join(scratch, 'films.csv'), 'file,label\nnone.png,covid\n');
  for (const name of ['1.png', '2.png', 'film.gguf']) writeFileSync(join(scratch, name), film);
  const adapt = (out) => run('adapt', '--labels', 'films.csv', '--out', out),
    quantised = (out) => run('quantise', tiny, out, 'none.png');
  for (const attempt of [adapt, quantised]) {
    for (const [out, status, sentence] of /** @type {const} */ ([
      [
        '1.png',
        2,
        /^pleura: The output file must end in \.gguf; 1\.png does not\. See pleura (adapt|quantise) --help\.\n$/,
      ],
      [
        'film.gguf',
        2,
        /^pleura: film\.gguf is not a GGUF file, so it was not changed\. Choose another name\. See pleura (adapt|quantise) --help\.\n$/,
      ],
      ['nowhere/out.gguf', 1, /^pleura: nowhere\/out\.gguf cannot be written \(ENOENT\)\. Choose another path\.\n$/],
    ])) {
      const { status: ended, stdout, stderr } = attempt(out);
      assert.deepEqual([ended, stdout], [status, ''], out);
      assert.match(stderr, sentence, 'and not a word of a film');
    }
  }
  for (const name of ['1.png', 'film.gguf']) assert.deepEqual(new Uint8Array(readFileSync(join(scratch, name))), film);
});

test('a GGUF file survives reading and writing, with every number type', async () => {
  const once = readGguf(read('model/pleura.gguf')),
    twice = readGguf(writeGguf(once));
  assert.deepEqual(
    [...twice.values.keys()],
    [...once.values.keys()].filter((key) => key !== 'general.alignment'),
  );
  assert.deepEqual(twice.tensors, once.tensors);
  const block = new Uint8Array(34);
  new DataView(block.buffer).setUint16(0, 0x3800, true); // 0.5
  block.set([1, 255, 127], 2);
  assert.deepEqual([...floatsOf({ dims: [32], kind: TENSOR.Q8_0, data: block }).slice(0, 4)], [0.5, -0.5, 63.5, 0]);
  const halves = new Uint8Array(new Uint16Array([0x3c00, 0xc000, 1, 0x83ff]).buffer);
  assert.deepEqual([...floatsOf({ dims: [4], kind: TENSOR.F16, data: halves })], [1, -2, 2 ** -24, -1023 * 2 ** -24]);
});
