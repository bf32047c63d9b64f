// prevalence.test.mjs: the page at a prevalence that the user chooses: films, table, saved and printed results, the
// way back, and weights without a prior, which have no sliders.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEngine } from '../../src/engine.mjs';
import { floatValues, readGguf, writeGguf } from '../../src/weights/gguf.mjs';
import { LANGUAGES } from '../../web/i18n/words.mjs';
import english from '../../web/i18n/en.mjs';
import {
  choose,
  empty,
  faults,
  focused,
  keeping,
  launch,
  open,
  phantomPng,
  png,
  resultOf,
  select,
  serve,
  settled,
  speak,
} from './site.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PRIOR = [0.345, 0.191, 0.414, 0.05],
  OWN =
    'Probabilities assume the case mix that the model states: COVID-19 34.5%, Pneumonia 19.1%, Normal 41.4%, and Another finding 5%.';
const film = png(200, 240);
let browser, server, folder, engine, shared;

/** The page with the shipped weights, after a change to their metadata. */
async function build(name, change) {
  const weights = readGguf(await readFile(`${root}model/pleura.gguf`)),
    file = `${folder}/${name}.gguf`;
  change(weights.values);
  await writeFile(file, writeGguf(weights));
  await promisify(execFile)(process.execPath, [
    `${root}web/site/build.mjs`,
    '--weights',
    file,
    '--out',
    `${folder}/${name}`,
  ]);
  return { file, site: `${folder}/${name}` };
}

before(async () => {
  folder = await mkdtemp(`${tmpdir()}/pleura-`);
  [browser, server] = await Promise.all([launch(), serve()]);
  const { file, site } = await build('prior', (values) => values.set('pleura.prior', floatValues(PRIOR)));
  server.folder = site;
  engine = await createEngine({ wasm: await readFile(`${root}build/pleura.wasm`), weights: await readFile(file) });
  shared = await open(browser, server, { reducedMotion: 'reduce' });
  await settled(shared.page);
});
after(async () => {
  await Promise.all([browser?.close(), server?.close(), rm(folder, { recursive: true, force: true })]);
  assert.deepEqual(shared.complaints, []);
});

/** The page that most tests share, with nothing but the phantom. */
async function renewed() {
  const { page } = shared;
  await empty(page);
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  return page;
}

async function ready(t, options) {
  const { page, complaints, close } = await open(browser, server, { reducedMotion: 'reduce', ...options });
  t.after(close);
  t.after(() => assert.deepEqual(complaints, []));
  await settled(page);
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  return page;
}

/** Sets the sliders to so many people out of a hundred per label, as a dragging finger does. */
const give = (page, shares) =>
  page.evaluate((given) => {
    for (const [label, count] of Object.entries(given)) {
      const slider = /** @type {HTMLInputElement} */ (document.querySelector(`#shares [data-label=${label}]`));
      slider.value = String(count);
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    }
  }, shares);
const standsFor = (page, start) =>
  page.waitForFunction((start) => document.getElementById('mixture').textContent.startsWith(start), start);
const bars = (probability) => Object.values(probability).map((p) => `${(100 * p).toFixed(1)}%`);
async function saved(page, kind) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(`[data-action=export-${kind}]`)]);
  return (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
}

test("the sliders give the engine's verdict and probabilities and name the class mix, and one button resets them", async () => {
  const page = await renewed(),
    own = engine.phantom(),
    before = await resultOf(page);
  assert.equal(await page.textContent('#mixture'), OWN);
  assert.deepEqual(before.bars, bars(own.probability));
  await page.click('#prevalence summary');
  assert.equal(await page.getAttribute('#reset-prevalence', 'aria-pressed'), 'true');
  assert.deepEqual(
    await page.locator('#shares output').allTextContents(),
    ['34', '19', '5'],
    'of floats below 0.345 and above 0.19',
  );
  assert.equal(own.verdict, 'normal');
  await give(page, { covid: 96, pneumonia: 3 });
  await standsFor(
    page,
    'Probabilities adjusted to your case mix: COVID-19 96%, Pneumonia 3%, Normal 1%, and Another finding 0%.',
  );
  engine.setPrevalence({ covid: 0.96, pneumonia: 0.03, normal: 0.01, other: 0 });
  const moved = engine.reclassify(own),
    now = await resultOf(page),
    name = english[`label.${moved.verdict}`];
  engine.setPrevalence(null);
  assert.notEqual(moved.verdict, own.verdict);
  assert.deepEqual([now.status, now.verdict, now.bars], [moved.verdict, name, bars(moved.probability)]);
  assert.equal(
    now.because,
    `With your case mix, “${name}” is the most likely category. An image alone neither proves nor rules out a disease.`,
  );
  assert.equal(now.facts['Result fingerprint'], own.bits, 'what the networks said stays');
  const heat = () => page.evaluate(() => !document.getElementById('heat').hidden);
  assert.equal(
    await page.textContent('#legend-text'),
    english['reading.legend.opacity'],
    'an opacity map fits any heading',
  );
  assert.deepEqual(
    [await heat(), await page.isVisible('#scale'), await page.isDisabled('#heat-slider')],
    [true, true, false],
  );
  assert.match(await page.textContent('#extent'), /^Opacity: right lung \d+%, left lung \d+%\./);
  const printed = await page.evaluate(() => {
    dispatchEvent(new Event('beforeprint'));
    const printout = document.getElementById('printout');
    return { canvases: printout.querySelectorAll('canvas').length, text: printout.textContent };
  });
  assert.equal(printed.canvases, 2, 'the film and its heatmap');
  assert.ok(printed.text.includes(english['reading.legend.opacity']));
  assert.ok(printed.text.includes(await page.textContent('#extent')));
  assert.equal(
    await page.textContent('#announcement'),
    `${name}, ${Math.round(100 * moved.probability[moved.verdict])}%`,
  );
  assert.equal(await page.textContent('#rest'), 'Normal: 1 (the remainder)');
  assert.equal(await page.getAttribute('#reset-prevalence', 'aria-pressed'), 'false');
  await page.click('#reset-prevalence');
  await standsFor(page, OWN);
  assert.deepEqual(await resultOf(page), before);
  assert.deepEqual([await heat(), await page.isVisible('#scale')], [true, true]);
});

test('a chosen prevalence ends with the films it was chosen for', async () => {
  const page = await renewed();
  await page.click('#prevalence summary');
  await give(page, { covid: 1, pneumonia: 1 });
  await standsFor(page, 'Probabilities adjusted to your case mix');
  await page.click('#more');
  await page.click('#menu [data-action=clear]');
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  await standsFor(page, OWN);
});

test('the sliders work by keyboard, and a new film is judged at the chosen prevalence', async () => {
  const page = await renewed();
  await page.focus('#prevalence summary');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.closest('label').textContent), 'COVID-1934');
  await page.keyboard.press('End');
  await standsFor(
    page,
    'Probabilities adjusted to your case mix: COVID-19 100%, Pneumonia 0%, Normal 0%, and Another finding 0%.',
  );
  assert.deepEqual((await resultOf(page)).bars, ['100.0%', '0.0%', '0.0%', '0.0%']);
  await page.keyboard.press('ArrowLeft');
  await standsFor(
    page,
    'Probabilities adjusted to your case mix: COVID-19 99%, Pneumonia 0%, Normal 1%, and Another finding 0%.',
  );
  await choose(page, [{ name: 'film.png', buffer: film }]);
  await settled(page);
  engine.setPrevalence({ covid: 0.99, pneumonia: 0, normal: 0.01, other: 0 });
  const answer = engine.diagnose(new Uint8Array(film));
  engine.setPrevalence(null);
  assert.equal((await resultOf(page)).status, answer.verdict);
  const [, record] = (await saved(page, 'json')).map((line) => JSON.parse(line));
  assert.deepEqual(
    [record.verdict, record.prevalence],
    [answer.verdict, { covid: 0.99, pneumonia: 0, normal: 0.01, other: 0 }],
  );
  await select(page, 0); // a film that is refused has no sliders
  await page.focus('#reset-prevalence');
  await page.keyboard.press('Enter');
  await standsFor(page, OWN);
  assert.equal(await focused(page), 'reset-prevalence');
});

test('the whole table follows the slider, and saved and printed results name the class mix', async () => {
  const page = await renewed();
  await page.evaluate(() => {
    window.print = () => window.dispatchEvent(new Event('beforeprint'));
  });
  const files = Array.from({ length: 40 }, (_, i) => ({ name: `${i}.png`, buffer: png(128, 128 + i) }));
  await choose(page, [...files, { name: 'text.png', buffer: Buffer.from('text') }]);
  await settled(page);
  const shares = { covid: 0.05, pneumonia: 0.1, normal: 0.8, other: 0.05 };
  const own = (await saved(page, 'json')).map((line) => JSON.parse(line));
  assert.ok(own.every((record) => !('prevalence' in record)));
  await select(page, 0);
  await page.click('#prevalence summary');
  await give(page, { covid: 70 });
  await give(page, { covid: 5, pneumonia: 10 });
  await standsFor(page, 'Probabilities adjusted to your case mix: COVID-19 5%');
  assert.equal(await page.textContent('#batch-mixture'), await page.textContent('#mixture'));
  const moved = (await saved(page, 'json')).map((line) => JSON.parse(line));
  for (const [place, record] of own.entries()) {
    if (record.status === 'error') assert.deepEqual(moved[place], record);
    else {
      const odds = Object.keys(shares).map((label, i) => (record.probability[label] * shares[label]) / PRIOR[i]),
        sum = odds.reduce((a, b) => a + b);
      Object.values(moved[place].probability).forEach((p, i) =>
        assert.ok(Math.abs(p - odds[i] / sum) < 1e-5, record.file),
      );
      const { doubt: before, ...unchanged } = record;
      assert.deepEqual(moved[place], {
        ...unchanged,
        ...(moved[place].doubt && { doubt: moved[place].doubt }),
        verdict: moved[place].verdict,
        probability: moved[place].probability,
        prevalence: shares,
      });
    }
  }
  const covid = await page.locator('#table-body tr:first-child td:nth-child(3)').textContent();
  assert.equal(covid, `${(100 * moved[0].probability.covid).toFixed(1)}%`);
  const [head, row, ...rest] = await saved(page, 'csv');
  assert.match(head, /,prevalence,/);
  assert.ok(row.includes(',"covid=0.05,pneumonia=0.1,normal=0.8,other=0.05",'), row);
  assert.match(rest.at(-1), /^text\.png,error/);
  const sentence = await page.textContent('#mixture');
  for (const what of ['film', 'batch']) {
    await page.click(`[data-action=print-${what}]`);
    assert.ok((await page.textContent('#printout')).includes(sentence), what);
  }
});

test('making a picture again leaves the verdict as it is', async (t) => {
  const page = await ready(t);
  await choose(
    page,
    // A film that is refused has no sliders.
    Array.from({ length: 12 }, (_, i) => ({ name: `${i}.png`, buffer: phantomPng(engine, 300 + i) })),
  );
  await settled(page);
  await page.click('#prevalence summary');
  await give(page, { covid: 1, pneumonia: 1 });
  await page.waitForFunction(() => document.getElementById('batch-mixture').textContent.includes('Normal 93%'));
  await page.evaluate(() => {
    // as if the slider had moved after the film was sent to the worker
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (message, ...rest) {
      postMessage.call(this, message.type === 'diagnose' ? { ...message, prevalence: null } : message, ...rest);
    };
  });
  await select(page, 12);
  await page.waitForSelector('#film:not([hidden])');
  await settled(page);
  assert.match(await page.textContent('#mixture'), /^Probabilities adjusted to your case mix: COVID-19 1%/);
  assert.ok((await saved(page, 'json')).every((line) => JSON.parse(line).prevalence.covid === 0.01));
});

test('if judging fails, the sliders return to what is shown and the page says why', async (t) => {
  const page = await ready(t);
  await page.click('#prevalence summary');
  const before = await resultOf(page);
  await page.evaluate(() => {
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (message, ...rest) {
      postMessage.call(this, message.type === 'judge' ? { ...message, films: null } : message, ...rest);
    };
  });
  await give(page, { covid: 1 });
  await page.waitForFunction(() =>
    document.getElementById('announcement').textContent.startsWith('Something unexpected went wrong'),
  );
  assert.deepEqual(await resultOf(page), before);
  assert.deepEqual(await page.locator('#shares output').allTextContents(), ['34', '19', '5']);
  assert.equal(await page.textContent('#mixture'), OWN);
});

test('results kept on the device name the prevalence they were kept at', async (t) => {
  const page = await ready(t);
  await page.click('#prevalence summary');
  await give(page, { covid: 1, pneumonia: 1 });
  await standsFor(page, 'Probabilities adjusted to your');
  await page.click('#more');
  await page.click('#menu [data-dialog=history]');
  await page.click('#history-switch');
  await keeping(page);
  await page.keyboard.press('Escape');
  await choose(page, [{ name: 'film.png', buffer: film }]);
  await settled(page);
  await page.click('#more');
  await page.click('#menu [data-dialog=history]');
  await page.waitForSelector('#history tr');
  assert.match(
    await page.textContent('#history tr'),
    / \(case mix: COVID-19 1%, Pneumonia 1%, Normal 93%, and Another finding 5%\)$/,
  );
  assert.deepEqual(
    await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie, location.hash]),
    [0, 0, '', ''],
    'the control itself keeps nothing',
  );
});

test('weights without a prior have no sliders, and the page says why', async (t) => {
  const { site } = await build('mute', (values) => values.delete('pleura.prior'));
  const mute = await serve();
  t.after(mute.close);
  mute.folder = site;
  const { page, close } = await open(browser, mute, { reducedMotion: 'reduce' });
  t.after(close);
  await settled(page);
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  await page.click('#prevalence summary');
  assert.equal(await page.isVisible('#with-prior'), false);
  assert.match(await page.locator('#no-prior').innerText(), /^This model does not state its case mix/);
  assert.equal(await page.textContent('#mixture'), '');
  assert.deepEqual(await faults(page), []);
});

for (const viewport of [
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
]) {
  test(`at ${viewport.width} pixels the sliders have no accessibility fault and fit, in every language`, async () => {
    const page = await renewed();
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: viewport.width < 600 ? 'dark' : 'light' });
    await page.click('#prevalence summary');
    await give(page, { covid: 3, pneumonia: 7 });
    await page.waitForFunction((own) => document.getElementById('mixture').textContent !== own, OWN);
    for (const language of Object.keys(LANGUAGES)) {
      await speak(page, language);
      assert.deepEqual(await faults(page), [], language);
      assert.equal(
        await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
        0,
        language,
      );
      assert.deepEqual(
        await page.evaluate(() =>
          [...document.querySelectorAll('#prevalence :is(button, summary, label)')]
            .filter((element) => element.getBoundingClientRect().height < 44)
            .map((element) => element.outerHTML),
        ),
        [],
        `too small to touch in ${language}`,
      );
    }
    await speak(page, 'en');
  });
}
