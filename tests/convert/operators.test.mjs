// Every ONNX operator over its settings: what onnxruntime computes (make_operators.py), or a refusal that names it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { createEngine } from '../../src/engine.mjs';
import { floatsIn, readGguf } from '../../src/weights/gguf.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'pleura-operators-'));
after(() => rmSync(scratch, { recursive: true }));
const wasm = readFileSync(join(root, 'build/pleura.wasm'));
const CASES = JSON.parse(gunzipSync(readFileSync(join(root, 'tests/fixtures/convert/operators.json.gz'))).toString());

/**
 * The picture of make_operators.py with its channels last, scaled as the weights say.
 * @param {number[]} shape @param {number} k @param {Uint8Array} weights
 */
function picture([c, h, w], k, weights) {
  const { values } = readGguf(weights);
  const [scale, offset] = ['scale', 'offset'].map((key) => floatsIn(values.get(`pleura.input.${key}`)));
  return Float32Array.from({ length: c * h * w }, (_, i) => {
    const n = ((i % c) * h + Math.floor(i / c / w)) * w + (Math.floor(i / c) % w);
    return Math.fround(((n * 7919 + k * 104729) % 1009) / 252.25 - 2) * scale[i % c] + offset[i % c];
  });
}

test('each operator gives the values of onnxruntime with each of its settings, or is refused by name', async () => {
  const names = Object.keys(CASES);
  const list = names.map((name, n) => {
    const path = join(scratch, `${n}.onnx`);
    writeFileSync(path, Buffer.from(CASES[name].model, 'base64'));
    const [c, h, w] = CASES[name].shape;
    const size = ['--input', `${h}x${w}x${c}`];
    return { path, arguments: ['--labels', 'a,b,c', '--scale', '1', '--f32', ...size] };
  });
  writeFileSync(join(scratch, 'list.json'), JSON.stringify(list));
  const script = join(root, 'tests/convert/convert_all.py');
  const said = JSON.parse(
    execFileSync('/usr/bin/python3', [script, join(scratch, 'list.json'), scratch], { encoding: 'utf8' }),
  );
  const module = await WebAssembly.compile(wasm);
  const wrong = [];
  for (const [n, name] of names.entries()) {
    const { want, names: expected, shape } = CASES[name];
    if (expected ?? said[n]) {
      if (!(expected && new RegExp(expected, 'i').test(said[n] ?? ''))) wrong.push(`${name}: ${said[n]}`);
      continue;
    }
    const weights = readFileSync(join(scratch, `${n}.gguf`));
    for (const [tensor, { dims }] of readGguf(weights).tensors)
      if (dims.length > 4 || tensor.length > 63) wrong.push(`${name}: ggml refuses the tensor ${tensor} of ${dims}`);
    const engine = await createEngine({ wasm: module, weights });
    const got = [0, 1].map((k) => [...engine.run(picture(shape, k, weights))]);
    const spread = Math.max(...want.flat().map(Math.abs));
    const error = Math.max(...want.flatMap((row, k) => row.map((v, i) => Math.abs(v - got[k][i]))));
    const limit = name.startsWith('Cast') ? 1e-3 : 2e-5; // of half precision
    if (!(error <= limit * spread)) wrong.push(`${name}: off by ${error} of ${spread}`);
  }
  assert.deepEqual(wrong, []);
});

test('the document of operators and layers is what the tables of the converter say', () => {
  const printed = execFileSync('/usr/bin/python3', [join(root, 'model/convert/document.py')], { encoding: 'utf8' });
  assert.equal(readFileSync(join(root, 'model/convert/operators.md'), 'utf8'), printed);
});
