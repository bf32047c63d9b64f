// offline.slow.test.mjs: the page without a network, and with files that the device has lost or altered. The server is
// really stopped.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { faults, launch, png, resultOf, serve, settled, watch } from './site.mjs';
import { count, diagnoses, engine, kept, MENDED, ready, spoil, stored, visit } from './visitor.mjs';

const film = { name: 'film.png', buffer: png(200, 240) };
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/* Three visitors at once, because much of the time goes into waiting. */
describe('offline', { concurrency: 3 }, () => {
  test('after one visit the page works without its server: reloaded, opened again, from any address of its folder', async (t) => {
    const { page, server, another, complaints, asked } = await visit(t, browser);
    await ready(page);
    for (const name of await readdir(server.folder)) {
      if (/\.(wasm|gguf)$/.test(name)) assert.equal(count(server, name), 1, `${name} is fetched once`);
      else assert.ok(count(server, name) <= 3, `${name} is fetched ${count(server, name)} times`);
    }
    const before = server.requests.length;
    asked.length = 0;
    await diagnoses(page);
    assert.equal(server.requests.length, before, 'a diagnosis asks the server for nothing');
    assert.deepEqual(
      asked.filter((url) => !url.startsWith('blob:') && !url.startsWith(server.url)),
      [],
    );
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

  test('every stored file that is lost, truncated or altered is fetched again, or else not used', async (t) => {
    const { page, server } = await visit(t, browser);
    await ready(page);
    const files = (await stored(page)).length;
    for (const how of /** @type {const} */ (['lost', 'truncated', 'altered'])) {
      await spoil(page, '', how);
      server.requests.length = 0;
      await page.reload();
      await ready(page, MENDED);
      assert.equal(
        new Set(server.requests.filter((path) => !path.endsWith('/sw.js'))).size,
        files,
        `${how}: each file is fetched`,
      );
      await server.close();
      await page.reload();
      await ready(page);
      await diagnoses(page);
      await server.open();
    }
  });

  for (const [part, name] of [
    ['.wasm', 'engine'],
    ['.gguf', 'model file'],
  ]) {
    test(`${part} that is missing, or altered on this device or on the server, is never used, and the page says which`, async (t) => {
      const { page, server } = await visit(t, browser);
      const file = (await readdir(server.folder)).find((one) => one.startsWith('pleura') && one.endsWith(part)),
        { change } = server;
      const said = (start) =>
        page.waitForFunction(
          (sentence) => document.querySelector('#work.failed #work-text')?.textContent.startsWith(sentence),
          start,
        );
      await ready(page);
      await spoil(page, file, 'altered');
      await server.close();
      await page.reload();
      await said(`The connection was lost before the ${name} had downloaded. There is no usable copy on this device`);
      await server.open();
      server.change = (one, bytes) =>
        one === file ? Buffer.from(bytes).fill(bytes.at(-1) ^ 1, bytes.length - 1) : bytes;
      await page.click('#work-retry');
      await said(`The ${name} that was downloaded is not the one this page was built with: its SHA-256 differs`);
      server.change = (one, bytes) => (one === file ? null : bytes);
      await page.click('#work-retry');
      await said(`The ${name} could not be downloaded.`);
      server.change = change;
      await page.click('#work-retry');
      await ready(page, MENDED);
      await server.close();
      await page.reload();
      await ready(page);
      await diagnoses(page);
    });
  }

  for (const part of ['app.js', 'worker.js']) {
    test(`${part} with one altered bit on this device is not run: the page says so, and recovers with the network`, async (t) => {
      const { page, server } = await visit(t, browser);
      const file = (await readdir(server.folder)).find(
        (name) => name.startsWith(part.slice(0, -3)) && name.endsWith('.js'),
      );
      await ready(page);
      await spoil(page, file, 'altered');
      await server.close();
      await page.reload();
      const said = part === 'app.js' ? page.locator('#unstarted') : page.locator('#work.failed #work-text');
      await said.waitFor();
      assert.match(
        await said.textContent(),
        part === 'app.js'
          ? /^Pleura did not start: .* not used\. .* go online, then reload\.$/
          : /^The background worker could not be downloaded/,
      );
      const { change } = server;
      server.change = (name, bytes) =>
        name === file ? Buffer.concat([bytes, Buffer.from(';self.altered = 1')]) : bytes;
      await server.open();
      await page.reload();
      await said.waitFor(); // the server has altered it as well
      server.change = change;
      await page.reload();
      await ready(page, MENDED);
      await diagnoses(page);
    });
  }

  test('any other lost or altered file is named, and fetched again once there is a network', async (t) => {
    const { page, server, another } = await visit(t, browser, { viewport: { width: 390, height: 844 } });
    await ready(page);
    await spoil(page, '.svg', 'altered');
    await server.close();
    await page.reload();
    await settled(page);
    await kept(page, /^Not ready to work offline: part of the page must be downloaded again/);
    assert.deepEqual(await faults(page), [], 'not ready');
    await server.open();
    await page.click('#offline-retry');
    await kept(page, MENDED);
    assert.equal(await page.isVisible('#offline-retry'), false);
    await server.close();
    await page.reload();
    await ready(page);
    await spoil(page, '/', 'lost'); // the page itself
    await page.close();
    const blank = await another();
    assert.match(await blank.textContent('body'), /^This part of Pleura is no longer stored on this device/);
    await server.open();
    await blank.reload();
    await ready(blank, MENDED);
  });

  test('deleting the cache under an open page does not disturb it; it says what is missing and fetches it again', async (t) => {
    const { page, server, another } = await visit(t, browser);
    await ready(page);
    const wipe = () =>
      page.evaluate(async () => {
        for (const name of await caches.keys()) await caches.delete(name);
      });
    await wipe();
    await diagnoses(page); // the DICOM reader comes from the server
    await wipe();
    await server.close();
    await diagnoses(page);
    await page.selectOption('#language', 'fr');
    await page.waitForFunction(() =>
      /^That translation could not be loaded/.test(document.getElementById('announcement').textContent),
    );
    await page.selectOption('#language', 'en');
    await page.reload();
    assert.match(
      await page.textContent('body'),
      /^This part of Pleura is no longer stored on this device.* Go online, then reload/,
    );
    await server.open();
    await page.reload();
    await ready(page, MENDED);
    await server.close();
    const other = await another();
    await ready(other);
    await diagnoses(other);
  });

  test('without a service worker the page works online and stores only that its self-test passed', async (t) => {
    const { page } = await visit(t, browser, { serviceWorkers: 'block' });
    await settled(page);
    await diagnoses(page);
    assert.equal(await page.textContent('#offline'), '');
    const names = await page.evaluate(() => caches.keys());
    assert.equal(names.length, 1);
    assert.match(names[0], /^pleura self-test /);
  });

  test('Chromium finds the page installable, and its icons have the sizes it states', async (t) => {
    const { page, server } = await visit(t, browser);
    await ready(page);
    const devtools = await page.context().newCDPSession(page);
    const { errors, data, url } = await devtools.send('Page.getAppManifest');
    assert.deepEqual(errors, []);
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
    assert.deepEqual(
      installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'),
      [],
    );
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

  test('films that the system opens with the page are read', async (t) => {
    const server = await serve();
    t.after(server.close);
    const context = await browser.newContext();
    t.after(() => context.close());
    await watch(context, server);
    await context.addInitScript(
      (bytes) => {
        const getFile = async () => new File([Uint8Array.from(bytes)], 'film.png');
        Object.defineProperty(window, 'launchQueue', {
          value: { setConsumer: (consume) => setTimeout(() => consume({ files: [{ getFile }] })) },
        });
      },
      [...film.buffer],
    );
    const page = await context.newPage();
    await page.goto(server.url);
    await page.waitForSelector('#desk:not([hidden])');
    await settled(page);
    assert.equal((await resultOf(page)).facts['Result fingerprint'], engine.diagnose(new Uint8Array(film.buffer)).bits);
  });
});
