// looking.test.mjs: zoom, pan, window and level, invert and comparison, by wheel, pointer, fingers, buttons and keys.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dicomFile } from '../dicom/file.mjs';
import { choose, empty, faults, IMITATED_GPU, launch, open, png, serve, settled } from './site.mjs';

const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };
let browser, server, page;
before(async () => {
  [browser, server] = await Promise.all([launch(), serve()]);
  ({ page } = await open(browser, server, { reducedMotion: 'reduce' }));
  await settled(page);
});
after(() => Promise.all([browser?.close(), server?.close()]));

async function show(files, viewport = sizes.desktop) {
  await empty(page);
  await page.setViewportSize(viewport);
  await choose(page, files);
  await settled(page);
}
async function showPhantom(viewport = sizes.desktop) {
  await empty(page);
  await page.setViewportSize(viewport);
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
}

/** The middle row of a canvas of the page. */
const middleRow = (page, id) =>
  page.evaluate((id) => {
    const canvas = document.getElementById(id);
    const copy = new OffscreenCanvas(canvas.width, 1).getContext('2d');
    copy.drawImage(canvas, 0, -(canvas.height >> 1));
    return [...copy.getImageData(0, 0, canvas.width, 1).data].filter((_, i) => i % 4 === 0);
  }, id);
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
  test(`buttons, presets and the reset on a ${size}`, async () => {
    await showPhantom(viewport);
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

  test(`side by side on a ${size}: the same film twice, one with its heatmap, both at the same position`, async () => {
    await showPhantom(viewport);
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

test('the wheel zooms at the pointer, dragging pans, a double click fits', async () => {
  await showPhantom();
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

test('window and level follow the right button, Shift, and the drag button', async () => {
  await showPhantom();
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

test('every listed key works, but not while typing or when switched off', async () => {
  await showPhantom();
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
  await page.evaluate(() => document.getElementById('keys-switch').click());
});

test('two fingers zoom and pan; one scrolls the page until the film is zoomed', async (t) => {
  const touched = { viewport: sizes.phone, hasTouch: true, isMobile: true, reducedMotion: 'reduce' };
  const { page, close } = await open(browser, server, touched);
  t.after(close);
  await settled(page);
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
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

test('the next film starts at its fit and its own greys, but stays inverted', async () => {
  await showPhantom();
  await choose(page, [{ name: 'two.png', buffer: png(200, 240) }]);
  await settled(page);
  await page.focus('#stage');
  for (const key of ['+', '2', 'i', 'p']) await page.keyboard.press(key);
  assert.equal((await shown(page)).zoom, 1);
  assert.equal(await page.inputValue('#window'), 'film');
  assert.equal(await page.getAttribute('#invert', 'aria-pressed'), 'true');
});

test('the heatmap of any class, with its legend, until another film is opened', async () => {
  await showPhantom();
  const heat = () => page.evaluate(() => document.getElementById('heat').toDataURL());
  const legend = () => page.textContent('#legend-text');
  const [evidence, said] = [await heat(), await legend()];
  await page.click('#more-tools');
  await page.selectOption('#map', { label: 'COVID-19' });
  assert.match(await legend(), /contributed to “COVID-19”/);
  const covid = await heat();
  assert.notEqual(covid, evidence);
  await page.selectOption('#map', { label: 'Normal' });
  assert.notEqual(await heat(), covid);
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  assert.match(await page.textContent('#printout'), /contributed to “Normal”/);
  await choose(page, [{ name: 'two.png', buffer: png(200, 240) }]);
  await settled(page);
  await page.click('#step-previous');
  assert.deepEqual([await page.inputValue('#map'), await legend(), await heat()], ['', said, evidence]);
});

/** 12 bits, grey from left to right, with two windows and pixels of 0.2 mm at the detector. */
const [WIDTH, HEIGHT] = [2400, 300];
const ramp = dicomFile({
  width: WIDTH,
  height: HEIGHT,
  bits: 12,
  pixels: Uint16Array.from({ length: WIDTH * HEIGHT }, (_, i) => 500 + (i % WIDTH)),
  tags: {
    '00181164': ['DS', ['0.2', '0.2']],
    '00281050': ['DS', ['1500', '2500']],
    '00281051': ['DS', ['1000', '400']],
    '00281055': ['LO', ['NORMAL', 'SOFT']],
    '00281052': ['DS', '-500'],
    '00281053': ['DS', '1'],
  },
});

test('a DICOM film has all its pixels, and window and level in its own values, beyond its window too', async () => {
  await show([{ name: 'ramp.dcm', buffer: ramp }]);
  // The value of a pixel is its column: 1000 to 2000 are what the first window shows.
  const row = await middleRow(page, 'plane');
  assert.equal(row.length, WIDTH);
  assert.ok(row[900] === 0 && row[2100] === 255 && row[1500] > 120 && row[1500] < 136, `${row[900]} ${row[1500]}`);
  const [, width, level] = /window ([\d,]+), level ([\d,]+)/.exec(await page.textContent('#viewport-text'));
  assert.ok(
    Math.abs(Number(width.replace(',', '')) - 1000) < 30 && Math.abs(Number(level.replace(',', '')) - 1500) < 15,
  );
  const options = await page.locator('#window option[value^=file]').allTextContents();
  assert.deepEqual(options, ['NORMAL (1,500 / 1,000)', 'SOFT (2,500 / 400)']);
  await page.selectOption('#window', 'file-1');
  assert.match(await page.textContent('#viewport-text'), /window 400, level 2,500$/);
  const soft = await middleRow(page, 'plane');
  assert.ok(soft[2290] === 0 && soft[2390] > 50 && soft[2390] < 70, 'what the first window cuts off');
});

test('ruler and cardiothoracic ratio by pointer and by keys, in millimetres, in the report, and gone when switched off', async () => {
  await show([{ name: 'ramp.dcm', buffer: ramp }]);
  await page.click('#more-tools');
  await page.click('#ruler');
  const said = () => page.textContent('#measure-text');
  // 30 % of 2,400 pixels of 0.2 mm
  assert.equal(await said(), 'Ruler: 144.0 mm at the detector. In the patient it is less.');
  const [start, end] = [0, 1].map((number) => page.locator(`[data-line=ruler][data-end="${number}"]`));
  const film = await page.locator('#film').boundingBox();
  const from = await end.boundingBox();
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(film.x + film.width * 0.85, from.y + from.height / 2, { steps: 4 });
  await page.mouse.up();
  assert.ok(Math.abs(parseFloat((await said()).slice(7)) - 240) < 2, await said());
  assert.equal((await shown(page)).zoom, 1);
  const before = parseFloat((await said()).slice(7));
  await start.focus();
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  assert.ok(Math.abs(parseFloat((await said()).slice(7)) - before - 11 * 0.2) < 0.11, 'eleven pixels');
  assert.equal(await page.textContent('#announcement'), await said());
  await page.click('#heart-ratio');
  assert.match(await said(), /Drag the ends of both lines/);
  await page.locator('[data-line=heart][data-end="0"]').focus();
  await page.keyboard.press('ArrowRight');
  assert.match(await said(), /Cardiothoracic ratio: 0\.\d\d\./);
  assert.deepEqual(await faults(page), []);
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  assert.equal(await page.textContent('.measured'), await said());
  assert.match(await page.getAttribute('.printout-film .lines .line', 'd'), /^(M[\d. ]+L[\d. ]+){3}$/);
  await page.click('#heart-ratio');
  await page.click('#ruler');
  assert.equal(await page.locator('.end').count(), 0);
  assert.equal(await said(), '');
});

test('the magnifier shows what lies below the pointer', async () => {
  await showPhantom();
  await page.focus('#stage');
  await page.keyboard.press('m');
  const [x, y] = await centre(page);
  await page.mouse.move(x, y);
  assert.equal(await page.isVisible('#loupe'), true);
  const { greys } = await shown(page);
  const seen = await page.evaluate(() => {
    const loupe = document.getElementById('loupe');
    return loupe.getContext('2d').getImageData(loupe.width / 2, loupe.height / 2, 1, 1).data[0];
  });
  assert.ok(Math.abs(seen - greys[2]) < 24, `${seen} at the centre of the film, which is ${greys[2]}`);
  await page.mouse.move(5, 5);
  assert.equal(await page.isVisible('#loupe'), false);
});

test('an earlier film stands beside the selected one, at the same zoom, and leaves with its removal', async () => {
  await showPhantom();
  await choose(page, [
    { name: 'ramp.dcm', buffer: ramp },
    { name: 'two.png', buffer: png(200, 240) },
  ]);
  await settled(page);
  await page.click('#more-tools');
  await page.selectOption('#beside', { label: 'two.png' });
  await settled(page);
  assert.match(await page.textContent('#prior-name'), /^two\.png · /);
  assert.equal((await middleRow(page, 'twin')).length, 200);
  assert.equal((await middleRow(page, 'plane')).length, WIDTH);
  await page.click('[data-action=zoom-in]');
  const transforms = await page.$$eval('.film', (films) => films.map((film) => getComputedStyle(film).transform));
  assert.equal(transforms[0], transforms[1]);
  assert.deepEqual(await faults(page), []);
  await page.click('#step-next'); // the earlier film itself, beside itself
  assert.equal(await page.textContent('#prior-name'), '');
  await page.click('#print-film [data-action=remove]');
  assert.equal(await page.inputValue('#beside'), 'beside');
  await page.selectOption('#beside', 'divider');
  assert.deepEqual([await page.isVisible('#alone'), await page.isVisible('#wipe-slider')], [false, true]);
});

test('a graphics processor paints the same greys', async (t) => {
  const rows = [];
  const imitating = await launch([], [IMITATED_GPU]);
  t.after(() => imitating.close());
  for (const gpu of [false, true]) {
    const { page, close } = await open(imitating, server, { reducedMotion: 'reduce' });
    t.after(close);
    // Test machines imitate one, which the page would leave alone.
    if (gpu)
      await page.evaluate(() => {
        const { getParameter } = WebGL2RenderingContext.prototype;
        WebGL2RenderingContext.prototype.getParameter = function (name) {
          return name === 0x9246 ? 'a graphics processor' : getParameter.call(this, name);
        };
      });
    await choose(page, [{ name: 'ramp.dcm', buffer: ramp }]);
    await settled(page);
    const painter = () => page.evaluate(() => document.getElementById('plane').getContext('webgl2') !== null);
    rows.push([await middleRow(page, 'plane')]);
    assert.equal(await painter(), gpu);
    await page.click('#invert');
    await page.selectOption('#window', 'file-1');
    rows.at(-1).push(await middleRow(page, 'plane'));
    if (!gpu) continue;
    await page.evaluate(async () => {
      const plane = /** @type {HTMLCanvasElement} */ (document.getElementById('plane'));
      const lose = plane.getContext('webgl2').getExtension('WEBGL_lose_context');
      const happens = (name) => new Promise((resolve) => plane.addEventListener(name, resolve, { once: true }));
      const [lost, restored] = ['webglcontextlost', 'webglcontextrestored'].map(happens);
      lose.loseContext();
      await lost;
      setTimeout(() => lose.restoreContext()); // after the event, which allows it
      await restored; // and painted: the page listened first
    });
    assert.deepEqual(await middleRow(page, 'plane'), rows.at(-1)[1], 'also after the system took it away for a while');
  }
  const [cpu, gpu] = rows;
  cpu.forEach((row, i) =>
    row.forEach((grey, x) => assert.ok(Math.abs(grey - gpu[i][x]) <= 1, `${i}, ${x}: ${grey}, ${gpu[i][x]}`)),
  );
});
