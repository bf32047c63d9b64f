// For tests of images: runs the engine's decoder under AddressSanitizer and UBSan, and other decoders to compare with.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const folder = mkdtempSync(join(tmpdir(), 'pleura-'));
after(() => rmSync(folder, { recursive: true }));

/** Why an image is unsupported: numbers of src/status.h. */
export const REASON = { other: 23, arithmetic: 26, depth: 27, jpegLs: 28, apple: 29, compressed: 30, layout: 31 };

/** Decodes files with tests/image/film.c. @param {string[]} paths */
export function decode(paths) {
  const out = execFileSync(join(root, 'build/clang/image/film'), paths, { maxBuffer: 1 << 30 });
  const films = [];
  for (let at = 0; at < out.length;) {
    const end = out.indexOf(10, at);
    const [code, status, width, height] = out.toString('latin1', at, end).split(' ');
    const size = 2 * width * height;
    films.push({
      code,
      status: Number(status),
      width: Number(width),
      height: Number(height),
      pixels: new Uint16Array(out.buffer.slice(out.byteOffset + end + 1, out.byteOffset + end + 1 + size)),
    });
    at = end + 1 + size;
  }
  return films;
}

/** @param {Uint8Array[]} files */
export function decodeBytes(files) {
  const paths = files.map((bytes, i) => join(folder, String(i)));
  paths.forEach((path, i) => writeFileSync(path, files[i]));
  return decode(paths);
}

/** Converts 16-bit R, G, B to grey as the engine does: BT.601 luma in 1/256. */
export const grey = (r, g, b) => (77 * r + 150 * g + 29 * b) >> 8;

/**
 * Decodes a file with a program that writes PBM, PGM or PPM, and converts colour to grey as the engine does.
 * @param {string[]} command @param {Uint8Array} bytes its standard input
 */
export function witness([program, ...options], bytes) {
  const out = execFileSync(program, options, { input: bytes, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] });
  const [head, kind, width, height, max] =
    /^P([456])\s+(\d+)\s+(\d+)\s(?:(\d+)\s)?/.exec(out.toString('latin1', 0, 60)) ??
    assert.fail(`${program} wrote no picture`);
  const wide = Number(max) > 255,
    channels = kind === '6' ? 3 : 1,
    scale = 65535 / Number(max),
    row = Math.ceil(width / 8);
  const value = (i) => (wide ? out.readUInt16BE(head.length + 2 * i) : out[head.length + i]) * scale;
  const bit = (i) =>
    65535 *
    (1 - ((out[head.length + Math.floor(i / width) * row + ((i % width) >> 3)] >> (7 - ((i % width) & 7))) & 1)); // 1 is black
  assert.equal(out.length, head.length + (kind === '4' ? row * height : (wide ? 2 : 1) * channels * width * height));
  const pixels = Uint16Array.from({ length: width * height }, (_, i) =>
    channels === 3 ? grey(value(3 * i), value(3 * i + 1), value(3 * i + 2)) : kind === '4' ? bit(i) : value(i),
  );
  return { width: Number(width), height: Number(height), pixels };
}

/** The largest difference between two pictures, in 8-bit grey levels. */
export function worst(a, b) {
  assert.deepEqual([a.width, a.height], [b.width, b.height]);
  return a.pixels.reduce((max, value, i) => Math.max(max, Math.abs(value - b.pixels[i])), 0) / 257;
}
