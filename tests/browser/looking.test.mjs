// looking.test.mjs: zoom, pan, window and level, invert and comparison, by wheel, pointer, fingers, buttons and keys.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { choose, faults, launch, open, png, serve, settled } from './site.mjs';

const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };
let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), serve()]);
});
after(() => Promise.all([browser?.close(), server?.close()]));

async function phantom(t, options) {
  const { page, close } = await open(browser, server, { reducedMotion: 'reduce', ...options });
  t.after(close);
  await settled(page);
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  return page;
}

/** Zoom and position of the film, and the greys of three of its pixels. */
const shown = (page) =>
  page.evaluate(() => {
    const { a, e, f } = new DOMMatrix(getComputedStyle(document.getElementById('film')).transform);
    const plane = document.getElementById('plane'),
      context = plane.getContext('2d');
    const greys = [0.2, 0.35, 0.5].map((x) => context.getImageData(plane.width * x, plane.height / 2, 1, 1).data[0]);
    return { zoom: a, x: e, y: f, greys };
  });
const centre = async (page) => {
  const { x, y, width, height } = await page.locator('#stage').boundingBox();
  return [x + width / 2, y + height / 2];
};

for (const [size, viewport] of Object.entries(sizes)) {
  test(`buttons, presets and the reset on a ${size}`, async (t) => {
    const page = await phantom(t, { viewport });
    const first = await shown(page);
    assert.deepEqual([first.zoom, first.x, first.y], [1, 0, 0]);
    await page.click('[data-action=zoom-in]');
    assert.ok((await shown(page)).zoom > 1.2);
    await page.click('[data-action=zoom-out]');
    assert.equal((await shown(page)).zoom, 1);
    await page.selectOption('#window', 'lungs');
    assert.notDeepEqual((await shown(page)).greys, first.greys);
    await page.click('#invert');
    assert.equal(await page.getAttribute('#invert', 'aria-pressed'), 'true');
    await page.click('[data-action=reset-viewport]');
    assert.deepEqual(await shown(page), first);
    await page.click('#invert');
    assert.deepEqual(
      (await shown(page)).greys,
      first.greys.map((grey) => 255 - grey),
    );
  });

  test(`side by side on a ${size}: the same film twice, one with its heatmap, both at the same position`, async (t) => {
    const page = await phantom(t, { viewport });
    await page.click('#compare');
    await page.click('[data-action=zoom-in]');
    const { transforms, same, heats } = await page.evaluate(() => {
      const pixels = (id) =>
        [...document.getElementById(id).getContext('2d').getImageData(100, 100, 50, 50).data].join();
      return {
        transforms: [...document.querySelectorAll('.film')].map((film) => getComputedStyle(film).transform),
        same: pixels('plane') === pixels('twin'),
        heats: document.querySelectorAll('#stage #heat').length,
      };
    });
    if (size === 'desktop') assert.equal(transforms[0], transforms[1]);
    assert.ok(same);
    assert.equal(heats, 1);
    const [left, right] = await Promise.all(
      ['#alone', '.pane:has(#film)'].map((pane) => page.locator(pane).boundingBox()),
    );
    assert.equal(await page.isVisible('#wipe-slider'), size === 'phone', 'a divider where there is no room for two');
    assert.ok(size === 'phone' ? left === null : right.x > left.x);
    assert.deepEqual(await faults(page), []);
  });
}

test('the wheel zooms at the pointer, dragging pans, a double click fits', async (t) => {
  const page = await phantom(t, { viewport: sizes.desktop });
  const [x, y] = await centre(page);
  await page.mouse.move(x + 100, y + 50);
  await page.mouse.wheel(0, -600);
  await page.waitForFunction(
    () =>
      /scale/.test(document.getElementById('film').style.transform) &&
      !/scale\(1\)/.test(document.getElementById('film').style.transform),
  );
  const near = await shown(page);
  assert.ok(near.zoom > 2 && near.x < 0 && near.y < 0, JSON.stringify(near));
  await page.mouse.down();
  await page.mouse.move(x + 130, y + 70, { steps: 3 });
  await page.mouse.up();
  const moved = await shown(page);
  assert.deepEqual([Math.round(moved.x - near.x), Math.round(moved.y - near.y)], [30, 20]);
  await page.mouse.dblclick(x, y);
  assert.deepEqual([(await shown(page)).zoom, (await shown(page)).x], [1, 0]);
  const scrolls = await page.evaluate(() => {
    const wheel = (deltaY) => new WheelEvent('wheel', { deltaY, bubbles: true, cancelable: true });
    return [100, -100].map((deltaY) => document.getElementById('stage').dispatchEvent(wheel(deltaY)));
  });
  assert.deepEqual(scrolls, [true, false], 'where there is nothing to zoom out of, the page scrolls');
  await page.focus('#stage');
  const percent = async () => parseFloat(await page.textContent('#viewport-text'));
  await page.keyboard.press('0');
  const fit = await percent();
  await page.keyboard.press('9');
  assert.equal(await percent(), Math.max(100, fit), 'one pixel of the film on one of the screen');
  await page.keyboard.press('h');
  assert.deepEqual([await page.isVisible('#heat'), await page.isVisible('#outline')], [false, false]);
  assert.equal(await page.isVisible('#plane'), true);
  await page.keyboard.press('h');
  assert.equal(await page.isVisible('#outline'), true);
});

test('window and level follow the right button, Shift, and the drag button', async (t) => {
  const page = await phantom(t, { viewport: sizes.desktop });
  const first = await shown(page),
    [x, y] = await centre(page);
  const drag = async (options) => {
    await page.mouse.move(x, y);
    await page.mouse.down(options);
    await page.mouse.move(x, y - 120, { steps: 3 });
    await page.mouse.up(options);
  };
  const brightened = async (how) => {
    const { greys, zoom } = await shown(page);
    assert.equal(zoom, 1);
    assert.ok(
      greys.every((grey, place) => grey >= first.greys[place]) &&
        greys.some((grey, place) => grey > first.greys[place]),
      `${how}: ${greys}`,
    );
    assert.equal(await page.inputValue('#window'), 'custom');
    await page.click('[data-action=reset-viewport]');
  };
  await drag({ button: 'right' });
  await brightened('right button');
  await page.keyboard.down('Shift');
  await drag();
  await page.keyboard.up('Shift');
  await brightened('Shift');
  await page.click('#drag');
  await drag();
  await brightened('drag button');
});

test('every listed key works, but not while typing or when switched off', async (t) => {
  const page = await phantom(t, { viewport: sizes.desktop });
  await choose(page, [{ name: 'two.png', buffer: png(200, 240) }]);
  await settled(page);
  await page.focus('#stage');
  await page.keyboard.press('p');
  assert.equal(await page.isVisible('#synthetic'), true);
  const first = await shown(page);
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await press('+', '+', '+', 'ArrowRight', 'ArrowDown');
  const { zoom, x, y } = await shown(page);
  assert.ok(zoom > 2 && x < 0 && y < 0, `${zoom} ${x} ${y}`);
  await press('-', '0');
  assert.deepEqual(await shown(page), first);
  await press('Shift+ArrowUp');
  assert.equal(await page.inputValue('#window'), 'custom');
  for (const [key, preset] of [
    ['2', 'lungs'],
    ['3', 'dense'],
    ['1', 'film'],
  ]) {
    await press(key);
    assert.equal(await page.inputValue('#window'), preset);
  }
  await press('i', 'c', 'l', ']', ']', '[');
  for (const id of ['invert', 'compare']) assert.equal(await page.getAttribute(`#${id}`, 'aria-pressed'), 'true', id);
  assert.equal(await page.isVisible('#outline'), false);
  assert.equal(await page.textContent('#heat-value'), '60%');
  await press('n');
  assert.equal(await page.textContent('#name'), 'two.png');
  await press('p', '?');
  assert.equal(await page.isVisible('#dialog-keys'), true);
  assert.deepEqual(await faults(page), []);
  assert.equal((await page.locator('#keys kbd').count()) > 15, true);
  await press('i', 'Escape');
  assert.equal(await page.isVisible('#dialog-keys'), false);
  assert.equal(await page.getAttribute('#invert', 'aria-pressed'), 'true', 'a dialog keeps the keys to itself');
  await page.focus('#search');
  await page.keyboard.type('ic?');
  assert.equal(await page.getAttribute('#invert', 'aria-pressed'), 'true');
  await page.focus('#stage');
  await press('?');
  await page.click('#keys-switch');
  await press('Escape');
  await page.focus('#stage');
  await press('i');
  assert.equal(await page.getAttribute('#invert', 'aria-pressed'), 'true', 'switched off');
});

test('two fingers zoom and pan; one scrolls the page until the film is zoomed', async (t) => {
  const page = await phantom(t, { viewport: sizes.phone, hasTouch: true, isMobile: true });
  const devtools = await page.context().newCDPSession(page);
  const touch = (type, ...points) =>
    devtools.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  const [x, y] = await centre(page);
  assert.equal(await page.evaluate(() => getComputedStyle(document.getElementById('stage')).touchAction), 'pan-y');
  await touch('touchStart', [x - 30, y], [x + 30, y]);
  for (const reach of [40, 60, 80, 90]) await touch('touchMove', [x - reach, y], [x + reach, y]);
  await touch('touchEnd');
  const { zoom } = await shown(page);
  assert.ok(zoom > 2.5 && zoom < 3.5, `zoom ${zoom}`);
  assert.equal(await page.evaluate(() => getComputedStyle(document.getElementById('stage')).touchAction), 'none');
  assert.equal(await page.evaluate(() => window.visualViewport.scale), 1, 'the page itself is not zoomed');
  await touch('touchStart', [x, y]);
  await touch('touchMove', [x + 20, y + 10]);
  await touch('touchMove', [x + 40, y + 20]);
  await touch('touchEnd');
  assert.ok((await shown(page)).x > 10);
});

test('the next film starts at its fit and its own greys, but stays inverted', async (t) => {
  const page = await phantom(t, { viewport: sizes.desktop });
  await choose(page, [{ name: 'two.png', buffer: png(200, 240) }]);
  await settled(page);
  await page.focus('#stage');
  for (const key of ['+', '2', 'i', 'p']) await page.keyboard.press(key);
  assert.equal((await shown(page)).zoom, 1);
  assert.equal(await page.inputValue('#window'), 'film');
  assert.equal(await page.getAttribute('#invert', 'aria-pressed'), 'true');
});
