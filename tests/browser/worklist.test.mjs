// worklist.test.mjs: many films as a worklist: their order, the way back to the table, what is exported, removing and
// bringing back, archives and duplicates. One page load for many findings, because starting one costs most.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { strToU8, zipSync } from 'fflate';
import { createEngine } from '../../src/node.mjs';
import { choose, empty, faults, focused, launch, open, png, resultOf, select, serve, settled } from './site.mjs';

let browser, server, film, page;
before(async () => {
  [browser, server] = await Promise.all([launch(), serve()]);
  ({ page } = await open(browser, server, { reducedMotion: 'reduce' }));
  await settled(page);
  const engine = await createEngine();
  engine.phantom();
  const { data, width, height } = engine.film(300);
  // The darker the film, the lower the contrast: five films with five answers. cloud: the grey of one in the right lung.
  film = (share, cloud = 0) =>
    png(width, height, (x, y) => {
      const far = ((x / width - 0.3) / 0.15) ** 2 + ((y / height - 0.6) / 0.15) ** 2;
      return Math.min(255, share * data[y * width + x] + cloud * Math.exp(-2 * far));
    });
});
after(() => Promise.all([browser?.close(), server?.close()]));

const names = (page) => page.locator('#table-body bdi').allTextContents();
const onView = (page) => page.textContent('#name');
const films = () =>
  [0.5, 1, 0.4, 0.8, 0.6].map((share, i) => ({ name: `film ${i}.png`, buffer: film(share, i === 1 ? 150 : 0) }));
async function saved(page, kind) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(`[data-action=export-${kind}]`)]);
  return (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
}

test('next, back, export and print follow the table, whose row of the open film is marked', async () => {
  await empty(page);
  await choose(page, [...films(), { name: 'text.png', buffer: Buffer.from('text') }]);
  await settled(page);
  assert.match(await page.title(), /^Pleura/);
  await page.click('#table-head [data-by=covid]');
  const shares = (await page.locator('#table-body tr > :nth-child(3)').allTextContents()).slice(0, 5).map(parseFloat);
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => b - a),
    'the highest first',
  );
  await page.click('#table-head [data-by=extent]');
  const extents = (await page.locator('#table-body tr > :nth-child(7)').allTextContents()).slice(0, 5);
  const [head, ...rows] = (await saved(page, 'csv')).map((line) => line.split(','));
  const [right, left] = ['extent_right', 'extent_left'].map((name) => head.indexOf(name));
  const percent = (share) => `${Math.round(100 * share)}%`;
  assert.deepEqual(
    extents,
    rows.slice(0, 5).map((row) => `${percent(row[right])} / ${percent(row[left])}`),
    'the share of each lung under opacity, as in the CSV',
  );
  const sums = rows.slice(0, 5).map((row) => Number(row[right]) + Number(row[left]));
  assert.ok(sums[0] > sums[4]);
  assert.deepEqual(
    sums,
    sums.toSorted((a, b) => b - a),
  );
  await page.click('#table-head [data-by=covid]');
  const order = await names(page);

  await page.click(`#table-body >> text=${order[1]}`);
  assert.equal(await onView(page), order[1]);
  assert.equal(await page.textContent('#table-body [aria-current] bdi'), order[1]);
  assert.equal(await page.textContent('#step-place'), '2 of 6');
  await page.focus('#stage');
  await page.keyboard.press('n');
  assert.equal(await onView(page), order[2], 'the next of the table');
  assert.match(await page.textContent('#announcement'), new RegExp(`^${order[2]}: `), 'and it is announced');
  await page.keyboard.press('p');
  assert.equal(await onView(page), order[1]);

  await page.goBack();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), order[1], 'back to its row');
  assert.equal(await page.locator('#table-body tr').count(), 6, 'with all results');
  await page.goForward();
  assert.equal(await focused(page), 'result');

  await page.fill('#search', 'film');
  const shown = await names(page);
  assert.deepEqual(
    (await saved(page, 'json')).map((line) => JSON.parse(line).file),
    shown,
    'what is shown',
  );
  await page.evaluate(() => {
    window.print = () => window.dispatchEvent(new Event('beforeprint'));
  });
  await page.click('[data-action=print-batch]');
  assert.deepEqual(await page.locator('#printout tbody bdi').allTextContents(), shown);
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  assert.equal(await page.locator('#printout tbody').count(), 0, 'the browser’s own menu prints the film on view');
  await page.fill('#search', 'nothing like it');
  assert.equal(await page.isVisible('#no-rows'), true);
  await page.selectOption('#show', 'error');
  await page.fill('#search', '');
  assert.deepEqual(await names(page), ['text.png']);
  assert.equal(await page.textContent('#remove-shown'), 'Remove the images shown: 1');
  await page.click('#remove-shown');
  assert.deepEqual((await names(page)).toSorted(), shown.toSorted());
});

test('every film can be removed, by button, row and key, and what was removed comes back', async () => {
  await empty(page);
  await choose(page, films());
  await settled(page);
  await page.click('[data-action=remove]:visible');
  assert.deepEqual(
    await names(page),
    [1, 2, 3, 4].map((i) => `film ${i}.png`),
  );
  assert.equal(await onView(page), 'film 1.png');
  await page.click('[data-action=undo]');
  assert.equal((await names(page)).length, 5);
  assert.deepEqual([(await names(page))[0], await onView(page)], ['film 0.png', 'film 0.png']);
  await page.click('#table-body tr:nth-child(4) [data-action=remove]');
  assert.deepEqual(
    await names(page),
    [0, 1, 2, 4].map((i) => `film ${i}.png`),
  );
  assert.equal(await onView(page), 'film 0.png');
  await page.focus('#stage');
  await page.keyboard.press('Delete');
  assert.deepEqual(
    await names(page),
    [1, 2, 4].map((i) => `film ${i}.png`),
  );
  await page.keyboard.press('Control+z');
  assert.equal((await names(page)).length, 4);
  const { verdict } = await resultOf(page);
  await page.evaluate(() => {
    const slider = /** @type {HTMLInputElement} */ (document.querySelector('#shares input'));
    slider.value = '1';
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  });
  const chip = await page.textContent('#adjusted-text');
  assert.match(chip, /COVID-19 1%/);
  await page.click('#more');
  await page.click('#clear');
  assert.deepEqual([await page.isVisible('#welcome'), await page.isVisible('#adjusted')], [true, false]);
  assert.equal(await page.textContent('#removed-text'), 'Images removed: 4');
  await page.click('[data-action=undo]');
  assert.deepEqual([(await names(page)).length, await page.textContent('#adjusted-text')], [4, chip]);
  await page.click('#adjusted [data-action=reset-prevalence]');
  await page.waitForFunction((text) => document.getElementById('verdict').textContent === text, verdict);
  assert.equal(await page.isVisible('#adjusted'), false);
  const asks = await page.evaluate(() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true })));
  assert.equal(asks, true, 'leaving would lose results');
});

test('several films are picked by mouse and keys, then saved, removed or analysed again', async () => {
  await empty(page);
  await choose(page, films());
  await settled(page);
  const box = (row) => page.locator(`#table-body tr:nth-child(${row}) .pick input`);
  const picked = () =>
    page.$$eval('#table-body tr', (rows) => rows.map((row) => Number(row.querySelector('input').checked)).join(''));
  const places = (...numbers) => numbers.map((i) => `film ${i}.png`);
  await box(2).check();
  await page.click('#table-body tr:nth-child(4) bdi', { modifiers: ['Shift'] });
  assert.equal(await picked(), '01110');
  await page.click('#table-body tr:nth-child(3) bdi', { modifiers: ['Control'] });
  assert.equal(await picked(), '01010');
  assert.equal(await onView(page), 'film 0.png', 'which opens none');
  assert.match(await page.textContent('#announcement'), /: 2\./);
  assert.deepEqual(await faults(page), []);
  assert.deepEqual(
    (await saved(page, 'json')).map((line) => JSON.parse(line).file),
    places(1, 3),
  );

  await box(1).focus();
  await page.keyboard.press('Escape');
  assert.equal(await picked(), '00000');
  for (const key of ['Shift+ArrowDown', 'Shift+ArrowDown', 'Shift+ArrowUp']) await page.keyboard.press(key);
  assert.equal(await picked(), '11000');
  const verdicts = () => page.locator('#table-body td:nth-child(2)').allTextContents();
  const before = await verdicts();
  const again = await page.evaluate(() => {
    document.querySelector('[data-action=retry-picked]').click();
    return [...document.querySelectorAll('#table-body tr')].map(({ dataset }) => dataset.kind === 'unread');
  });
  assert.deepEqual(again, [true, true, false, false, false]);
  await settled(page);
  assert.deepEqual(await verdicts(), before);
  await box(2).focus();
  await page.keyboard.press('Delete');
  assert.deepEqual(await names(page), places(2, 3, 4));
  assert.equal(await page.isVisible('#picked'), false);
  await page.click('[data-action=undo]');
  assert.equal(await picked(), '11000', 'what comes back is picked');
  await page.click('#table-head .pick');
  assert.equal(await picked(), '11111');
  await page.evaluate(() => scrollTo(0, 0));
  const covered = () =>
    page.evaluate(() => {
      const [bar, head] = ['#picked', '.batch-top'].map((one) => document.querySelector(one).getBoundingClientRect());
      return bar.top < head.bottom;
    });
  assert.equal(await covered(), false, 'what can be done stays at the table');
  await page.click('#picked [data-action=remove-listed]');
  assert.equal(await page.isVisible('#welcome'), true);
});

test('an archive is searched like a folder, and a file that is there twice says so', async () => {
  await empty(page);
  const zip = zipSync({
    'a/film.png': film(1),
    'a/readme.txt': strToU8('no film'),
    'b.png': [film(0.8), { level: 0 }],
    'inner.zip': strToU8('nested'),
    '__MACOSX/a/._film.png': strToU8('what a Mac adds'),
  });
  await choose(page, [
    { name: 'study.zip', buffer: Buffer.from(zip) },
    { name: 'same.png', buffer: film(1) },
    { name: 'broken.zip', buffer: Buffer.from(zip.subarray(0, 40)) },
  ]);
  await page.waitForSelector('#batch:not([hidden])');
  await settled(page);
  assert.deepEqual(await names(page), ['same.png', 'study.zip/a/film.png', 'study.zip/b.png']);
  assert.match(await page.textContent('#skipped'), /: 4 \(.*readme\.txt.*inner\.zip.*\)/);
  const notes = await page.locator('#table-body tr > :nth-last-child(2)').allTextContents();
  assert.deepEqual(notes, ['', 'Same file as same.png', '']);
  await select(page, 1);
  assert.equal((await resultOf(page)).status !== 'error', true);
});
