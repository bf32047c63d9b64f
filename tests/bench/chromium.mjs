// chromium.mjs - the benchmark in Chromium: a small server on loopback, one page a race, one context a cold start.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { launch } from '../browser/site.mjs';
import { spread } from './race.mjs';
import { folder } from './runtimes.mjs';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

const page = (job) => `<!doctype html><title>bench</title><script type="module">
import { firstResult, raceHere } from './page.js';
const job = ${JSON.stringify(job)};
globalThis.raceHere = raceHere;
if (job) globalThis.first = await firstResult(job.name, job);
</script>`;

async function serve() {
  let html = '';
  const http = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const body = pathname === '/' ? html : await readFile(folder + pathname.slice(1)).catch(() => null);
    const type = pathname === '/' ? '.html' : extname(pathname);
    response.writeHead(body === null ? 404 : 200, { 'content-type': TYPES[type] ?? 'application/octet-stream' }).end(body ?? '');
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${http.address().port}/`,
    show: (job) => { html = page(job); },
    close: () => new Promise((resolve) => { http.closeAllConnections(); http.close(resolve); }),
  };
}

/** A page with its own caches; the first error in it ends the benchmark. */
async function visit(browser, server, job, use) {
  server.show(job);
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
 *   race: (job: object) => Promise<Awaited<ReturnType<typeof import('./race.mjs').race>>>,
 *   firstResults: (names: string[], job: object, rounds: number) => Promise<Record<string, number>>,
 * }) => Promise<void>} use
 */
export async function inChromium(use) {
  const server = await serve(), browser = await launch();

  async function firstResults(names, job, rounds) {
    const times = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const name of names) {
        const ms = await visit(browser, server, { name, ...job }, async (tab) => (await tab.waitForFunction(() => globalThis.first)).jsonValue());
        if (round) times[name].push(ms); // the first round warms the browser itself
      }
    }
    return Object.fromEntries(names.map((name) => [name, spread(times[name]).median]));
  }

  const race = (job) => visit(browser, server, null, async (tab) => {
    await tab.waitForFunction(() => globalThis.raceHere);
    return tab.evaluate((all) => globalThis.raceHere(all), job);
  });

  try {
    await use({ version: browser.version(), race, firstResults });
  } finally {
    await browser.close();
    await server.close();
  }
}
