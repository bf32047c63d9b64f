// layout.test.mjs: the main views at eight sizes: nothing scrolls sideways, and nothing that one presses or reads is
// covered or cut off.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createEngine } from '../../src/node.mjs';
import { choose, launch, open, phantomPng, select, serve, settled, speak } from './site.mjs';

/** @type {[width: number, height: number, rootFontSize?: string][]} */
const SIZES = [
  [320, 568],
  [360, 640],
  [390, 844, '200%'],
  [768, 1024],
  [844, 390],
  [1366, 657],
  [1440, 900],
  [2560, 1300],
];
const LONG = '1.2.826.0.1.3680043.8.1055.1.20111103112244831.40200514.30965937.dcm.png';
let browser, server, film;
before(async () => {
  [browser, server] = await Promise.all([launch(), serve()]);
  film = phantomPng(await createEngine(), 300);
});
after(() => Promise.all([browser?.close(), server?.close()]));

/** What is wrong with the layout of the current view: text that scrolls sideways, and controls that are cut off at the
 *  side or lie over each other. */
const wrong = (page) =>
  page.evaluate(() => {
    const root = document.documentElement;
    const found = root.scrollWidth > root.clientWidth ? [`the page is ${root.scrollWidth} pixels wide`] : [];
    const scope = document.querySelector('dialog[open]') ?? (document.querySelector('.full .desk') || document.body);
    const name = (element) => element.id || element.dataset.action || element.className || element.tagName;
    const scrolls = (element) => element.closest('.scroll, #strip-list, #menu:not(:popover-open)');
    const controls = [
      ...scope.querySelectorAll(
        'button, select, input, summary, h1, h2, #name, #because, #caution, #mixture, .bars li',
      ),
    ].filter((element) => element.checkVisibility() && !scrolls(element) && element.getClientRects().length > 0);
    const boxes = controls.map((element) => ({ element, box: element.getBoundingClientRect() }));
    for (const { element, box } of boxes)
      if (box.width > 2 && (box.left < -1 || box.right > root.clientWidth + 1))
        found.push(`${name(element)} is cut off at ${Math.round(box.left)}..${Math.round(box.right)}`);
    const fixed = (element) => element.closest('.toasts, .menu, .adjusted, .skip, #full, #plain');
    for (const [i, a] of boxes.entries())
      for (const b of boxes.slice(i + 1)) {
        if (a.element.contains(b.element) || b.element.contains(a.element)) continue;
        if (fixed(a.element) || fixed(b.element)) continue;
        const inResult = Boolean(a.element.closest('#result')) !== Boolean(b.element.closest('#result'));
        if (inResult && getComputedStyle(document.getElementById('result')).overflowY === 'auto') continue; // scrolled
        const width = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const height = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        if (width > 2 && height > 2) found.push(`${name(a.element)} lies over ${name(b.element)}`);
      }
    return found;
  });

for (const [width, height, rootFontSize] of SIZES) {
  test(`the main views fit ${width} by ${height} pixels${rootFontSize ? ` with text at ${rootFontSize}` : ''}`, async (t) => {
    const { page, close } = await open(browser, server, { viewport: { width, height }, reducedMotion: 'reduce' });
    t.after(close);
    await settled(page);
    if (rootFontSize) await page.evaluate((size) => (document.documentElement.style.fontSize = size), rootFontSize);
    const look = async (view) => assert.deepEqual(await wrong(page), [], view);
    const box = (selector) => page.locator(selector).boundingBox();
    await look('welcome');
    const welcome = await page.evaluate(() => {
      const range = document.createRange();
      range.selectNodeContents(document.querySelector('#welcome .caution'));
      return range.getBoundingClientRect().bottom;
    });
    if (!rootFontSize && height > 400) assert.ok(welcome <= height, `the notice ends at ${welcome} of ${height}`);

    await choose(page, [{ name: LONG, buffer: film }]);
    await settled(page);
    await look('one film');
    const [verdict, caution] = [await box('#because'), await box('#caution')];
    assert.ok(caution.y - verdict.y - verdict.height < 30, 'the notice stands under the verdict');
    if (width > 1300) assert.ok(caution.y + caution.height < height, 'and on the first screen');

    await choose(page, [
      { name: 'Universitätsklinikum_Radiologie_2026.png', buffer: film },
      { name: 'broken.png', buffer: Buffer.from('text') },
    ]);
    await settled(page);
    await select(page, 0);
    await page.waitForSelector('#film:not([hidden])');
    await page.evaluate(() => {
      const slider = /** @type {HTMLInputElement} */ (document.querySelector('#shares input'));
      slider.value = '1';
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await page.waitForSelector('#adjusted:not([hidden])');
    await page.click('#compare');
    await look('three films, with a prevalence and side by side');
    if (width >= 900) {
      const tools = await box('#tools');
      assert.ok(
        tools.y + tools.height <= Math.max(height, 480),
        `with a banner the tools end at ${tools.y + tools.height}`,
      );
    }
    const name = await page.evaluate(() => document.querySelector('.strip-name').getClientRects().length);
    assert.equal(name, 1, 'a name in the strip takes one line');

    await page.click('#full');
    const [stage, desk] = [await box('#stage'), await box('#tools')];
    assert.ok(
      stage.height > height / 3 && Math.round(desk.y + desk.height) === height,
      `the film has ${stage.height} of ${height}`,
    );
    await look('the film alone');
    await page.keyboard.press('Escape');

    await page.click('#more');
    const menu = await box('#menu');
    assert.ok(menu.y >= 0 && menu.y + menu.height <= height && menu.x >= 0, 'the menu fits');
    await page.keyboard.press('Escape');
    await page.click('[data-action=to-table]');
    const row = await page.evaluate(() => document.activeElement.getBoundingClientRect().top);
    assert.ok(row >= 0 && row < height, `one press leads to the table: ${row}`);
    for (const language of ['ar', 'en']) {
      await speak(page, language);
      const over = await page.$$eval('#table-body th', (cells) =>
        cells.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1).map((cell) => cell.textContent),
      );
      assert.deepEqual(over, [], `names reach beyond their cells in ${language}`);
    }
    for (const dialog of ['keys', 'adapt', 'history']) {
      await page.click('#more');
      await page.click(`#menu [data-dialog=${dialog}]`);
      await look(dialog);
      await page.keyboard.press('Escape');
    }
  });
}
