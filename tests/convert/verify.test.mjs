// `convert` compares its weights with the framework where python3 has it; a module in its place stands for onnxruntime.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const scratch = mkdtempSync(join(tmpdir(), 'pleura-verify-'));
after(() => rmSync(scratch, { recursive: true }));
const [source, out] = ['constant.onnx', 'out.gguf'].map((name) => join(scratch, name));

/** A network that answers 0.5, -1 and 2 for every film. */
const NETWORK = `
import sys, numpy as np
from onnx import TensorProto, helper, numpy_helper, save
info = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
nodes = [helper.make_node('GlobalAveragePool', ['x'], ['p']), helper.make_node('Flatten', ['p'], ['f']), helper.make_node('Gemm', ['f', 'w', 'b'], ['y'])]
arrays = {'w': np.zeros((1, 3), np.float32), 'b': np.float32([0.5, -1, 2])}
graph = helper.make_graph(nodes, 'g', [info('x', [1, 1, 64, 64])], [info('y', [1, 3])], [numpy_helper.from_array(v, k) for k, v in arrays.items()])
save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)]), sys.argv[1])`;

/** onnxruntime that gives one answer to every film. @param {number[]} answer */
const runtime = (answer) => `
import numpy as np
__version__ = '0'
set_default_logger_severity = lambda level: None
class SessionOptions: pass
class GraphOptimizationLevel: ORT_DISABLE_ALL = 0
class InferenceSession:
    def __init__(self, path, options, providers): assert options.graph_optimization_level == 0
    def get_inputs(self): return [type('Input', (), {'name': 'x', 'type': 'tensor(float)'})]
    def run(self, names, inputs):
        assert inputs['x'].shape == (1, 1, 64, 64) and 0 < inputs['x'].max() <= 1
        return [np.array([${JSON.stringify(answer)}])]`;

/** @param {number[]} answer of the framework @param {string[]} [more] */
function convert(answer, more = []) {
  writeFileSync(join(scratch, 'onnxruntime.py'), runtime(answer));
  const command = fileURLToPath(new URL('../../src/cli.mjs', import.meta.url));
  const env = { ...process.env, PATH: `/usr/bin:${process.env.PATH}`, PYTHONPATH: scratch };
  const argv = [command, 'convert', source, out, '--labels', 'a,b,c', '--scale', '1/255', ...more];
  return spawnSync(process.execPath, argv, { encoding: 'utf8', env });
}

test('weights that answer as the framework does are written, others leave an older file as it was', () => {
  execFileSync('/usr/bin/python3', ['-c', NETWORK, source]);
  const same = convert([0.5, -1, 2]);
  assert.equal(same.status, 0, same.stderr);
  assert.match(same.stderr, /agrees with onnxruntime 0/);
  const kept = readFileSync(out);
  const other = convert([2.5, -1, 2]);
  assert.equal(other.status, 1);
  assert.match(other.stderr, /was not written: its answers are not those of onnxruntime 0/);
  assert.deepEqual(readFileSync(out), kept);
  assert.deepEqual(
    readdirSync(scratch).filter((name) => name.includes('gguf')),
    ['out.gguf'],
  );
  assert.equal(convert([2.5, -1, 2], ['--no-verify']).status, 0);
  assert.equal(existsSync(out), true);
});

test('a file that is not weights is replaced only with --force', () => {
  writeFileSync(out, 'my notes');
  const kept = convert([0.5, -1, 2]);
  assert.equal(kept.status, 1);
  assert.match(kept.stderr, /is not a GGUF file, so it was not replaced/);
  assert.equal(convert([0.5, -1, 2], ['--force']).status, 0);
  assert.equal(convert([0.5, -1, 2]).status, 0);
});
