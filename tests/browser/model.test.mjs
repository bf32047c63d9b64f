// model.test.mjs: another model on the page: opened from a file that `pleura convert` wrote, checked, named with every
// result, kept only on request, and left again. Nothing is sent.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { createEngine } from '../../src/engine.mjs';
import { heatPixels } from '../../src/result/heatmap.mjs';
import { occlusionMap } from '../../src/result/occlusion.mjs';
import { floatValues, readGguf, textValue, writeGguf } from '../../src/weights/gguf.mjs';
import english from '../../web/i18n/en.mjs';
import { LANGUAGES } from '../../web/i18n/words.mjs';
import { film, folder, root } from '../cli/command.mjs';
import { faults, launch, openDialog, openQuiet, resultOf, serve, settled, speak, WAIT } from './site.mjs';

let browser, server, wasm;
const path = (name) => `${folder}/${name}`;

before(async () => {
  const run = promisify(execFile);
  const fixture = `${root}tests/fixtures/convert/resnet18.onnx`;
  const convert = [`${root}src/cli.mjs`, 'convert', fixture, path('brought.gguf')];
  const building = run(process.execPath, [`${root}web/site/build.mjs`, '--out', path('site')]);
  await run(process.execPath, [...convert, '--labels', 'covid,effusion,normal', '--name', 'own net', '--no-verify']);
  const brought = await readFile(path('brought.gguf'));
  const changed = (change) => {
    const weights = readGguf(brought);
    change(weights.values);
    return writeGguf(weights);
  };
  const prior = (values) => values.set('pleura.prior', floatValues([0.2, 0.3, 0.5]));
  await writeFile(path('prior.gguf'), changed(prior));
  await writeFile(path('cut.gguf'), brought.subarray(0, brought.length - 100));
  const otherBits = (values) => values.set('pleura.selftest.bits', textValue('0123456789abcdef'));
  await writeFile(path('bits.gguf'), changed(otherBits));
  await writeFile(
    path('strange.gguf'),
    changed((values) => values.set('general.architecture', textValue('llama'))),
  );
  await writeFile(path('film.png'), film(64));
  await run('/usr/bin/python3', [`${root}tests/convert/make_flat.py`, path('flat.onnx')]);
  const flat = ['convert', path('flat.onnx'), path('flat.gguf'), '--labels', 'a,b', '--scale', '1/255', '--no-verify'];
  await run(process.execPath, [`${root}src/cli.mjs`, ...flat]);
  await building;
  [browser, server, wasm] = await Promise.all([launch(), serve(), readFile(`${root}build/pleura.wasm`)]);
  server.folder = path('site');
});
after(() => Promise.all([browser?.close(), server?.close()]));

const ready = (t, options) => openQuiet(t, browser, server, options);
const bring = async (page, name) => page.setInputFiles('#other-model', path(name));
const inForce = (page, start) =>
  page.waitForFunction((start) => document.getElementById('model-state').textContent.startsWith(start), start, WAIT);
const refused = (page, text) =>
  page.waitForFunction((text) => document.getElementById('model-error').textContent === text, text, WAIT);
async function record(page) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-action=export-json]')]);
  return JSON.parse((await readFile(await download.path(), 'utf8')).split('\n')[0]);
}
const NAMED = /^Another model is in use: own net-0\.1\.0 from the file brought\.gguf \([0-9a-f]{12}\)/;
const databases = (page) => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));

test('another model gives the bits that Node computes, is named in every result and report, and is left again', async (t) => {
  const { page, asked } = await ready(t);
  await page.setInputFiles('#files', [path('film.png'), path('film.png')]);
  await settled(page);
  const own = await record(page);
  await page.waitForSelector('text=Ready to work offline');
  asked.length = 0;
  await openDialog(page, 'model');
  assert.equal(await page.textContent('#model-state'), english['model.shipped']);
  await bring(page, 'brought.gguf');
  await inForce(page, 'Another model');
  assert.match(await page.textContent('#model-state'), /Converted from resnet18\.onnx; not evaluated on any films\.$/);
  assert.deepEqual(await faults(page), []);
  await page.keyboard.press('Escape');
  await settled(page);

  const engine = await createEngine({ wasm, weights: await readFile(path('brought.gguf')) });
  const expected = engine.diagnose(await readFile(path('film.png')));
  const got = await record(page);
  assert.equal(got.bits, expected.bits);
  assert.match(got.model, /^own net-0\.1\.0 [0-9a-f]{12}$/);
  assert.deepEqual(Object.keys(got.probability), ['covid', 'effusion', 'normal']);
  const { facts, because, bars } = await resultOf(page);
  assert.equal(facts.Model, 'own net-0.1.0');
  assert.equal(bars.length, 3);
  assert.match(because, /^The model’s closest category is “/, 'not the sentences about the shipped labels');
  for (const id of ['adapted-film', 'adapted-batch']) assert.match(await page.textContent(`#${id}`), NAMED, id);
  assert.match(await page.textContent('#model'), /own net-0\.1\.0 .*brought\.gguf/);
  assert.equal(await page.textContent('#gate-word'), english['reading.unchecked'], 'it has no gate');
  for (const id of ['card', 'worth-figures']) assert.equal(await page.isVisible(`#${id}`), false, id);
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  const printed = await page.textContent('#printout');
  assert.match(printed, /Another model is in use: own net-0\.1\.0 from the file brought\.gguf/);
  assert.doesNotMatch(printed, /At a hospital not used in training/);

  await openDialog(page, 'model');
  await page.click('#model-back');
  await inForce(page, 'Pleura’s own');
  await page.keyboard.press('Escape');
  await settled(page);
  assert.deepEqual(await record(page), own);
  assert.equal(await page.isVisible('#adapted-film'), false);
  assert.equal(await page.textContent('#gate-word'), english['reading.refused'], 'the shipped gate works again');
  const parts = asked.filter((url) => !url.startsWith('blob:')).map((url) => url.slice(server.url.length));
  assert.deepEqual(
    parts.filter((name) => !/^(worker|dicom)-[0-9a-f]{10}\.js$/.test(name)),
    [],
    'nothing but the worker, which starts anew',
  );
  assert.deepEqual(await databases(page), []);
});

test('a file that is no model, damaged, or of other bits is refused, and the model before stays in use', async (t) => {
  const { page } = await ready(t);
  await openDialog(page, 'model');
  for (const [name, key] of [
    ['film.png', 'model.damaged'],
    ['cut.gguf', 'model.damaged'],
    ['bits.gguf', 'model.self-test'],
    ['strange.gguf', 'model.unsupported'],
  ]) {
    await bring(page, name);
    await refused(page, english[key]);
    await inForce(page, 'Pleura’s own');
  }
  await bring(page, 'brought.gguf');
  await inForce(page, 'Another model');
  assert.equal(await page.isVisible('#model-error'), false);
  await bring(page, 'cut.gguf');
  await refused(page, english['model.damaged']);
  await inForce(page, 'Another model');
  assert.match(await page.textContent('#model-state'), /brought\.gguf/);
});

test('a chosen prevalence and removed films do not pass to another model', async (t) => {
  const { page } = await ready(t);
  await page.setInputFiles('#files', [path('film.png'), path('film.png'), path('film.png')]);
  await settled(page);
  await openDialog(page, 'model');
  await bring(page, 'prior.gguf');
  await inForce(page, 'Another model');
  await page.keyboard.press('Escape');
  await settled(page);
  assert.match(
    await page.textContent('#mixture'),
    /^Probabilities assume the case mix that the model states: COVID-19/,
  );
  await page.click('#prevalence summary');
  await page.locator('#shares input').first().fill('60');
  await page.waitForSelector('#adjusted:not([hidden])');
  await page.click('#table-body [data-action=remove]');
  await page.waitForSelector('#removed:not([hidden])');
  await openDialog(page, 'model');
  await page.click('#model-back');
  await inForce(page, 'Pleura’s own');
  await page.keyboard.press('Escape');
  await settled(page);
  assert.equal(await page.isVisible('#adjusted'), false);
  assert.equal(await page.isVisible('#removed'), false, 'its result is of the model before');
  assert.equal(await page.locator('#table-head th').count(), 8, 'image, verdict, four labels, opacity, note');
});

test('another model is adapted to films, and results name both; the way back leaves neither', async (t) => {
  for (const [n, label] of ['covid', 'effusion', 'normal'].entries()) {
    await mkdir(path(`labelled/${label}`), { recursive: true });
    for (let i = 0; i < 20; i++) await writeFile(path(`labelled/${label}/${i}.png`), film(64 + 12 * n, i));
  }
  const { page } = await ready(t);
  await page.setInputFiles('#files', path('film.png'));
  await settled(page);
  await openDialog(page, 'model');
  await bring(page, 'brought.gguf');
  await inForce(page, 'Another model');
  await page.keyboard.press('Escape');
  await openDialog(page, 'adapt');
  await page.setInputFiles('#labelled', path('labelled'));
  await page.waitForSelector('#adapt-result:not([hidden])', WAIT);
  await page.click('[data-action=adapt-keep]');
  const both =
    /^Another model is in use: own net.*Adapted on this device to labelled images \(COVID-19 20, effusion 20/;
  await page.waitForFunction(
    (source) => new RegExp(source).test(document.getElementById('adapted-film').textContent),
    both.source,
    WAIT,
  );
  await page.keyboard.press('Escape');
  await settled(page);
  assert.match((await resultOf(page)).facts.Model, /^own net-0\.1\.0\+adapted$/);
  await openDialog(page, 'model');
  await page.click('#model-back');
  await inForce(page, 'Pleura’s own');
  assert.equal(await page.isVisible('#adapted-film'), false);
});

test('another model is kept on request alone, checked again at the next visit, and forgotten on the way back', async (t) => {
  const { page } = await ready(t);
  await openDialog(page, 'model');
  assert.equal(await page.isDisabled('#model-keep'), true);
  await bring(page, 'brought.gguf');
  await inForce(page, 'Another model');
  await page.reload();
  await settled(page);
  assert.doesNotMatch(await page.textContent('#model'), /brought/);
  await openDialog(page, 'model');
  await bring(page, 'brought.gguf');
  await inForce(page, 'Another model');
  await page.click('#model-keep');
  await page.waitForFunction(async () => (await indexedDB.databases()).length === 1);
  await page.reload();
  await settled(page);
  await page.evaluate(() => document.querySelector('#welcome [data-action=phantom]').click());
  await page.waitForSelector('#bars:not([hidden])');
  assert.match(await page.textContent('#adapted-film'), NAMED);
  await openDialog(page, 'model');
  assert.equal(await page.isChecked('#model-keep'), true);
  await page.evaluate(async () => {
    // as if the device had altered it
    const [{ name }] = await indexedDB.databases();
    const database = await new Promise((resolve) => {
      indexedDB.open(name).onsuccess = ({ target }) => resolve(target.result);
    });
    const store = database.transaction('model', 'readwrite').objectStore('model');
    store.put({ name: 'brought.gguf', bytes: new Uint8Array(100) }, 0);
    await new Promise((resolve) => {
      store.transaction.oncomplete = resolve;
    });
    database.close();
  });
  await page.reload();
  await page.waitForSelector('#dialog-model[open] #model-error:not([hidden])');
  await inForce(page, 'Pleura’s own');
  assert.deepEqual(await databases(page), []);
  await bring(page, 'brought.gguf');
  await inForce(page, 'Another model');
  await page.click('#model-keep');
  await page.waitForFunction(async () => (await indexedDB.databases()).length === 1);
  await page.click('#model-back');
  await inForce(page, 'Pleura’s own');
  assert.deepEqual(await databases(page), []);
});

test('the dialog and a result of another model have no fault in any language, on a phone', async (t) => {
  const { page } = await ready(t, { viewport: { width: 390, height: 844 } });
  await page.setInputFiles('#files', path('film.png'));
  await settled(page);
  await openDialog(page, 'model');
  await bring(page, 'brought.gguf');
  await inForce(page, 'Another model');
  for (const language of Object.keys(LANGUAGES)) {
    await speak(page, language);
    assert.deepEqual(await faults(page), [], language);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0, language);
    for (const id of ['model-state', 'adapted-film'])
      assert.match(await page.textContent(`#${id}`), /own net-0\.1\.0.*brought\.gguf/, `${language} ${id}`);
  }
});

test('a model without a class activation map gets a heatmap by covering parts of the image, as the command draws it', async (t) => {
  const { page } = await ready(t);
  await page.setInputFiles('#files', path('film.png'));
  await settled(page);
  assert.equal(await page.isVisible('#occlude'), false, 'the own model has maps');
  await bring(page, 'flat.gguf');
  await settled(page);
  assert.equal(await page.isVisible('#heat'), false);
  assert.equal(await page.textContent('#occlude'), english['reading.occlude']);
  await page.$eval('#occlude', (button) => [button.click(), button.click()]); // begun, and cancelled
  await page.waitForFunction(
    (text) => document.getElementById('occlude').textContent === text,
    english['reading.occlude'],
  );
  assert.equal(await page.isVisible('#heat'), false);
  await page.click('#occlude');
  await page.waitForSelector('#heat:not([hidden])');
  const engine = await createEngine({ wasm, weights: await readFile(path('flat.gguf')) });
  const { topLabel } = engine.diagnose(await readFile(path('film.png')));
  const expected = heatPixels(occlusionMap(engine, topLabel), 64, 64);
  const seen = await page.evaluate(() => {
    const heat = document.getElementById('heat');
    return [heat.width, heat.height, ...heat.getContext('2d').getImageData(0, 0, heat.width, heat.height).data];
  });
  assert.deepEqual(seen.slice(0, 2), [64, 64]);
  // A canvas keeps colours multiplied by their opacity, so they come back rounded.
  assert.deepEqual(
    seen.slice(2).filter((_, i) => i % 4 === 3),
    [...expected].filter((_, i) => i % 4 === 3),
  );
  assert.match(await page.textContent('#legend-text'), /^Parts without which “/);
  assert.equal(await page.isVisible('#occlude'), false);
  assert.deepEqual(await faults(page), []);
});
