// examples.test.mjs: films with open licences that the site offers to somebody who has none: fetched when asked for,
// checked, credited, and never stored. The site is built with the phantom in their place.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readExamples } from '../../web/site/examples.mjs';
import { createEngine } from '../../src/node.mjs';
import { faults, launch, openQuiet, phantomPng, resultOf, select, serve, settled } from './site.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
let browser, server, engine, folder, films;
before(async () => {
  [browser, server, engine, folder] = await Promise.all([
    launch(),
    serve(),
    createEngine(),
    mkdtemp(`${tmpdir()}/pleura-`),
  ]);
  films = [1, 0.8].map((share) => phantomPng(engine, 300, share));
  const sample = (i, more) => ({
    name: `example-${i}.png`,
    label: 'covid',
    split: 'test',
    sha256: sha256(films[i]),
    license: 'CC BY 4.0',
    licenseUrl: 'https://creativecommons.org/licenses/by/4.0/',
    attribution: 'Somebody, Journal 1',
    ...more,
  });
  const others = [{ license: 'CC BY-NC 4.0' }, { licenseUrl: undefined }, { split: 'train' }, { sha256: sha256('') }];
  await Promise.all(films.map((film, i) => writeFile(`${folder}/example-${i}.png`, film)));
  await writeFile(
    `${folder}/samples.json`,
    JSON.stringify([
      sample(0, {}),
      sample(1, { label: 'normal', sha256: '', localSha256: sha256(films[1]) }),
      ...others.map((more) => sample(0, more)),
      sample(0, { name: 'missing.png' }),
    ]),
  );
  execFileSync(process.execPath, [
    `${root}web/site/build.mjs`,
    ...['--samples', `${folder}/samples.json`, '--films', folder, '--out', `${folder}/site`],
  ]);
  server.folder = `${folder}/site`;
});
after(() => Promise.all([browser?.close(), server?.close(), rm(folder, { recursive: true, force: true })]));

test('only films that anybody may pass on and that did not train the model are examples', async () => {
  const found = await readExamples(`${folder}/samples.json`, folder);
  assert.deepEqual(
    found.map(({ credit }) => [credit.name, credit.reduced]),
    [
      ['example-0.png', false],
      ['example-1.png', true],
    ],
  );
  const shipped = await readExamples(`${root}model/samples/samples.json`, `${root}build/samples`);
  for (const { credit } of shipped)
    assert.match(credit.licenseUrl, /^https:\/\/creativecommons\.org\/licenses\/by\/\d\.0\/$/);
});

test('an example is fetched when it is opened, checked, analysed, credited on screen and paper, and not stored', async (t) => {
  const { page, complaints } = await openQuiet(t, browser, server, { viewport: { width: 390, height: 844 } });
  await page.waitForSelector('text=Ready to work offline');
  const isExample = (url) => /\/example-\d-[0-9a-f]{10}\.png$/.test(url);
  await page.click('#try-example');
  await page.waitForSelector('#dialog-examples[open]');
  assert.deepEqual(await faults(page), []);
  assert.deepEqual(server.requests.filter(isExample), [], 'nothing is fetched before it is asked for');
  assert.deepEqual(await page.locator('#examples button').allTextContents(), ['Open: COVID-19', 'Open: Normal']);
  await page.click('#examples button >> nth=1');
  await settled(page);
  await page.waitForSelector('#film:not([hidden])');
  assert.equal(server.requests.filter(isExample).length, 1);
  const { facts } = await resultOf(page);
  assert.equal(facts['Result fingerprint'], engine.diagnose(films[1]).bits);
  const credit = 'Diagnosis in its source: Normal. Somebody, Journal 1 (reduced in size). CC BY 4.0';
  assert.equal(await page.textContent('#credit'), credit);
  assert.equal(await page.getAttribute('#credit a', 'href'), 'https://creativecommons.org/licenses/by/4.0/');
  assert.deepEqual(await faults(page), []);
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  assert.ok((await page.textContent('#printout')).includes(credit), 'on paper too');
  assert.match(await page.textContent('#requests-count'), /: 0$/, 'it is a file of this page');

  await page.click('#more');
  await page.click('#menu-examples');
  await page.click('[data-action=all-examples]');
  await settled(page);
  assert.equal(await page.locator('#strip-list button').count(), 3);
  await select(page, 1);
  assert.match(await page.textContent('#credit'), /COVID-19\. Somebody, Journal 1\. CC/);
  const stored = await page.evaluate(async () => {
    const names = [];
    for (const key of await caches.keys()) names.push(...(await (await caches.open(key)).keys()).map(({ url }) => url));
    return names;
  });
  assert.deepEqual(stored.filter(isExample), []);

  await page.click('#more');
  await page.click('#clear');
  assert.equal(await page.textContent('#credit'), '');
  server.change = (name, bytes) => (isExample(`/${name}`) ? Buffer.concat([bytes, Buffer.from('x')]) : bytes);
  await page.click('#try-example');
  await page.click('#examples button >> nth=0');
  await page.waitForSelector('#page-notice:not([hidden])');
  assert.match(await page.textContent('#page-notice'), /^The example could not be downloaded/);
  assert.equal(await page.isVisible('#welcome'), true, 'an altered film is not used');
  assert.equal(complaints.splice(0).length, 1, 'the browser says that its SHA-256 differs');
  assert.equal((await readdir(server.folder)).filter((name) => isExample(`/${name}`)).length, 2);
});
