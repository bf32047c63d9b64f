// The Python face of the engine, through which training prepares its films.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Runs Python as training does. @param {string} script */
const python = (script) =>
  spawnSync('/usr/bin/python3', ['-c', script], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('../../model', import.meta.url)),
  });

test('Python mirrors the structs of the engine and diagnoses the phantom with the same bits', () => {
  const { status, stdout, stderr } = python(`
from training.engine import Model, WEIGHTS
weights = WEIGHTS.read_bytes()
for reference in (False, True):
    bits = Model(weights, reference).diagnose_phantom().bits
    print(bits.encode() in weights, len(bits))
(pool,) = Model(weights).layers(open("../tests/fixtures/convert/rings.png", "rb").read(), ["pool"])
print(pool.shape)`);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'True 16\nTrue 16\n(1, 1, 256)\n');
});

test('a struct of another size is reported with both sizes', () => {
  const { status, stderr } = python(`
import ctypes
size = ctypes.sizeof
ctypes.sizeof = lambda mirror: size(mirror) + 8 * (mirror.__name__ == "Samples")
import training.engine`);
  assert.equal(status, 1);
  assert.match(stderr, /^pleura_samples of src\/pleura\.h has \d+ bytes in .*libpleura\.so, but \d+ in .*engine\.py/);
});
