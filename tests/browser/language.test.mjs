// language.test.mjs: the page in each of its languages: no state has a fault on phone or desktop, and nothing is left
// in English.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LANGUAGES } from '../../web/i18n/words.mjs';
import english from '../../web/i18n/en.mjs';
import { choose, faults, launch, open, png, select, serve, settled, speaks } from './site.mjs';

let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), serve()]);
});
after(() => Promise.all([browser?.close(), server?.close()]));

const [phone, desktop] = [
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
];
const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
const sentences = Object.values(english).filter((text) => text.split(' ').length > 3 && !text.includes('{'));
/** English sentences that are visible or read aloud. */
const inEnglish = (page) =>
  page.evaluate((sentences) => {
    const shown =
      [...document.querySelectorAll('[aria-label], [title]')]
        .map((element) => `${element.getAttribute('aria-label')} ${element.getAttribute('title')}`)
        .join('\n') + document.body.innerText;
    return sentences.filter((sentence) => shown.includes(sentence));
  }, sentences);

// What axe finds depends little on the language: each state is judged once, in the dark on a phone.
for (const language of Object.keys(LANGUAGES).filter((language) => language !== 'en')) {
  test(`${language} on a desktop and on a phone`, async (t) => {
    const { page, complaints, close } = await open(browser, server, {
      viewport: desktop,
      locale: language,
      reducedMotion: 'reduce',
      colorScheme: 'dark',
    });
    t.after(close);
    const look = async (state) => {
      for (const viewport of [desktop, phone]) {
        await page.setViewportSize(viewport);
        assert.deepEqual(await inEnglish(page), [], state);
        assert.equal(await wide(page), 0, `${state} at ${viewport.width} pixels: scrolls sideways`);
      }
      assert.deepEqual(await faults(page), [], state);
    };
    await speaks(page, language);
    await settled(page);
    assert.equal(await page.getAttribute('html', 'dir'), language === 'ar' ? 'rtl' : 'ltr');
    assert.equal(await page.inputValue('#language'), language);
    await look('welcome');
    await page.click('#welcome [data-action=phantom]');
    await settled(page);
    await page.click('#worth summary');
    await page.click('#details summary');
    await look('phantom');
    for (const dialog of ['history', 'requests', 'keys']) {
      await page.click('#more');
      await page.click(`#menu [data-dialog=${dialog}]`);
      await look(dialog);
      await page.keyboard.press('Escape');
    }
    await choose(page, [
      { name: 'blank.png', buffer: png(200, 200, () => 90) },
      { name: 'text.png', buffer: Buffer.from('text') },
    ]);
    await settled(page);
    await look('refused');
    await page.click('#table-body .pick input >> nth=0');
    await select(page, 2);
    await look('not read, and one selected');
    await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
    await page.emulateMedia({ media: 'print' });
    assert.deepEqual(await inEnglish(page), [], 'on paper');
    assert.deepEqual(complaints, []);
  });
}

test('the switch changes every word at once, survives a reload, and stores nothing on the device', async (t) => {
  const { page, close } = await open(browser, server);
  t.after(close);
  await settled(page);
  await page.click('#welcome [data-action=phantom]');
  await settled(page);
  const bits = await page.textContent('#facts dd >> nth=2');
  await page.selectOption('#language', 'es');
  await speaks(page, 'es');
  assert.equal(
    await page.textContent('#because'),
    'De las tres categorías, esta imagen se parece sobre todo a radiografías informadas como normales. Esto no descarta enfermedad.',
  );
  assert.equal(await page.textContent('#facts dd >> nth=2'), bits);
  assert.match(await page.textContent('#bars .value'), /^\d+,\d\s%$/);
  await page.reload();
  await speaks(page, 'es');
  assert.equal(await page.evaluate(() => localStorage.length + document.cookie.length), 0);
  await page.selectOption('#language', 'en');
  await speaks(page, 'en');
  assert.equal(await page.textContent('#welcome-title'), english['welcome.title']);
});

test('a language that cannot be fetched leaves the page as it is, and the page says so', async (t) => {
  const lost = await serve();
  t.after(lost.close);
  lost.change = (name, bytes) => (name.startsWith('words-ar') ? null : bytes);
  const { page, close } = await open(browser, lost, { serviceWorkers: 'block' });
  t.after(close);
  await settled(page);
  await page.selectOption('#language', 'ar');
  await page.waitForFunction(
    (sentence) => document.getElementById('announcement').textContent === sentence,
    english['problem.language-missing'],
  );
  assert.equal(await page.textContent('#page-notice:visible'), english['problem.language-missing']);
  assert.equal(await page.getAttribute('html', 'dir'), 'ltr');
  assert.equal(await page.inputValue('#language'), 'en');
});
