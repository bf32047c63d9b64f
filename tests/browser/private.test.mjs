// private.test.mjs: the page requests nothing and stores nothing unless the user says so, and shows the proof.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { dicomFile } from '../dicom/file.mjs';
import english from '../../web/i18n/en.mjs';
import { choose, empty, faults, focused, keeping, launch, open, png, serve, settled, watch } from './site.mjs';

const paused = english['history.paused'];
const SIZES = [
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
];
const film = { name: 'Mrs Nobody.png', buffer: png(200, 240) };
let browser, server, shared;
before(async () => {
  [browser, server] = await Promise.all([
    launch(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']),
    serve(),
  ]);
  ({ page: shared } = await open(browser, server, { reducedMotion: 'reduce' }));
  await settled(shared);
});
after(() => Promise.all([browser?.close(), server?.close()]));

async function ready(t, options) {
  const opened = await open(browser, server, { reducedMotion: 'reduce', ...options });
  t.after(opened.close);
  await settled(opened.page);
  await opened.page.waitForSelector('text=Ready to work offline');
  return opened;
}

async function openDialog(page, name) {
  await page.click('#more');
  await page.click(`#menu [data-dialog=${name}]`);
  await page.waitForSelector(`#dialog-${name}[open]`);
}

async function read(page) {
  await choose(page, [film]);
  await settled(page);
}

const isPicture = (name) => name.endsWith('.jpg'); // fetched when it is asked for, and not stored
/** Everything that the browser stores for the site, apart from the site's own files. */
const kept = (page) =>
  page.evaluate(async () => {
    const files = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
    return {
      databases: (await indexedDB.databases()).map(({ name }) => name),
      local: localStorage.length,
      session: sessionStorage.length,
      cookie: document.cookie,
      files: files
        .flat()
        .map(({ url }) => new URL(url).pathname.split('/').pop())
        .sort(),
    };
  });
const siteAlone = async () => ({
  databases: [],
  local: 0,
  session: 0,
  cookie: '',
  files: [
    '',
    'self-test',
    ...(await readdir(server.folder)).filter((name) => !['index.html', 'sw.js'].includes(name) && !isPicture(name)),
  ].sort(),
});

test('by default nothing of a film is stored: no database, no storage, no cookie, and only the site itself and a note of its self-test in the cache', async (t) => {
  const { page } = await ready(t);
  await page.click('#welcome [data-action=phantom]');
  await read(page);
  for (const name of ['history', 'requests', 'keys']) {
    await openDialog(page, name);
    await page.keyboard.press('Escape');
  }
  assert.deepEqual(await kept(page), await siteAlone());
  await page.reload();
  await settled(page);
  assert.equal(await page.isVisible('#welcome'), true);
});

test("the page's list of requests equals the server's, and a film adds none", async (t) => {
  const { page, asked } = await ready(t);
  for (const end = Date.now() + 60_000; !asked.some((url) => /dicom-/.test(url));) {
    assert.ok(Date.now() < end, 'the DICOM reader was not loaded in advance');
    await page.waitForTimeout(50);
  }
  const before = server.requests.length;
  asked.length = 0;
  assert.equal(
    await page.textContent('#requests-count'),
    'Requests since your first image, apart from this page’s own files: 0',
  );
  await read(page);
  const pixels = new Uint8Array(128 * 128).map((_, i) => i);
  await choose(page, [{ name: 'IM1', buffer: dicomFile({ width: 128, height: 128, pixels }) }]);
  await settled(page);
  assert.deepEqual(asked, [], 'not even for the reader of the first DICOM file');
  await openDialog(page, 'requests');
  assert.equal(
    await page.textContent('#requests-since'),
    'Requests since your first image, apart from this page’s own files: 0',
  );
  assert.equal(server.requests.length, before);
  const listed = await page
    .locator('#requests tr')
    .evaluateAll((rows) => rows.map(({ children: [file, who] }) => [file.textContent, who.textContent]));
  for (const name of await readdir(server.folder)) {
    if (/^pleura.*\.(wasm|gguf)$/.test(name))
      assert.deepEqual(
        listed.filter(([file]) => file === name),
        [[name, 'page']],
        name,
      );
    if (/^(words|charls)/.test(name))
      assert.deepEqual(
        listed.filter(([file]) => file === name),
        [[name, 'service worker']],
        name,
      );
  }
  assert.ok(listed.some(([file, who]) => file === './' && who === 'page'));
  const policy = (await readFile(new URL('../../web/index.html', import.meta.url), 'utf8')).match(
    /Policy" content="([^"]+)/,
  )[1];
  assert.equal(await page.textContent('#policy'), policy);
  assert.deepEqual(await faults(page), []);
  await page.keyboard.press('Escape');
  await page.selectOption('#language', 'fr');
  await page.waitForSelector('[lang|=fr]');
  await page.selectOption('#language', 'en');
  await openDialog(page, 'requests');
  assert.equal(
    await page.textContent('#requests-since'),
    'Requests since your first image, apart from this page’s own files: 0',
  );
  await page.evaluate(() => fetch('./no-such-file'));
  await page.waitForFunction(() => document.getElementById('requests-since').textContent.endsWith('1'));
  await page.keyboard.press('Escape');
  assert.equal(
    await page.textContent('#requests-count'),
    'Requests since your first image, apart from this page’s own files: 1',
    'the count is live',
  );
});

test('requests after a film are counted whatever the clock says', async (t) => {
  const { page } = await ready(t);
  await page.evaluate(() => {
    const { now } = Date;
    Date.now = () => now() + 3_600_000; // the clock was set forward, or the machine slept
  });
  await read(page);
  await page.evaluate(() => fetch('./no-such-file'));
  await page.waitForFunction(() => document.getElementById('requests-count').textContent.endsWith(': 1'));
});

test('requests of another copy of the page on the same host are not counted', async (t) => {
  const { page } = await ready(t);
  await read(page);
  const other = await page.context().newPage();
  await other.goto(new URL('../other/', server.url).href);
  await other.waitForSelector('text=Ready to work offline');
  await openDialog(page, 'requests');
  assert.equal(
    await page.textContent('#requests-since'),
    'Requests since your first image, apart from this page’s own files: 0',
  );
  assert.equal(await page.locator('#requests th', { hasText: 'other/' }).count(), 0);
});

test('a cleared page holds nothing of its films: no name in the document, no picture in memory', async (t) => {
  const { page } = await ready(t);
  const tools = await page.context().newCDPSession(page);
  const held = async () => {
    await tools.send('HeapProfiler.collectGarbage');
    return (await tools.send('Runtime.getHeapUsage')).backingStorageSize;
  };
  const before = await held(),
    side = 1000,
    megabyte = 2 ** 20;
  const patient = { '00100010': ['PN', 'Nobody^Anna'] };
  await choose(page, [
    film,
    ...Array.from({ length: 6 }, (_, i) => ({ name: `Nobody ${i}.png`, buffer: png(side, side) })),
    {
      name: 'Nobody.dcm',
      buffer: dicomFile({ width: 128, height: 128, pixels: new Uint8Array(128 * 128).map((_, i) => i), tags: patient }),
    },
  ]);
  await settled(page);
  await page.click('#table-body >> text=Nobody.dcm');
  await page.click('#details summary');
  await page.click('#tags-show');
  await page.waitForSelector('#tags >> text=Nobody, Anna');
  await page.click('#more-tools');
  await page.selectOption('#beside', { label: 'Nobody 1.png' });
  await settled(page);
  assert.match(await page.textContent('#prior-name'), /Nobody 1/);
  await page.fill('#search', 'Nobody');
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  assert.ok((await held()) > before + 6 * 2 * side * side, 'the pictures are there to be forgotten');
  assert.match(await page.content(), /Nobody/);
  await page.click('#more');
  await page.click('#clear');
  assert.doesNotMatch(await page.content(), /Nobody/);
  await page.click('[data-action=undo-forget]');
  assert.ok((await held()) < before + megabyte, `${before} bytes before, ${await held()} after`);
  assert.equal(await page.inputValue('#search'), '');
  await choose(page, [film, { ...film, name: 'x.png' }]);
  await settled(page);
  assert.equal(await page.locator('#table-body tr').count(), 2);
});

test('tags that arrive after the page was cleared are dropped, and so is their film', async (t) => {
  const { page } = await ready(t);
  await choose(page, [
    {
      name: 'Nobody.dcm',
      buffer: dicomFile({
        width: 128,
        height: 128,
        pixels: new Uint8Array(128 * 128).map((_, i) => i),
        tags: { '00100010': ['PN', 'Nobody^Anna'] },
      }),
    },
  ]);
  await settled(page);
  await page.evaluate(() => {
    // the request for tags reaches the worker late
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (message, ...more) {
      if (message.type === 'tags') globalThis.release = () => postMessage.call(this, message, ...more);
      else postMessage.call(this, message, ...more);
    };
  });
  await page.click('#details summary');
  await page.click('#tags-show');
  await page.waitForFunction(() => Boolean(globalThis.release)); // returns no handle that would keep the film alive
  await page.click('#more');
  await page.click('#clear');
  await page.click('[data-action=undo-forget]');
  await page.evaluate(() => {
    globalThis.release();
    globalThis.release = null;
  });
  const tools = await page.context().newCDPSession(page);
  async function films() {
    await tools.send('HeapProfiler.collectGarbage');
    const { result } = await tools.send('Runtime.evaluate', { expression: 'File.prototype' });
    const { objects } = await tools.send('Runtime.queryObjects', { prototypeObjectId: result.objectId });
    const held = await tools.send('Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: 'function () { return this.length; }',
      returnByValue: true,
    });
    await tools.send('Runtime.releaseObject', { objectId: objects.objectId });
    return held.result.value;
  }
  for (const end = Date.now() + 60_000; (await films()) > 0;)
    assert.ok(Date.now() < end, 'the film is still in memory'); // it is released once the worker has answered
});

test('a removed film leaves no name behind', async () => {
  const page = shared;
  await empty(page);
  await choose(page, [
    { name: 'Nobody.png', buffer: Buffer.from('no picture') },
    { ...film, name: 'x.png' },
    { ...film, name: 'y.png' },
  ]);
  await settled(page);
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  assert.match(await page.content(), /Nobody/);
  await page.click('#film-choices [data-action=remove]');
  assert.equal(await page.textContent('#name'), 'x.png');
  assert.doesNotMatch(await page.content(), /Nobody/);
});

test('results are kept when asked, on this device, until they are wiped', async (t) => {
  const { page } = await ready(t);
  const look = async () => {
    for (const viewport of SIZES) {
      await page.setViewportSize(viewport);
      assert.deepEqual(await faults(page), [], `at ${viewport.width} pixels`);
    }
  };
  await openDialog(page, 'history');
  await look();
  await page.click('#history-switch');
  await keeping(page);
  await page.keyboard.press('Escape');
  await read(page);
  const verdict = await page.textContent('#verdict');
  await openDialog(page, 'history');
  await page.waitForSelector('#history tr');

  await page.reload();
  await settled(page);
  assert.equal(await page.isVisible('#welcome'), true, 'the film itself is gone');
  await openDialog(page, 'history');
  assert.equal(await page.isChecked('#history-switch'), true);
  assert.equal(await page.textContent('#history-count'), 'Saved results: 1');
  assert.deepEqual((await page.locator('#history tr > *').allTextContents()).slice(1), [film.name, verdict]);
  await look();
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-action=history-json]')]);
  const record = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.deepEqual([record.file, record.status], [film.name, 'ok']);
  assert.match(record.sha256, /^[0-9a-f]{64}$/);
  const bytes = await page.evaluate(async () => {
    const [{ name }] = await indexedDB.databases();
    const store = await new Promise((resolve) => {
      indexedDB.open(name).onsuccess = ({ target }) => resolve(target.result);
    });
    const [{ thumb }] = await new Promise((resolve) => {
      store.transaction('films').objectStore('films').getAll().onsuccess = ({ target }) => resolve(target.result);
    });
    store.close();
    return thumb.data.length;
  });
  assert.ok(bytes <= 128 * 128, 'a small picture, no film');

  await page.click('#history-switch');
  await page.waitForFunction((text) => document.getElementById('history-text').textContent === text, paused);
  assert.equal(await page.textContent('#history-count'), 'Saved results: 1', 'stopping deletes nothing');
  await page.keyboard.press('Escape');
  await read(page);
  await openDialog(page, 'history');
  assert.equal(await page.textContent('#history-count'), 'Saved results: 1', 'and keeps nothing more');
  await page.reload();
  await settled(page);
  await openDialog(page, 'history');
  assert.deepEqual([await page.isChecked('#history-switch'), await page.textContent('#history-text')], [false, paused]);
  const questions = [];
  const answer = (accepts) =>
    page.once('dialog', (dialog) => {
      questions.push(dialog.message());
      return accepts ? dialog.accept() : dialog.dismiss();
    });
  answer(false);
  await page.click('[data-action=wipe]');
  assert.equal(await page.textContent('#history-count'), 'Saved results: 1');
  answer(true);
  await page.click('[data-action=wipe]');
  await page.waitForFunction(() => document.getElementById('history-kept').hidden);
  assert.match(questions[1], /\(1\).*\(0\).*cannot be undone/);
  assert.equal(await page.isChecked('#history-switch'), false);
  assert.equal(await page.textContent('#announcement'), 'All saved results deleted.');
  assert.deepEqual(await kept(page), await siteAlone());
});

test('kept results can be saved even if the engine cannot start', async (t) => {
  const { page, close } = await open(browser, server, { serviceWorkers: 'block' });
  t.after(close);
  await settled(page);
  await openDialog(page, 'history');
  await page.click('#history-switch');
  await keeping(page);
  await page.keyboard.press('Escape');
  await read(page);
  await page.evaluate(async () => {
    for (const name of await caches.keys()) await caches.delete(name);
  });
  await page.route('**/*.gguf', (route) => route.abort());
  await page.reload();
  await page.waitForSelector('#work.failed');
  await openDialog(page, 'history');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-action=history-csv]')]);
  const [head, row] = (await readFile(await download.path(), 'utf8')).split('\n');
  assert.match(head, /,probability_covid,probability_pneumonia,probability_normal,/);
  assert.ok(row.startsWith(`${film.name},ok,`), row);
});

test('wiping in one tab also stops keeping in another', async (t) => {
  const { page } = await ready(t);
  await openDialog(page, 'history');
  await page.click('#history-switch');
  await keeping(page);
  const other = await page.context().newPage();
  await other.goto(server.url);
  await settled(other);
  await read(other);
  await openDialog(other, 'history');
  await other.waitForSelector('#history tr');
  await other.keyboard.press('Escape');
  await other.click('#more');
  await other.click('#clear');
  page.once('dialog', (dialog) => dialog.accept());
  await page.click('[data-action=wipe]');
  await page.waitForFunction(async () => (await indexedDB.databases()).length === 0);
  await other.waitForFunction((name) => !document.documentElement.outerHTML.includes(name), film.name);
  await read(other);
  assert.deepEqual((await kept(other)).databases, []);
  await openDialog(other, 'history');
  assert.equal(await other.isChecked('#history-switch'), false);
});

test('when storage is full the page says so once, and the result stays on the page', async (t) => {
  const { page } = await ready(t);
  await openDialog(page, 'history');
  await page.click('#history-switch');
  await keeping(page);
  await page.evaluate(() => {
    IDBObjectStore.prototype.add = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
  });
  await page.keyboard.press('Escape');
  await read(page);
  await openDialog(page, 'history');
  assert.match(await page.textContent('#history-error'), /^There is not enough storage/);
  assert.deepEqual(await faults(page), []);
  await page.keyboard.press('Escape');
  assert.equal(await page.textContent('#name'), film.name);
});

test('a browser that stores nothing at all still reads films', async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  await watch(context, server);
  await context.addInitScript(() => {
    for (const call of ['open', 'databases'])
      IDBFactory.prototype[call] = () => {
        throw new DOMException('forbidden', 'SecurityError');
      };
    Object.defineProperty(globalThis, 'caches', {
      get() {
        throw new DOMException('forbidden', 'SecurityError');
      },
    });
  });
  const page = await context.newPage();
  await page.goto(server.url);
  await settled(page);
  await openDialog(page, 'history');
  await page.click('#history-switch');
  await page.waitForSelector('#history-error:not([hidden])');
  assert.equal(await page.isChecked('#history-switch'), false);
  await page.keyboard.press('Escape');
  await read(page);
  assert.equal(await page.textContent('#name'), film.name);
});

test('on a full disk the page works, but not offline', async (t) => {
  const full = await serve();
  t.after(full.close);
  const context = await browser.newContext();
  t.after(() => context.close());
  await watch(context, full);
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(full.url).origin, quotaSize: 1000 });
  await page.goto(full.url);
  await settled(page);
  await page.waitForFunction(async () => {
    // the installation was tried and has failed
    const registration = await navigator.serviceWorker.getRegistration();
    return !registration?.installing && !registration?.active;
  });
  await read(page);
  assert.equal(await page.textContent('#name'), film.name);
  assert.equal(await page.textContent('#offline'), '');
});

test('the patient in a DICOM file is shown only on request, and never saved, printed or kept', async (t) => {
  const { page } = await ready(t);
  await openDialog(page, 'history');
  await page.click('#history-switch');
  await keeping(page);
  await page.keyboard.press('Escape');
  await choose(page, [
    {
      name: 'IM1',
      buffer: dicomFile({
        width: 128,
        height: 128,
        pixels: new Uint8Array(128 * 128).map((_, i) => i),
        tags: { '00100010': ['PN', 'Nobody^Anna'], '00080020': ['DA', '20200312'], '00185101': ['CS', 'PA'] },
      }),
    },
    film,
  ]);
  await settled(page);
  assert.equal(await page.textContent('#exposure'), 'PA view · taken on Mar 12, 2020', 'which names nobody');
  const named = (element = 'body') =>
    page.evaluate((selector) => document.querySelector(selector).textContent.includes('Nobody, Anna'), element);
  await page.click('#details summary');
  assert.equal(await named(), false);
  await page.click('#tags-show');
  await page.waitForSelector('#tags >> text=Nobody, Anna');
  assert.deepEqual(await faults(page), []);
  assert.equal(await focused(page), 'tags');
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  assert.equal(await named('#printout'), false);
  assert.doesNotMatch(await page.textContent('#printout'), /2020/);
  for (const kind of ['csv', 'json']) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`[data-action=export-${kind}]`)]);
    assert.doesNotMatch(await readFile(await download.path(), 'utf8'), /Nobody.{1,2}Anna|2020-?03/);
  }
  const results = await page.evaluate(async () => {
    const [{ name }] = await indexedDB.databases();
    const store = await new Promise((resolve) => {
      indexedDB.open(name).onsuccess = ({ target }) => resolve(target.result);
    });
    return new Promise((resolve) => {
      store.transaction('films').objectStore('films').getAll().onsuccess = ({ target }) =>
        resolve(JSON.stringify(target.result));
    });
  });
  assert.match(results, /IM1/);
  assert.doesNotMatch(results, /Nobody.{1,2}Anna|2020-?03/);
  await page.click('#strip-list button >> nth=1');
  assert.equal(await named(), false);
});

for (const viewport of SIZES) {
  test(`a photo comes with a warning, is read, and is marked on the page and in its record, at ${viewport.width} pixels`, async () => {
    const page = shared;
    await empty(page);
    await page.setViewportSize(viewport);
    await page.click('#more');
    await page.click('#menu [data-action=camera]');
    await page.waitForSelector('#shoot:enabled');
    assert.match(await page.textContent('#dialog-camera .small'), /not been tested on photos/);
    assert.deepEqual(await faults(page), []);
    await page.click('#shoot');
    assert.equal(await page.isVisible('#shot-again'), true, 'one looks at it first');
    await page.click('#shot-use');
    await page.waitForSelector('#desk:not([hidden])');
    await settled(page);
    assert.equal(await page.isVisible('#photo'), true);
    assert.equal(await page.isVisible('#photo-notice'), true);
    assert.equal(await page.evaluate(() => document.getElementById('camera').srcObject), null, 'the camera is off');
    await choose(page, [film]);
    await settled(page);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-action=export-json]')]);
    const records = (await readFile(await download.path(), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      records.map(({ decoder }) => decoder),
      ['camera', 'stb'],
    );
    assert.notEqual(records[0].gate.reason, 'colour', 'the fake camera is green, a photo is grey');
  });
}

test('if the camera is forbidden the dialog says so and can be closed', async () => {
  const page = shared;
  await empty(page);
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException('no', 'NotAllowedError');
    };
  });
  await page.click('#more');
  await page.click('#menu [data-action=camera]');
  await page.waitForSelector('#camera-text >> text=/is not available/');
  assert.equal(await page.isEnabled('#shoot'), false);
  assert.deepEqual(await faults(page), []);
  await page.keyboard.press('Escape');
  assert.equal(await page.isVisible('#dialog-camera'), false);
});
