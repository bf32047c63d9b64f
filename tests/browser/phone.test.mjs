// phone.test.mjs: a phone in the ward: what is seen while the engine loads, photos of films, images that must be turned,
// inverted or cropped first, and fingers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createEngine } from '../../src/node.mjs';
import { choose, launch, open, png, resultOf, select, serve, settled } from './site.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, reducedMotion: 'reduce' };

let browser, server, engine, phantom;
before(async () => {
  [browser, server, engine] = await Promise.all([launch(), serve(), createEngine()]);
  engine.phantom();
  phantom = engine.film(400);
});
after(() => Promise.all([browser?.close(), server?.close()]));

/** The phantom after a change of place and grey. */
const film = (width, height, grey) => ({ name: 'film.png', buffer: png(width, height, grey) });
const at = (x, y) => phantom.data[y * phantom.width + x];
/** A PNG in the light of a yellow lamp, without EXIF. */
async function tinted(page) {
  const base64 = await page.evaluate(
    async ({ data, width, height }) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext('2d');
      const image = context.createImageData(width, height);
      for (const [i, grey] of data.entries())
        image.data.set([20 + 0.9 * grey, 15 + 0.75 * grey, 0.5 * grey, 255], 4 * i);
      context.putImageData(image, 0, 0);
      const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
      return bytes.toBase64?.() ?? btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
    },
    { ...phantom, data: [...phantom.data] },
  );
  return { name: 'lamp.png', buffer: Buffer.from(base64, 'base64') };
}

test('on a phone of 360 pixels the header takes one row and the tools take two', async (t) => {
  const { page, close } = await open(browser, server, { ...PHONE, viewport: { width: 360, height: 740 } });
  t.after(close);
  await settled(page);
  await page.evaluate(() => document.querySelector('[data-action=phantom]').click());
  await settled(page);
  const rows = await page.evaluate(() =>
    ['.top', '.viewport-tools', '.overlays'].map((part) => document.querySelector(part).getBoundingClientRect().height),
  );
  assert.ok(rows[0] <= 60 && Math.max(rows[1], rows[2]) <= 44, `${rows}`);
});

test('a film is seen while the engine loads; tinted, turned, inverted and framed films are analysed after a correction', async (t) => {
  const { page, close } = await open(browser, server, { ...PHONE, serviceWorkers: 'block' });
  t.after(close);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route('**/*.gguf', async (route) => {
    await held;
    await route.continue();
  });
  await page.reload();
  await page.waitForSelector('#work:not([hidden])');
  assert.equal(await page.isVisible('#welcome [data-action=camera]'), true, 'the camera is on the first screen');
  assert.equal(await page.isVisible('#welcome .by-mouse'), false);
  const { width, height } = phantom;
  await choose(page, [film(width, height, at)]);
  await page.waitForSelector('#preview:not([hidden])');
  assert.ok((await page.evaluate(() => document.querySelector('#preview').width)) > 100, 'the film is seen at once');
  release();
  await settled(page);
  assert.equal(await page.isVisible('#preview'), false);
  const upright = await resultOf(page);
  assert.ok(upright.bars.length > 0, 'this phantom is a film such as the model knows');

  await choose(page, [await tinted(page)]);
  await settled(page);
  const lamp = await resultOf(page);
  assert.equal(lamp.status, upright.status, 'the colours of the lamp are dropped');
  assert.equal(await page.isVisible('#photo'), true, 'and the result is marked');
  assert.match(lamp.facts.Decoder, /^Corrected on this page/);
  assert.equal(lamp.facts['Correct the image'], 'It is a photo of an X-ray');

  const press = async (action) => {
    await page.click(`[data-action=edit-${action}]`);
    await settled(page);
  };
  // A quarter turn to the left, in negative.
  await choose(page, [film(height, width, (x, y) => 255 - at(width - 1 - y, x))]);
  await settled(page);
  assert.equal((await resultOf(page)).status, 'refused');
  assert.equal(await page.isVisible('#outline'), false, 'no outline of lungs that are none');
  assert.equal(await page.isVisible('#prevalence'), false, 'and no prevalence of nothing');
  await press('right');
  await press('negative');
  const corrected = await resultOf(page);
  assert.deepEqual([corrected.status, corrected.bars], [upright.status, upright.bars]);
  await press('none');
  assert.equal((await resultOf(page)).status, 'refused');
  assert.equal((await resultOf(page)).facts['Correct the image'], undefined);

  await select(page, 0);
  await page.evaluate(() => document.getElementById('stage').scrollIntoView());
  const { y } = await page.locator('#stage').boundingBox();
  const devtools = await page.context().newCDPSession(page);
  const touch = (type, ...points) =>
    devtools.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
  await touch('touchStart', [300, y + 100]);
  for (const x of [260, 200, 120]) await touch('touchMove', [x, y + 100]);
  await touch('touchEnd');
  assert.equal(await page.textContent('#name'), 'lamp.png', 'a swipe to the left shows the next film');

  await page.evaluate(() => document.getElementById('invert').scrollIntoView({ block: 'center' }));
  const icon = await page.locator('#invert').boundingBox();
  const caption = () =>
    page.evaluate(() => {
      const { content, position } = getComputedStyle(document.getElementById('invert'), '::after');
      return position === 'fixed' ? content : '';
    });
  assert.equal(await caption(), '');
  await page.mouse.move(icon.x + 20, icon.y + 20);
  await page.mouse.down();
  assert.match(await caption(), /^"Invert"/, 'a press on an icon shows what it does');
  await page.mouse.up();
});
