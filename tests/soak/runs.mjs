// Runs films through the page, the command and the bare engine, and samples on the way what the processes hold.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createDicomReader } from '../../src/dicom/reader.mjs';
import { createEngine } from '../../src/engine.mjs';
import { loadCodec, loadParts } from '../../src/node/assets.mjs';
import { isDicom } from '../../src/sniff.mjs';
import { asEngine, launch, open, serve, settled } from '../browser/site.mjs';

const MB = 2 ** 20;
const TICKS = 100; // clock ticks of /proc per second
const DROP = ['dragEnter', 'dragOver', 'drop'];
const cli = fileURLToPath(new URL('../../src/cli.mjs', import.meta.url));

/** @typedef {Record<string, number>} Sample  films and milliseconds of `cpu` so far, and what is held: megabytes or objects
 *  @typedef {{samples: Sample[], records: any[]}} Run
 *  @typedef {(films: number) => void} Tell  reports progress */

/** @param {number} pid  @returns {Sample} */
function held(pid) {
  const times = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return {
    cpu: (Number(times[11]) + Number(times[12])) * (1000 / TICKS),
    rss: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024,
    threads: readdirSync(`/proc/${pid}/task`).length,
    files: readdirSync(`/proc/${pid}/fd`).length,
  };
}

/** The command as a person runs it. @param {string[]} args  @param {number} total  @param {number} step  @param {Tell} tell  @param {object} [options] of spawn  @returns {Promise<Run>} */
export async function throughCommand(args, total, step, tell, options = {}) {
  const run = spawn(process.execPath, [cli, '--json', ...args], { ...options, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(run, 'exit'),
    samples = [],
    records = [];
  for await (const line of createInterface({ input: run.stdout })) {
    records.push(JSON.parse(line));
    const films = records.length;
    // After the last film the process may be gone.
    if (films % step !== 0 || films === total || run.exitCode !== null) continue;
    samples.push({ films, ...held(run.pid) });
    tell(films);
  }
  await ended;
  return { samples, records };
}

/** One engine in this process. @param {string[]} paths  @param {number} step  @param {Tell} tell  @returns {Promise<Run>} */
export async function throughEngine(paths, step, tell) {
  const { wasm, weights } = await loadParts(),
    engine = await createEngine({ wasm, weights }),
    readDicom = createDicomReader({ engine, loadCodec });
  const samples = [],
    records = [];
  for (const file of paths) {
    const bytes = new Uint8Array(readFileSync(file));
    try {
      const { bits, decoder, verdict } = engine.diagnose(isDicom(bytes) ? (await readDicom(bytes)).film : bytes);
      records.push({ file, status: 'ok', bits, decoder, verdict });
    } catch (error) {
      if (!error.code) throw error;
      records.push({ file, status: 'error', code: error.code });
    }
    if (records.length % step !== 0) continue;
    samples.push({ films: records.length, ...held(process.pid) });
    tell(records.length);
  }
  return { samples, records };
}

/** Opens a session of the developer tools with the page and one with its worker.
 *  @param {import('playwright-core').Page} page */
async function attach(page) {
  const tools = await page.context().newCDPSession(page),
    waiting = new Map();
  let lastId = 0,
    sessionId = '';
  tools.on('Target.attachedToTarget', (event) => {
    if (event.targetInfo.type === 'worker') ({ sessionId } = event);
  });
  tools.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result } = JSON.parse(message);
    waiting.get(id)?.(result);
  });
  await tools.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  /** @returns {Promise<any>} */
  const askWorker = (method, params = {}) =>
    new Promise((resolve, reject) => {
      waiting.set(++lastId, resolve);
      tools
        .send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id: lastId, method, params }) })
        .catch(reject);
    });
  return {
    /** @type {(method: any, params?: any) => Promise<any>} */ ask: (method, params) => tools.send(method, params),
    askWorker,
  };
}

const heap = ({ usedSize, backingStorageSize, embedderHeapUsedSize }) =>
  (usedSize + backingStorageSize + embedderHeapUsedSize) / MB;

/** Gives films to the page as people do: as a folder, as files, by dropping them. */
const GIVE = {
  folder: (page, paths) => page.setInputFiles('#folder', paths[0].slice(0, paths[0].lastIndexOf('/'))),
  files: (page, paths) => page.setInputFiles('#files', paths),
  async drop(page, paths, { ask }) {
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of DROP) await ask('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  },
};

/**
 * Gives the films to the built page in Chromium, part by part; each part waits until the last one is finished.
 * @param {string[][]} parts  one per folder  @param {number} step  @param {Tell} tell
 * @returns {Promise<Run & {cleared: Sample, first: Sample, complaints: string[]}>}  first: before any film; cleared:
 *   after clearing the page
 */
export async function throughPage(parts, step, tell) {
  const [browser, server] = await Promise.all([launch(['--js-flags=--expose-gc']), serve()]);
  try {
    // The engine's memory is kept in a global, so that its size can be read.
    server.change = asEngine('if (exports.diagnose) self.engines = [...(self.engines ?? []), exports.memory];');
    const { page, complaints } = await open(browser, server, {
      reducedMotion: 'reduce',
      serviceWorkers: 'block' /* it would refuse the altered worker */,
    });
    page.setDefaultTimeout(1_800_000);
    await settled(page);
    const devtools = await browser.newBrowserCDPSession(),
      { ask, askWorker } = await attach(page);
    await ask('Performance.enable');
    const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
    const renderers = processInfo
      .filter(({ type }) => type === 'renderer')
      .map(({ id }) => ({ id, before: held(id).cpu }));
    await page.evaluate(() => {
      for (const start = performance.now(); performance.now() - start < 500;);
    }); // the renderer of the page is the one that did this work
    const [{ id: renderer }] = renderers.sort((a, b) => held(b.id).cpu - b.before - (held(a.id).cpu - a.before));
    const browserProcess = processInfo.find(({ type }) => type === 'browser').id;

    async function sample(films) {
      const { cpu } = held(renderer); // before collecting garbage, which takes time itself
      await Promise.all([
        ask('HeapProfiler.collectGarbage'),
        page.workers()[0].evaluate(() => /** @type {any} */ (self).gc()),
      ]);
      const { metrics } = await ask('Performance.getMetrics'),
        metric = (name) => metrics.find((one) => one.name === name).value;
      const { rss, threads, files } = held(renderer),
        main = held(browserProcess);
      const wasm = await page
        .workers()[0]
        .evaluate(() => /** @type {any} */ (self).engines.reduce((sum, { buffer }) => sum + buffer.byteLength, 0));
      const after = held(renderer).cpu;
      return {
        films,
        cpu,
        after,
        page: heap(await ask('Runtime.getHeapUsage')),
        worker: heap(await askWorker('Runtime.getHeapUsage')),
        wasm: wasm / MB,
        rss,
        browser: main.rss,
        threads,
        files: files + main.files,
        workers: page.workers().length,
        nodes: metric('Nodes'),
        listeners: metric('JSEventListeners'),
      };
    }

    const total = parts.flat().length,
      first = await sample(0),
      samples = [];
    let before = 0;
    for (const [number, part] of parts.entries()) {
      await GIVE[Object.keys(GIVE)[number % 3]](page, part, { ask });
      const all = (before + part.length).toLocaleString('en');
      await page.waitForFunction(
        (all) => document.getElementById('shown').textContent.endsWith(` of ${all} images`),
        all,
        { polling: 50 },
      );
      for (let place = step; place <= part.length; place += step) {
        await page.waitForFunction(
          (share) =>
            document.getElementById('work').hidden ||
            /** @type {HTMLProgressElement} */ (document.getElementById('work-bar')).value >= share,
          place / part.length,
          { polling: 50 },
        );
        samples.push(await sample(before + place));
        tell(before + place);
      }
      await page.waitForFunction(() => document.getElementById('work').hidden, null, { polling: 50 });
      before += part.length;
    }
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-action=export-json]')]);
    const records = readFileSync(await download.path(), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    if (records.length !== total) throw new Error(`${records.length} records of ${total} films`);
    await page.click('#more');
    await page.click('#clear');
    return { samples, records, first, cleared: await sample(total), complaints };
  } finally {
    await Promise.all([browser.close(), server.close()]);
  }
}
