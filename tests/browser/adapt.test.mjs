// adapt.test.mjs: adapting the page to one's own films: before and after, keep and discard, export and import, in every
// language. Nothing is sent, and nothing is stored unasked.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { LANGUAGES } from '../../web/i18n/words.mjs';
import english from '../../web/i18n/en.mjs';
import { film, folder, root, tiny } from '../cli/command.mjs';
import { faults, focused, keeping, launch, openDialog, openQuiet, serve, settled, speak, WAIT } from './site.mjs';

let browser, server;

before(async () => {
  for (const [n, label] of ['covid', 'pneumonia', 'normal', 'fracture'].entries()) {
    await mkdir(`${folder}/films/${label}`, { recursive: true });
    for (let i = 0; i < (n < 3 ? 20 : 1); i++)
      await writeFile(`${folder}/films/${label}/${i}.png`, film(64 + 12 * n, i));
  }
  await mkdir(`${folder}/few/covid`, { recursive: true });
  await writeFile(`${folder}/few/covid/0.png`, film(64));
  await promisify(execFile)(process.execPath, [
    `${root}web/site/build.mjs`,
    '--weights',
    tiny,
    '--out',
    `${folder}/site`,
  ]); // these random weights refuse no film
  [browser, server] = await Promise.all([launch(), serve()]);
  server.folder = `${folder}/site`;
});
after(() => Promise.all([browser?.close(), server?.close()]));

const ready = (t, options) => openQuiet(t, browser, server, options);
const fit = async (page) => {
  await page.setInputFiles('#labelled', `${folder}/films`);
  await page.waitForSelector('#adapt-result:not([hidden])', WAIT);
};
async function saved(page, selector) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(selector)]);
  return readFile(await download.path());
}
/** What screen readers announce: the live region inside the open dialog, as everything outside is silent. */
const spoken = (page) => page.textContent('dialog[open] [role=status][aria-live]');
const inForce = (page, start) =>
  page.waitForFunction((start) => document.getElementById('adapt-state').textContent.startsWith(start), start, WAIT);
const record = async (page) => JSON.parse((await saved(page, '[data-action=export-json]')).toString().split('\n')[0]);

test('an adapter is fitted to a folder, explained, applied, named in every result, exported, removed and imported, and nothing is sent', async (t) => {
  const { page, asked } = await ready(t);
  await page.setInputFiles('#files', [`${folder}/films/covid/0.png`, `${folder}/films/normal/0.png`]);
  await settled(page);
  const plain = await record(page);
  await page.waitForSelector('text=Ready to work offline');
  asked.length = 0;
  await openDialog(page, 'adapt');
  assert.equal(await page.textContent('#adapt-state'), 'The original model is in use.');
  await fit(page);
  assert.equal(await focused(page), 'adapt-advice');
  assert.match(
    await page.textContent('#adapt-films'),
    /COVID-19 20, Pneumonia 20, and Normal 20; patients: 60\. Excluded: .*1 in other folders/,
  );
  assert.equal(await page.locator('#adapt-figures tr').count(), 7);
  assert.deepEqual(await faults(page), []);
  await page.click('[data-action=adapt-keep]');
  await inForce(
    page,
    'Adapted on this device to labelled images (COVID-19 20, Pneumonia 20, and Normal 20): model file ',
  );
  const overlay = await saved(page, '#adapt-export');
  assert.equal(overlay.subarray(0, 4).toString(), 'GGUF');
  await page.keyboard.press('Escape');
  await settled(page);
  const own = await record(page);
  assert.match(own.model, /^tiny-0\.0\.1\+adapted /);
  assert.notEqual(own.bits, plain.bits);
  for (const id of ['adapted-film', 'adapted-batch', 'model'])
    assert.match(await page.textContent(`#${id}`), /Adapted on this device/, id);
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  assert.match(await page.textContent('#printout'), /Adapted on this device/);
  await writeFile(`${folder}/own.gguf`, overlay);
  await openDialog(page, 'adapt');
  await page.click('#adapt-back');
  await inForce(page, 'The original model');
  await page.waitForFunction(() => document.getElementById('adapted-film').hidden);
  await page.setInputFiles('#adapter', `${folder}/own.gguf`);
  await inForce(page, 'Adapted');
  await page.keyboard.press('Escape');
  await settled(page);
  assert.deepEqual(await record(page), own);
  const parts = asked.filter((url) => !url.startsWith('blob:')).map((url) => url.slice(server.url.length));
  assert.deepEqual(
    parts.filter((name) => !/^(worker|dicom)-[0-9a-f]{10}\.js$/.test(name)),
    [],
    'but for the worker and its DICOM reader, which start anew with other weights',
  );
  assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).length), 0);
});

test('an adapter is kept where results are, survives a reload, and is wiped with them; a foreign file and too few films are refused', async (t) => {
  const { page } = await ready(t);
  await openDialog(page, 'adapt');
  await page.setInputFiles('#adapter', tiny);
  await page.waitForSelector('#adapt-error:not([hidden])');
  assert.match(await page.textContent('#adapt-error'), /not a Pleura adapter file/);
  await page.keyboard.press('Escape');
  await page.setInputFiles('#files', `${folder}/films/covid/0.png`);
  await page.waitForSelector('#desk:not([hidden])');
  await settled(page);
  assert.equal(await page.locator('dialog[open]').count(), 0, 'not once more for each film');
  await openDialog(page, 'adapt');
  await page.setInputFiles('#labelled', `${folder}/few`);
  await page.waitForFunction(() => /Not enough images/.test(document.getElementById('adapt-error').textContent));
  await fit(page);
  assert.match(await spoken(page), /\w/);
  await page.click('[data-action=adapt-discard]');
  await page.waitForSelector('#adapt-result', { state: 'hidden' });
  assert.equal(await focused(page), 'adapt-title', 'the button is gone');
  assert.equal(await page.textContent('#adapt-state'), 'The original model is in use.');
  await page.setInputFiles('#adapter', `${folder}/own.gguf`);
  await inForce(page, 'Adapted');
  await page.setInputFiles('#adapter', tiny);
  await page.waitForSelector('#adapt-error:not([hidden])');
  await settled(page);
  await inForce(page, 'Adapted');
  await page.keyboard.press('Escape');
  await openDialog(page, 'history');
  await page.click('#history-switch');
  await keeping(page);
  await page.addInitScript(() => {
    // a film may be opened before the kept adapter is read
    const { databases } = IDBFactory.prototype;
    IDBFactory.prototype.databases = async function () {
      await new Promise((resolve) => {
        setTimeout(resolve, 500);
      });
      return databases.call(this);
    };
  });
  await page.reload();
  await page.evaluate(() => document.querySelector('#welcome [data-action=phantom]').click());
  await page.waitForSelector('#bars:not([hidden])');
  assert.match(await page.textContent('#model'), /Adapted/);
  await page.evaluate(async () => {
    // as if the device had altered it
    const [{ name }] = await indexedDB.databases();
    const store = await new Promise((resolve) => {
      indexedDB.open(name).onsuccess = ({ target }) => resolve(target.result);
    });
    const adapter = store.transaction('adapter', 'readwrite').objectStore('adapter');
    const bytes = await new Promise((resolve) => {
      adapter.get(0).onsuccess = ({ target }) => resolve(target.result);
    });
    bytes[bytes.length - 1] ^= 1;
    adapter.put(bytes, 0);
    await new Promise((resolve) => {
      adapter.transaction.oncomplete = resolve;
    });
    store.close();
  });
  await page.reload();
  await page.waitForSelector('#dialog-adapt[open] #adapt-error:not([hidden])');
  assert.equal(await page.textContent('#adapt-error'), english['problem.overlay-damaged']);
  assert.equal(await page.textContent('#adapt-state'), 'The original model is in use.');
  await page.reload();
  await settled(page);
  assert.equal(await page.locator('dialog[open]').count(), 0, 'once is enough');
  await openDialog(page, 'adapt');
  await page.setInputFiles('#adapter', `${folder}/own.gguf`);
  await inForce(page, 'Adapted');
  await page.keyboard.press('Escape');
  await openDialog(page, 'history');
  page.once('dialog', (dialog) => dialog.accept());
  await page.click('[data-action=wipe]');
  await page.waitForFunction(() => !document.getElementById('model').textContent.includes('Adapted'), null, WAIT);
  assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).length), 0);
});

test('an adapter chosen while a cancelled engine restarts is applied', async (t) => {
  const { page } = await ready(t);
  await page.setInputFiles(
    '#files',
    Array.from({ length: 400 }, (_, i) => `${folder}/films/normal/${i % 20}.png`),
  );
  const told = await page.evaluate(
    (overlay) => {
      const data = new DataTransfer(),
        input = /** @type {HTMLInputElement} */ (document.getElementById('adapter')),
        said = document.getElementById('announcement');
      data.items.add(new File([Uint8Array.from(overlay)], 'own.gguf'));
      if (document.getElementById('work').hidden) throw new Error('all films are read');
      document.getElementById('work-cancel').click();
      input.files = data.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
      return new Promise((resolve) => {
        new MutationObserver(() => /model is in use/.test(said.textContent) && resolve(said.textContent)).observe(
          said,
          { childList: true, characterData: true, subtree: true },
        );
      });
    },
    [...(await readFile(`${folder}/own.gguf`))],
  );
  assert.equal(told, english['adapt.used']);
});

test('a fit can be cancelled, and films opened meanwhile are still read', async (t) => {
  const { page } = await ready(t);
  await openDialog(page, 'adapt');
  await page.setInputFiles(
    '#files',
    Array.from({ length: 200 }, (_, i) => `${folder}/films/normal/${i % 20}.png`),
  ); // these films take turns with those of the fit
  await page.setInputFiles('#labelled', `${folder}/films`);
  await page.waitForFunction(() => !document.getElementById('adapt-work').hidden);
  await page.click('[data-action=adapt-cancel]');
  await page.waitForSelector('#adapt-work', { state: 'hidden' });
  assert.equal(await page.isVisible('#adapt-result'), false);
  await settled(page);
  await page.keyboard.press('Escape');
  const records = (await saved(page, '[data-action=export-json]'))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    records.map(({ status }) => status),
    Array(200).fill('ok'),
  );
});

test('a fit survives clearing the page and cancelling films, which ends the worker', async (t) => {
  const { page } = await ready(t);
  await openDialog(page, 'adapt');
  await page.setInputFiles(
    '#files',
    Array.from({ length: 400 }, (_, i) => `${folder}/films/normal/${i % 20}.png`),
  );
  await page.setInputFiles('#labelled', `${folder}/films`);
  await page.waitForFunction(() => !document.getElementById('adapt-work').hidden);
  await page.keyboard.press('Escape');
  await page.click('#work-cancel');
  await page.click('#more');
  await page.click('#clear');
  await openDialog(page, 'adapt');
  await page.waitForSelector('#adapt-result:not([hidden])', WAIT);
  assert.match(await page.textContent('#adapt-films'), /patients: 60/);
});

test('the dialog has no accessibility fault and fits, in every language', async (t) => {
  const { page } = await ready(t);
  await openDialog(page, 'adapt');
  await fit(page);
  for (const [number, language] of Object.keys(LANGUAGES).entries()) {
    const narrow = number % 2 === 1;
    await page.setViewportSize(narrow ? { width: 390, height: 844 } : { width: 1440, height: 900 });
    await page.emulateMedia({ colorScheme: narrow ? 'dark' : 'light' });
    await speak(page, language);
    assert.deepEqual(await faults(page), [], language);
    const overflow = await page.evaluate(() =>
      [document.documentElement, document.getElementById('dialog-adapt')].map(
        ({ scrollWidth, clientWidth }) => scrollWidth - clientWidth,
      ),
    );
    assert.deepEqual(overflow, [0, 0], language);
  }
});
