// offline.test.mjs: the page without a network, its updates, and files that this device lost or altered; the server is really stopped
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEngine } from '../../src/engine.mjs';
import { choose, faults, launch, open, png, reading, serve, settled } from './site.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const film = { name: 'film.png', buffer: png(200, 240) };
let browser, engine, folder, newer;
before(async () => {
  const [wasm, weights] = await Promise.all(['build/pleura.wasm', 'model/pleura.gguf'].map((file) => readFile(root + file)));
  folder = await mkdtemp(`${tmpdir()}/pleura-`);
  newer = `${folder}/site`;
  await writeFile(`${folder}/newer.gguf`, renamed(weights));
  [browser, engine] = await Promise.all([launch(), createEngine({ wasm, weights }),
    promisify(execFile)(process.execPath, [`${root}web/build.mjs`, '--weights', `${folder}/newer.gguf`, '--out', newer])]);
});
after(() => Promise.all([browser?.close(), rm(folder, { recursive: true, force: true })]));

/** The same networks as a model of another name, hence another file. */
function renamed(weights) {
  const bytes = Buffer.from(weights), key = Buffer.from('general.name');
  const at = bytes.indexOf(key) + key.length + 4 + 8; // behind the type and the length of the string
  assert.match(bytes.toString('latin1', at, at + 6), /^pleura$/i);
  bytes.write('newone', at);
  return bytes;
}

/** A visitor with a server of her own; `another` opens one more tab. */
async function visit(t, options) {
  const server = await serve();
  t.after(server.close);
  const opened = await open(browser, server, options);
  t.after(opened.close);
  const another = async (path = '') => {
    const page = await opened.page.context().newPage();
    await page.goto(server.url + path);
    return page;
  };
  return { ...opened, server, another };
}

const kept = (page, pattern = /^Ready to work offline$/) =>
  page.waitForFunction((source) => new RegExp(source).test(document.getElementById('kept').textContent), pattern.source);
const ready = async (page) => { await settled(page); await kept(page); };
const modelName = (page) => page.textContent('#model');
const updateOffered = (page) => page.waitForSelector('#update:not([hidden])');

/** Both the phantom and a film get the bits that Node computes. */
async function diagnoses(page) {
  await page.evaluate(() => document.querySelector('[data-action=phantom]').click());
  await settled(page);
  assert.equal((await reading(page)).facts['Bits of the answer'], engine.phantom().bits);
  await choose(page, [film]);
  await settled(page);
  assert.equal((await reading(page)).facts['Bits of the answer'], engine.diagnose(new Uint8Array(film.buffer)).bits);
}

const count = (server, ending) => server.requests.filter((path) => path.endsWith(ending)).length;
/** The names in this origin's store. */
const stored = (page) => page.evaluate(async () => {
  const [name] = await caches.keys();
  return (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname.split('/').pop());
});
/** Changes one bit of, or deletes, each stored file with such a name. */
const spoil = (page, ending, how) => page.evaluate(async ({ ending, how }) => {
  const store = await caches.open((await caches.keys())[0]);
  for (const request of await store.keys()) {
    if (!new URL(request.url).pathname.endsWith(ending)) continue;
    const bytes = new Uint8Array(await (await store.match(request)).arrayBuffer());
    bytes[bytes.length - 1] ^= 1;
    if (how === 'altered') await store.put(request, new Response(bytes));
    else await store.delete(request);
  }
}, { ending, how });

/* Several visitors at once: much of the time goes into Chromium's own delay of two to three seconds before it looks for an update. */
describe('offline', { concurrency: 3 }, () => {
  test('after one visit the page works without its server: reloaded, opened anew, from any address of its folder', async (t) => {
    const { page, server, another, complaints, asked } = await visit(t);
    await ready(page);
    for (const name of await readdir(server.folder)) {
      if (/\.(wasm|gguf)$/.test(name)) assert.equal(count(server, name), 1, `${name} is fetched once`);
      else assert.ok(count(server, name) <= 3, `${name} is fetched ${count(server, name)} times`);
    }
    const before = server.requests.length;
    asked.length = 0;
    await diagnoses(page);
    assert.equal(server.requests.length, before, 'a diagnosis asks the server for nothing');
    assert.deepEqual(asked.filter((url) => !url.startsWith('blob:')), []);
    assert.deepEqual(complaints, []);

    await server.close();
    await page.reload();
    await ready(page);
    await page.close();
    for (const path of ['', 'index.html', '?from=home', 'no/such/page']) {
      const anew = await another(path);
      await ready(anew);
      if (path.startsWith('no/')) assert.equal(anew.url(), server.url);
      else await anew.close();
    }
    const last = page.context().pages()[0];
    await diagnoses(last);
    const [card] = await Promise.all([last.waitForEvent('popup'), last.click('#footer a')]);
    await card.waitForSelector('h1');
    assert.deepEqual(await faults(card), [], 'model card');
    assert.equal(server.requests.length, before);
  });

  test('an update waits for the word; the reloaded tab is all new, the other stays all old until its own reload', async (t) => {
    const { page, server, another } = await visit(t);
    await ready(page);
    const other = await another();
    await ready(other);
    const old = await modelName(page), oldFiles = await stored(page);
    server.folder = newer;
    await page.reload();
    await updateOffered(page);
    await updateOffered(other);
    assert.match(await page.textContent('#update'), /^\s*Update available\.\s*Reload\s*$/);
    assert.deepEqual(await faults(page), [], 'update offered');
    await page.reload();
    await updateOffered(page);
    assert.equal(await modelName(page), old);
    await diagnoses(page);
    assert.match(await page.textContent('#update-text'), /reloading clears this page/);

    await Promise.all([page.waitForEvent('load'), page.click('[data-action=reload]')]);
    await ready(page);
    assert.match(await modelName(page), /^newone/);
    assert.equal(await page.isVisible('#update'), false);
    assert.equal(await modelName(other), old);
    const names = new Set(['', ...await readdir(newer)]), older = oldFiles.filter((name) => !names.has(name));
    assert.ok(older.length >= 2, String(older)); // script and weights at least
    await server.close();
    await diagnoses(other);
    for (const name of older) assert.equal(await other.evaluate(async (file) => (await fetch(file)).status, name), 200, `the old tab still finds ${name}`);
    await page.reload();
    await ready(page);
    assert.match(await modelName(page), /^newone/);
    await diagnoses(page);

    await Promise.all([other.waitForEvent('load'), other.click('[data-action=reload]')]);
    await ready(other);
    assert.match(await modelName(other), /^newone/);
    await Promise.all([page.close(), other.close()]);
    const last = await another();
    await ready(last);
    while ((await stored(last)).some((name) => !names.has(name))) await last.waitForTimeout(50);
  });

  test('an update also arrives when every page has been closed, and so does the way back', async (t) => {
    const { page, server, another } = await visit(t);
    await ready(page);
    const old = await modelName(page), first = server.folder;
    let tab = page;
    for (const [site, name] of [[newer, /^newone/], [first, old]]) {
      server.folder = site;
      await tab.reload();
      await updateOffered(tab);
      await tab.close();
      tab = await another();
      await ready(tab);
      assert.match(await modelName(tab), name instanceof RegExp ? name : new RegExp(`^${name.slice(0, 20)}`));
    }
    assert.equal(count(server, '.gguf'), 3);
  });

  for (const [title, change] of [
    ['whose server dies midway', (name, bytes, server) => (name.endsWith('.gguf') ? void server.close() : bytes)],
    ['with one altered byte', (name, bytes) => (name.endsWith('.gguf') ? Buffer.from(bytes).fill(bytes.at(-1) ^ 1, bytes.length - 1) : bytes)],
  ]) {
    test(`an update ${title} leaves the old version whole`, async (t) => {
      const { page, server } = await visit(t);
      await ready(page);
      const old = await modelName(page);
      Object.assign(server, { folder: newer, change: (name, bytes) => change(name, bytes, server) });
      const asked = count(server, '.gguf');
      await page.reload();
      await ready(page);
      while (count(server, '.gguf') === asked) await page.waitForTimeout(50);
      await server.close();
      await page.reload();
      await ready(page);
      assert.equal(await modelName(page), old);
      assert.equal(await page.isVisible('#update'), false);
      await diagnoses(page);
      server.change = (name, bytes) => bytes;
      await server.open();
      await page.reload();
      await updateOffered(page);
      await Promise.all([page.waitForEvent('load'), page.click('[data-action=reload]')]);
      await ready(page);
      assert.match(await modelName(page), /^newone/);
    });
  }

  for (const [part, sentence] of [['.wasm', /^The engine .* its SHA-256 differs/], ['.gguf', /^The file of weights .* its SHA-256 differs/]]) {
    test(`${part} with one altered bit on this device is refused, and trying again fetches it`, async (t) => {
      const { page, server } = await visit(t);
      const file = (await readdir(server.folder)).find((name) => name.startsWith('pleura') && name.endsWith(part));
      await ready(page);
      await spoil(page, file, 'altered');
      await page.reload();
      await page.waitForSelector('#work.failed');
      assert.match(await page.textContent('#work-text'), sentence);
      assert.equal(count(server, file), 1);
      await page.click('#work-retry');
      await ready(page);
      assert.equal(count(server, file), 2);
      await server.close();
      await page.reload();
      await ready(page);
      await diagnoses(page);
    });
  }

  test('weights that this device lost are named when the network is away, and fetched when it is back', async (t) => {
    const { page, server } = await visit(t);
    await ready(page);
    await spoil(page, '.gguf', 'lost');
    await server.close();
    await page.reload();
    await page.waitForSelector('#work.failed');
    assert.match(await page.textContent('#work-text'), /^The connection broke off before the file of weights had arrived/);
    await server.open();
    await page.click('#work-retry');
    await ready(page);
    await server.close();
    await page.reload();
    await ready(page);
  });

  test('any other file that this device lost or altered is named, and fetched again when the network allows', async (t) => {
    const { page, server, another } = await visit(t, { viewport: { width: 390, height: 844 } });
    await ready(page);
    await spoil(page, '.css', 'altered');
    await server.close();
    await page.reload();
    await settled(page);
    await kept(page, /^Not ready to work offline: a part of the page must be fetched again/);
    assert.deepEqual(await faults(page), [], 'not ready');
    await server.open();
    await page.click('#kept-retry');
    await kept(page, /^Ready to work offline: a part of the page had been lost or altered/);
    assert.equal(await page.isVisible('#kept-retry'), false);
    await server.close();
    await page.reload();
    await ready(page);
    await spoil(page, '/', 'lost'); // the page itself
    await page.close();
    const blank = await another();
    assert.match(await blank.textContent('body'), /^This part of Pleura is no longer stored on this device/);
    await server.open();
    await blank.reload();
    await ready(blank);
  });

  test('without a service worker the page works as before and keeps nothing', async (t) => {
    const { page } = await visit(t, { serviceWorkers: 'block' });
    await settled(page);
    await diagnoses(page);
    assert.equal(await page.textContent('#kept'), '');
    assert.deepEqual(await page.evaluate(() => caches.keys()), []);
  });

  test('Chromium finds the page installable, with icons of the sizes it states', async (t) => {
    const { page, server } = await visit(t);
    await ready(page);
    const devtools = await page.context().newCDPSession(page);
    const { errors, data, url } = await devtools.send('Page.getAppManifest');
    assert.deepEqual(errors, []);
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
    assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'), []);
    const manifest = JSON.parse(data);
    for (const address of [manifest.start_url, manifest.scope]) assert.equal(new URL(address, url).href, server.url);
    assert.equal(manifest.display, 'standalone');
    for (const { src, sizes, type } of manifest.icons) {
      const response = await fetch(new URL(src, url));
      assert.equal(response.headers.get('content-type'), type);
      const bytes = Buffer.from(await response.arrayBuffer());
      if (type === 'image/png') assert.equal(sizes, `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`);
    }
    const apple = await page.getAttribute('[rel=apple-touch-icon]', 'href');
    assert.equal((await fetch(new URL(apple, server.url))).status, 200);
  });

  test('films that the system hands over at the start are read', async (t) => {
    const server = await serve();
    t.after(server.close);
    const context = await browser.newContext();
    t.after(() => context.close());
    await context.addInitScript((bytes) => {
      const getFile = async () => new File([Uint8Array.from(bytes)], 'film.png');
      Object.defineProperty(window, 'launchQueue', { value: { setConsumer: (consume) => setTimeout(() => consume({ files: [{ getFile }] })) } });
    }, [...film.buffer]);
    const page = await context.newPage();
    await page.goto(server.url);
    await page.waitForSelector('#desk:not([hidden])');
    await settled(page);
    assert.equal((await reading(page)).facts['Bits of the answer'], engine.diagnose(new Uint8Array(film.buffer)).bits);
  });
});
