// dicom.test.mjs: DICOM files get the bits of Node on the page, also offline, and each file that is not a film is
// explained.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { createDicomReader } from '../../src/dicom/reader.mjs';
import { createEngine } from '../../src/engine.mjs';
import { loadCodec } from '../../src/node/assets.mjs';
import { dicomFile } from '../dicom/file.mjs';
import { choose, launch, open, resultOf, select, serve, settled } from './site.mjs';

let browser, server, engine, folder, plain;
before(async () => {
  const [wasm, weights] = await Promise.all(
    ['build/pleura.wasm', 'model/pleura.gguf'].map((file) => readFile(new URL(`../../${file}`, import.meta.url))),
  );
  [browser, server, engine, folder] = await Promise.all([
    launch(),
    serve(),
    createEngine({ wasm, weights }),
    mkdtemp(`${tmpdir()}/pleura-`),
  ]);
  engine.phantom();
  const { data: pixels, width, height } = engine.film(640);
  plain = { width, height, pixels };
});
after(() => Promise.all([browser?.close(), server?.close(), rm(folder, { recursive: true })]));

/** A film in a transfer syntax. @param {string[]} coder @param {Buffer} file */
async function coded([tool, ...options], file) {
  await writeFile(`${folder}/from`, file);
  execFileSync(tool, [...options, `${folder}/from`, `${folder}/to`], { stdio: 'pipe' });
  return readFile(`${folder}/to`);
}

/** Twelve bits, a sigmoid window, MONOCHROME1: everything that could differ between two machines. */
const hard = () =>
  dicomFile({
    width: plain.width,
    height: plain.height,
    bits: 12,
    pixels: Uint16Array.from(plain.pixels, (v, i) => 4095 - v * 15 - (i % 15)),
    tags: {
      '00280004': ['CS', 'MONOCHROME1'],
      '00281050': ['DS', '2000.5'],
      '00281051': ['DS', '1900.25'],
      '00281056': ['CS', 'SIGMOID'],
    },
  });

test('DICOM in every supported coding gives the bits of Node, online and offline, with requests to its own folder only', async (t) => {
  const { page, complaints, asked, close } = await open(browser, server);
  t.after(close);
  await settled(page);
  await page.waitForSelector('text=Ready to work offline');
  const coders = [
    ['dcmconv', '+te'],
    ['dcmconv', '+ti'],
    ['dcmconv', '+td'],
    ['dcmcrle'],
    ['dcmcjpeg', '+ee'],
    ['dcmcjpeg', '+e1'],
    ['dcmcjpls'],
    ['dcmcjpls', '+en'],
    ['gdcmconv', '--j2k'],
    ['gdcmconv', '--j2k', '--lossy', '-r', '8'],
  ];
  const files = [];
  for (const coder of coders) files.push({ name: `IM${files.length}`, buffer: await coded(coder, hard()) });
  const readDicom = createDicomReader({ engine, loadCodec });
  await server.close(); // everything that DICOM needs is stored by now
  await choose(page, files);
  await settled(page);
  for (const [place, { buffer }] of files.entries()) {
    await select(page, place);
    const { facts } = await resultOf(page);
    assert.equal(
      facts['Result fingerprint'],
      engine.diagnose((await readDicom(buffer)).film).bits,
      coders[place].join(' '),
    );
    assert.match(facts.Decoder, /DICOM/);
  }
  await server.open();
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(server.url) && !url.startsWith('blob:')),
    [],
  );
  assert.deepEqual(complaints, []); // no policy violation, so the codecs do not use eval
});

test('a view that is not frontal is refused; documents, a DICOMDIR and damage each have their message', async (t) => {
  const { page, close } = await open(browser, server);
  t.after(close);
  await settled(page);
  const whole = dicomFile(plain);
  await choose(page, [
    { name: 'lateral', buffer: dicomFile({ ...plain, tags: { '00185101': ['CS', 'LL'] } }) },
    { name: 'report', buffer: dicomFile({ ...plain, tags: { '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.88.11'] } }) },
    { name: 'video', buffer: dicomFile({ ...plain, syntax: '1.2.840.10008.1.2.4.102' }) },
    { name: 'cut', buffer: whole.subarray(0, 5000) },
    { name: 'whole', buffer: whole },
  ]);
  await settled(page);
  const said = [];
  for (let place = 0; place < 5; place++) {
    await select(page, place);
    said.push(await resultOf(page));
  }
  assert.deepEqual(
    said.slice(0, 4).map(({ status }) => status),
    ['refused', 'error', 'error', 'error'],
  );
  [
    /not a frontal view/,
    /structured report/,
    /1\.2\.840\.10008\.1\.2\.4\.102 \(MPEG-4/,
    /damaged or incomplete/,
  ].forEach((words, i) => assert.match(said[i].because, words));
  assert.notEqual(said[4].status, 'error');
});

test('a codec that was altered on the way is not run', async (t) => {
  const altering = await serve();
  t.after(altering.close);
  altering.change = (name, bytes) => {
    if (!name.startsWith('openjpeg')) return bytes;
    const other = Buffer.from(bytes);
    other[other.length >> 1] ^= 1;
    return other;
  };
  const { page, close } = await open(browser, altering);
  t.after(close);
  await settled(page);
  await choose(page, [{ name: 'j2k', buffer: await coded(['gdcmconv', '--j2k'], hard()) }]);
  await settled(page);
  const { status, because } = await resultOf(page);
  assert.equal(status, 'error');
  assert.match(because, /decoder.*SHA-256 differs/);
});
