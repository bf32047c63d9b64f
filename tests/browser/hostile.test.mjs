// hostile.test.mjs: malicious file names, DICOM tags and labels of weights stay text: on screen, printed, kept and
// saved.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readGguf, textValue, textValues, writeGguf } from '../../src/weights/gguf.mjs';
import { parseCsv } from '../../src/cli/csv.mjs';
import { dicomFile } from '../dicom/file.mjs';
import { choose, keeping, launch, open, png, select, serve, settled } from './site.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const IMAGE = '<img src=x onerror="globalThis.ran = 1">',
  SCRIPT = '"><script>globalThis.ran = 1</script>';
const NAMES = [
  IMAGE,
  SCRIPT,
  '=HYPERLINK("http:x")',
  '+1',
  '-1',
  '@SUM(1)',
  '{count}',
  '$&',
  '__proto__',
  'a\u001b[2J\u202eb',
  "');globalThis.ran=1;('",
  'javascript:globalThis.ran=1',
];
const LABELS = [IMAGE, '=1+1', '__proto__'],
  NOTICE = `${SCRIPT} {notice}`;
let browser, folder, server;
before(async () => {
  folder = await mkdtemp(`${tmpdir()}/pleura-`);
  const weights = readGguf(await readFile(`${root}tests/fixtures/tiny.gguf`));
  weights.values
    .set('pleura.labels', textValues(LABELS))
    .set('general.name', textValue(IMAGE))
    .set('pleura.card.notice', textValue(NOTICE))
    .set('pleura.card.summary', textValue(SCRIPT));
  await writeFile(`${folder}/hostile.gguf`, writeGguf(weights));
  await promisify(execFile)(process.execPath, [
    `${root}web/site/build.mjs`,
    '--weights',
    `${folder}/hostile.gguf`,
    '--out',
    `${folder}/site`,
  ]);
  [browser, server] = await Promise.all([launch(), serve()]);
  server.folder = `${folder}/site`;
});
after(async () => {
  await Promise.all([browser?.close(), rm(folder, { recursive: true, force: true })]);
  await server?.close();
});

/** Elements of the page that its own code does not create. */
const foreign = (page) =>
  page.evaluate(() => ({
    ran: 'ran' in globalThis,
    elements: [...document.querySelectorAll('script, img, iframe, object, embed, base, meta, link, style, form, a')]
      .map((element) => /** @type {Element} */ (element.cloneNode(false)).outerHTML)
      .sort(),
    handlers: [...document.querySelectorAll('*')].flatMap((element) =>
      element.getAttributeNames().filter((name) => name.startsWith('on')),
    ),
  }));

test('names of films, DICOM tags and labels of weights are shown, printed, kept and saved as text, whatever they contain', async (t) => {
  const { page, complaints, close } = await open(browser, server, { reducedMotion: 'reduce' });
  t.after(close);
  await settled(page);
  const clean = await foreign(page);
  const said = async (text) => assert.ok((await page.textContent('body')).includes(text), text);
  await page.click('#more');
  await page.click('#menu [data-dialog=history]');
  await page.click('#history-switch');
  await keeping(page);
  await page.keyboard.press('Escape');

  const film = (i) => png(160, 160, (x, y) => (x * (i + 3)) ^ y);
  await choose(page, [
    ...NAMES.map((name, i) => ({ name: `${name}.png`, buffer: i % 4 === 3 ? Buffer.from('no film') : film(i) })),
    {
      name: 'IM1',
      buffer: dicomFile({
        width: 128,
        height: 128,
        pixels: new Uint8Array(128 * 128).map((_, i) => i),
        tags: { '00100020': ['LO', IMAGE], '00080080': ['LO', SCRIPT], '00081030': ['LO', '=1+1'] },
      }),
    },
  ]);
  await settled(page);
  for (const place of NAMES.keys()) await select(page, place);
  for (const text of [IMAGE, SCRIPT, NOTICE, '=1+1', '__proto__', '{count}.png', '$&.png']) await said(text);
  assert.deepEqual(await foreign(page), clean, 'on screen');

  await page.locator('#strip-list button').last().click();
  await settled(page);
  await page.click('#details summary');
  await page.click('#tags-show');
  await page.waitForFunction((text) => document.getElementById('tags').textContent.includes(text), IMAGE);
  await page.fill('#search', IMAGE);
  await page.click('#more');
  await page.click('#menu [data-dialog=history]');
  await page.waitForSelector('#history tr');
  await said(IMAGE);
  assert.deepEqual(await foreign(page), clean, 'tags and what is kept');
  await page.keyboard.press('Escape');

  await page.evaluate(() => {
    window.print = () => window.dispatchEvent(new Event('beforeprint'));
  });
  for (const what of ['film', 'batch']) {
    await page.click(`[data-action=print-${what}]`);
    assert.match(await page.textContent('#printout'), /<img src=x onerror=/);
    assert.deepEqual(await foreign(page), clean, `printed: ${what}`);
  }

  await page.fill('#search', ''); // only films that are shown are saved
  const saved = {};
  for (const kind of ['csv', 'json']) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`[data-action=export-${kind}]`)]);
    assert.match(download.suggestedFilename(), /^pleura-\d{4}-\d\d-\d\d\.(csv|jsonl)$/);
    saved[kind] = await readFile(await download.path(), 'utf8');
    assert.doesNotMatch(saved[kind], /[\u0000-\u0009\u000b-\u001f\u202e]/);
  }
  assert.deepEqual(
    saved.json
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).file),
    [...NAMES.map((name) => `${name}.png`), 'IM1'],
  );
  const rows = parseCsv(saved.csv.replace('\ufeff', ''));
  assert.equal(rows.length, NAMES.length + 1);
  for (const cell of rows.flatMap((row) => [...Object.keys(row), ...Object.values(row)]))
    assert.ok(!/^\s*[=+\-@]/.test(cell) || /^-?\d+(\.\d+)?$/.test(cell), cell);

  for (const language of ['ar', 'hi']) {
    await page.selectOption('#language', language);
    await page.waitForSelector(`[lang|=${language}]`);
    assert.deepEqual(await foreign(page), clean, language);
  }
  assert.deepEqual(complaints, []);
});
