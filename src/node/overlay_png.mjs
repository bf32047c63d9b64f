// The overlays of --heatmap: each film in grey with its evidence in colour, as a PNG file.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { heatPixels } from '../result/heatmap.mjs';
import { CommandError } from './errors.mjs';

const LONGER_SIDE = 1024;
const OPACITY = 0.5; // as the page begins

/** @param {string} type @param {Uint8Array} data */
function chunk(type, data) {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), data.length + 8);
  return bytes;
}

/** @param {Uint8Array} rgb @param {number} width @param {number} height @returns {Buffer} a PNG of 8 bits a channel */
function encodePng(rgb, width, height) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8); // 8 bits, RGB
  const rows = Buffer.alloc(height * (1 + 3 * width)); // Each row begins with its filter: none.
  for (let y = 0; y < height; y++) rows.set(rgb.subarray(3 * width * y, 3 * width * (y + 1)), y * (1 + 3 * width) + 1);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows, { level: 3 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** @param {{ data: Uint8Array, width: number, height: number }} film @param {any} grid @returns {Uint8Array} RGB */
function blend({ data, width, height }, grid) {
  const heat = heatPixels(grid, width, height);
  const rgb = new Uint8Array(3 * data.length);
  for (let i = 0; i < data.length; i++) {
    const share = (OPACITY * heat[4 * i + 3]) / 255;
    for (let channel = 0; channel < 3; channel++)
      rgb[3 * i + channel] = Math.round(data[i] + share * (heat[4 * i + channel] - data[i]));
  }
  return rgb;
}

/**
 * A name that is safe everywhere, tells the film, and belongs to its content alone.
 * @param {string} file @param {string} hash SHA-256 of the film
 */
export function overlayName(file, hash) {
  const stem = file
    .split(/[/\\]/)
    .at(-1)
    .replace(/\.[^.]*$/, '')
    .replace(/[^\p{L}\p{N}._-]+/gu, '_')
    .replace(/^\.+/, '');
  return `${[...stem].slice(0, 50).join('')}-${hash.slice(0, 16)}.png`;
}

/** What overlays are called, by which those of earlier runs are told from films. */
export const OVERLAY = /-[0-9a-f]{16}\.png$/;

/** @param {string} folder @returns {Promise<void>} throws CommandError */
export async function makeFolder(folder) {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw new CommandError(`The folder ${folder} cannot be made (${error.code}). Give another to --heatmap.`);
  });
}

/**
 * Writes the overlay of the film last diagnosed; a refused one has none, as its heatmap means nothing.
 * @param {string} folder @param {string} file @param {string} hash @param {any} engine @param {import('../engine.mjs').Diagnosis} diagnosis
 */
export async function writeHeatmap(folder, file, hash, engine, { verdict, heatmap }) {
  if (verdict === 'refused') return;
  const film = engine.film(LONGER_SIDE);
  const path = join(folder, overlayName(file, hash));
  await writeFile(path, encodePng(blend(film, heatmap), film.width, film.height)).catch((error) => {
    throw new CommandError(`${path} cannot be written (${error.code}). The films before it are not affected.`);
  });
}
