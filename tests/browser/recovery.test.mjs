// recovery.test.mjs: traps, dead workers, lack of memory, sleep and back navigation in the middle of a batch: the
// queue goes on, and each film has one record.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { asEngine, choose, keeping, launch, open, png, serve, settled } from './site.mjs';

const FILMS = 40,
  EARLY = 5;
const HOUR = 3_600_000;
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const film = (number) => ({
  name: `${String(number).padStart(2, '0')}.png`,
  buffer: png(128, 128, (x, y) => (x ^ y) + number),
});
const batch = Array.from({ length: FILMS }, (_, number) => film(number));
const special = { name: 'special.png', buffer: Buffer.from('7 bytes') };

/** Has the engine run `how` before it reads a file of 7 bytes. */
const spoil = (how) =>
  asEngine(
    `const { diagnose, memory } = exports; exports = { ...exports, diagnose(size) { if (size === 7) { ${how} } return diagnose(size); } };`,
  );

async function ready(t, { change = (name, bytes) => bytes, chromium = browser, clock = false } = {}) {
  const server = await serve();
  const context = await chromium.newContext({ reducedMotion: 'reduce' });
  t.after(() => Promise.all([context.close(), server.close()]));
  server.change = change;
  const page = await context.newPage();
  if (clock) await page.clock.install();
  await page.goto(server.url);
  await settled(page);
  return { page, server };
}

/** Opens a dialog from the menu. */
async function openDialog(page, name) {
  await page.click('#more');
  await page.click(`#menu [data-dialog=${name}]`);
  await page.waitForSelector(`#dialog-${name}[open]`);
}

/** Chooses the batch and waits until part of it is read. */
async function begin(page, films = batch) {
  await choose(page, films);
  await page.waitForFunction(
    (early) => {
      const bar = /** @type {HTMLProgressElement} */ (document.getElementById('work-bar'));
      return (
        !document.getElementById('work').hidden &&
        bar.value * document.querySelectorAll('#table-body tr').length >= early
      );
    },
    EARLY,
    { polling: 20 },
  );
}

/** Switches on keeping results. */
async function keep(page) {
  await openDialog(page, 'history');
  await page.click('#history-switch');
  await keeping(page);
  await page.keyboard.press('Escape');
}

const records = async (page) => {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-action=export-json]')]);
  return (await readFile(await download.path(), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
};

/** Asserts that every film has one record, in order, and a result unless it is listed in `lost`.
 *  @param {import('playwright-core').Page} page  @param {Record<string, string>} [lost]  error codes by name */
async function complete(page, films = batch, lost = {}) {
  await settled(page);
  const all = await records(page);
  assert.deepEqual(
    all.map(({ file }) => file),
    films.map(({ name }) => name),
  );
  assert.deepEqual(
    Object.fromEntries(all.filter(({ status }) => status !== 'ok').map(({ file, code }) => [file, code])),
    lost,
  );
  return all;
}

for (const [title, how] of [
  ['reads outside its memory', 'new Uint8Array(memory.buffer).fill(255);'], // it traps
  ['exhausts its stack', 'new Uint8Array(memory.buffer).fill(255); const deeper = () => deeper() + 1; deeper();'],
]) {
  test(`an engine that ${title} is replaced, because it could answer no other film`, async (t) => {
    const { page } = await ready(t, { change: spoil(how) });
    const films = [film(0), special, ...batch.slice(1, 9), { ...special, name: 'again.png' }, film(9)];
    await choose(page, films);
    await complete(page, films, { 'special.png': 'worker-died', 'again.png': 'worker-died' });
    assert.equal(page.workers().length, 1, 'the dead ones are gone');
  });
}

for (const [title, how, cancelled] of [
  [
    'dies',
    'for (const start = Date.now(); Date.now() - start < 3000;); throw new WebAssembly.RuntimeError("unreachable");',
    false,
  ],
  ['is ended to cancel a film', 'for (;;);', true],
]) {
  test(`calls waiting for an engine that ${title} are answered by the next one`, async (t) => {
    const { page } = await ready(t, { change: spoil(how) });
    const films = cancelled ? [film(0), special] : [film(0), special, film(1)];
    await choose(page, films);
    await page.waitForSelector('#strip-list [data-status=running] >> text=special.png');
    await page.evaluate(() => {
      // the slider moves meanwhile, so all films must be judged again
      const slider = /** @type {HTMLInputElement} */ (document.querySelector('#shares input'));
      slider.value = '70';
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    });
    if (cancelled) {
      await page.click('#work-cancel');
      films.splice(1, 1, film(1));
      await choose(page, [film(1)]);
    }
    const all = await complete(page, films, cancelled ? {} : { 'special.png': 'worker-died' });
    assert.deepEqual(
      all.filter(({ status }) => status === 'ok').map(({ prevalence }) => prevalence.covid),
      [0.7, 0.7],
    );
  });
}

test('a repeated outcome is announced again', async (t) => {
  const { page } = await ready(t, { change: spoil('throw new WebAssembly.RuntimeError("unreachable");') });
  await choose(page, [special]);
  await page.waitForSelector('#film-retry:visible');
  await settled(page);
  const said = await page.textContent('#announcement');
  await page.evaluate(() => {
    globalThis.heard = [];
    new MutationObserver(() => globalThis.heard.push(document.getElementById('announcement').textContent)).observe(
      document.getElementById('announcement'),
      { childList: true, characterData: true, subtree: true },
    );
  });
  await page.click('#film-retry');
  await page.waitForFunction((said) => globalThis.heard.at(-1) === said, said);
});

test('a worker that dies silently costs one film, and sleep is not mistaken for its death', async (t) => {
  const { page } = await ready(t, {
    clock: true,
    change: spoil(
      'if (!self.slept) { self.slept = true; for (const start = Date.now(); Date.now() - start < 2000;); } else self.close();',
    ),
  });
  const films = [film(0), special, film(1), film(2)];
  await choose(page, films);
  await page.waitForSelector('#strip-list [data-status=running] >> text=special.png');
  await page.clock.runFor(2000);
  await page.clock.fastForward(HOUR); // as after sleep: timers that were due fire once
  await complete(page, films, { 'special.png': 'not-an-image' });
  await choose(page, [{ ...special, name: 'last.png' }, film(3)]);
  await page.waitForSelector('#strip-list [data-status=running] >> text=last.png');
  await page.clock.runFor(HOUR / 20);
  await complete(page, [...films, { ...special, name: 'last.png' }, film(3)], {
    'special.png': 'not-an-image',
    'last.png': 'worker-died',
  });
});

test('a film that does not fit into memory says so, and the next one is read', async (t) => {
  const small = await launch(['--js-flags=--wasm-max-mem-pages=640']);
  t.after(() => small.close());
  const { page } = await ready(t, { chromium: small });
  const films = [film(0), { name: 'huge.png', buffer: png(4000, 4000, () => 0) }, film(1)];
  await choose(page, films);
  await complete(page, films, { 'huge.png': 'out-of-memory' });
  assert.match(await page.textContent('#table-body'), /memory/i);
});

test('the memory that a very large film took is given back after a while, and films are read as before', async (t) => {
  const { page } = await ready(t, { clock: true });
  const films = [film(0), { name: 'huge.png', buffer: png(5000, 5000, () => 0) }, film(1)];
  await choose(page, films.slice(0, 1));
  await settled(page);
  await page.clock.runFor(10_000);
  assert.equal(page.workers().length, 1, 'a small film needs none');
  await choose(page, films.slice(1));
  await complete(page, films);
  assert.equal(page.workers().length, 1);
  await Promise.all([page.workers()[0].waitForEvent('close'), page.clock.runFor(10_000)]);
  const more = [film(2), film(3)];
  await choose(page, more);
  await complete(page, [...films, ...more]);
});

test('when storage is full the page says so, reads on, and keeps results again once there is space', async (t) => {
  const { page, server } = await ready(t);
  const tools = await page.context().newCDPSession(page),
    { origin } = new URL(server.url);
  await keep(page);
  const { usage } = await page.evaluate(() => navigator.storage.estimate());
  await tools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage });
  await choose(page, batch);
  await complete(page);
  await openDialog(page, 'history');
  assert.match(await page.textContent('#history-error'), /^There is not enough storage/);
  const count = async () => Number((await page.textContent('#history-count')).match(/\d+/) ?? 0);
  const kept = await count();
  assert.ok(kept < FILMS, `${kept} kept`);
  await page.keyboard.press('Escape');
  await tools.send('Storage.overrideQuotaForOrigin', { origin });
  await choose(page, [film(FILMS)]);
  await complete(page, [...batch, film(FILMS)]);
  await openDialog(page, 'history');
  assert.equal(await count(), kept + 1);
  assert.equal(await page.isVisible('#history-error'), false);
});

test('leaving asks first while a batch is running or unsaved, but not once it is kept or saved', async (t) => {
  const { page } = await ready(t);
  page.on('dialog', (dialog) => dialog.dismiss());
  /** @param {'dialog' | 'load'} then */
  const leave = (then) =>
    Promise.all([
      page.waitForEvent(/** @type {any} */ (then)),
      page.evaluate(() => {
        setTimeout(() => location.reload());
      }),
    ]);
  await page.click('#welcome [data-action=phantom]'); // browsers ask only after the page was touched
  await settled(page);
  await page.click('#more');
  await page.click('#clear');
  await begin(page);
  await leave('dialog'); // the batch is running
  await settled(page);
  await leave('dialog'); // it is not saved
  await complete(page); // this saves it
  await leave('load');
  await settled(page);
  await keep(page);
  await choose(page, batch.slice(0, 3));
  await settled(page);
  await leave('load'); // results are kept
  await settled(page);
  await choose(page, batch.slice(0, 3));
  await settled(page);
  await openDialog(page, 'history');
  await page.click('#history-switch');
  await page.waitForFunction(() => !(/** @type {any} */ (document.getElementById('history-switch')).checked));
  await page.keyboard.press('Escape');
  await leave('load'); // what was kept stays
});

test('going back to a frozen page continues its batch, with all results', async (t) => {
  const chromium = await launch([], ['--disable-back-forward-cache']);
  t.after(() => chromium.close());
  const { page, server } = await ready(t, { chromium }),
    card = server.url + (await readdir(server.folder)).find((name) => name.startsWith('card'));
  await page.addInitScript(() => {
    Object.assign(globalThis, { frozen: 0, back: false });
    document.addEventListener('freeze', () => {
      globalThis.frozen += document.getElementById('work').hidden ? 0 : 1;
    }); // in the middle of the batch
    addEventListener('pageshow', ({ persisted }) => {
      globalThis.back = persisted;
    });
  });
  let held = false;
  for (let tries = 0; tries < 3 && !held; tries++) {
    // on a busy machine the browser may discard a page that is slow to freeze
    await page.goto(server.url);
    await settled(page);
    await begin(page);
    await page.goto(card);
    await page.evaluate(() => {
      setTimeout(() => history.back());
    });
    await page.waitForURL(server.url, { waitUntil: 'commit' });
    held = await page.evaluate(() => globalThis.back && globalThis.frozen === 1);
  }
  assert.equal(held, true, 'from the back-forward cache, where it was frozen in the middle of the batch');
  await complete(page);
});

test('after sleep the batch continues where it was', async (t) => {
  const { page } = await ready(t);
  await begin(page);
  const devtools = await browser.newBrowserCDPSession(),
    { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
  const tell = (signal) => {
    for (const { id } of processInfo)
      try {
        process.kill(id, signal);
      } catch {
        /* it has ended */
      }
  };
  tell('SIGSTOP');
  await new Promise((resolve) => {
    setTimeout(resolve, 1000);
  });
  tell('SIGCONT');
  await complete(page);
});

test('after the page crashes, kept results are there and the page works again', async (t) => {
  const { page, server } = await ready(t);
  await keep(page);
  await begin(page);
  const crashed = page.waitForEvent('crash'),
    tools = await page.context().newCDPSession(page);
  tools.send('Page.crash').catch(() => {}); // the crashed page never answers
  await crashed;
  const again = await page.context().newPage();
  await again.goto(server.url);
  await settled(again);
  await openDialog(again, 'history');
  const kept = Number((await again.textContent('#history-count')).match(/\d+/)),
    names = await again.locator('#history tr bdi').allTextContents();
  assert.ok(kept >= EARLY - 1, `${kept} kept`);
  assert.deepEqual(
    names,
    batch
      .slice(0, kept)
      .map(({ name }) => name)
      .reverse(),
    'each once',
  );
  await again.keyboard.press('Escape');
  await choose(again, batch);
  await complete(again);
});
