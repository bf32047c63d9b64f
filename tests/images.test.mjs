// The engine's decoder against pixels that are known and against another decoder.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import jpeg from 'jpeg-js';
import { chunk, png } from './png.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const fixtures = join(root, 'tests/fixtures');
const data = process.env.PLEURA_DATA ?? join(root, '../shared/data');
const folder = mkdtempSync(join(tmpdir(), 'pleura-'));
after(() => rmSync(folder, { recursive: true }));

/** Decodes under AddressSanitizer and UBSan. @param {string[]} paths */
function decode(paths) {
  const out = execFileSync(join(root, 'build/clang/film'), paths, { maxBuffer: 1 << 30 });
  const films = [];
  for (let at = 0; at < out.length;) {
    const end = out.indexOf(10, at);
    const [code, width, height] = out.toString('latin1', at, end).split(' ');
    const size = 2 * width * height;
    films.push({ code, width: Number(width), height: Number(height),
      pixels: new Uint16Array(out.buffer.slice(out.byteOffset + end + 1, out.byteOffset + end + 1 + size)) });
    at = end + 1 + size;
  }
  return films;
}

/** @param {Buffer[]} files */
function decodeBytes(files) {
  const paths = files.map((bytes, i) => join(folder, String(i)));
  paths.forEach((path, i) => writeFileSync(path, files[i]));
  return decode(paths);
}

/** The engine's grey of 16-bit R, G, B: BT.601 luma in 1/256. */
const grey = (r, g, b) => (77 * r + 150 * g + 29 * b) >> 8;

const WIDTH = 67, HEIGHT = 65;
/** Something in every bit of every channel. */
const noise = (x, y, channel, depth) => ((x * 2654435 + y * 40503 + channel * 9176 + x * y * 131) >>> 3) & ((1 << depth) - 1);

test('every kind of PNG is decoded to the pixel', () => {
  const palette = Buffer.from(Array.from({ length: 768 }, (_, i) => (i * 37 + (i >> 3)) & 255));
  const kinds = [];
  for (const interlace of [0, 1]) {
    for (const [type, depths] of [[0, [1, 2, 4, 8, 16]], [2, [8, 16]], [3, [1, 2, 4, 8]], [4, [8, 16]], [6, [8, 16]]]) {
      for (const depth of depths) kinds.push({ width: WIDTH, height: HEIGHT, type, depth, interlace });
    }
  }
  const samples = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
  const at = (kind) => (x, y) => Array.from({ length: samples[kind.type] }, (_, c) => noise(x, y, c, kind.depth));
  const films = decodeBytes(kinds.map((kind) =>
    png({ ...kind, extra: kind.type === 3 ? [chunk('PLTE', palette.subarray(0, 3 << kind.depth))] : [] }, at(kind))));
  kinds.forEach((kind, i) => {
    const film = films[i];
    const name = `colour type ${kind.type}, ${kind.depth} bits, interlace ${kind.interlace}`;
    assert.deepEqual([film.code, film.width, film.height], ['ok', WIDTH, HEIGHT], name);
    const scale = kind.type === 3 ? 257 : 65535 / ((1 << kind.depth) - 1);
    for (let y = 0, n = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++, n++) {
        const raw = at(kind)(x, y);
        const [r, g, b] = (kind.type === 3 ? [...palette.subarray(3 * raw[0], 3 * raw[0] + 3)] : raw).map((v) => v * scale);
        assert.equal(film.pixels[n], kind.type === 2 || kind.type === 3 || kind.type === 6 ? grey(r, g, b) : r, `${name}, ${x}/${y}`);
      }
    }
  });
});

test('gamma, profile and text chunks of a PNG change nothing', () => {
  const pixel = (x, y) => [noise(x, y, 0, 16)];
  const kind = { width: WIDTH, height: HEIGHT, depth: 16 };
  const gamma = Buffer.alloc(4);
  gamma.writeUInt32BE(100000);
  const [plain, dressed] = decodeBytes([png(kind, pixel),
    png({ ...kind, extra: [chunk('gAMA', gamma), chunk('tEXt', Buffer.from('Comment\0text'))] }, pixel)]);
  assert.equal(dressed.code, 'ok');
  assert.deepEqual(dressed.pixels, plain.pixels);
});

test('every prefix of an interlaced palette PNG is refused', () => {
  const whole = png({ width: 64, height: 64, type: 3, depth: 2, interlace: 1, extra: [chunk('PLTE', Buffer.alloc(12, 99))] }, (x) => [x & 3]);
  const films = decodeBytes(Array.from({ length: whole.length }, (_, size) => whole.subarray(0, size)));
  films.forEach(({ code }, size) => {
    assert.equal(code, size === 0 ? 'empty-file' : size < 8 ? 'not-an-image' : 'image-damaged', `${size} bytes`);
  });
  assert.equal(decodeBytes([whole])[0].code, 'ok');
});

/** The greatest difference from jpeg-js, in 8-bit levels of grey. */
function worstJpeg(path, film) {
  const other = jpeg.decode(readFileSync(path), { useTArray: true, formatAsRGBA: false, maxMemoryUsageInMB: 2048 });
  assert.deepEqual([film.code, film.width, film.height], ['ok', other.width, other.height], path);
  let worst = 0;
  for (let i = 0; i < film.pixels.length; i++) {
    const [r, g, b] = other.data.subarray(3 * i, 3 * i + 3);
    worst = Math.max(worst, Math.abs(film.pixels[i] / 257 - grey(r, g, b)));
  }
  return worst;
}

test('grey, colour, progressive and CMYK JPEG agree with another decoder within 2 levels', () => {
  const paths = ['grey', 'colour', 'progressive', 'cmyk'].map((name) => join(fixtures, `${name}.jpg`));
  decode(paths).forEach((film, i) => assert.ok(worstJpeg(paths[i], film) <= 2, `${paths[i]}: ${worstJpeg(paths[i], film)}`));
});

test('real films agree with another decoder within 2 levels', (t) => {
  if (!existsSync(join(data, 'images'))) {
    assert.ok(!process.env.CI, `the films are missing: ${data}`);
    return t.skip(`the films are missing: put them into ${data} or set PLEURA_DATA`);
  }
  const paths = readdirSync(join(data, 'images')).flatMap((source) => {
    const all = readdirSync(join(data, 'images', source)).filter((name) => name.endsWith('.jpg')).sort();
    return [0.1, 0.5, 0.9].map((at) => join(data, 'images', source, all[Math.floor(at * all.length)]));
  });
  decode(paths).forEach((film, i) => assert.ok(worstJpeg(paths[i], film) <= 2, `${paths[i]}: ${worstJpeg(paths[i], film)}`));
});
