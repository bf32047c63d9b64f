// update.slow.test.mjs: two builds of the site that differ in every file. Visitors get one of them, always complete,
// whatever happens in between.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { FLAGS, faults, launch, serve, settled } from './site.mjs';
import { count, diagnoses, modelName, ready, reloadAtWord, stored, updateOffered, visit } from './visitor.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
let browser, folder, older, newer;
before(async () => {
  folder = await mkdtemp(`${tmpdir()}/pleura-`);
  [older, newer] = await Promise.all([edition(`${root}build/site`), buildNewer()]);
  browser = await launch(); // last, so that a failure leaves none open, for which the run would wait
});
after(() => Promise.all([browser?.close(), rm(folder, { recursive: true, force: true, maxRetries: 5 })]));

/** Builds the site with a difference in every kind of file: page, script, style, worker, engine, weights, DICOM reader
 *  and languages. */
async function buildNewer() {
  const copy = `${folder}/newer/`;
  for (const part of ['web', 'src', 'model/card.md', 'model/pleura.gguf', 'model/samples', 'build/pleura.wasm'])
    await cp(root + part, copy + part, { recursive: true });
  await symlink(`${root}node_modules`, `${copy}node_modules`);
  const change = async (file, edit) => writeFile(copy + file, edit(await readFile(copy + file)));
  const swap = (from, to) => (bytes) => {
    assert.ok(bytes.includes(from), from);
    return bytes.toString().replace(from, to);
  };
  await change(
    'web/i18n/en.mjs',
    swap('Your images never leave this device', 'Your images never leave this newer device'),
  );
  await change('web/i18n/fr.mjs', swap("'page.tagline': '", "'page.tagline': 'Plus récent : "));
  await change('web/app.css', (bytes) => `${bytes}:root { --edition: newer; }\n`);
  await change('web/engine/worker.mjs', (bytes) => `${bytes}self.edition = 'newer';\n`);
  await change('src/dicom/reader.mjs', (bytes) => `${bytes}export const EDITION = 'newer';\n`);
  await change('build/pleura.wasm', (bytes) => Buffer.concat([bytes, Buffer.from('\0\x06\x05newer', 'latin1')])); // a custom section
  await change('model/pleura.gguf', renamed);
  await promisify(execFile)(process.execPath, [`${copy}web/site/build.mjs`]);
  return edition(`${copy}build/site`);
}

/** The same networks under another model name, hence another file. */
function renamed(weights) {
  const bytes = Buffer.from(weights),
    key = Buffer.from('general.name');
  const at = bytes.indexOf(key) + key.length + 4 + 8; // after the type and the length of the string
  assert.match(bytes.toString('latin1', at, at + 6), /^pleura$/i);
  bytes.write('newone', at);
  return bytes;
}

/** @typedef {{folder: string, names: string[], version: string, newer: boolean}} Edition  @returns {Promise<Edition>} */
async function edition(folder) {
  const [, version] = (await readFile(`${folder}/index.html`, 'utf8')).match(/name="version" content="(\w+)"/);
  return { folder, names: ['', ...(await readdir(folder))], version, newer: !folder.startsWith(`${root}build`) };
}

/** The files of its folder that a page and its workers have requested. */
async function asked(page) {
  const names = () =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => new URL(name))
      .filter(({ protocol }) => protocol !== 'blob:')
      .map(({ pathname }) => pathname.split('/').pop());
  return (await Promise.all([page, ...page.workers()].map((place) => place.evaluate(names)))).flat();
}

/** Asserts that page, style, script, worker, engine and weights are all of this edition, and work.
 *  @param {Edition} edition */
async function whole(page, edition) {
  await diagnoses(page);
  const [worker] = page.workers();
  assert.deepEqual(
    {
      ...(await page.evaluate(() => ({
        version: document.querySelector('[name=version]').content,
        style: getComputedStyle(document.documentElement).getPropertyValue('--edition'),
        script: document.querySelector('.tagline').textContent,
      }))),
      worker: await worker.evaluate(() => globalThis.edition ?? ''),
      weights: (await modelName(page)).slice(0, 6),
      foreign: (await asked(page)).filter((name) => !edition.names.includes(name)),
    },
    {
      version: edition.version,
      style: edition.newer ? 'newer' : '',
      script: edition.newer ? 'Your images never leave this newer device' : 'Your images never leave this device',
      worker: edition.newer ? 'newer' : '',
      weights: edition.newer ? 'newone' : 'pleura',
      foreign: [],
    },
  );
}

/** @param {Edition} edition */
async function readyAndWhole(page, edition) {
  await ready(page);
  await whole(page, edition);
}

test('the two builds differ in every kind of file', () => {
  for (const kind of [/^app.*js$/, /^app.*css$/, /^worker/, /^pleura.*wasm$/, /gguf$/, /^dicom/, /^words-fr/]) {
    const [a, b] = [older, newer].map(({ names }) => names.find((name) => kind.test(name)));
    assert.ok(a && b && a !== b, `${kind}: ${a} ${b}`);
  }
  assert.notEqual(older.version, newer.version);
});

/* Three visitors at once, because Chromium waits two to three seconds before it looks for an update. */
describe('updates', { concurrency: 3 }, () => {
  test('an update waits for a reload; the reloaded tab is entirely new, the other stays entirely old until its own reload', async (t) => {
    const { page, server, another } = await visit(t, browser);
    await ready(page);
    const other = await another();
    await ready(other);
    server.folder = newer.folder;
    await page.reload();
    await updateOffered(page);
    await updateOffered(other);
    assert.match(await page.textContent('#update'), /^\s*Update available\.\s*Reload\s*$/);
    assert.deepEqual(await faults(page), [], 'update offered');
    await page.reload();
    await updateOffered(page);
    await whole(page, older);
    assert.match(await page.textContent('#update-text'), /reloading clears this page/);

    await reloadAtWord(page);
    await readyAndWhole(page, newer);
    assert.equal(await page.isVisible('#update'), false);
    await server.close();
    await whole(other, older); // including the DICOM reader, which it had not requested before
    for (const name of older.names)
      // The pictures of the manifest and the examples are fetched on request alone.
      if (!['sw.js', 'index.html'].includes(name) && !name.endsWith('.jpg'))
        assert.equal(await other.evaluate(async (file) => (await fetch(`./${file}`)).status, name), 200, name);
    await page.reload();
    await readyAndWhole(page, newer);

    await reloadAtWord(other);
    await readyAndWhole(other, newer);
    await Promise.all([page.close(), other.close()]);
    const last = await another();
    await ready(last);
    while ((await stored(last)).some((name) => !newer.names.includes(name))) await last.waitForTimeout(50);
  });

  test('an update also arrives once every page is closed, and so does a roll-back', async (t) => {
    const { page, server, another } = await visit(t, browser);
    await ready(page);
    let tab = page;
    const elsewhere = await page.context().newPage(); // not a page of the service worker's scope
    await elsewhere.route('**/elsewhere.html', (route) =>
      route.fulfill({ contentType: 'text/html', body: 'Nothing.' }),
    );
    await elsewhere.goto(new URL('/elsewhere.html', server.url).href);
    for (const edition of [newer, older]) {
      server.folder = edition.folder;
      await tab.reload();
      await updateOffered(tab);
      await tab.close();
      await elsewhere.waitForFunction(
        async (scope) => !(await navigator.serviceWorker.getRegistration(scope)).waiting,
        server.url,
      );
      tab = await another();
      await readyAndWhole(tab, edition);
    }
    assert.equal(count(server, '.gguf'), 3);
  });

  test('after a roll-back of the site, visitors with the newer version get the complete older one when they reload', async (t) => {
    const { page, server, another } = await visit(t, browser);
    server.folder = newer.folder;
    await page.reload();
    await readyAndWhole(page, newer);
    server.folder = older.folder;
    await page.reload();
    await updateOffered(page);
    await whole(page, newer);
    const other = await another();
    await readyAndWhole(other, newer);
    await reloadAtWord(page);
    await readyAndWhole(page, older);
    await whole(other, newer);
    await server.close();
    await page.reload();
    await readyAndWhole(page, older);
  });

  const half = (response, bytes, then) => response.write(bytes.subarray(0, bytes.length / 2), then);

  test('an interrupted update always leaves the old version complete, and arrives once the server has recovered', async (t) => {
    const { page, server } = await visit(t, browser);
    const { change, end } = server,
      weights = newer.names.find((name) => name.endsWith('.gguf')),
      of = (spoil) => (name, bytes) => (name === weights ? spoil(bytes) : bytes);
    await ready(page);
    server.folder = newer.folder;
    for (const [title, how] of /** @type {[string, object][]} */ ([
      ['the server dies', { change: of(() => void server.close()) }],
      [
        'the connection is cut in the middle of a file',
        {
          end: (name, response, bytes) =>
            name === weights ? half(response, bytes, () => response.destroy()) : response.end(bytes),
        },
      ],
      ['a file is cut short', { change: of((bytes) => bytes.subarray(0, bytes.length / 2)) }],
      ['a byte is altered', { change: of((bytes) => Buffer.from(bytes).fill(bytes.at(-1) ^ 1, bytes.length - 1)) }],
      ['a file is missing', { change: of(() => null) }],
    ])) {
      Object.assign(server, { change, end }, how);
      const asked = count(server, weights);
      await page.reload();
      while (count(server, weights) === asked) await page.waitForTimeout(50);
      await ready(page);
      await server.close();
      await page.reload();
      await readyAndWhole(page, older);
      assert.equal(await page.isVisible('#update'), false, title);
      await server.open();
    }
    Object.assign(server, { change, end });
    await page.reload();
    await updateOffered(page);
    await reloadAtWord(page);
    await readyAndWhole(page, newer);
  });

  test('a browser killed during an update has the complete old version, and gets the new one later', async (t) => {
    const server = await serve(),
      profile = `${folder}/profile`;
    t.after(server.close);
    const first = await start(t, profile, server);
    await ready(first.page);
    server.folder = newer.folder;
    const { end } = server;
    server.end = (name, response, bytes) =>
      name.endsWith('.gguf') ? half(response, bytes, () => {}) : response.end(bytes); // the weights never arrive in full
    const asked = count(server, '.gguf');
    await first.page.reload();
    while (count(server, '.gguf') === asked) await first.page.waitForTimeout(50);
    await first.page.waitForTimeout(500);
    await first.kill();
    await server.close();
    const second = await start(t, profile, server);
    await readyAndWhole(second.page, older);
    server.end = end;
    await server.open();
    await second.page.reload();
    await updateOffered(second.page);
    await reloadAtWord(second.page);
    await readyAndWhole(second.page, newer);
  });

  test('a device that lost everything gets the complete newer version of the site', async (t) => {
    const { page, server } = await visit(t, browser);
    await ready(page);
    server.folder = newer.folder;
    await page.evaluate(async () => {
      for (const name of await caches.keys()) await caches.delete(name);
    });
    await page.reload();
    await settled(page);
    await whole(page, newer);
    await updateOffered(page);
    await reloadAtWord(page);
    await readyAndWhole(page, newer);
    await server.close();
    await page.reload();
    await readyAndWhole(page, newer);
  });

  test('an old page that is sent a new file under the old name does not use it', async (t) => {
    const server = await serve(),
      context = await browser.newContext({ serviceWorkers: 'block' });
    t.after(server.close);
    t.after(() => context.close());
    for (const part of [/^app.*js$/, /^app.*css$/, /^pleura.*wasm$/, /gguf$/]) {
      const bytes = await readFile(`${newer.folder}/${newer.names.find((name) => part.test(name))}`);
      server.change = (name, own) => (part.test(name) ? bytes : own);
      const page = await context.newPage();
      await page.goto(server.url);
      if (part.test('app.js')) assert.match(await page.locator('#unstarted').textContent(), /^Pleura did not start/);
      else await settled(page);
      assert.notEqual(await page.textContent('.tagline'), 'Your images never leave this newer device');
      assert.equal(
        await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--edition')),
        '',
      );
      if (/wasm|gguf/.test(part.source))
        assert.match(await page.textContent('#work.failed #work-text'), /its SHA-256 differs/);
      server.change = (name, own) => own;
      await page.reload();
      await settled(page);
      await whole(page, older);
    }
  });
});

/** A browser with its profile on disk, so that it can be killed and reopened. */
async function start(t, profile, server) {
  const child = spawn(
    process.env.CHROMIUM || '/usr/bin/chromium',
    [...FLAGS, '--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  t.after(kill);
  let said = '';
  for await (const text of child.stderr.iterator({ destroyOnReturn: false })) {
    said += text;
    if (/ws:\S+/.test(said)) break;
  }
  child.stderr.resume();
  const connected = await chromium.connectOverCDP(/ws:\S+/.exec(said)[0]),
    page = connected.contexts()[0].pages()[0];
  await page.goto(server.url);
  return { page, kill };
}
