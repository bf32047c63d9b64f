// engine.test.mjs: the engine alone in three browsers: its kernels, float and int8, with and without relaxed SIMD,
// give the bits of Node.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/engine.mjs';
import { floatWeights } from '../support/float_weights.mjs';
import { ENGINES } from './engines.mjs';
import { serve } from './site.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = async (path) => new Uint8Array(await readFile(root + path));
const FILMS = ['grey16.png', 'progressive.jpg', 'convert/rings.png'].map((name) => `tests/fixtures/${name}`);

let server, floats, wasm;

before(async () => {
  wasm = await read('build/pleura.wasm');
  floats = await floatWeights();
  server = await serve();
  server.folder = await mkdtemp(`${tmpdir()}/pleura-`);
  await Promise.all(['src', 'build', 'model', 'tests'].map((name) => symlink(root + name, `${server.folder}/${name}`)));
  await writeFile(`${server.folder}/index.html`, '<!doctype html><title>engine</title>');
  await writeFile(`${server.folder}/floats.gguf`, floats);
});

after(() => server && Promise.all([server.close(), rm(server.folder, { recursive: true })]));

for (const [name, open] of Object.entries(ENGINES))
  describe(name, () => {
    let page, close;
    before(async () => {
      ({ page, close } = await open(server));
    });
    after(() => close?.());

    test('SIMD kernels equal the reference over the whole sweep', async () => {
      assert.equal(
        await page.evaluate(async () => {
          const file = await fetch('build/test_kernels.wasm').then((response) => response.arrayBuffer());
          const {
            instance: { exports },
          } = await WebAssembly.instantiate(file, { env: { emscripten_notify_memory_growth() {} } });
          exports._initialize();
          return exports.test_kernels(0);
        }),
        0,
      );
    });

    test('float and int8 weights give the bits of Node, with relaxed SIMD and without', async (t) => {
      const answers = await page.evaluate(async (films) => {
        const { createEngine } = await import(`${location.href}src/engine.mjs`);
        const get = async (path) => new Uint8Array(await fetch(path).then((response) => response.arrayBuffer()));
        const files = await Promise.all(films.map(get)),
          wasm = await get('build/pleura.wasm'),
          dot = await get('build/pleura.dot.wasm');
        const bits = async (path, options) => {
          const engine = await createEngine({ wasm, weights: await get(path), ...options });
          return {
            relaxed: engine.model.relaxed,
            bits: [engine.phantom(), ...files.map((film) => engine.diagnose(film))].map((one) => one.bits),
          };
        };
        return {
          floats: await bits('floats.gguf'),
          bytes: await bits('model/pleura.gguf'),
          relaxed: await bits('model/pleura.gguf', { dot }),
        };
      }, FILMS);
      const here = async (weights) => {
        const engine = await createEngine({ wasm, weights });
        return [engine.phantom(), ...(await Promise.all(FILMS.map(read))).map((film) => engine.diagnose(film))].map(
          (one) => one.bits,
        );
      };
      assert.deepEqual(answers.floats.bits, await here(floats));
      const expected = await here(await read('model/pleura.gguf'));
      assert.deepEqual([answers.bytes.bits, answers.relaxed.bits], [expected, expected]);
      t.diagnostic(`${name} ${answers.relaxed.relaxed ? 'takes' : 'does not take'} the relaxed products`);
      if (name === 'Chromium') assert.deepEqual([answers.bytes.relaxed, answers.relaxed.relaxed], [false, true]);
    });
  });
