// bundler.test.mjs: the example of a bundled page, with the packed package: Vite builds it, Chromium runs it, and the
// bits are those of Node.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/node.mjs';
import { install } from '../package/pack.mjs';
import { launch } from './site.mjs';

const film = fileURLToPath(new URL('../fixtures/grey.jpg', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'pleura-bundler-'));
const vite = join(folder, 'node_modules/vite/bin/vite.js');
const engine = await createEngine();
let browser;

before(async () => {
  install('bundler', folder);
  browser = await launch();
});
after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** Runs Vite until the test ends, and resolves to the address that it prints.
 *  @param {import('node:test').TestContext} t  @param {string[]} args */
async function served(t, ...args) {
  const server = spawn(process.execPath, [vite, ...args, '--host', '127.0.0.1', '--port', '0'], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    server.kill();
    await once(server, 'exit');
  });
  let said = '';
  for await (const text of server.stdout) {
    const [address] = (said += text).match(/http:\/\/127\.0\.0\.1:\d+\//) ?? [];
    if (address) return address;
  }
  throw new Error(`Vite said: ${said}`);
}

/** @param {string} address */
async function diagnoses(address) {
  const page = await browser.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(address);
  const says = (text) => page.locator('output', { hasText: text }).waitFor();
  const phantom = engine.phantom(),
    diagnosis = engine.diagnose(readFileSync(film));
  await says(`${phantom.verdict} ${phantom.bits}`);
  await page.setInputFiles('input', film);
  await says(`${diagnosis.verdict} ${diagnosis.bits}`);
  await page.setInputFiles('input', vite);
  await says('This is not an image that Pleura can read.');
  assert.deepEqual(complaints, []);
  await page.close();
}

test('built by Vite, the package diagnoses in the browser', async (t) => {
  execFileSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: folder });
  await diagnoses(await served(t, 'preview'));
});

test("the same works on Vite's development server", async (t) => {
  await diagnoses(await served(t));
});
