// page.test.mjs: the page in Chromium gives the engine's results, however films are opened.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { createEngine } from '../../src/engine.mjs';
import { toRecord } from '../../src/result/record.mjs';
import { notFilm } from '../../src/sniff.mjs';
import { data, missing } from '../support/data.mjs';
import { choose, empty, hand, launch, open, png, resultOf, select, serve, settled } from './site.mjs';

let browser, server, engine, shared;
before(async () => {
  const [wasm, weights] = await Promise.all(
    ['build/pleura.wasm', 'model/pleura.gguf'].map((file) => readFile(new URL(`../../${file}`, import.meta.url))),
  );
  [browser, server, engine] = await Promise.all([launch(), serve(), createEngine({ wasm, weights })]);
  shared = await open(browser, server, { permissions: ['clipboard-read', 'clipboard-write'] });
  await settled(shared.page);
});
after(async () => {
  await Promise.all([browser?.close(), server?.close()]);
  assert.deepEqual(shared.complaints, []);
});

/** The page that most tests share, without films. */
async function emptied() {
  await empty(shared.page);
  return shared.page;
}

/** A page that is ready. Errors on its console fail the test. */
async function ready(t, options) {
  const opened = await open(browser, server, options);
  t.after(opened.close);
  t.after(() => assert.deepEqual(opened.complaints, []));
  await settled(opened.page);
  return opened;
}

/** The files that the page saves. */
async function saved(page, kind) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(`[data-action=export-${kind}]`)]);
  return readFile(await download.path(), 'utf8');
}

const lines = (text) => text.trimEnd().split('\n');

async function realFilms(t) {
  if (missing(t)) return null;
  const films = [];
  for (const source of ['cohen', 'openist', 'nih']) {
    const names = (await readdir(`${data}/images/${source}`)).sort();
    films.push(`${data}/images/${source}/${names[3]}`);
  }
  return [...films, `${data}/ood/photo_chelsea.jpg`];
}

test('the page starts from a subfolder without warnings and requests only from its own folder', async (t) => {
  const { page, asked } = await ready(t);
  assert.equal(await page.locator('#welcome').isVisible(), true);
  assert.equal(await page.locator('#unstarted').count(), 0);
  assert.match(await page.textContent('#model'), /^\S+ [0-9a-f]{12}/);
  await page.waitForSelector('text=Ready to work offline');
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(server.url)),
    [],
  );
  assert.deepEqual(
    asked
      .map((url) => /pleura-.*\.(wasm|gguf)$/.exec(url)?.[1])
      .filter(Boolean)
      .sort(),
    ['gguf', 'wasm'],
    'the page and its store share one copy',
  );
});

test('the page works where the server sends no headers, and its own policy still holds', async (t) => {
  const plain = await serve();
  t.after(plain.close);
  plain.headers = {};
  const { page, complaints, close } = await open(browser, plain);
  t.after(close);
  await settled(page);
  await page.waitForSelector('text=Ready to work offline');
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  assert.equal((await resultOf(page)).facts['Result fingerprint'], engine.phantom().bits);
  assert.deepEqual(complaints, []);
});

test('real films get the same bits, verdicts and probabilities as from the engine in Node, and nothing is requested', async (t) => {
  const films = await realFilms(t);
  if (!films) return;
  const { page, asked } = await ready(t);
  await page.waitForSelector('text=Ready to work offline');
  const before = server.requests.length;
  asked.length = 0;
  await choose(page, films);
  await settled(page);
  const records = lines(await saved(page, 'json')).map((line) => JSON.parse(line));
  assert.equal(server.requests.length, before);
  assert.deepEqual(
    asked.filter((url) => !url.startsWith('blob:')),
    [],
  );
  for (const [place, film] of films.entries()) {
    const bytes = await readFile(film);
    const { sha256, model, ...record } = records[place];
    const answer = engine.diagnose(new Uint8Array(bytes));
    assert.deepEqual({ ...record, sha256, model }, toRecord(record.file, { ...answer, sha256 }, model));
    await select(page, place);
    const { status, facts } = await resultOf(page);
    assert.equal(status, answer.verdict);
    assert.equal(facts['Result fingerprint'], answer.bits);
    assert.equal(facts['SHA-256 of the file'], sha256);
  }
});

test('the phantom is labelled synthetic and gives the bits of Node', async () => {
  const page = await emptied();
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  const phantom = engine.phantom();
  const { status, facts, bars } = await resultOf(page);
  assert.equal(status, phantom.verdict);
  assert.equal(facts['Result fingerprint'], phantom.bits);
  assert.equal(bars.length, phantom.verdict === 'refused' ? 0 : engine.model.labels.length);
  assert.match(await page.textContent('#synthetic'), /Synthetic/);
  assert.equal(await page.isVisible('#synthetic'), true);
  assert.equal(await page.textContent('#notice'), engine.model.notice);
  assert.equal(await page.isVisible('#film'), true);
});

test('each broken file has its message while the others are read', async () => {
  const page = await emptied();
  const whole = png(300, 300);
  const files = [
    { name: 'empty.png', buffer: Buffer.alloc(0) },
    { name: 'text.png', buffer: Buffer.from('not a picture at all\n') },
    { name: 'whole.png', buffer: whole },
    { name: 'cut.png', buffer: whole.subarray(0, whole.length >> 1) },
    { name: 'dot.png', buffer: png(1, 1) },
    { name: 'huge.png', buffer: png(1, 1, undefined, [30000, 30000]) },
    { name: '=cmd.png', buffer: whole },
    { name: 'report.pdf', buffer: Buffer.from('%PDF-1.7') },
  ];
  await choose(page, files);
  await settled(page);
  const records = lines(await saved(page, 'json')).map((line) => JSON.parse(line));
  assert.deepEqual(
    records.map(({ code, status }) => code ?? status),
    ['empty-file', 'not-an-image', 'ok', 'image-damaged', 'image-too-small', 'image-too-large', 'ok', 'not-an-image'],
  );
  // As the command says it: the engine's own sentence knows no DICOM.
  for (const place of [1, 7]) assert.equal(records[place].message, notFilm(files[place].buffer));
  assert.match(records[1].message, /DICOM/);
  for (const [place, { status, message }] of records.entries()) {
    await select(page, place);
    const { because } = await resultOf(page);
    if (status === 'error') assert.equal(because, message);
    assert.match(because, /^[A-Z].{15,}\.$/);
  }
  const table = lines(await saved(page, 'csv'));
  assert.equal(table.length, 9);
  assert.ok(table[7].startsWith("'=cmd.png,ok,"), table[7]);
});

test('films can be dropped anywhere or pasted', async () => {
  const page = await emptied();
  const buffer = png(200, 240);
  for (const way of ['drop', 'paste']) {
    await hand(page, way, [{ name: `${way}.png`, buffer }]);
    await settled(page);
    assert.equal(await page.textContent('#name'), `${way}.png`);
    const { facts } = await resultOf(page);
    assert.equal(facts['Result fingerprint'], engine.diagnose(new Uint8Array(buffer)).bits);
  }
});

test('an image that only the browser can decode is read and marked as such', async () => {
  const page = await emptied();
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(256, 256),
      context = canvas.getContext('2d');
    context.fillStyle = '#888';
    context.fillRect(40, 40, 120, 180);
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 1 });
    return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
  });
  await choose(page, [{ name: 'film.webp', buffer: Buffer.from(base64, 'base64') }]);
  await settled(page);
  const { status, facts } = await resultOf(page);
  assert.notEqual(status, 'error');
  assert.match(facts.Decoder, /^This browser’s/);
});

test('a refused image shows no probabilities', async () => {
  const page = await emptied();
  await choose(page, [{ name: 'blank.png', buffer: png(200, 200, () => 90) }]);
  await settled(page);
  const { status, bars, verdict } = await resultOf(page);
  assert.deepEqual({ status, bars, verdict }, { status: 'refused', bars: [], verdict: 'Not suitable' });
  assert.equal(await page.isVisible('#heat'), false);
});

test('among many films, an early one shows its picture again when selected', async () => {
  const page = await emptied();
  await choose(
    page,
    Array.from({ length: 27 }, (_, i) => ({ name: `${i}.png`, buffer: png(700, 700 + i) })), // of a megabyte each: not all are kept
  );
  await settled(page);
  assert.match(await page.textContent('#announcement'), /^Images analysed: 27/);
  await select(page, 20);
  assert.match((await resultOf(page)).facts['Result fingerprint'], /^[0-9a-f]{16}$/, 'the answer is there at once');
  assert.equal(await page.textContent('#name'), '20.png');
  await page.waitForSelector('#film:not([hidden])');
  await settled(page);
  await select(page, 1);
  await page.waitForSelector('#film:not([hidden])');
});

test('the film is copied as it is seen, with its overlays', async () => {
  const page = await emptied();
  engine.phantom();
  const { data: greys, width, height } = engine.film(300);
  const cloud = (x, y) => 150 * Math.exp(-2 * (((x / width - 0.3) / 0.15) ** 2 + ((y / height - 0.6) / 0.15) ** 2));
  const film = png(width, height, (x, y) => Math.min(255, greys[y * width + x] + cloud(x, y)));
  await choose(page, [{ name: 'cloud.png', buffer: film }]);
  await settled(page);
  await page.focus('#heat-slider');
  await page.keyboard.press('End');
  /** The size of the picture on the clipboard, and how many of its pixels have a colour. */
  const copied = async () => {
    await page.click('[data-action=copy-picture]');
    await page.waitForSelector('#page-notice >> text=The picture is on the clipboard.');
    return page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      const bitmap = await createImageBitmap(await item.getType('image/png'));
      const { width, height } = bitmap;
      const context = new OffscreenCanvas(width, height).getContext('2d');
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, width, height);
      let coloured = 0;
      for (let i = 0; i < data.length; i += 4)
        coloured += Number(Math.max(...data.subarray(i, i + 3)) - Math.min(...data.subarray(i, i + 3)) > 8);
      return { size: `${width} × ${height} pixels`, coloured };
    });
  };
  const { facts } = await resultOf(page);
  const both = await copied();
  assert.equal(both.size, facts.Size.replaceAll(',', ''));
  await page.click('.switch:has(#outline-switch)');
  const heat = await copied();
  await page.keyboard.press('h');
  const plain = await copied();
  await page.click('.switch:has(#outline-switch)');
  assert.ok(both.coloured > heat.coloured && heat.coloured > 50, JSON.stringify([both, heat]));
  assert.equal(plain.coloured, 0, 'without overlays it is grey');
});

test('the page can be installed from its menu once the browser offers it', async () => {
  const page = await emptied();
  await page.click('#more');
  assert.equal(await page.isVisible('#install'), false);
  await page.keyboard.press('Escape');
  // A browser without a window never makes the offer.
  const kept = await page.evaluate(() => {
    const offer = new Event('beforeinstallprompt', { cancelable: true });
    Object.assign(offer, { prompt: async () => Object.assign(globalThis, { prompted: true }) });
    return !window.dispatchEvent(offer);
  });
  assert.equal(kept, true, 'the browser shows no banner of its own');
  await page.click('#more');
  await page.click('#install');
  assert.equal(await page.evaluate(() => globalThis.prompted), true);
  await page.click('#more');
  assert.equal(await page.isVisible('#install'), false);
});

test('slider and switch change only what is drawn over the film', async () => {
  const page = await emptied();
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  if ((await resultOf(page)).status !== 'refused') {
    await page.focus('#heat-slider');
    await page.keyboard.press('Home');
    assert.equal(await page.evaluate(() => document.getElementById('heat').style.opacity), '0');
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.textContent('#heat-value'), '5%');
  }
  await page.focus('#outline-switch');
  await page.keyboard.press('Space');
  assert.equal(await page.isVisible('#outline'), false);
  assert.equal(await page.isVisible('#plane'), true);
});
