// access.test.mjs: accessibility in every state of the page: axe, keyboard, touch targets, on phone and desktop, light
// and dark.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createEngine } from '../../src/node.mjs';
import { choose, faults, launch, open, png, select, serve, settled } from './site.mjs';

const phone = { width: 390, height: 844 },
  desktop = { width: 1440, height: 900 };
let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), serve()]);
});
after(() => Promise.all([browser?.close(), server?.close()]));

const small = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('button, summary, label')]
      .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 44)
      .map((element) => element.outerHTML),
  );
const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

for (const [size, viewport] of Object.entries({ phone, desktop })) {
  test(`no state has an accessibility fault on a ${size}, light or dark`, async (t) => {
    const { page, close } = await open(browser, server, { viewport, reducedMotion: 'reduce' });
    t.after(close);
    const look = async (state) => {
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await faults(page), [], `${state}, ${colorScheme}`);
      }
      assert.deepEqual(await small(page), [], `${state}: too small to touch`);
      assert.equal(await wide(page), 0, `${state}: scrolls sideways`);
    };
    await settled(page);
    await look('welcome');
    await page.click('#welcome [data-action=phantom]');
    await settled(page);
    await look('phantom');
    await page.click('#prevalence summary');
    await look('details');
    await choose(page, [
      { name: 'blank.png', buffer: png(200, 200, () => 90) },
      { name: 'a-long-name-without-any-break-in-it-at-all.png', buffer: Buffer.from('text') },
    ]);
    await settled(page);
    await look('refused film in a batch');
    await select(page, 2);
    await look('file that is not an image');
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['text'], 'a.png'));
      document.body.dispatchEvent(new DragEvent('dragover', { dataTransfer, bubbles: true }));
    });
    assert.equal(await page.isVisible('#drop'), true);
    await page.evaluate(() => document.body.dispatchEvent(new DragEvent('dragleave', { bubbles: true })));
    assert.equal(await page.isVisible('#drop'), false);
    await page.emulateMedia({ forcedColors: 'active' });
    await look('forced colours');
  });

  test(`loading and failing have no accessibility fault on a ${size}`, async (t) => {
    const slow = await serve();
    t.after(slow.close);
    const { page, close } = await open(browser, slow, {
      viewport,
      colorScheme: size === 'phone' ? 'dark' : 'light',
      reducedMotion: 'reduce',
      serviceWorkers: 'block',
    });
    t.after(close);
    await settled(page);
    slow.change = (name, bytes) => (name.endsWith('.gguf') ? null : bytes);
    await page.route('**/*.gguf', async (route) => {
      await held;
      await route.continue();
    });
    let release;
    const held = new Promise((resolve) => {
      release = resolve;
    });
    await page.reload();
    await page.waitForSelector('#work:not([hidden])');
    await choose(page, [{ name: 'film.png', buffer: png(128, 128) }]);
    assert.deepEqual(await faults(page), [], 'loading');
    release();
    await page.waitForSelector('#work.failed');
    assert.deepEqual(await faults(page), [], 'failed');
    assert.equal(await wide(page), 0);
  });
}

test('on a phone the verdict stands below the film without scrolling', async (t) => {
  const { page, close } = await open(browser, server, { viewport: phone });
  t.after(close);
  await settled(page);
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  const film = await page.locator('#film').boundingBox(),
    verdict = await page.locator('#verdict').boundingBox();
  assert.ok(film.width > 380, `film ${film.width} wide`);
  assert.ok(verdict.y > film.y + film.height && verdict.y + verdict.height < phone.height, `verdict at ${verdict.y}`);
});

/** A name as a disc or an archive gives it. */
const LONG = '1.2.826.0.1.3680043.8.1055.1.20111103112244831.40200514.30965937.dcm.png';

test('nothing scrolls sideways on the narrowest phones, and the menu fits a phone held sideways', async (t) => {
  const { page, close } = await open(browser, server, { reducedMotion: 'reduce' });
  t.after(close);
  await settled(page);
  const names = [LONG, 'b.png'];
  for (const width of [320, 360, 375, 390]) {
    await page.setViewportSize({ width, height: 640 });
    assert.equal(await wide(page), 0, `welcome at ${width}`);
    await choose(
      page,
      names.map((name) => ({ name, buffer: png(128, 128) })),
    );
    await settled(page);
    assert.equal(await wide(page), 0, `two films at ${width}`);
    await page.setViewportSize({ width: 640, height: width });
    await page.click('#more');
    const { top, bottom } = await page.evaluate(() => document.getElementById('menu').getBoundingClientRect());
    assert.ok(top >= 0 && bottom <= width, `the menu ends at ${bottom} of ${width}`);
    await page.click('#clear');
  }
});

test('a long name keeps clear of the verdict, and takes one line in the strip', async (t) => {
  const engine = await createEngine();
  engine.phantom();
  const { data, width, height } = engine.film(400);
  const film = png(width, height, (x, y) => data[y * width + x]);
  const { page, close } = await open(browser, server, {
    viewport: { width: 1440, height: 700 },
    reducedMotion: 'reduce',
  });
  t.after(close);
  await settled(page);
  await choose(page, [
    { name: LONG, buffer: film },
    { name: 'b.png', buffer: png(128, 128) },
  ]);
  await settled(page);
  await select(page, 0);
  const { name, verdict, strip } = await page.evaluate(() => {
    const textOf = (selector) => {
      const range = document.createRange();
      range.selectNodeContents(document.querySelector(selector));
      return range.getBoundingClientRect();
    };
    return {
      name: textOf('#name'),
      verdict: textOf('#verdict'),
      strip: document.querySelector('.strip-name').clientHeight,
    };
  });
  assert.ok(name.height > 30, 'the name takes two lines');
  assert.ok(name.bottom <= verdict.top, `the name ends at ${name.bottom}, the verdict begins at ${verdict.top}`);
  assert.ok(strip < 26, `${strip} pixels high in the strip`);
  const cut = await page.evaluate(() => {
    const name = document.querySelector('.strip-name').getBoundingClientRect();
    const [, start, end] = document.querySelector('.strip-name').children;
    const shown = end.getBoundingClientRect();
    return {
      end: end.textContent,
      isCut: start.scrollWidth > start.clientWidth,
      within: shown.right <= name.right + 1,
    };
  });
  assert.deepEqual(cut, { end: LONG.slice(-7), isCut: true, within: true }, 'a name is cut in its middle');
});

test('everything works by keyboard: start, move between films, read the result', async (t) => {
  const { page, close } = await open(browser, server);
  t.after(close);
  await settled(page);
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
  for (const id of ['language', 'more']) {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), id);
  }
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Choose images');
  await page.keyboard.press('Tab');
  if (await page.isVisible('#try-example')) {
    assert.equal(await focused(), 'Try a real example'); // a site without films has none
    await page.keyboard.press('Tab');
  }
  assert.equal(await focused(), 'Try a synthetic example');
  await page.keyboard.press('Enter');
  await settled(page);
  assert.match(await page.textContent('#announcement'), /^Synthetic example: /);
  await choose(page, [{ name: 'two.png', buffer: png(128, 128) }]);
  await settled(page);
  await page.focus('#strip-list [aria-current]');
  await page.keyboard.press('ArrowLeft');
  assert.match(await focused(), /^Synthetic example/);
  assert.equal(await page.isVisible('#synthetic'), true);
  await page.click('#more');
  await page.click('#clear');
  assert.equal(await focused(), 'Choose images');
});
