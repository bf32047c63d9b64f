// site.mjs: what the browser tests share: a server for build/site, a page in Chromium, and files to open in it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, extname } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import { headersFor } from '../../web/site/headers.mjs';
import english from '../../web/i18n/en.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webmanifest': 'application/manifest+json',
};
/** Timeout in milliseconds: generous, because test machines are slow at times. */
const PATIENCE = 180_000;
/** Switches off WebGL, which test machines imitate: the page would leave it alone, but only after a third of a second. */
export const IMITATED_GPU = '--disable-software-rasterizer';
export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Else each window loads two pages of the browser's own, for its address bar, which take longer than Pleura's.
  '--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup',
  IMITATED_GPU,
];

/** Serves `server.folder` below /some/folder/ and once more below /some/other/, without cache headers. A test may
 *  replace `server.change(name, bytes)` to serve other bytes, or null for a 404, and `server.end(name, response, bytes)`
 *  to break off. The policy goes to worker and service worker as well. Closing the server fails if any of them violated
 *  it, as reported by the browser and observed by `watch`. */
export async function serve() {
  const home = '/some/folder/',
    headers = headersFor(await readFile(`${root}web/index.html`, 'utf8'));
  headers['Content-Security-Policy'] += `; report-uri ${home}`;
  const http = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (request.method === 'POST') {
      server.violations.push((await json(request))['csp-report']);
      return response.writeHead(204).end();
    }
    server.requests.push(pathname);
    const [, rest] = /^\/some\/(?:folder|other)\/(.*)$/.exec(pathname) ?? [],
      name = rest || 'index.html';
    const bytes = rest === undefined ? null : await readFile(`${server.folder}/${name}`).catch(() => null);
    const body = bytes && server.change(name, bytes);
    response.writeHead(body ? 200 : 404, {
      ...server.headers,
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
    });
    if (body) server.end(name, response, body);
    else response.end();
  });
  /** @returns {Promise<void>} */
  const listen = (port) => new Promise((resolve) => http.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = /** @type {import('node:net').AddressInfo} */ (http.address());
  const server = {
    url: `http://127.0.0.1:${port}${home}`,
    folder: `${root}build/site`,
    requests: [],
    headers,
    violations: [],
    change: (name, bytes) => bytes,
    end: (name, response, bytes) => response.end(bytes),
    open: () => listen(port),
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve)); // closing twice does no harm
      assert.deepEqual(server.violations, []);
    },
  };
  return server;
}

/** @param {string[]} [flags]  @param {string[]} [without]  flags to leave out, of Playwright or of these tests */
export const launch = (flags = [], without = []) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [...FLAGS, ...flags].filter((flag) => !without.includes(flag)),
    ignoreDefaultArgs: without,
  });

/** A `server.change` that has the worker run some code before its own. @param {string} code */
export const beforeWorker = (code) => (name, bytes) =>
  name.startsWith('worker') ? Buffer.concat([Buffer.from(code), bytes]) : bytes;

/** The same for code that replaces `exports`, those of the engine. @param {string} code */
export const asEngine = (code) =>
  beforeWorker(`
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...given) => {
    let { exports } = await instantiate(...given);
    ${code}
    return { exports };
  };
`);

/** Records policy violations in the pages of a context, also while the server is stopped and receives no reports. */
export async function watch(context, server) {
  context.setDefaultTimeout(PATIENCE);
  await context.exposeBinding('violated', (_, violation) => server.violations.push(violation));
  await context.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) =>
      globalThis.violated({ effectiveDirective, blockedURI, sample }),
    ),
  );
}

/** Opens the page in its own context and records its console errors (`complaints`) and requests (`asked`). */
export async function open(browser, server, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  await watch(context, server);
  const page = await context.newPage();
  const complaints = [],
    asked = [];
  context.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('request', (request) => asked.push(request.url()));
  await page.goto(server.url);
  return { page, complaints, asked, close: () => context.close() };
}

/** How long a test waits that fits a layer or opens other weights. */
export const WAIT = { timeout: 180_000 };

/** Opens the page for one test, which fails if the page complains. */
export async function openQuiet(t, browser, server, options) {
  const opened = await open(browser, server, { reducedMotion: 'reduce', ...options });
  opened.page.setDefaultTimeout(WAIT.timeout);
  t.after(opened.close);
  t.after(() => assert.deepEqual(opened.complaints, []));
  await settled(opened.page);
  return opened;
}

/** Empties a page that several tests share: no film, no tool in use. Opening one takes longer than most tests. */
export const empty = (page) =>
  page.evaluate(() => {
    const inUse = '.tool[aria-pressed=true], .chip[aria-pressed=true], #more-tools[aria-expanded=true]';
    for (const button of document.querySelectorAll(inUse)) button.click();
    for (const part of document.querySelectorAll('details[open]')) part.removeAttribute('open');
    for (const action of ['clear', 'undo-forget']) document.querySelector(`[data-action=${action}]`).click();
  });

/** Opens a dialog of the menu. */
export async function openDialog(page, name) {
  await page.click('#more');
  await page.click(`#menu [data-dialog=${name}]`);
  await page.waitForSelector(`#dialog-${name}[open]`);
}

/** Waits until nothing is loading, waiting or being read. */
export const settled = (page) =>
  page.waitForFunction(
    () =>
      document.getElementById('work').matches('[hidden], .failed') &&
      !document.querySelector('[data-status=waiting], [data-status=running]'),
  );

/** Waits until the open history dialog says that results are kept on this device. */
export const keeping = (page) =>
  page.waitForFunction((text) => document.getElementById('history-text').textContent === text, english['history.on']);

/** Chooses files as if in the file dialog. @param {Array<string | {name: string, buffer: Buffer}>} files */
export async function choose(page, files) {
  const list = await Promise.all(
    files.map(async (file) =>
      typeof file === 'string'
        ? { name: basename(file), mimeType: '', buffer: await readFile(file) }
        : { mimeType: '', ...file },
    ),
  );
  await page.setInputFiles('#files', list);
}

/** Drops or pastes files with the events that a browser sends. @param {'drop' | 'paste'} way */
export const hand = (page, way, files) =>
  page.evaluate(
    async ({ way, files }) => {
      const data = new DataTransfer();
      for (const { name, base64 } of files)
        data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      const options = { bubbles: true, cancelable: true };
      document.body.dispatchEvent(
        way === 'drop'
          ? new DragEvent('drop', { ...options, dataTransfer: data })
          : new ClipboardEvent('paste', { ...options, clipboardData: data }),
      );
    },
    { way, files: files.map(({ name, buffer }) => ({ name, base64: buffer.toString('base64') })) },
  );

/** What the page shows of the selected film. */
export const resultOf = (page) =>
  page.evaluate(() => {
    const said = (id) => document.getElementById(id).textContent;
    const facts = [...document.querySelectorAll('#facts dt')].map((term) => [
      term.textContent,
      term.nextElementSibling.textContent,
    ]);
    const bars = document.getElementById('bars').hidden
      ? []
      : [...document.querySelectorAll('#bars .value')].map((value) => value.textContent);
    return {
      status: document.getElementById('result').dataset.status,
      verdict: said('verdict'),
      because: said('because'),
      facts: Object.fromEntries(facts),
      bars,
    };
  });

/** Waits until the page speaks a language. */
export const speaks = (page, language) =>
  page.waitForFunction((lang) => document.documentElement.lang.split('-')[0] === lang, language);

/** Switches the page to a language by its address, which works behind an open dialog, too. */
export async function speak(page, language) {
  await page.evaluate((language) => {
    location.hash = `#lang=${language}`;
  }, language);
  await speaks(page, language);
}

export const select = (page, place) => page.locator('#strip-list button').nth(place).click();

/** The id of the focused element. */
export const focused = (page) => page.evaluate(() => document.activeElement.id);

/** The accessibility faults that axe finds. Its script is large, so each document loads it once; passing checks are not
 *  listed, which halves the time. @returns {Promise<string[]>} */
export async function faults(page) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`);
}

/** The phantom as a picture with sides of at most `side` pixels; the model accepts it. `share` of its greys are left.
 *  @returns {Buffer} a PNG file */
export function phantomPng(engine, side, share = 1) {
  engine.phantom();
  const { data, width, height } = engine.film(side);
  return png(width, height, (x, y) => data[y * width + x] * share);
}

/** An 8-bit grey PNG. A false size in its header makes it hostile. */
export function png(width, height, grey = (x, y) => x ^ y, [claimedWidth, claimedHeight] = [width, height]) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]),
      out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(claimedWidth);
  head.writeUInt32BE(claimedHeight, 4);
  head[8] = 8;
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rows[y * (width + 1) + x + 1] = grey(x, y) & 255;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
