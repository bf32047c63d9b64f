// picture.mjs: writes web/page.jpg and web/phone.jpg for the README, and web/narrow.jpg, which with page.jpg is what a
// browser shows before it installs the page: all of the built page with the synthetic phantom, never of a patient's film.
import { fileURLToPath } from 'node:url';
import { choose, launch, open, png, serve, settled } from './site.mjs';

const [browser, server] = await Promise.all([launch(), serve()]);
const place = (name) => ({
  path: fileURLToPath(new URL(`../../web/${name}`, import.meta.url)),
  type: /** @type {const} */ ('jpeg'),
  quality: 85,
});

async function phantom(options) {
  const { page } = await open(browser, server, { reducedMotion: 'reduce', ...options });
  await settled(page);
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  return page;
}

const desk = await phantom({ viewport: { width: 1280, height: 800 } });
await desk.screenshot(place('page.jpg'));

const narrow = await phantom({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5 });
await narrow.screenshot(place('narrow.jpg'));

/** A screenshot of a phone in some state, as a data URL. */
async function phone(options, act) {
  const page = await phantom({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5, ...options });
  await act(page);
  return `data:image/png;base64,${(await page.screenshot()).toString('base64')}`;
}
const states = [
  await phone({}, async () => {}),
  await phone({ colorScheme: 'dark' }, async (page) => {
    await page.selectOption('#window', 'lungs');
    await page.click('#compare');
  }),
  await phone({}, async (page) => {
    await choose(page, [
      { name: 'noise.png', buffer: png(240, 240) },
      { name: 'letter.txt', buffer: Buffer.from('Dear colleague') },
    ]);
    await settled(page);
    await page.locator('#batch').evaluate((batch) => batch.scrollIntoView());
  }),
  await phone({ locale: 'ar', colorScheme: 'dark' }, (page) => page.waitForSelector('[dir=rtl]')),
];
const row = await browser.newPage({ viewport: { width: 1340, height: 690 } });
await row.setContent(
  `<style>body { margin: 0; display: flex; gap: 16px; justify-content: center; background: #fff; } img { height: 690px; border-radius: 14px; border: 1px solid #ccc; box-sizing: border-box; }</style>${states
    .map((state) => `<img src="${state}">`)
    .join('')}`,
);
await row.screenshot(place('phone.jpg'));
await Promise.all([browser.close(), server.close()]);
