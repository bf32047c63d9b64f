// site.test.mjs: the files of build/site, the heatmap's pixels and outline, and exported records.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { trustedScriptUrl } from '../../web/storage/trusted_types.mjs';
import { headersFor, policyOf } from '../../web/site/headers.mjs';
import { LANGUAGES } from '../../web/i18n/words.mjs';
import { heatPixels, outlinePath } from '../../src/result/heatmap.mjs';
import { recordOf, toCsv, toJsonLines } from '../../web/state/export.mjs';

const folder = fileURLToPath(new URL('../../build/site/', import.meta.url));
/** Fetched only on request, and not stored for use offline: pictures of the page, and examples where `make samples` found
 *  some. */
const isPicture = (name) => name.endsWith('.jpg');
const files = () => readdirSync(folder).filter((name) => !isPicture(name));
const read = (name) => readFileSync(folder + name);
const text = (extension) =>
  files()
    .filter((name) => name.endsWith(extension))
    .map((name) => read(name).toString())
    .join('\n');

test('every file but the page and its service worker has the hash of its content in its name', () => {
  const names = files().filter((name) => name !== 'index.html' && name !== 'sw.js');
  const languages = Object.keys(LANGUAGES).filter((language) => language !== 'en');
  const expected = [
    ...['app.js', 'app.css', 'card.html', 'manifest.webmanifest', 'worker.js', 'pleura.wasm', 'pleura.gguf'],
    ...['dicom.js', 'charls.wasm', 'openjpeg.wasm'],
    ...languages.map((language) => `words-${language}.js`),
    ...readdirSync(new URL('../../web/icons/', import.meta.url)),
  ];
  assert.deepEqual(names.map((name) => name.replace(/-[0-9a-f]{10}\./, '.')).sort(), expected.sort());
  for (const name of names) {
    const hash = createHash('sha256').update(read(name)).digest('hex');
    assert.equal(
      name.match(/-([0-9a-f]{10})\.(js|css|svg|png|html|webmanifest|wasm|gguf)$/)?.[1],
      hash.slice(0, 10),
      name,
    );
  }
});

test('the page names its style, script and icon, the script its worker and the hashes of engine and weights', () => {
  const script = text('.js');
  for (const name of files()) {
    if (/^(app|pleura).*\.(js|css|svg)$/.test(name)) assert.ok(text('.html').includes(`"./${name}"`), name);
    if (/\.(wasm|gguf)$|^(worker|words)/.test(name)) assert.ok(script.includes(name), name);
    if (/\.(wasm|gguf)$/.test(name))
      assert.ok(script.includes(createHash('sha256').update(read(name)).digest('hex')), name);
  }
});

test('the page runs code only from the addresses of its worker and service worker', () => {
  for (const name of files().filter((one) => /^(sw|worker-.*)\.js$/.test(one)))
    assert.ok(trustedScriptUrl(name).endsWith(`/${name}`));
  for (const name of [
    'app.js',
    '../sw.js',
    'https://elsewhere/sw.js',
    '//elsewhere/sw.js',
    'sw.js?x',
    'worker.js',
    'data:,1',
    'blob:sw.js',
  ])
    assert.throws(() => trustedScriptUrl(name), TypeError, name);
});

test('script and style are loaded with their SHA-256 as integrity', () => {
  const checked = [...text('.html').matchAll(/"\.\/([^"]+\.(?:js|css))" integrity="sha256-([^"]+)"/g)].map(
    ([, name, hash]) => [name, hash],
  );
  assert.deepEqual(checked.map(([name]) => name.replace(/-\w+/, '')).sort(), ['app.css', 'app.css', 'app.js']);
  for (const [name, hash] of checked)
    assert.equal(hash, createHash('sha256').update(read(name)).digest('base64'), name);
});

test('the service worker lists exactly the files of the site, each with its SHA-256', () => {
  const listed = [
    ...read('sw.js')
      .toString()
      .matchAll(/url:"\.\/([^"]*)",revision:(?:null|"\w+"),integrity:"sha256-([^"]+)"/g),
  ].map(([, name, hash]) => [name || 'index.html', hash]);
  const sums = files()
    .filter((name) => name !== 'sw.js')
    .map((name) => [name, createHash('sha256').update(read(name)).digest('base64')]);
  assert.deepEqual(listed.sort(), sums.sort());
});

test('manifest, icons and model card are named by the files that need them', () => {
  const page = read('index.html').toString(),
    manifest = text('.webmanifest');
  for (const name of files()) {
    if (/^(manifest|apple|card)-/.test(name)) assert.ok(page.includes(`href="./${name}"`), name);
    if (/^(icon|maskable)-/.test(name)) assert.ok(manifest.includes(`"./${name}"`), name);
  }
  for (const { src, sizes } of JSON.parse(manifest).screenshots) {
    const bytes = read(src);
    const start = bytes.indexOf(Buffer.from([0xff, 0xc0])) + 5;
    assert.equal(sizes, `${bytes.readUInt16BE(start + 2)}x${bytes.readUInt16BE(start)}`);
    assert.ok(bytes.length < 200e3, `${src} has ${bytes.length} bytes`);
  }
  assert.doesNotMatch(text('.html') + manifest, /"\.\/icons\/|\.mjs"|\{version\}|\{card\}/);
});

test('no file refers to another server or to the root of this one', () => {
  const card = files().find((name) => name.startsWith('card')); // it links to papers and sources, but loads nothing
  assert.doesNotMatch(read(card).toString(), /<(?:script|img|iframe|object|form)|\ssrc=/);
  const all = ['index.html', ...files().filter((name) => /\.(js|css|webmanifest)$/.test(name))]
    .map((name) => read(name).toString())
    .join('\n');
  const named = all.match(/(?:https?|wss?):\/\/[^\s"'`]*/g) ?? [];
  // In a message of Workbox, and the licences of the examples.
  const inWords = [
    'https://bit.ly/wb-precache',
    'https://creativecommons.org/licenses/by/3.0/',
    'https://creativecommons.org/licenses/by/4.0/',
  ];
  assert.deepEqual(
    named.filter((url) => !inWords.includes(url)),
    [],
  );
  assert.deepEqual(all.match(/(?:src|href)="\/[^"]*/g), null);
});

test('the policy allows only this site, and the page holds no inline script, style or handler', () => {
  const page = read('index.html').toString(),
    policy = policyOf(page);
  assert.deepEqual(policy.split('; ').sort(), [
    "base-uri 'none'",
    "connect-src 'self'",
    "default-src 'none'",
    "form-action 'none'",
    "img-src 'self'",
    "manifest-src 'self'",
    "require-trusted-types-for 'script'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    'trusted-types pleura',
    "worker-src 'self'",
  ]);
  const card = read(files().find((name) => name.startsWith('card'))).toString();
  assert.match(policyOf(card), /^default-src 'none';.* require-trusted-types-for 'script'; trusted-types 'none'$/);
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  for (const [name, value] of Object.entries(headersFor(page)))
    assert.ok(
      readme.includes(`        add_header ${name} "${value}" always;\n`),
      `the example for nginx sends the same ${name}`,
    );
  assert.doesNotMatch(page, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/);
  assert.doesNotMatch(
    text('.js'),
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|document\.cookie|sendBeacon|localStorage/,
  );
});

test('page, engine and weights take 850 kB on the wire, with all languages and DICOM codecs 1.2 MB', () => {
  const packed = (names, quality) =>
    names.reduce(
      (sum, name) =>
        sum + brotliCompressSync(read(name), { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }).length,
      0,
    );
  // As `serve` sends them: with the best quality.
  const first = packed(
      files().filter((name) => /^(index|app-|worker|pleura)/.test(name)),
      constants.BROTLI_MAX_QUALITY,
    ),
    all = packed(files(), 5);
  assert.ok(first < 850e3, `${first} bytes before the first film`);
  assert.ok(all < 1.2e6, `${all} bytes for use offline`);
});

test('the outline of a disc is one closed ring of its radius', () => {
  const side = 32;
  const data = Float32Array.from({ length: side * side }, (_, i) =>
    Math.max(0, 1 - Math.hypot((i % side) - 12, Math.floor(i / side) - 20) / 12),
  );
  const path = outlinePath({ data, width: side, height: side });
  assert.equal(path.match(/M/g).length, 1);
  assert.ok(path.endsWith('Z'));
  for (const [x, y] of path.match(/[\d.]+ [\d.]+/g).map((point) => point.split(' ').map(Number))) {
    assert.ok(Math.abs(Math.hypot(x - 12.5, y - 20.5) - 6) < 0.15, `${x} ${y}`);
  }
});

test('outlines close at the border and at saddle points', () => {
  assert.match(outlinePath({ data: new Float32Array(9).fill(1), width: 3, height: 3 }), /^M[^M]+Z$/);
  assert.equal(outlinePath({ data: Float32Array.of(1, 0, 0, 1), width: 2, height: 2 }).match(/Z/g).length, 2);
  assert.equal(outlinePath({ data: new Float32Array(9), width: 3, height: 3 }), '');
});

test('the heatmap leaves weak evidence transparent and grows lighter with strength', () => {
  const data = Float32Array.from({ length: 11 }, (_, i) => i / 10);
  const pixels = heatPixels({ data, width: 11, height: 1 }, 11, 2);
  const light = data.map((_, i) => 0.2126 * pixels[i * 4] + 0.7152 * pixels[i * 4 + 1] + 0.0722 * pixels[i * 4 + 2]);
  assert.equal(pixels[3], 0);
  assert.equal(pixels[10 * 4 + 3], 255);
  for (let i = 1; i < 11; i++) assert.ok(light[i] > light[i - 1], `step ${i}`);
});

test('exports are the records of the command, in English, errors included', () => {
  const record = {
    verdict: 'normal',
    probability: { covid: 0.1, normal: 0.9 },
    gate: { accepted: true, score: 0.5, reason: null, message: null },
    decoder: 'stb',
    bits: 'b',
    sha256: 's',
  };
  const films = [
    { name: '=a.png', status: 'done', record, error: null },
    { name: 'b.png', status: 'error', record: null, error: { code: 'empty-file', message: 'The file is empty.' } },
    { name: 'c.png', status: 'error', record: null, error: { code: 'worker-died', message: 'worker-died' } },
  ];
  const records = films.map((film) => recordOf(film, { label: 'pleura-1 abc' }));
  const parsed = toJsonLines(records)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    parsed.map(({ file, status }) => [file, status]),
    [
      ['=a.png', 'ok'],
      ['b.png', 'error'],
      ['c.png', 'error'],
    ],
  );
  assert.equal(parsed[1].message, 'The file is empty.');
  assert.match(parsed[2].message, /^The engine stopped/);
  const lines = toCsv(records, ['covid', 'normal']).split('\n');
  assert.equal(lines.length, 5);
  assert.ok(lines[1].startsWith("'=a.png,ok,normal,0.1,0.9,"), lines[1]);
});
