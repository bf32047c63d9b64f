// batch.test.mjs: hundreds of films at once and whole folders: the table, retries, saved records, the printed report.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { dicomFile } from '../dicom/file.mjs';
import { choose, empty, faults, focused, launch, open, png, serve, settled, watch } from './site.mjs';

let browser, server, folder, shared;
before(async () => {
  folder = await mkdtemp(`${tmpdir()}/pleura-`);
  [browser, server] = await Promise.all([launch(), serve()]);
  ({ page: shared } = await open(browser, server, { reducedMotion: 'reduce' }));
  await settled(shared);
});
after(() => Promise.all([browser?.close(), server?.close(), rm(folder, { recursive: true, force: true })]));

/** The page that most tests share, without films. */
async function emptied(viewport = { width: 1440, height: 900 }) {
  await empty(shared);
  await shared.setViewportSize(viewport);
  return shared;
}

const done = (page) => page.waitForFunction(() => document.getElementById('work').hidden, null, { timeout: 120_000 });
const column = (page, place) => page.locator(`#table-body tr > :nth-child(${place})`).allTextContents();
async function saved(page, kind) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(`[data-action=export-${kind}]`)]);
  return (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
}

test('with twenty broken files among five hundred, each has its row, the others their results, and memory stays small', async () => {
  const page = await emptied();
  const whole = png(128, 128),
    broken = [Buffer.alloc(0), Buffer.from('text'), whole.subarray(0, 200), png(8, 8)];
  const files = Array.from({ length: 500 }, (_, i) => ({
    name: `${String(i).padStart(3, '0')}.png`,
    buffer: i % 25 === 7 ? broken[((i / 25) | 0) % 4] : whole,
  }));
  await choose(page, files);
  await page.waitForSelector('#work-cancel:not([hidden])');
  await done(page);
  const verdicts = 'Not suitable: 480, Could not be opened: 20';
  assert.equal(await page.textContent('#announcement'), `Images analysed: 500. ${verdicts}`);
  assert.equal(await page.textContent('#counts'), verdicts);
  assert.equal(await page.textContent('#shown'), 'Showing 500 of 500 images');
  const records = (await saved(page, 'json')).map((line) => JSON.parse(line));
  assert.deepEqual(
    records.map(({ file }) => file),
    files.map(({ name }) => name),
  );
  assert.equal(records.filter(({ status }) => status === 'error').length, 20);
  assert.deepEqual([...new Set(records.filter(({ status }) => status === 'error').map(({ code }) => code))].sort(), [
    'empty-file',
    'image-damaged',
    'image-too-small',
    'not-an-image',
  ]);
  const table = await saved(page, 'csv');
  assert.equal(table.length, 501);
  assert.match(table[0], /^\ufefffile,status,verdict,probability_covid,/, 'Excel needs the byte order mark');

  assert.equal(await page.locator('#table-body tr').count(), 200);
  assert.ok((await page.locator('#strip-list li').count()) <= 60);
  await page.click('#more-rows');
  assert.equal(await page.locator('#table-body tr').count(), 400);
  await page.locator('#table-body tr:last-child').scrollIntoViewIfNeeded();
  await page.waitForFunction(() => document.querySelector('#table-body tr:last-child canvas').width > 1);
  await page.waitForFunction(() => document.querySelector('#table-body tr:first-child canvas').width === 1);
  const pixels = await page.evaluate(() =>
    [...document.querySelectorAll('canvas')].reduce((sum, { width, height }) => sum + width * height, 0),
  );
  assert.ok(pixels < 2e6, `${pixels} pixels are held in canvases: small pictures are painted where they are seen`);
  await page.selectOption('#show', 'error');
  assert.equal(await page.textContent('#shown'), 'Showing 20 of 500 images');
  await page.fill('#search', '007');
  assert.deepEqual(await column(page, 1), ['007.png']);
});

test('a dropped folder is searched, and files that are not films are skipped and counted', async () => {
  const page = await emptied();
  const [film, disc] = [
    png(128, 128),
    dicomFile({ width: 128, height: 128, pixels: new Uint8Array(128 * 128).map((_, i) => i) }),
  ].map((file) => file.toString('base64'));
  await page.evaluate(
    async ([film, disc]) => {
      const [bytes, dicom] = [film, disc].map((base64) =>
        Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)),
      );
      const root = await navigator.storage.getDirectory(),
        disk = await root.getDirectoryHandle('disk', { create: true }),
        deep = await disk.getDirectoryHandle('deep', { create: true });
      for (const [parent, name] of [
        [disk, 'b.png'],
        [disk, 'readme.txt'],
        [disk, '.hidden'],
        [disk, 'lost.png'],
        [deep, 'IM0001'],
        [deep, 'a.png'],
        [deep, 'letter'],
        [deep, 'export'],
      ]) {
        const writer = await (await parent.getFileHandle(name, { create: true })).createWritable();
        await writer.write(name === 'IM0001' ? dicom : /readme|letter/.test(name) ? 'no film' : bytes);
        await writer.close();
      }
      // A script cannot put a folder into a DataTransfer, so handles of the same folder stand in for its entries.
      const entry = (handle, path) => ({
        isDirectory: handle.kind === 'directory',
        fullPath: path,
        file: (resolve, reject) =>
          path.endsWith('lost.png')
            ? reject(new DOMException('', 'NotFoundError'))
            : handle.getFile().then(resolve, reject),
        createReader() {
          const all = (async () => {
            const found = [];
            for await (const [name, child] of handle.entries()) found.push(entry(child, `${path}/${name}`));
            return found;
          })();
          let given = 0;
          return {
            readEntries: (resolve, reject) => all.then((found) => resolve(found.slice(given, ++given)), reject),
          };
        },
      });
      const data = new DataTransfer();
      data.items.add(new File([''], 'disk'));
      const event = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data });
      Object.defineProperty(event, 'dataTransfer', {
        value: {
          types: ['Files'],
          files: data.files,
          items: [{ kind: 'file', webkitGetAsEntry: () => entry(disk, '/disk') }],
        },
      });
      document.body.dispatchEvent(event);
    },
    [film, disc],
  );
  await page.waitForSelector('#batch:not([hidden])');
  await settled(page);
  assert.deepEqual(await column(page, 1), ['disk/b.png', 'disk/deep/IM0001', 'disk/deep/a.png', 'disk/deep/export']);
  assert.match(await page.textContent('#skipped'), /: 4 \(.*disk\/readme\.txt.*\)$/);
});

test('a folder without films says so, and its skipped files are not added to the next count', async () => {
  const page = await emptied();
  await mkdir(`${folder}/letters`, { recursive: true });
  await Promise.all(['a.txt', 'b.doc'].map((name) => writeFile(`${folder}/letters/${name}`, 'no film')));
  for (let i = 0; i < 2; i++) {
    await page.setInputFiles('#folder', `${folder}/letters`);
    await page.waitForSelector('#page-notice >> text=/: 2 .*letters/');
    assert.equal(await page.isVisible('#welcome'), true);
  }
  assert.deepEqual(await faults(page), []);
});

test('the films of a chosen folder are listed by their paths', async () => {
  const page = await emptied();
  await mkdir(`${folder}/chosen/part`, { recursive: true });
  await Promise.all([
    writeFile(`${folder}/chosen/part/x.png`, png(128, 128)),
    writeFile(`${folder}/chosen/y.png`, png(130, 128)),
    writeFile(`${folder}/chosen/notes.txt`, 'no film'),
  ]);
  await page.setInputFiles('#folder', `${folder}/chosen`);
  await page.waitForSelector('#batch:not([hidden])');
  await settled(page);
  assert.deepEqual(await column(page, 1), ['chosen/part/x.png', 'chosen/y.png']);
});

test('a folder still being searched when the page is cleared adds nothing afterwards', async () => {
  const page = await emptied();
  await mkdir(`${folder}/slow`, { recursive: true });
  await Promise.all([
    writeFile(`${folder}/slow/IM0001`, 'its first bytes tell what it is'),
    writeFile(`${folder}/slow/x.png`, png(128, 128)),
  ]);
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  await page.evaluate(() => {
    const { arrayBuffer } = Blob.prototype,
      held = new Promise((resolve) => {
        globalThis.release = resolve;
      });
    Blob.prototype.arrayBuffer = async function () {
      return held.then(() => arrayBuffer.call(this));
    };
  });
  await page.setInputFiles('#folder', `${folder}/slow`);
  await page.waitForSelector('#work:not([hidden])');
  await page.click('#more');
  await page.click('#clear');
  await page.evaluate(() => globalThis.release());
  await page.waitForSelector('#work', { state: 'hidden' });
  assert.equal(await page.isVisible('#welcome'), true);
});

for (const viewport of [
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
]) {
  test(`the table sorts by any column and a row opens its film at ${viewport.width} pixels`, async () => {
    const page = await emptied(viewport);
    await page.click('#welcome [data-action=phantom]');
    await choose(page, [
      { name: 'film 10.png', buffer: png(200, 240) },
      { name: 'film 9.png', buffer: png(200, 200, () => 90) },
      { name: 'a.txt', buffer: Buffer.from('text') },
    ]);
    await settled(page);
    const sort = (by) => page.click(`#table-head [data-by=${by}]`);
    await sort('film');
    assert.deepEqual(await column(page, 1), ['a.txt', 'film 9.png', 'film 10.png', 'Synthetic example']);
    assert.equal(await page.getAttribute('#table-head th', 'aria-sort'), 'ascending');
    await sort('film');
    assert.equal((await column(page, 1))[0], 'Synthetic example');
    assert.equal(await page.evaluate(() => document.activeElement.dataset.by), 'film', 'the focus stays');
    await sort('film');
    assert.equal(await page.getAttribute('#table-head th', 'aria-sort'), null);
    await sort('covid');
    assert.equal((await column(page, 1))[0], 'Synthetic example');
    assert.deepEqual(await faults(page), []);
    await page.click('#table-body >> text=film 9.png');
    assert.equal(await page.textContent('#name'), 'film 9.png');
    assert.equal(await page.textContent('#verdict'), 'Not suitable');
  });
}

test('a film whose file has gone says so, and is read when the failed films are retried', async () => {
  const page = await emptied();
  await page.evaluate(() => {
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (message, ...rest) {
      // a file that can no longer be read, as after unplugging a USB stick
      const gone = !globalThis.back && message.file?.name.startsWith('gone');
      postMessage.call(this, gone ? { ...message, file: { size: 1, arrayBuffer: null } } : message, ...rest);
    };
  });
  await choose(
    page,
    ['gone 1.png', 'here.png', 'gone 2.png'].map((name) => ({ name, buffer: png(128, 128) })),
  );
  await settled(page);
  const verdicts = await column(page, 2);
  assert.deepEqual(
    verdicts.map((word) => word === 'Could not be opened'),
    [true, false, true],
  );
  assert.match(
    (await page.locator('#table-body tr > :nth-last-child(2)').allTextContents())[0],
    /^The file could not be opened/,
  );
  await page.evaluate(() => {
    globalThis.back = true;
  });
  await page.click('#retry-failed');
  await settled(page);
  assert.deepEqual(await column(page, 2), [verdicts[1], verdicts[1], verdicts[1]]);
  assert.equal(await page.isVisible('#retry-failed'), false);
  assert.equal(await focused(page), 'batch-title', 'the button is gone');
});

/** The page as printed. */
async function paper(page) {
  await page.emulateMedia({ media: 'print' });
  const text = await page.evaluate(() => document.body.innerText);
  const pdf = await page.pdf();
  await page.emulateMedia({ media: 'screen' });
  return { text, pdf };
}

test('the printed report of a film or a batch has picture, verdict, hashes, version and notice', async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  await watch(context, server);
  await context.addInitScript(() => {
    window.print = () => window.dispatchEvent(new Event('beforeprint'));
  });
  const page = await context.newPage();
  await page.goto(server.url);
  await settled(page);
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  const facts = await page.evaluate(() =>
      [...document.querySelectorAll('#facts dd')].map(({ textContent }) => textContent),
    ),
    notice = await page.textContent('#notice');
  const verdict = await page.textContent('#verdict');
  await page.click('[data-action=print-film]');
  const one = await paper(page);
  for (const said of [...facts, notice, verdict, 'Synthetic example', '95% confidence intervals'])
    assert.ok(one.text.includes(said), said);
  assert.doesNotMatch(one.text, /Add images/);
  assert.equal(
    await page.evaluate(() => {
      const { width, height } = document.querySelector('.printout-film canvas');
      return width * height > 1e5;
    }),
    true,
  );
  assert.equal(one.pdf.subarray(0, 5).toString(), '%PDF-');
  assert.equal(one.pdf.toString('latin1').match(/\/Type\s*\/Page\b/g).length, 1, 'one sheet of paper');

  await choose(page, [
    { name: 'refused.png', buffer: png(200, 200, () => 90) },
    { name: 'text.txt', buffer: Buffer.from('text') },
  ]);
  await settled(page);
  await page.click('[data-action=print-batch]');
  const many = await paper(page);
  for (const said of [
    notice,
    verdict,
    'refused.png',
    'text.txt',
    'This is not an image',
    'Images: 3',
    /SHA-256 of the weights: [0-9a-f]{64}/,
    /Page version: [0-9a-f]{12}/,
  ]) {
    assert.ok(said instanceof RegExp ? said.test(many.text) : many.text.includes(said), String(said));
  }
  assert.equal(many.text.match(/\b[0-9a-f]{64}\b/g).length, 2, 'the weights and the film that was read');
});
