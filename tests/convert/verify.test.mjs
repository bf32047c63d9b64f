// `convert` compares its weights with the framework where python3 has it; modules stand for onnxruntime and Keras.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const scratch = mkdtempSync(join(tmpdir(), 'pleura-verify-'));
after(() => rmSync(scratch, { recursive: true }));
/** @param {string} name */
const fixture = (name) => fileURLToPath(new URL(`../fixtures/convert/${name}`, import.meta.url));
const [source, out] = ['constant.onnx', 'out.gguf'].map((name) => join(scratch, name));

/** A network that answers 0.5, -1 and 2 for every film. @param {string} type in which it computes */
const network = (type) => `
import sys
from onnx import TensorProto, helper, save
T = TensorProto.${type}
info = lambda name, kind, shape: helper.make_tensor_value_info(name, kind, shape)
nodes = [helper.make_node('Cast', ['x'], ['h'], to=T), helper.make_node('GlobalAveragePool', ['h'], ['p'])]
nodes += [helper.make_node('Flatten', ['p'], ['f']), helper.make_node('Gemm', ['f', 'w', 'b'], ['y'])]
arrays = [helper.make_tensor('w', T, [1, 3], [0, 0, 0]), helper.make_tensor('b', T, [3], [0.5, -1, 2])]
ends = [info('x', TensorProto.FLOAT, [1, 1, 64, 64])], [info('y', T, [1, 3])]
graph = helper.make_graph(nodes, 'g', *ends, arrays)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)]), sys.argv[1])`;

/** onnxruntime that gives one answer to every film, and knows no type but float32. @param {number[]} answer */
const runtime = (answer) => `
import numpy as np, onnx
__version__ = '0'
set_default_logger_severity = lambda level: None
class SessionOptions: pass
class GraphOptimizationLevel: ORT_DISABLE_ALL = 0
class InferenceSession:
    def __init__(self, path, options, providers):
        assert options.graph_optimization_level == 0
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        types = [one.type for one in (*model.graph.input, *model.graph.output)]
        assert all(one.tensor_type.elem_type == onnx.TensorProto.FLOAT for one in types)
    def get_inputs(self): return [type('Input', (), {'name': 'x', 'type': 'tensor(float)'})]
    def run(self, names, inputs):
        assert inputs['x'].shape == (1, 1, 64, 64) and 0 < inputs['x'].max() <= 1
        return [np.array([${JSON.stringify(answer)}])]`;

/** Keras that answers 1, 0, 0 and knows no type but float32. */
const KERAS = `
import json, types, zipfile, numpy as np
__version__ = '0'
class Functional:
    def __init__(self, config): self.config = config
    def get_config(self): return self.config
    from_config = classmethod(lambda kind, config: kind(config))
    get_weights = lambda self: ['weights']
    def set_weights(self, weights):
        assert 'float16' not in json.dumps(self.config)
        self.weights = weights
    def predict(self, x, verbose): return np.array([[1, 0, 0]]) * (self.weights == ['weights'])
def load_model(path, compile): return Functional(json.loads(zipfile.ZipFile(path).read('config.json'))['config'])
models = types.SimpleNamespace(load_model=load_model)`;

/** A Keras file whose layers have a dtype policy: sys.argv holds the source, the copy, and the policy. */
const WITH_POLICY = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old, zipfile.ZipFile(sys.argv[2], 'w') as new:
    for name in old.namelist():
        part = old.read(name)
        if name == 'config.json':
            model = json.loads(part)
            for layer in model['config']['layers']:
                layer['config']['dtype'] = json.loads(sys.argv[3])
            part = json.dumps(model)
        new.writestr(name, part)`;

/** @param {number[]} answer of onnxruntime @param {string[]} [more] @param {string} [from] */
function convert(answer, more = [], from = source) {
  writeFileSync(join(scratch, 'onnxruntime.py'), runtime(answer));
  const command = fileURLToPath(new URL('../../src/cli.mjs', import.meta.url));
  const env = { ...process.env, PATH: `/usr/bin:${process.env.PATH}`, PYTHONPATH: scratch };
  const argv = [command, 'convert', from, out, '--labels', 'a,b,c', '--scale', '1/255', ...more];
  return spawnSync(process.execPath, argv, { encoding: 'utf8', env });
}

test('weights that answer as the framework does are written, others leave an older file as it was', () => {
  execFileSync('/usr/bin/python3', ['-c', network('FLOAT'), source]);
  const same = convert([0.5, -1, 2]);
  assert.equal(same.status, 0, same.stderr);
  assert.match(same.stderr, /agrees with onnxruntime 0;/);
  assert.doesNotMatch(same.stderr, /arithmetic/);
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

test('a network of half precision is computed and compared in float32, and the command says so', () => {
  for (const type of ['FLOAT16', 'BFLOAT16']) {
    execFileSync('/usr/bin/python3', ['-c', network(type), source]);
    const { status, stderr } = convert([0.5, -1, 2]);
    assert.equal(status, 0, stderr);
    assert.match(stderr, new RegExp(`asks for arithmetic in ${type.toLowerCase()}; Pleura computes in float32`));
    assert.match(stderr, /agrees with onnxruntime 0 in float32/);
  }
  writeFileSync(join(scratch, 'keras.py'), KERAS);
  const [plain, copy] = [fixture('functional.keras'), join(scratch, 'half.keras')];
  for (const policy of ['float16', { class_name: 'DTypePolicy', config: { name: 'mixed_bfloat16' } }]) {
    execFileSync('/usr/bin/python3', ['-c', WITH_POLICY, plain, copy, JSON.stringify(policy)]);
    const { status, stderr } = convert([], [], copy);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /asks for arithmetic in b?float16; Pleura computes in float32/);
    assert.match(stderr, /its answers are not those of Keras 0 in float32/);
  }
});

test('a file that is not weights is replaced only with --force', () => {
  writeFileSync(out, 'my notes');
  const kept = convert([0.5, -1, 2]);
  assert.equal(kept.status, 1);
  assert.match(kept.stderr, /is not a GGUF file, so it was not replaced/);
  assert.equal(convert([0.5, -1, 2], ['--force']).status, 0);
  assert.equal(convert([0.5, -1, 2]).status, 0);
});
