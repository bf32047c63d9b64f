// engine.test.mjs: the engine without the page, in Chromium: its kernels, floats and bytes, relaxed products too, give Node's bits
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/engine.mjs';
import { quantise } from '../../src/quantise.mjs';
import { launch } from './site.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = async (path) => new Uint8Array(await readFile(root + path));
const HOME = 'https://engine.test/';
const FILMS = ['grey16.png', 'progressive.jpg', 'convert/rings.png'].map((name) => `tests/fixtures/${name}`);

let browser, page, bytes, wasm;

before(async () => {
  wasm = await read('build/pleura.wasm');
  bytes = await quantise(wasm, await read('model/pleura.gguf'), await Promise.all(FILMS.map(read)));
  browser = await launch();
  page = await browser.newPage();
  await page.route(`${HOME}**`, async (route) => {
    const path = new URL(route.request().url()).pathname.slice(1);
    const body = path === '' ? '' : path === 'bytes.gguf' ? Buffer.from(bytes) : await readFile(root + path);
    await route.fulfill({ body, contentType: path === '' ? 'text/html' : path.endsWith('.mjs') ? 'text/javascript' : 'application/octet-stream' });
  });
  await page.goto(HOME);
});

after(() => browser.close());

test('vector kernels equal plain ones over the whole sweep', async () => {
  assert.equal(await page.evaluate(async () => {
    const file = await fetch('build/test_kernels.wasm').then((response) => response.arrayBuffer());
    const { instance: { exports } } = await WebAssembly.instantiate(file, { env: { emscripten_notify_memory_growth() {} } });
    exports._initialize();
    return exports.test_kernels(0);
  }), 0);
});

test('weights in floats and in bytes give the bits that Node gives, with relaxed products and without', async () => {
  const answers = await page.evaluate(async (films) => {
    const { createEngine } = await import(`${location.href}src/engine.mjs`);
    const get = async (path) => new Uint8Array(await fetch(path).then((response) => response.arrayBuffer()));
    const files = await Promise.all(films.map(get)), wasm = await get('build/pleura.wasm'), dot = await get('build/pleura.dot.wasm');
    const bits = async (path, options) => {
      const engine = await createEngine({ wasm, weights: await get(path), ...options });
      return { relaxed: engine.model.relaxed, bits: [engine.phantom(), ...files.map((film) => engine.diagnose(film))].map((one) => one.bits) };
    };
    return { floats: await bits('model/pleura.gguf'), bytes: await bits('bytes.gguf'), relaxed: await bits('bytes.gguf', { dot }) };
  }, FILMS);
  const here = async (weights) => {
    const engine = await createEngine({ wasm, weights });
    return [engine.phantom(), ...(await Promise.all(FILMS.map(read))).map((film) => engine.diagnose(film))].map((one) => one.bits);
  };
  assert.deepEqual(answers.floats.bits, await here(await read('model/pleura.gguf')));
  const expected = await here(bytes);
  assert.deepEqual([answers.bytes.bits, answers.relaxed.bits], [expected, expected]);
  assert.deepEqual([answers.bytes.relaxed, answers.relaxed.relaxed], [false, true]);
});
