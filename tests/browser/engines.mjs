// engines.mjs: opens the page in Chromium, Firefox or WebKit as Debian ships them. Playwright drives only Chromium;
// for the other two, this file offers as much of its Page as site.mjs needs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { launch, open } from './site.mjs';

const WIDTH = 1440,
  HEIGHT = 900,
  PATIENCE_MS = 60_000;

/** @typedef {{version: string, page: any, complaints: () => Promise<string[]>, close: () => Promise<void>}} Visit
 *  @typedef {Awaited<ReturnType<import('./site.mjs').serve>>} Server */

/** Whatever a visit starts is registered in `ends` at once, so that a failure on the way leaves nothing running.
 *  @param {(server: Server, ends: (() => Promise<any>)[]) => Promise<Omit<Visit, 'close'>>} begin
 *  @returns {(server: Server) => Promise<Visit>} */
const visit = (begin) => async (server) => {
  const ends = [],
    close = async () => {
      for (const end of ends.splice(0).reverse()) await end();
    };
  try {
    return { ...(await begin(server, ends)), close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** By name: opens a server's page. */
export const ENGINES = { Chromium: visit(openChromium), Firefox: visit(openFirefox), WebKit: visit(openWebKit) };

async function openChromium(server, ends) {
  const browser = await launch();
  ends.push(() => browser.close());
  const { page, complaints } = await open(browser, server);
  return { page, complaints: async () => complaints, version: browser.version() };
}

/** Starts a program of the browser, until the visit ends. @param {(() => Promise<any>)[]} ends */
function run(ends, command, args, env = process.env) {
  const program = spawn(command, args, { env });
  ends.push(async () => {
    if (program.exitCode === null && program.kill()) await once(program, 'exit');
  });
  return program;
}

/** A temporary folder, until the visit ends. */
async function makeScratch(ends) {
  const folder = await mkdtemp(`${tmpdir()}/pleura-browser-`);
  ends.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** The first match of `pattern` in what a program writes.
 *  @param {import('node:child_process').ChildProcess} program  @param {RegExp} pattern */
function saidBy(program, pattern) {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (text) => {
      const found = pattern.exec((said += text));
      if (found) resolve(found[1]);
    };
    program.stdout.on('data', hear);
    program.stderr.on('data', hear);
    program.on('error', reject).on('close', () => reject(new Error(`${program.spawnfile} ended: ${said}`)));
  });
}

/** A page whose functions, arguments and results travel to the browser as text.
 *  @param {{goto: (url: string) => Promise<any>, reload: () => Promise<any>,
 *    call: (source: string, text: string) => Promise<string>,
 *    give: (selector: string, paths: string[]) => Promise<any>, picture: () => Promise<string>}} driver
 *  @param {string} scratch  a folder for the files to be chosen */
function pageOf({ goto, reload, call, give, picture }, scratch) {
  const evaluate = async (task, argument = null) =>
    JSON.parse(
      await call(`async (text) => JSON.stringify(await (${task})(JSON.parse(text)) ?? null)`, JSON.stringify(argument)),
    );
  return {
    goto,
    reload,
    evaluate,
    async waitForFunction(test, argument) {
      for (const start = Date.now(); !(await evaluate(test, argument)); await pause(50)) {
        if (Date.now() - start > PATIENCE_MS) throw new Error(`in vain waited for ${test}`);
      }
    },
    async setInputFiles(selector, files) {
      await Promise.all(files.map(({ name, buffer }) => writeFile(`${scratch}/${name}`, buffer)));
      await give(
        selector,
        files.map(({ name }) => `${scratch}/${name}`),
      );
    },
    screenshot: async () => Buffer.from(await picture(), 'base64'),
  };
}

/** Speaks WebDriver BiDi with the browser itself: w3c.github.io/webdriver-bidi. */
async function openFirefox(server, ends) {
  const scratch = await makeScratch(ends);
  const firefox = run(ends, process.env.FIREFOX || 'firefox-esr', [
    '--headless',
    '--no-remote',
    '--profile',
    scratch,
    '--remote-debugging-port',
    '0',
  ]);
  const socket = new WebSocket(`${await saidBy(firefox, /BiDi listening on (ws:\S+)/)}/session`, { maxPayload: 0 });
  await once(socket, 'open');
  const waiting = new Map(),
    complaints = [];
  socket.on('message', (data) => {
    const { id, result, error, message, params } = JSON.parse(String(data));
    if (params && /warn|error/.test(params.level)) complaints.push(params.text);
    if (error) waiting.get(id).reject(new Error(`${error}: ${message}`));
    else waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  ends.push(async () => socket.close());
  let lastId = 0;
  const send = (method, params) =>
    new Promise((resolve, reject) => {
      waiting.set(++lastId, { resolve, reject });
      socket.send(JSON.stringify({ id: lastId, method, params }));
    });

  const {
    capabilities: { browserVersion },
  } = await send('session.new', { capabilities: {} });
  await send('session.subscribe', { events: ['log.entryAdded'] });
  const {
    contexts: [{ context }],
  } = await send('browsingContext.getTree', {});
  await send('browsingContext.setViewport', { context, viewport: { width: WIDTH, height: HEIGHT } });
  const page = pageOf(
    {
      goto: (url) => send('browsingContext.navigate', { context, url, wait: 'complete' }),
      reload: () => send('browsingContext.reload', { context, wait: 'complete' }),
      async call(functionDeclaration, value) {
        const { result, exceptionDetails } = await send('script.callFunction', {
          functionDeclaration,
          arguments: [{ type: 'string', value }],
          target: { context },
          awaitPromise: true,
        });
        if (exceptionDetails) throw new Error(exceptionDetails.text);
        return result.value;
      },
      async give(selector, files) {
        const {
          nodes: [element],
        } = await send('browsingContext.locateNodes', { context, locator: { type: 'css', value: selector } });
        await send('input.setFiles', { context, element, files });
      },
      picture: async () => (await send('browsingContext.captureScreenshot', { context })).data,
    },
    scratch,
  );
  await page.goto(server.url);
  return { version: browserVersion, page, complaints: async () => complaints };
}

/** A free port. */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
  probe.close();
  return port;
}

/** Speaks WebDriver with WebKitGTK's MiniBrowser, which needs a display: www.w3.org/TR/webdriver2. */
async function openWebKit(server, ends) {
  const scratch = await makeScratch(ends);
  const screen = run(ends, 'Xvfb', [
    '-displayfd',
    '1',
    '-screen',
    '0',
    `${WIDTH + 100}x${HEIGHT + 200}x24`,
    '-nolisten',
    'tcp',
  ]);
  const display = `:${await saidBy(screen, /(\d+)\n/)}`,
    port = await freePort();
  const driver = run(ends, 'WebKitWebDriver', [`--port=${port}`], {
    ...process.env,
    DISPLAY: display,
    GDK_BACKEND: 'x11',
  });
  driver.stdout.resume();
  driver.stderr.resume();
  const send = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };

  while (!(await send('GET', '/status').catch(() => null))) {
    if (driver.exitCode !== null) throw new Error(`WebKitWebDriver ended: ${driver.exitCode}`);
    await pause(50);
  }
  const { sessionId, capabilities } = await send('POST', '/session', {
    capabilities: { alwaysMatch: { timeouts: { script: 5 * PATIENCE_MS } } },
  });
  ends.push(() => send('DELETE', `/session/${sessionId}`));
  const post = (path, body = {}) => send('POST', `/session/${sessionId}/${path}`, body);
  await post('window/rect', { width: WIDTH, height: HEIGHT });
  const call = (source, text) => post('execute/sync', { script: `return (${source})(arguments[0])`, args: [text] });
  const page = pageOf(
    {
      goto: (url) => post('url', { url }).then(() => call(watch, '')),
      reload: () => post('refresh').then(() => call(watch, '')),
      call,
      async give(selector, paths) {
        const [id] = Object.values(await post('element', { using: 'css selector', value: selector }));
        await post(`element/${id}/value`, { text: paths.join('\n') });
      },
      picture: () => send('GET', `/session/${sessionId}/screenshot`),
    },
    scratch,
  );
  await page.goto(server.url);
  return { version: capabilities.browserVersion, page, complaints: () => page.evaluate(() => globalThis.complaints) };
}

/** Records errors in a loaded page of WebKit, whose driver does not report the console. */
function watch() {
  const complaints = (globalThis.complaints = []),
    { warn, error } = console;
  console.warn = (...words) => {
    complaints.push(words.join(' '));
    warn(...words);
  };
  console.error = (...words) => {
    complaints.push(words.join(' '));
    error(...words);
  };
  for (const type of ['error', 'unhandledrejection', 'securitypolicyviolation']) {
    addEventListener(type, (event) =>
      complaints.push(`${type}: ${event.message ?? event.reason ?? event.violatedDirective}`),
    );
  }
}
