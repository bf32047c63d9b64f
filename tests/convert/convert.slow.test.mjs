// The converter: foreign networks give PyTorch's logits after conversion; broken files end in one sentence.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/engine.mjs';
import { floatsIn, readGguf } from '../../src/weights/gguf.mjs';
import { startConverter } from './converter.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const fixture = (name) => join(root, 'tests/fixtures/convert', name);
const scratch = mkdtempSync(join(tmpdir(), 'pleura-convert-'));
const converter = startConverter();
after(async () => {
  await converter.stop();
  rmSync(scratch, { recursive: true });
});
const out = join(scratch, 'out.gguf');
const PYTHON = '/usr/bin/python3';
const LABELS = ['--labels', 'covid,pneumonia,normal'];
const { films, networks } = JSON.parse(readFileSync(fixture('expected.json'), 'utf8'));
const wasm = readFileSync(join(root, 'build/pleura.wasm'));

/** @param {string} source @param {string[]} options */
const convert = (source, options = LABELS) => converter.convert(source, out, ...options);

/** The same by the command, which starts a Python of its own. @param {string} source @param {string[]} options */
function byCommand(source, options = LABELS) {
  const argv = [join(root, 'src/cli.mjs'), 'convert', source, out, ...options];
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  return { status, said: stderr };
}

/** What the native engine computes for the films: bits and logits. */
function answers() {
  const text = execFileSync(join(root, 'build/clang/bits/bits'), [out, ...films.map(fixture)], { encoding: 'utf8' });
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [code, , bits, ...logits] = line.split(' ');
      assert.equal(code, 'ok');
      return { bits, logits: logits.map(Number) };
    });
}

/** The largest difference relative to the range of a label's logit over the films, without a term that all share. */
function relativeError(got, expected) {
  const centred = (rows) => rows.map((row) => row.map((v) => v - row.reduce((a, b) => a + b) / row.length));
  const [a, b] = [centred(got), centred(expected)];
  const spread = Math.max(
    ...b[0].map((_, i) => Math.max(...b.map((row) => row[i])) - Math.min(...b.map((row) => row[i]))),
  );
  return Math.max(...b.flatMap((row, n) => row.map((v, i) => Math.abs(a[n][i] - v)))) / spread;
}

for (const [name, { arguments: options, logits }] of Object.entries(networks)) {
  test(`${name} gives the same logits as its framework, natively and in wasm`, async () => {
    const quantised = name.startsWith('q'); // where half precision moves values from one integer to the next
    for (const [more, limit] of [
      [['--f32'], 1e-4],
      [[], quantised ? 3e-2 : 1e-2],
      [['--q8'], 0.12],
    ]) {
      const { status, said } = await convert(fixture(name), [...options, ...more]);
      assert.equal(status, 0, said);
      const got = answers();
      const error = relativeError(
        got.map((one) => one.logits),
        logits,
      );
      assert.ok(error <= limit, `relative error ${error} with ${more.join() || 'float16'}`);
      const engine = await createEngine({ wasm, weights: readFileSync(out) });
      assert.deepEqual(
        films.map((film) => engine.diagnose(new Uint8Array(readFileSync(fixture(film)))).bits),
        got.map((one) => one.bits),
      );
    }
  });
}

test('the command says and writes what its converter does', async () => {
  for (const options of [LABELS, ['--labels', 'a,b']]) {
    const direct = await convert(fixture('vgg.onnx'), options);
    const weights = readFileSync(out);
    rmSync(out);
    assert.deepEqual(byCommand(fixture('vgg.onnx'), options), direct);
    if (options === LABELS) assert.deepEqual(readFileSync(out), weights);
    writeFileSync(out, weights);
  }
});

test('a network that ends in a map uses it as its heatmap', async () => {
  await convert(fixture('unet_map.onnx'), networks['unet_map.onnx'].arguments);
  const engine = await createEngine({ wasm, weights: readFileSync(out) });
  const { heatmap } = engine.diagnose(new Uint8Array(readFileSync(fixture('rings.png'))));
  assert.ok(Math.max(...heatmap.data) > 0.5);
  assert.match(
    engine.model.graphs.diagnosis.join('\n'),
    /features = .*\nmean1 = mean features\nlogits = dense mean1 c=3$/,
  );
});

/** A copy of a fixture, changed by some lines of Python in which `m` is the ONNX model or `f` the open HDF5 file. */
async function altered(name, lines) {
  const path = join(scratch, name);
  writeFileSync(path, readFileSync(fixture(name)));
  const [open, close] = name.endsWith('.onnx')
    ? ['import onnx; m = onnx.load(p); g = m.graph', 'onnx.save(m, p)']
    : ["import h5py, json; f = h5py.File(p, 'r+')", 'f.close()'];
  await converter.script(`p = ${JSON.stringify(path)}\n${open}\n${lines}\n${close}`);
  return path;
}

/** Checks that the conversion fails with one line that begins with the file's name and matches the sentences. */
async function refused(source, options, ...sentences) {
  const path = await source;
  const { status, said } = await convert(path, options);
  assert.equal(status, 1, said);
  assert.ok(said.startsWith(path) && !said.includes('Traceback') && said.trim().split('\n').length === 1, said);
  for (const sentence of sentences) assert.match(said, sentence);
}

test('an unknown operation is reported with its node, never skipped', async () => {
  await refused(
    altered('vgg.onnx', "g.node[1].op_type = 'ArgMax'"),
    LABELS,
    /ArgMax '\/1\/Relu': the engine has no such operation: export the network without it/,
  );
  for (const [kind, reason] of Object.entries({
    LSTM: /it is recurrent/,
    DynamicQuantizeLinear: /chooses its scales anew for each picture\. Convert the file from before/,
  }))
    await refused(altered('vgg.onnx', `g.node[1].op_type = '${kind}'`), LABELS, reason);
  await refused(
    altered('vgg.onnx', "g.node[1].domain = 'com.example'"),
    LABELS,
    /Relu '\/1\/Relu': the engine has no such operation/,
  );
  const rename = (from, to) => `f.attrs['model_config'] = f.attrs['model_config'].replace('${from}', '${to}')`;
  await refused(
    altered('sequential.h5', rename('"Dropout"', '"Lambda"')),
    ['--labels', 'a,b'],
    /Lambda 'dropout': the engine has no such layer/,
  );
  await refused(
    altered('sequential.h5', rename('"sigmoid"', '"glu"')),
    ['--labels', 'a,b'],
    /Dense 'dense_1': the engine has no activation glu/,
  );
});

test('missing, misshapen and infinite weights are reported with their layer', async () => {
  await refused(
    altered('vgg.onnx', "del g.initializer[[i.name for i in g.initializer].index('10.weight')]"),
    LABELS,
    /Gemm '\/10\/Gemm': its input '10.weight' is missing from the file/,
  );
  await refused(
    altered(
      'vgg.onnx',
      "i = next(i for i in g.initializer if i.name == '3.weight'); i.dims[0], i.dims[1] = i.dims[1], i.dims[0]",
    ),
    LABELS,
    /Conv '\/3\/Conv': its weights have the shape 6x12x3x3, which does not fit 6 input channels/,
  );
  await refused(
    altered('sequential.h5', "del f['model_weights/conv2d_1'].attrs['weight_names']"),
    ['--labels', 'a,b'],
    /Conv2D 'conv2d_1': its weights 'kernel' are missing/,
  );
  await refused(
    altered('sequential.h5', "f['model_weights/conv2d_1/conv2d_1/bias:0'][0] = float('nan')"),
    ['--labels', 'a,b'],
    /Conv2D 'conv2d_1': its weights contain NaN or infinity/,
  );
  for (const [value, more] of [
    ['1e6', []],
    ['1e9', ['--q8']],
  ]) {
    await refused(
      altered('sequential.h5', `f['model_weights/dense/dense/kernel:0'][0] = ${value}`),
      ['--labels', 'a,b', ...more],
      /Dense 'dense': its weights reach 1.*e\+0[69], too large for float16\. Use --f32/,
    );
  }
});

test('a file that makes the HDF5 library loop is stopped by a limit of processor time', async () => {
  const bytes = readFileSync(fixture('sequential.h5')),
    heap = bytes.indexOf('GCOL'),
    first = heap + 16,
    end = heap + Number(bytes.readBigUInt64LE(heap + 8));
  bytes.writeBigUInt64LE(BigInt(end - 64 - (first + 16)), first + 8); // the heap continues with an object of size zero
  const endless = join(scratch, 'endless.h5');
  writeFileSync(endless, bytes);
  const { status, said } = byCommand(endless, ['--labels', 'a,b']);
  assert.equal(status, 1);
  assert.match(said, /^.*damaged.*\n$/); // a newer library reports the damage itself
});

test('an interrupted conversion names the signal and does not blame the file', async () => {
  const waiting = join(scratch, 'waiting.h5'); // nobody writes to it
  execFileSync('mkfifo', [waiting]);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    const command = spawn(process.execPath, [join(root, 'src/cli.mjs'), 'convert', waiting, out, '--labels', 'a,b']);
    const stderr = text(command.stderr),
      exited = once(command, 'exit');
    const writer = await open(waiting, 'w'); // resolves when the converter opens it to read
    process.kill(Number(execFileSync('pgrep', ['-P', String(command.pid)])), signal);
    assert.deepEqual([await stderr, await exited], [`pleura: 'convert' was ended by ${signal}.\n`, [1, null]]);
    await writer.close();
  }
});

test('truncated files and files of another kind are refused in one sentence', async () => {
  const part = join(scratch, 'part');
  for (const name of ['vgg.onnx', 'sequential.h5', 'functional.keras']) {
    const bytes = readFileSync(fixture(name));
    for (const share of [0.01, 0.3, 0.7, 0.999]) {
      writeFileSync(part, bytes.subarray(0, bytes.length * share));
      await refused(part, LABELS, /truncated|nodes/);
    }
  }
  writeFileSync(part, '');
  await refused(part, LABELS, /the file is empty/);
  await refused(fixture('noise.png'), LABELS, /not an ONNX or Keras file/);
  const saved = join(scratch, 'saved');
  mkdirSync(saved);
  writeFileSync(join(saved, 'saved_model.pb'), 'x');
  await refused(saved, LABELS, /a SavedModel of TensorFlow.*tf2onnx\.convert --saved-model \S+saved --output/);
  writeFileSync(part, '1234TFL3');
  await refused(part, LABELS, /TFLite.*tf2onnx\.convert --tflite FILE --output/);
  await refused(join(scratch, 'nowhere.h5'), LABELS, /No such file/);
  await refused(altered('sequential.h5', "del f.attrs['model_config']"), LABELS, /contains weights without a model/);
});

test('weights stored in another file are refused, because that could be any file of this machine', async () => {
  writeFileSync(join(scratch, 'elsewhere.bin'), Buffer.alloc(1 << 16));
  const outside = (tensor, place) =>
    `t = ${tensor}; t.ClearField('raw_data'); t.data_location = 1; t.external_data.add(key='location', value='${place}')`;
  for (const place of ['elsewhere.bin', join(scratch, 'elsewhere.bin'), 'none.bin']) {
    await refused(
      altered('vgg.onnx', outside('g.initializer[0]', place)),
      LABELS,
      /its weights '0\.weight' are stored in another file/,
    );
  }
  await refused(
    altered(
      'channels_last.onnx',
      outside("next(n for n in g.node if n.op_type == 'Constant').attribute[0].t", 'elsewhere.bin'),
    ),
    LABELS,
    /its weights .* are stored in another file/,
  );
  writeFileSync(join(scratch, 'elsewhere.h5'), readFileSync(fixture('sequential.h5')));
  const bias = 'model_weights/conv2d/conv2d/bias:0',
    replaced = (what) => `n = '${bias}'; s = f[n].shape; del f[n]; ${what}`;
  for (const what of [
    `f[n] = h5py.ExternalLink('elsewhere.h5', n)`,
    `f.create_dataset(n, s, 'f4', external=[('elsewhere.bin', 0, h5py.h5f.UNLIMITED)])`,
    `v = h5py.VirtualLayout(s, 'f4'); v[...] = h5py.VirtualSource('elsewhere.h5', n, shape=s); f.create_virtual_dataset(n, v)`,
  ]) {
    await refused(altered('sequential.h5', replaced(what)), ['--labels', 'a,b'], /bias:0' is stored in another file/);
  }
  const folder =
    "del f['model_weights/conv2d']; f['model_weights/conv2d'] = h5py.ExternalLink('elsewhere.h5', 'model_weights/conv2d')";
  await refused(
    altered('sequential.h5', folder),
    ['--labels', 'a,b'],
    /'model_weights\/conv2d' is stored in another file/,
  );
});

test('a network that rounds its logits is converted, one that rounds its probabilities is refused', async () => {
  const ends = (...nodes) =>
    altered(
      'qdq.onnx',
      `import numpy as np; from onnx import numpy_helper as helper; add = lambda n, v: g.initializer.append(helper.from_array(v, n)); add('s', np.float32(0.05)); add('z', np.uint8(60)); add('h', np.uint8(127))
next(n for n in g.node if n.output[0] == 'y').output[0] = 'y0'
g.node.extend(onnx.helper.make_node(k, i, [o], k) for k, i, o in [${nodes.join()}])`,
    );
  const [quantise, clip, back] = [
    (from) => `('QuantizeLinear', ['${from}', 's', 'z'], 'q')`,
    `('Clip', ['q', '', 'h'], 'c')`,
    (from) => `('DequantizeLinear', ['${from}', 's', 'z'], 'y')`,
  ];
  const { status, said } = await convert(await ends(quantise('y0'), clip, back('c'))); // as PyTorch's fake quantisation writes it
  assert.equal(status, 0, said);
  assert.match(said, /the network is quantised: its weights become float16 numbers, and the engine rounds \d+ activ/);
  await refused(
    ends(`('Softmax', ['y0'], 'p')`, quantise('p'), back('q')),
    LABELS,
    /rounds its probabilities, from Softmax 'Softmax', to 8 bits .* nodes_to_exclude/,
  );
});

test('a data file of 2 GB and a zip that unpacks to far more than its size are refused before they are read', async () => {
  const data = await open(join(scratch, 'vgg.onnx.data'), 'w');
  await data.truncate(2 ** 31); // it takes no room on the disk
  await data.close();
  const taken = (length, dims = '') =>
    altered(
      'vgg.onnx',
      `t = g.initializer[0]; t.ClearField('raw_data'); t.data_location = 1; ${dims}` +
        `[t.external_data.add(key=k, value=v) for k, v in {'location': 'vgg.onnx.data', 'length': '${length}'}.items()]`,
    );
  await refused(taken(2 ** 31), LABELS, /they take 2147483648 bytes of vgg\.onnx\.data, but their shape needs \d+\)/);
  await refused(taken(2 ** 31, 't.dims[0] = 1 << 25; '), LABELS, /values; the engine accepts at most 268435456/);
  const bomb = join(scratch, 'bomb.keras');
  const parts = `z.writestr('config.json', b' ' * (1 << 27)); z.writestr('metadata.json', '{}')`;
  const script = `import zipfile; z = zipfile.ZipFile(${JSON.stringify(bomb)}, 'w', zipfile.ZIP_DEFLATED); ${parts}; z.close()`;
  await converter.script(script);
  await refused(bomb, LABELS, /its part 'config\.json' would be 128 MB unpacked/);
});

test('layers that read each other twice and constants that grow are refused without filling the memory', async () => {
  const first = 'h = onnx.helper; n = g.node[0]; x = n.input[0]; ',
    last = '; n.input[0] = y; new = list(g.node); del g.node[:]; g.node.extend(made + new)';
  const pooled =
    "y = 'p'; made += [h.make_node('Pad', [f'x{c}'], ['q'], pads=[0, 0, 1, 1, 0, 0, 1, 1]), h.make_node('MaxPool', ['q'], ['p'], kernel_shape=[2, 2])]";
  const twice = (count) =>
    altered(
      'vgg.onnx',
      `${first}c = ${count}; made = [h.make_node('Relu', [x], ['x0'])] + [h.make_node('Add', [f'x{i}'] * 2, [f'x{i + 1}']) for i in range(c)]; ${pooled}${last}`,
    );
  // 2^60 steps would never end. A limit of processor time also holds on a busy machine.
  const ended = spawnSync(
    'prlimit',
    ['--cpu=60', PYTHON, join(root, 'model/convert'), await twice(60), out, ...LABELS],
    { encoding: 'utf8' },
  );
  assert.deepEqual([ended.status, ended.signal], [0, null], ended.stderr);
  await refused(
    altered(
      'vgg.onnx',
      `${first}y = x; made = []\nfor i in range(700): made.append(h.make_node('Tanh', [y], [f't{i}'])); y = f't{i}'\n${last.slice(2)}`,
    ),
    LABELS,
    /has 7\d\d layers; the engine accepts at most 640/,
  );
  const grown = (nodes) =>
    altered(
      'vgg.onnx',
      `${first}y = x; g.initializer.append(h.make_tensor('s', 7, [1], [1 << 20])); made = [*${nodes}, h.make_node('Add', [x, 'c40'], ['grown'])]; y = 'grown'${last}`,
    );
  await refused(
    grown(
      "[h.make_node('ConstantOfShape', ['s'], ['c0'])] + [h.make_node('Concat', [f'c{i}'] * 2, [f'c{i + 1}'], axis=0) for i in range(40)]",
    ),
    LABELS,
    /Concat .*Unable to allocate/,
  );
  await refused(
    altered(
      'sequential.h5',
      "n = 'model_weights/dense/dense/kernel:0'; del f[n]; f.create_dataset(n, (1 << 40, 4), 'f4', chunks=True)",
    ),
    ['--labels', 'a,b'],
    /Dense 'dense': .*Unable to allocate/,
  );
});

test('sizes that are not integers, or too large for the engine, are reported with their layer', async () => {
  const rename = (from, to) => `f.attrs['model_config'] = f.attrs['model_config'].replace('${from}', '${to}')`;
  await refused(
    altered('functional.h5', rename('"strides": [2, 2]', '"strides": [2.5, 2.5]')),
    LABELS,
    /Conv2D 'stem': .*not all positive integers/,
  );
  await refused(
    altered('sequential.h5', rename('"pool_size": [2, 2]', '"pool_size": [2, 2, 2]')),
    ['--labels', 'a,b'],
    /MaxPooling2D 'max_pooling2d': .*is not two-dimensional/,
  );
  const dilated =
    "n = next(n for n in g.node if n.op_type == 'Conv'); next(a for a in n.attribute if a.name == 'dilations').ints[:] = [-1, 1]";
  await refused(altered('vgg.onnx', dilated), LABELS, /Conv '\/0\/Conv': .*not all positive integers/);
  await refused(
    altered('unet_map.onnx', 'for d in g.input[0].type.tensor_type.shape.dim[2:]: d.dim_value = 8192'),
    LABELS,
    /input: its size is 8192x8192 with 1 channels.*the engine accepts at most 4096/,
  );
  await refused(
    fixture('vgg.onnx'),
    [...LABELS, '--scale', '1e9'],
    /grey values would be multiplied by 1e\+09.*the engine accepts at most 1e\+06/,
  );
  await refused(
    altered(
      'sequential.h5',
      "n = 'model_weights/conv2d/conv2d/bias:0'; s = f[n].shape; del f[n]; f.create_dataset(n, data=[b'x'] * s[0])",
    ),
    ['--labels', 'a,b'],
    /Conv2D 'conv2d': .*instead of numbers/,
  );
});

test('a network with two outputs is refused with their names and what to do', async () => {
  await refused(
    altered('vgg.onnx', 'g.output.append(onnx.helper.make_tensor_value_info(g.node[0].output[0], 1, None))'),
    LABELS,
    /it has 2 outputs \(\S+, \S+\); .*Export the network with these alone/,
  );
});

test('pictures of integers are read if nothing computes with them before they are cast', async () => {
  const integers = "g.input[0].type.tensor_type.elem_type = 2; n = g.node[0]; o = n.output[0]; n.output[0] = 'moved'; ";
  const cast = (more, from) => `g.node.extend([${more} onnx.helper.make_node('Cast', ['${from}'], [o], to=1)])`;
  const moved = await altered('channels_last.onnx', integers + cast('', 'moved'));
  const { status, said } = await convert(moved);
  assert.equal(status, 0, said);
  assert.match(said, /no --scale given, so the network receives grey values of 0\.\.255/);
  await refused(moved, [...LABELS, '--scale', '1/255'], /its input holds integers, but --scale.* make fractions/);
  const first = "onnx.helper.make_node('Relu', ['moved'], ['r']),";
  await refused(
    altered('channels_last.onnx', integers + cast(first, 'r')),
    LABELS,
    /holds integers, and not only Cast/,
  );
});

test('true in place of a number is reported with its layer', async () => {
  const pool = await altered(
    'sequential.h5',
    `import json; m = json.loads(f.attrs['model_config']); next(l for l in m['config']['layers'] if l['class_name'] == 'MaxPooling2D')['config']['pool_size'] = [2, True]; f.attrs['model_config'] = json.dumps(m)`,
  );
  await refused(
    pool,
    ['--labels', 'a,b'],
    /MaxPooling2D 'max_pooling2d': its setting \[2, True\] is not a pair of numbers/,
  );
});

test('names in a file cannot control the terminal, and the message stays on one line', async () => {
  const { status, said } = await convert(
    await altered('vgg.onnx', "g.node[1].op_type = 'Re\\nlu\\x1b[2J\\u202e' + 'x' * 5000"),
  );
  assert.equal(status, 1);
  assert.match(said, /^[^\x00-\x1f\x7f-\x9f\u202e]{100,600}\n$/);
  assert.ok(said.includes('Re\ufffdlu\ufffd[2J\ufffdx') && said.includes('the engine has no such operation'), said);
});

test('a file whose name is not valid UTF-8 is converted', async () => {
  const script = `cp "$1" "$2/"$'\\xff.onnx' && exec "$3" "$4" "$2/"$'\\xff.onnx' "$5" --labels covid,pneumonia,normal`;
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', script, '-', fixture('vgg.onnx'), scratch, PYTHON, join(root, 'model/convert'), out],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
});

test('generated hostile files end in weights that the engine loads or in one sentence, and open no other file', async () => {
  const { status, stdout } = spawnSync(PYTHON, [join(root, 'tests/fuzz/converter.py'), '0:300', '7'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^300 files: .*\d\d sentence, \d\d weights; 0 findings/m, stdout);
});

test('the options must fit the network', async () => {
  await refused(
    fixture('vgg.onnx'),
    ['--labels', 'covid,normal'],
    /distinguishes 3 labels, but --labels names 2 \(covid, normal\)/,
  );
  await refused(fixture('sequential.h5'), ['--labels', 'covid'], /distinguishes 2 labels, but --labels names 1/);
  await refused(fixture('vgg.onnx'), ['--labels', 'a,a,b'], /an empty or a repeated label/);
  await refused(
    fixture('vgg.onnx'),
    ['--labels', 'refused,normal,uncertain'],
    /no label may be called refused or uncertain/,
  );
  await refused(fixture('vgg.onnx'), [...LABELS, '--input', '224x224x3'], /is 3x32x32, but --input says 224x224x3/);
  await refused(
    fixture('sequential.h5'),
    [...LABELS, '--input', '32x32x1'],
    /its input is 32x32x3, but --input says 32x32x1/,
  );
  await refused(
    fixture('vgg.onnx'),
    [...LABELS, '--mean', '1,2'],
    /--mean has 2 numbers, but the network's input has 3 channels/,
  );
  await refused(fixture('vgg.onnx'), [...LABELS, '--std', '0'], /--std contains a zero/);
  const open = await altered('vgg.onnx', 'for d in g.input[0].type.tensor_type.shape.dim: d.dim_value = 0');
  await refused(open, LABELS, /leaves sizes open .* Add --input/);
  assert.equal((await convert(open, [...LABELS, '--input', '32x32x3'])).status, 0);
  for (const options of [[], [...LABELS, '--input', '224'], [...LABELS, '--scale', 'much']]) {
    const { status, said } = await convert(fixture('vgg.onnx'), options);
    assert.equal(status, 2);
    assert.match(said, /usage: pleura convert/);
  }
});

test('the converter imports nothing from the folder in which it is run', async () => {
  const folder = join(scratch, 'foreign');
  mkdirSync(folder);
  for (const name of ['argparse', 'gguf', 'layers', 'limits', 'lower', 'numpy', 'onnx', 'onnx_reader'])
    writeFileSync(join(folder, `${name}.py`), 'raise SystemExit("a foreign module was imported")');
  for (const place of [join(root, 'model/convert'), relative(folder, join(root, 'model/convert'))]) {
    const { status, stderr } = spawnSync(PYTHON, [place, fixture('vgg.onnx'), 'out.gguf', ...LABELS], {
      encoding: 'utf8',
      cwd: folder,
    });
    assert.equal(status, 0, stderr);
  }
});

test('a missing Python package is reported with the Debian packages to install', async () => {
  // -S hides the folder in which Debian installs packages.
  const { status, stderr } = spawnSync(PYTHON, ['-S', join(root, 'model/convert'), 'in', 'out', ...LABELS], {
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /^The Python package numpy is missing. On Debian: apt-get install python3-numpy/);
});

test('folding an affine layer into the layer after it leaves other readers of its input unchanged', async () => {
  const script = `
import numpy as np
from layers import Layer
from lower import fold, fold_affine
def value(layer, x):
    if layer.op == "input": return x
    given = [value(i, x) for i in layer.inputs]
    if layer.op in ("conv", "dense"): out = given[0] @ layer.weight.reshape(len(layer.weight), -1).T + layer.bias
    elif layer.op == "affine": out = given[0] * layer.weight + layer.bias
    else: out = sum(given)
    return np.maximum(out, 0) if layer.act == "relu" else out
def made(op, inputs, act="none", **more):
    return Layer(op, inputs, (2, 1, 1), act=act, **more)
image = made("input", [])
conv = made("conv", [image], weight=np.eye(2).reshape(2, 2, 1, 1), bias=np.zeros(2))
one = made("affine", [conv], weight=np.array([2., 3.]), bias=np.array([1., 1.]))
two = made("affine", [conv], act="relu", weight=np.array([5., 7.]), bias=np.array([1., 2.]))
last = made("add", [made("dense", [one], weight=np.ones((2, 2)), bias=np.zeros(2)), made("dense", [two], weight=np.ones((2, 2)), bias=np.zeros(2))])
before = value(last, np.array([1., 2.]))
print(before.tolist(), value(fold(last, fold_affine), np.array([1., 2.])).tolist())`;
  const [, plain, folded] = (await converter.script(script)).match(/^(\[.*\]) (\[.*\])\n$/);
  assert.equal(folded, plain);
});

test('--bgr reverses the numbers for the channels', async () => {
  await convert(fixture('vgg.onnx'), [...LABELS, '--mean', '1,2,3', '--scale', '1', '--bgr']);
  assert.deepEqual([...floatsIn(readGguf(readFileSync(out)).values.get('pleura.input.offset'))], [-3, -2, -1]);
});
