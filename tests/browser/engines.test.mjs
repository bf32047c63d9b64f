// engines.test.mjs: the main path in Chromium, Firefox and WebKit: open, diagnose, reload without the server, diagnose
// again.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { createDicomReader } from '../../src/dicom/reader.mjs';
import { createEngine } from '../../src/engine.mjs';
import { loadCodec } from '../../src/node/assets.mjs';
import { dicomFile } from '../dicom/file.mjs';
import { ENGINES } from './engines.mjs';
import { choose, hand, resultOf, serve, settled } from './site.mjs';

const read = (path) => readFile(new URL(`../../${path}`, import.meta.url));
/** A lossless WebP of two greys, 64 pixels square: only browsers decode WebP. */
const WEBP = Buffer.from('UklGRjIAAABXRUJQVlA4TCUAAAAvP8APAA9wHrzz4J0Hb/4DD4ratoHKn3QA9NieEf2fAA0I8DvuAA==', 'base64');

let engine, films;
before(async () => {
  const [wasm, weights, ...files] = await Promise.all(
    [
      'build/pleura.wasm',
      'model/pleura.gguf',
      ...['grey16.png', 'progressive.jpg', 'cmyk.jpg'].map((name) => `tests/fixtures/${name}`),
    ].map(read),
  );
  engine = await createEngine({ wasm, weights });
  engine.phantom();
  const { data: pixels, width, height } = engine.film(640),
    dicom = dicomFile({ width, height, pixels });
  const { film } = await createDicomReader({ engine, loadCodec })(dicom);
  films = [
    ...files.map((buffer, i) => ({ name: `film ${i}.img`, buffer, answer: engine.diagnose(new Uint8Array(buffer)) })),
    { name: 'IM0001', buffer: dicom, answer: engine.diagnose(film) },
  ];
});

const shown = {
  covid: 'COVID-19',
  pneumonia: 'Pneumonia',
  normal: 'Normal',
  uncertain: 'Uncertain',
  refused: 'Not suitable',
};

async function sees(page, { verdict, bits, probability }) {
  const { status, verdict: said, facts, bars } = await resultOf(page);
  assert.deepEqual(
    { status, said, bits: facts['Result fingerprint'] },
    { status: verdict, said: shown[verdict], bits },
  );
  assert.equal(bars.length, verdict === 'refused' ? 0 : Object.keys(probability).length);
}

async function ready(page) {
  await settled(page);
  assert.equal(
    await page.evaluate(() => document.querySelector('#work.failed')?.textContent ?? ''),
    '',
    'the self-test has passed',
  );
  await page.waitForFunction(() => document.getElementById('offline').textContent === 'Ready to work offline');
}

const press = (page, selector) => page.evaluate((button) => document.querySelector(button).click(), selector);

/** Diagnoses the phantom, then each film, chosen or dropped. */
async function diagnoses(page) {
  await press(page, '[data-action=phantom]');
  await settled(page);
  await sees(page, engine.phantom());
  assert.deepEqual(
    await page.evaluate(() => ['film', 'heat', 'outline'].map((id) => document.getElementById(id).checkVisibility())),
    [true, true, true],
  );
  assert.equal(
    await page.evaluate(() => getComputedStyle(document.getElementById('window')).colorScheme),
    'dark',
    'WebKit paints the tools on black by it',
  );
  const greys = await page.evaluate(() => {
    const plane = document.getElementById('plane');
    const copy = new OffscreenCanvas(plane.width, plane.height).getContext('2d');
    copy.drawImage(plane, 0, 0);
    return new Set(copy.getImageData(0, plane.height >> 1, plane.width, 1).data).size;
  });
  assert.ok(greys > 50, `the film is painted, whatever paints it: ${greys} greys in a row`);
  for (const [i, film] of films.entries()) {
    await (i % 2 ? hand(page, 'drop', [film]) : choose(page, [film]));
    await settled(page);
    assert.equal(await page.evaluate(() => document.getElementById('name').textContent), film.name);
    await sees(page, film.answer);
  }
}

for (const [name, open] of Object.entries(ENGINES)) {
  test(`${name}: the page gives the bits of Node, and does so again from its cache when the server is gone`, async (t) => {
    const server = await serve();
    t.after(server.close);
    const { page, complaints, close } = await open(server);
    t.after(close);
    await ready(page);
    const asked = server.requests.length;
    await diagnoses(page);
    await choose(page, [{ name: 'film.webp', buffer: WEBP }]);
    await settled(page);
    assert.match((await resultOf(page)).facts.Decoder, /^This browser’s/);
    assert.deepEqual(server.requests.slice(asked), []);
    assert.deepEqual(await complaints(), []);

    await server.close();
    await page.reload();
    await ready(page);
    await diagnoses(page);
    assert.deepEqual([server.requests.slice(asked), await complaints()], [[], []]);
  });
}
