// The benchmark in Chromium: a small server on loopback, one page per race, one browser context per cold start.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { launch } from '../browser/site.mjs';
import { spread } from './race.mjs';
import { folder } from './runtimes.mjs';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

const html = (script) => `<!doctype html><title>bench</title><script type="module">${script}</script>`;

const racePage = html("import { raceHere } from './page.js'; globalThis.raceHere = raceHere;");

const coldPage = (name, job) =>
  html(`import { firstResult } from './page.js'; import { open } from './${name}.js';
globalThis.first = await firstResult(open, ${JSON.stringify(job)});`);

async function serve() {
  let shown = '';
  const http = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const body = pathname === '/' ? shown : await readFile(folder + pathname.slice(1)).catch(() => null);
    const type = pathname === '/' ? '.html' : extname(pathname);
    response
      .writeHead(body === null ? 404 : 200, { 'content-type': TYPES[type] ?? 'application/octet-stream' })
      .end(body ?? '');
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${http.address().port}/`,
    show: (page) => {
      shown = page;
    },
    close: () =>
      new Promise((resolve) => {
        http.closeAllConnections();
        http.close(resolve);
      }),
  };
}

/** Opens a page with its own caches. The first error in it ends the benchmark. */
async function visit(browser, server, page, use) {
  server.show(page);
  const context = await browser.newContext();
  const failed = new Promise((_, reject) => context.on('weberror', (error) => reject(error.error())));
  try {
    const tab = await context.newPage();
    await tab.goto(server.url);
    return await Promise.race([use(tab), failed]);
  } finally {
    await context.close();
  }
}

/**
 * @param {(tools: {
 *   version: string,
 *   race: (job: object) => Promise<import('./race.mjs').Race>,
 *   firstResults: (names: string[], job: object, rounds: number) => Promise<Record<string, ReturnType<typeof spread>>>,
 * }) => Promise<void>} use
 */
export async function inChromium(use) {
  const server = await serve(),
    browser = await launch();

  async function firstResults(names, job, rounds) {
    const times = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const name of names) {
        const ms = await visit(browser, server, coldPage(name, job), async (tab) =>
          (await tab.waitForFunction(() => globalThis.first)).jsonValue(),
        );
        if (round) times[name].push(ms); // the first round warms up the browser
      }
    }
    return Object.fromEntries(names.map((name) => [name, spread(times[name])]));
  }

  const race = (job) =>
    visit(browser, server, racePage, async (tab) => {
      const session = await tab.context().newCDPSession(tab);
      await session.send('Performance.enable');
      // Counts the page's own thread. Workers are not counted, but no runtime here uses any.
      await tab.exposeFunction('cpuMs', async () => {
        const { metrics } = await session.send('Performance.getMetrics');
        return metrics.find(({ name }) => name === 'ThreadTime').value * 1000;
      });
      await tab.waitForFunction(() => globalThis.raceHere);
      return tab.evaluate((all) => globalThis.raceHere(all, globalThis.cpuMs), job);
    });

  try {
    await use({ version: browser.version(), race, firstResults });
  } finally {
    await browser.close();
    await server.close();
  }
}
