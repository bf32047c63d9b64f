// visit.test.mjs: how little stands between the address and the first answer, at the first visit and at later ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asEngine, choose, launch, open, png, serve, settled } from './site.mjs';

async function start(t) {
  const [browser, server] = await Promise.all([launch(), serve()]);
  t.after(() => Promise.all([browser.close(), server.close()]));
  return { browser, server };
}

test('engine and weights are requested while the script is on its way, and once', async (t) => {
  const { browser, server } = await start(t);
  const isPart = (name) => /\.(wasm|gguf)$/.test(name);
  let early = [];
  const { end } = server;
  server.end = async (name, response, bytes) => {
    if (/^app-.*\.js$/.test(name)) {
      for (const until = Date.now() + 10_000; early.length < 2 && Date.now() < until;)
        await new Promise((resolve) => setTimeout(resolve, 20));
    } else if (isPart(name)) early.push(name);
    end(name, response, bytes);
  };
  const { page, complaints, close } = await open(browser, server, { serviceWorkers: 'block' });
  t.after(close);
  assert.equal(early.length, 2, 'before the script had arrived');
  await settled(page);
  assert.equal(server.requests.filter(isPart).length, 2, 'the worker uses what was requested first');
  assert.deepEqual(
    complaints.filter((text) => !/Service Worker/.test(text)),
    [],
  );
});

test('on a phone nothing moves while the page gets ready', async (t) => {
  const { browser, server } = await start(t);
  const { page, close } = await open(browser, server, { viewport: { width: 390, height: 844 } });
  t.after(close);
  await settled(page);
  await page.waitForSelector('text=Ready to work offline');
  const shift = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const observer = new PerformanceObserver((list) => {
          resolve(list.getEntries().reduce((sum, entry) => sum + /** @type {any} */ (entry).value, 0));
        });
        observer.observe({ type: 'layout-shift', buffered: true });
        setTimeout(resolve, 1000, 0); // no entry, no call
      }),
  );
  assert.ok(shift < 0.05, `a layout shift of ${shift}`);
});

test('the self-test runs once per engine, weights and browser', async (t) => {
  const { browser, server } = await start(t);
  server.change = asEngine(
    'const { load } = exports; exports = { ...exports, load: (...given) => (console.info(`self-test: ${given[2]}`), load(...given)) };',
  );
  const { page, close } = await open(browser, server, { serviceWorkers: 'block' });
  t.after(close);
  const runs = [];
  page.on('console', (message) => message.text().startsWith('self-test') && runs.push(message.text().at(-1)));
  const visit = async () => {
    runs.length = 0;
    await page.reload();
    await settled(page);
    return runs.at(-1);
  };
  await settled(page);
  assert.equal(await visit(), '0', 'the first visit has passed it');
  await page.evaluate(async () => {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      const note = await cache.match('self-test');
      const proof = note && (await note.text()).replace(/Chrome\S+/, 'Chrome/1');
      if (proof) await cache.put('self-test', new Response(proof));
    }
  });
  assert.equal(await visit(), '1', 'another browser has passed it');
  assert.equal(await visit(), '0');
});

test('a batch draws the page some four times a second, however many films it finishes', async (t) => {
  const { browser, server } = await start(t);
  const { page, close } = await open(browser, server);
  t.after(close);
  await settled(page);
  await page.evaluate(() => {
    const drawn = (globalThis.drawn = []);
    new MutationObserver(() => drawn.push(performance.now())).observe(document.getElementById('work-text'), {
      childList: true,
    });
  });
  await choose(
    page,
    Array.from({ length: 60 }, (_, i) => ({ name: `${i}.png`, buffer: png(64, 64 + i) })),
  );
  await settled(page);
  const { drawings, elapsed } = await page.evaluate(() => ({
    drawings: globalThis.drawn.length,
    elapsed: globalThis.drawn.at(-1) - globalThis.drawn[0],
  }));
  assert.ok(drawings >= 3, 'progress is shown');
  assert.ok(drawings <= 5 + elapsed / 200, `${drawings} drawings in ${Math.round(elapsed)} ms`);
});
