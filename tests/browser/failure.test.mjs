// failure.test.mjs: missing and altered parts, a dead engine, cancelling: each has its message, and the page recovers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  asEngine,
  beforeWorker,
  choose,
  faults,
  focused,
  launch,
  open,
  png,
  resultOf,
  select,
  serve,
  settled,
} from './site.mjs';

const film = { name: 'film.png', buffer: png(128, 128) };
const special = { name: 'special.png', buffer: Buffer.from('7 bytes') };

let shared;
before(async () => {
  shared = await launch();
});
after(() => shared?.close());

/** A page whose server changes its files. */
async function start(t, change, { browser = shared, ...options } = {}) {
  const server = await serve();
  server.change = change;
  const { page, close } = await open(browser, server, options);
  t.after(async () => {
    await close();
    await server.close();
  });
  return { page, server };
}

const alter = (bytes) => Buffer.from(bytes).fill(bytes.at(-1) ^ 1, bytes.length - 1);
const is = (name, part) =>
  ({ wasm: name.endsWith('.wasm'), weights: name.endsWith('.gguf'), worker: name.startsWith('worker') })[part];

for (const [title, part, change, sentence] of [
  ['missing weights', 'weights', () => null, /^The model file could not be downloaded/],
  ['weights with one altered bit', 'weights', alter, /^The model file .* its SHA-256 differs/],
  [
    'weights cut short',
    'weights',
    (bytes) => bytes.subarray(0, bytes.length - 9),
    /^The model file .* its SHA-256 differs/,
  ],
  ['a page in the place of the weights', 'weights', () => '<!doctype html>', /^The model file .* its SHA-256 differs/],
  [
    'weights that never end',
    'weights',
    (bytes) => Buffer.concat([bytes, bytes]),
    /^The model file .* its SHA-256 differs/,
  ],
  ['a missing engine', 'wasm', () => null, /^The engine could not be downloaded/],
  ['an altered engine', 'wasm', alter, /^The engine .* its SHA-256 differs/],
  ['a missing worker', 'worker', () => null, /^The background worker could not be downloaded/],
]) {
  test(`${title}: the page says why, and a retry works, for the waiting film too`, async (t) => {
    const { page, server } = await start(t, (name, bytes) => (is(name, part) ? change(bytes) : bytes));
    await choose(page, [film]);
    await page.waitForSelector('#work.failed');
    assert.match(await page.textContent('#work-text'), sentence);
    assert.equal(await page.textContent('#announcement'), await page.textContent('#work-text'));
    assert.equal((await resultOf(page)).status, 'waiting');
    server.change = (name, bytes) => bytes;
    await page.click('#work-retry');
    await settled(page);
    assert.equal(await page.isVisible('#work'), false);
    assert.equal(await focused(page), 'desk', 'the button is gone');
    assert.match((await resultOf(page)).facts['Result fingerprint'], /^[0-9a-f]{16}$/);
  });
}

test('a lost connection is reported, and a retry works', async (t) => {
  const { page } = await start(t, (name, bytes) => bytes, { serviceWorkers: 'block' });
  await settled(page);
  await page.route('**/*.gguf', (route) => route.abort());
  await page.reload();
  await page.waitForSelector('#work.failed');
  assert.match(await page.textContent('#work-text'), /^The connection was lost/);
  await page.unroute('**/*.gguf');
  await page.click('#work-retry');
  await settled(page);
  assert.equal(await page.isVisible('#work'), false);
});

test('a page that has started no longer needs its server', async (t) => {
  const { page, server } = await start(t, (name, bytes) => bytes);
  await settled(page);
  await server.close();
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  assert.match((await resultOf(page)).facts['Result fingerprint'], /^[0-9a-f]{16}$/);
});

test('in a browser without WebAssembly SIMD the page says so and offers no retry', async (t) => {
  const browser = await launch(['--js-flags=--no-enable-sse4-1']);
  t.after(() => browser.close());
  const { page } = await start(t, (name, bytes) => bytes, { browser });
  await page.waitForSelector('#work.failed');
  assert.match(await page.textContent('#work-text'), /^This browser cannot run WebAssembly with SIMD/);
  assert.equal(await page.isVisible('#work-retry'), false);
});

/** Has the engine run `how` when it gets a file of 7 bytes. */
const spoil = (how) =>
  asEngine(
    `const { diagnose } = exports; exports = { ...exports, diagnose: (size) => (size === 7 ? (${how})() : diagnose(size)) };`,
  );

for (const [title, change] of [
  ['a trap in the engine', spoil("() => { throw new WebAssembly.RuntimeError('unreachable'); }")],
  [
    'an error that nothing catches',
    beforeWorker(`
    const { arrayBuffer } = Blob.prototype;
    Blob.prototype.arrayBuffer = function () {
      return this.size !== 7 ? arrayBuffer.call(this) : new Promise(() => { setTimeout(() => { throw new Error('dead'); }); });
    };
  `),
  ],
]) {
  test(`${title} costs one film; the engine restarts without the network and reads the rest`, async (t) => {
    const { page, server } = await start(t, change, { serviceWorkers: 'block' }); // its requests would be counted
    await settled(page);
    const fetched = () => server.requests.filter((path) => /wasm|gguf/.test(path)).length;
    const before = fetched();
    await choose(page, [film, special, { ...film, name: 'after.png' }]);
    await settled(page);
    assert.equal(fetched(), before);
    for (const place of [0, 2]) {
      await select(page, place);
      assert.match((await resultOf(page)).facts['Result fingerprint'], /^[0-9a-f]{16}$/);
    }
    await select(page, 1);
    assert.match((await resultOf(page)).because, /^The engine stopped while analysing this file/);
    assert.equal(await page.isVisible('#film-retry'), true);
  });
}

test('cancelling ends even an endless computation; each film can be retried', async (t) => {
  const { page } = await start(t, spoil('() => { for (;;); }'));
  await settled(page);
  await choose(page, [film, special, { ...film, name: 'after.png' }]);
  await page.waitForSelector('#strip-list [data-status=running] >> text=special.png');
  assert.deepEqual(await faults(page), [], 'while reading');
  await page.click('#work-cancel');
  await settled(page);
  assert.equal(await focused(page), 'desk', 'the button is gone');
  const words = await page.locator('.strip-word').allTextContents();
  assert.deepEqual(words.slice(1), ['Not analysed', 'Not analysed']);
  await select(page, 2);
  assert.deepEqual(await faults(page), [], 'when cancelled');
  await page.click('#film-retry');
  await settled(page);
  assert.equal(await focused(page), 'result', 'the button is gone');
  assert.match((await resultOf(page)).facts['Result fingerprint'], /^[0-9a-f]{16}$/);
  await page.click('#retry-cancelled');
  await page.waitForSelector('#strip-list [data-status=running] >> text=special.png');
  await page.click('#work-cancel');
  await settled(page);
  assert.deepEqual(
    await page.locator('#strip-list button').evaluateAll((all) => all.map(({ dataset }) => dataset.status)),
    ['done', 'cancelled', 'done'],
  );
});

test('an engine that fails its self-test reads nothing and says so', async (t) => {
  const { page } = await start(t, asEngine('exports = { ...exports, load: () => 14 };')); // PLEURA_SELF_TEST
  await choose(page, [film]);
  await page.waitForSelector('#work.failed');
  assert.match(await page.textContent('#work-text'), /^This machine or browser does not reproduce/);
  assert.equal((await resultOf(page)).status, 'waiting');
  assert.equal(await page.isVisible('#work-retry'), true);
});
