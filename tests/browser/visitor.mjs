// visitor.mjs: a visitor of the page: what she sees, and what her device stores.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createDicomReader } from '../../src/dicom/reader.mjs';
import { createEngine } from '../../src/engine.mjs';
import { loadCodec } from '../../src/node/assets.mjs';
import { dicomFile } from '../dicom/file.mjs';
import { choose, open, png, resultOf, select, serve, settled } from './site.mjs';

const root = new URL('../../', import.meta.url);
const [wasm, weights] = await Promise.all(
  ['build/pleura.wasm', 'model/pleura.gguf'].map((file) => readFile(new URL(file, root))),
);
export const engine = await createEngine({ wasm, weights });

const films = [
  { name: 'film.png', buffer: png(200, 240) },
  { name: 'IM1', buffer: dicomFile({ width: 128, height: 96, pixels: new Uint8Array(128 * 96).map((_, i) => i) }) },
];
const [picture, dicom] = films.map(({ buffer }) => new Uint8Array(buffer));
const bits = [
  engine.phantom(),
  engine.diagnose(picture),
  engine.diagnose((await createDicomReader({ engine, loadCodec })(dicom)).film),
].map((answer) => answer.bits);

/** A visitor with her own server. `another` opens one more tab. */
export async function visit(t, browser, options) {
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

const READY = /^Ready to work offline$/;
export const MENDED = /^Ready to work offline: .* was damaged on this device and has been downloaded again/;
/** Waits until the page says this about its offline copy. */
export const kept = (page, pattern = READY) =>
  page.waitForFunction(
    (source) => new RegExp(source).test(document.getElementById('offline').textContent),
    pattern.source,
  );
export const ready = async (page, pattern = READY) => {
  await settled(page);
  await kept(page, pattern);
};
export const modelName = (page) => page.textContent('#model');
export const updateOffered = (page) => page.waitForSelector('#update:not([hidden])');
export const reloadAtWord = (page) => Promise.all([page.waitForEvent('load'), page.click('[data-action=reload]')]);
export const count = (server, ending) => server.requests.filter((path) => path.endsWith(ending)).length;

/** Asserts that the phantom, a picture and a DICOM film, alone on the page, get the bits that Node computes. */
export async function diagnoses(page) {
  await page.evaluate(() => document.querySelector('[data-action=phantom]').click());
  await choose(page, films);
  await settled(page);
  const last = await page.locator('#strip-list button').count();
  const said = [];
  for (let place = last - bits.length; place < last; place++) {
    await select(page, place);
    said.push((await resultOf(page)).facts['Result fingerprint']);
  }
  assert.deepEqual(said, bits);
}

/** The names of the files in this origin's cache. @returns {Promise<string[]>} */
export const stored = (page) =>
  page.evaluate(async () => {
    const [name] = await caches.keys();
    return (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname.split('/').pop());
  });

/** Flips one bit of, truncates, or deletes each stored file whose name ends so.
 *  @param {'altered' | 'truncated' | 'lost'} how */
export const spoil = (page, ending, how) =>
  page.evaluate(
    async ({ ending, how }) => {
      const store = await caches.open((await caches.keys())[0]);
      for (const request of await store.keys()) {
        if (!new URL(request.url).pathname.endsWith(ending)) continue;
        const kept = await store.match(request),
          bytes = new Uint8Array(await kept.arrayBuffer());
        bytes[bytes.length - 1] ^= 1;
        await store.delete(request);
        if (how !== 'lost')
          await store.put(request, new Response(how === 'altered' ? bytes : bytes.subarray(0, bytes.length / 2), kept));
      }
    },
    { ending, how },
  );
