// serve.mjs: serves build/site, or another folder, to this machine alone: node web/site/serve.mjs [port] [folder]
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { headersFor } from './headers.mjs';

const SITE = resolve(process.argv[3] ?? fileURLToPath(new URL('../../build/site', import.meta.url)));
/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.wasm': 'application/wasm',
};
const TEXT = 'text/plain; charset=utf-8';
const HASHED = /-[0-9a-f]{10}\.\w+$/;
/** Pictures hardly get smaller; the weights, with few values each, lose two fifths. */
const COMPRESSED = /^text\/|json|svg|wasm|octet-stream/;
/** @type {Map<string, Buffer>} by ETag */
const brotli = new Map();

/** @param {string} etag  @param {string | Buffer} body */
function compressed(etag, body) {
  const known = brotli.get(etag) ?? brotliCompressSync(body);
  brotli.set(etag, known);
  return known;
}
/** How many ports above the requested one are tried. */
const MORE_PORTS = 20;

/** The file behind a request, or null; never a file outside the site. @param {string} url */
async function find(url) {
  try {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    const file = join(SITE, path.endsWith('/') ? `${path}index.html` : path);
    return file.startsWith(SITE + sep) ? { file, bytes: await readFile(file) } : null;
  } catch {
    return null; // a malformed address, or no such file: both are answered with 404
  }
}

/** @param {string} method  @param {string} url */
async function answer(method, url) {
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, type: TEXT, body: 'This server answers only GET and HEAD.\n' };
  const found = await find(url);
  if (!found) return { status: 404, type: TEXT, body: 'There is no such page.\n' };
  return { status: 200, type: TYPES[extname(found.file)] ?? 'application/octet-stream', body: found.bytes };
}

const index = await readFile(join(SITE, 'index.html'), 'utf8').catch(() => {
  console.error(`${SITE} holds no page; run \`make site\` first`);
  process.exit(1);
});
const headers = headersFor(index);

const server = createServer(async ({ method = 'GET', url = '/', headers: asked }, response) => {
  const { status, type, body } = await answer(method, url);
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 20)}"`;
  // A name that carries a hash never gets other bytes. All else is asked for again, and compared by its tag.
  const cacheHeaders = HASHED.test(url)
    ? { 'Cache-Control': 'public, max-age=31536000, immutable' }
    : { 'Cache-Control': 'no-cache', ETag: etag };
  if (status === 200 && !HASHED.test(url) && asked['if-none-match'] === etag) {
    response.writeHead(304, { ...headers, ...cacheHeaders }).end();
    return;
  }
  const coded = COMPRESSED.test(type) && /\bbr\b/.test(asked['accept-encoding'] ?? '');
  response.writeHead(status, {
    ...headers,
    'Content-Type': type,
    ...cacheHeaders,
    ...(coded && { 'Content-Encoding': 'br' }),
    Vary: 'Accept-Encoding',
    ...(status === 405 && { Allow: 'GET, HEAD' }),
  });
  response.end(method === 'HEAD' ? undefined : coded ? compressed(etag, body) : body);
});

const first = Number(process.argv[2] ?? 8080);
let port = first;
server.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code !== 'EADDRINUSE' || port >= first + MORE_PORTS) {
    console.error(`The page cannot be served on port ${port} (${error.code}). Choose another: make start PORT=9000`);
    process.exit(1);
  }
  server.listen(++port, '127.0.0.1');
});
server.on('listening', () => console.log(`The page: http://127.0.0.1:${port}/   (Ctrl-C ends it)`));
server.listen(port, '127.0.0.1');
