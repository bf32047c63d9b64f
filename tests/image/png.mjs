// Writes PNG files of every kind, pixel by pixel, for the tests of decoders and commands.
import { crc32 as nodeCrc, deflateSync } from 'node:zlib';

export const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** The seven passes of Adam7: first column and row, steps (PNG, 8.2). */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** CRC-32; zlib.crc32 is missing from Node 20. @param {Buffer} bytes */
function crc32(bytes) {
  if (nodeCrc) return nodeCrc(bytes);
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** @param {string} type @param {Uint8Array} data */
export function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const bytes = Buffer.alloc(body.length + 8);
  bytes.writeUInt32BE(data.length, 0);
  body.copy(bytes, 4);
  bytes.writeUInt32BE(crc32(body), body.length + 4);
  return bytes;
}

/** @param {number} width @param {number} height @param {number} depth @param {number} type @param {number} interlace */
export function header(width, height, depth = 8, type = 0, interlace = 0) {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32BE(width, 0);
  bytes.writeUInt32BE(height, 4);
  bytes.set([depth, type, 0, 0, interlace], 8);
  return chunk('IHDR', bytes);
}

/** The five filters (PNG, 9.2): what is subtracted from a byte, given those on its left, above, and above left. */
const FILTERS = [
  () => 0,
  (a) => a,
  (a, b) => b,
  (a, b) => (a + b) >> 1,
  (a, b, c) => {
    const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
  },
];

/** Filters a row, whose first byte is the number of its filter.
 *  @param {Buffer} row @param {Buffer | null} above @param {number} step bytes per pixel, at least 1 */
const filtered = (row, above, step) =>
  row.map((byte, i) =>
    i === 0
      ? byte
      : byte - FILTERS[row[0]](i > step ? row[i - step] : 0, above?.[i] ?? 0, i > step ? (above?.[i - step] ?? 0) : 0),
  );

/**
 * Writes a PNG file.
 * @param {object} kind
 * @param {number} kind.width @param {number} kind.height @param {number} [kind.depth] bits per sample
 * @param {number} [kind.type] 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
 * @param {0 | 1} [kind.interlace] @param {Buffer[]} [kind.extra] chunks before the data
 * @param {Buffer[]} [kind.behind] chunks after it
 * @param {(y: number) => number} [kind.filter] per row @param {number} [kind.level] of zlib
 * @param {number} [kind.part] maximum bytes per IDAT
 * @param {(x: number, y: number) => number[]} pixel the samples of one pixel
 */
export function png(
  {
    width,
    height,
    depth = 8,
    type = 0,
    interlace = 0,
    extra = [],
    behind = [],
    filter = () => 0,
    level,
    part = Infinity,
  },
  pixel,
) {
  const bits = depth * CHANNELS[type];
  const rows = [];
  for (const [left, top, across, down] of interlace ? PASSES : [[0, 0, 1, 1]]) {
    const columns = Math.ceil((width - left) / across);
    let above = null;
    for (let y = top; columns > 0 && y < height; y += down) {
      const row = Buffer.alloc(1 + Math.ceil((columns * bits) / 8)); // the filter, then the samples, high bits first
      row[0] = filter(y);
      for (let i = 0, at = 8; i < columns; i++) {
        for (const sample of pixel(left + i * across, y)) {
          if (depth === 16) row[at >> 3] = sample >> 8;
          row[(at + depth - 1) >> 3] |= sample << (-(at + depth) & 7);
          at += depth;
        }
      }
      rows.push(filtered(row, above, Math.ceil(bits / 8)));
      above = row;
    }
  }
  const packed = deflateSync(Buffer.concat(rows), { level }),
    parts = [];
  for (let at = 0; at < packed.length; at += part) parts.push(chunk('IDAT', packed.subarray(at, at + part)));
  return Buffer.concat([
    SIGNATURE,
    header(width, height, depth, type, interlace),
    ...extra,
    ...parts,
    ...behind,
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
