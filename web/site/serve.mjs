// serve.mjs: shows build/site on this machine alone; node web/site/serve.mjs [port]
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { headersFor } from './headers.mjs';

const SITE = fileURLToPath(new URL('../../build/site', import.meta.url));
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.wasm': 'application/wasm',
};
/** How many ports after the first may be tried. */
const MORE = 20;

/** The file behind a request, or null: never one outside the site. @param {string} url */
async function find(url) {
  try {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    const file = join(SITE, path.endsWith('/') ? `${path}index.html` : path);
    return file.startsWith(SITE + sep) ? { file, bytes: await readFile(file) } : null;
  } catch {
    return null; // A malformed address, or no such file: both are a 404.
  }
}

const index = await readFile(join(SITE, 'index.html'), 'utf8').catch(() => {
  console.error('build/site is missing; run `make site` first');
  process.exit(1);
});
const headers = headersFor(index);

const server = createServer(async (request, response) => {
  const known = ['GET', 'HEAD'].includes(request.method),
    found = known ? await find(request.url) : null;
  const type = found ? (TYPES[extname(found.file)] ?? 'application/octet-stream') : 'text/plain; charset=utf-8';
  response.writeHead(found ? 200 : known ? 404 : 405, {
    ...headers,
    'Content-Type': type,
    'Cache-Control': 'no-cache',
    ...(!known && { Allow: 'GET, HEAD' }),
  });
  response.end(
    request.method === 'HEAD'
      ? undefined
      : (found?.bytes ?? (known ? 'There is no such page.\n' : 'This server answers GET and HEAD alone.\n')),
  );
});

const first = Number(process.argv[2] ?? 8080);
let port = first;
server.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code !== 'EADDRINUSE' || port >= first + MORE) {
    console.error(`The page cannot be served on port ${port} (${error.code}). Choose another: make start PORT=9000`);
    process.exit(1);
  }
  server.listen(++port, '127.0.0.1');
});
server.on('listening', () => console.log(`The page: http://127.0.0.1:${port}/   (Ctrl-C ends it)`));
server.listen(port, '127.0.0.1');
