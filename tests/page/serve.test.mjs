// serve.test.mjs: the server of `make start`: content types, headers, and nothing outside the site.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { headersFor } from '../../web/site/headers.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Two servers that request this port get two different ones. */
const PORT = 8765;

/** @returns {Promise<string>} the address that the server prints */
async function start(t) {
  const server = spawn(process.execPath, [`${root}web/site/serve.mjs`, String(PORT)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => server.kill());
  const [said] = await server.stdout.setEncoding('utf8').take(1).toArray();
  return /http:\S+/.exec(said)[0];
}

/** Sends a request verbatim: fetch would normalise the path. @returns {Promise<string>} the status line */
const ask = (address, path, method = 'GET') =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(address).port), '127.0.0.1', () =>
      socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
    );
    let text = '';
    socket
      .setEncoding('latin1')
      .on('data', (part) => {
        text += part;
      })
      .on('end', () => resolve(text.split('\r\n')[0]))
      .on('error', reject);
  });

test('the site is served with its content types, and nothing else is served', async (t) => {
  const address = await start(t);
  const page = await fetch(address);
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(await page.text(), /<title\b/);
  const wasm = readdirSync(`${root}build/site`).find((name) => name.endsWith('.wasm'));
  const engine = await fetch(address + wasm, { headers: { 'accept-encoding': 'br' } });
  assert.equal(engine.headers.get('content-type'), 'application/wasm');
  assert.match(engine.headers.get('cache-control'), /immutable/, 'its name carries its hash');
  assert.equal(engine.headers.get('content-encoding'), 'br');
  const { status } = await fetch(address, { headers: { 'if-none-match': page.headers.get('etag') } });
  assert.equal(status, 304, 'nothing is sent that the browser has');
  await WebAssembly.compileStreaming(engine);
  for (const path of [
    '/../../package.json',
    '/%2e%2e/%2e%2e/package.json',
    '/..%2f..%2fpackage.json',
    '/..%5c..%5cpackage.json',
    '//../package.json',
    '/../site-x/index.html',
    'http://elsewhere/../../package.json',
    '/%00',
    '/%zz',
    '/nowhere',
    '/index.html/',
    '/.',
  ]) {
    assert.match(await ask(address, path), path === '/.' ? / 200 / : / 404 /, path);
  }
});

test('every response has the headers that the README recommends, and only GET and HEAD are allowed', async (t) => {
  const address = await start(t),
    expected = headersFor(readFileSync(`${root}build/site/index.html`, 'utf8'));
  for (const [path, method, status] of /** @type {[string, string, number][]} */ ([
    ['', 'GET', 200],
    ['sw.js', 'GET', 200],
    ['nowhere', 'GET', 404],
    ['', 'HEAD', 200],
    ['', 'POST', 405],
    ['sw.js', 'PUT', 405],
    ['', 'DELETE', 405],
    ['', 'OPTIONS', 405],
  ])) {
    const response = await fetch(address + path, { method });
    assert.equal(response.status, status, `${method} ${path}`);
    for (const [name, value] of Object.entries(expected))
      assert.equal(response.headers.get(name), value, `${method} ${path}: ${name}`);
    assert.equal(response.headers.get('allow'), status === 405 ? 'GET, HEAD' : null);
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    if (method === 'HEAD') assert.equal(await response.text(), '');
  }
  for (const method of ['TRACE', 'PROPFIND']) assert.match(await ask(address, '/', method), / 405 /, method);
  assert.match(await ask(address, '/', 'NONSENSE'), / 400 /);
});

test('a port in use is skipped for the next one', async (t) => {
  const first = await start(t);
  const second = await start(t);
  assert.notEqual(first, second);
  assert.equal((await fetch(second)).status, 200);
});
