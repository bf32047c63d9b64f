// policy.test.mjs: the Content Security Policy and its Trusted Types block what they forbid, in page, worker and
// service worker, and the test server counts it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, serve, settled } from './site.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** A page with its own server, ready to work offline. The test closes the server. */
async function visit(t) {
  const server = await serve();
  const { page, close } = await open(browser, server);
  t.after(async () => {
    await close();
    await server.close().catch(() => {}); // the test itself asserts the violations
  });
  await settled(page);
  await page.waitForSelector('text=Ready to work offline');
  return { page, server };
}

/** The directives of the next violations, which are then removed from the server's list. */
async function counted(page, server, count) {
  for (let tries = 0; server.violations.length < count && tries < PATIENCE; tries++) await page.waitForTimeout(20);
  assert.ok(server.violations.length >= count, `${server.violations.length} of ${count} violations counted`);
  return server.violations.splice(0).map((told) => told.effectiveDirective ?? told['effective-directive']);
}

const PATIENCE = 500;
const ELSEWHERE = 'http://127.0.0.1:9/';
/** Actions that the policy must block, each with its directive.
 *  @typedef {[string, (address: string) => unknown][]} Forbidden */
/** @type {Forbidden} */
const ANYWHERE = [
  ['require-trusted-types-for', () => setTimeout('globalThis.ran = 1')],
  [
    'require-trusted-types-for',
    () =>
      new Promise((resolve) => {
        setTimeout(() => {
          try {
            globalThis.ran = eval('1');
          } catch {
            resolve();
          }
        });
      }),
  ],
  ['trusted-types', () => /** @type {any} */ (globalThis).trustedTypes.createPolicy('default', {})],
  ['connect-src', (address) => fetch(address)],
];
/** @type {Forbidden} */
const IN_PAGE = [
  ['style-src-attr', () => document.body.setAttribute('style', 'color: red')],
  [
    'require-trusted-types-for',
    () => {
      document.body.innerHTML = '<b>ran</b>';
    },
  ],
  ['require-trusted-types-for', () => document.body.setAttribute('onclick', 'globalThis.ran = 1')],
  [
    'require-trusted-types-for',
    () => {
      document.createElement('script').src = './sw.js';
    },
  ],
  [
    'require-trusted-types-for',
    () => document.body.append(Object.assign(document.createElement('script'), { textContent: 'globalThis.ran = 1' })),
  ],
  ['require-trusted-types-for', () => new Worker('./sw.js')],
  ['require-trusted-types-for', () => navigator.serviceWorker.register('./app.js')],
  ['trusted-types', () => /** @type {any} */ (globalThis).trustedTypes.createPolicy('pleura', {})], // a second of the name
  [
    'img-src',
    (address) =>
      new Promise((resolve) => {
        Object.assign(new Image(), { onerror: resolve }).src = address;
      }),
  ],
  ['frame-src', (address) => document.body.append(Object.assign(document.createElement('iframe'), { src: address }))],
  [
    'form-action',
    (address) => {
      const form = Object.assign(document.createElement('form'), { action: address });
      document.body.append(form);
      form.submit();
    },
  ],
];

test('forbidden actions of a page are blocked and counted, by its listener for <meta> and header, and by the report', async (t) => {
  const { page, server } = await visit(t);
  for (const [directive, attempt] of [...ANYWHERE, ...IN_PAGE]) {
    await page.evaluate(attempt, ELSEWHERE).catch(() => {});
    assert.deepEqual([...new Set(await counted(page, server, 3))], [directive], String(attempt));
  }
  assert.equal(await page.evaluate(() => 'ran' in globalThis || document.body.textContent === 'ran'), false);
  await server.close();
});

test('forbidden actions of worker and service worker are blocked and counted by the report', async (t) => {
  const { page, server } = await visit(t);
  for (const place of [page.workers()[0], page.context().serviceWorkers()[0]]) {
    for (const [directive, attempt] of ANYWHERE) {
      await place.evaluate(attempt, ELSEWHERE).catch(() => {});
      assert.deepEqual(await counted(page, server, 1), [directive], `${place.url()}: ${attempt}`);
    }
    assert.equal(await place.evaluate(() => 'ran' in globalThis), false);
  }
  await server.close();
});

test('a test whose page violates the policy fails when it closes its server', async (t) => {
  const { page, server } = await visit(t);
  await page.evaluate((address) => fetch(address), ELSEWHERE).catch(() => {});
  for (let tries = 0; server.violations.length < 3 && tries < PATIENCE; tries++) await page.waitForTimeout(20);
  await assert.rejects(server.close(), { name: 'AssertionError' });
});
