// Writes PNG files of every kind, pixel by pixel, for tests of decoders and commands.
import { crc32 as nodeCrc, deflateSync } from 'node:zlib';

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** The seven passes of Adam7: first column and row, steps (PNG, 8.2). */
const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/** @param {Buffer} bytes zlib.crc32 is missing from Node 20 */
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

/**
 * @param {object} kind
 * @param {number} kind.width @param {number} kind.height @param {number} [kind.depth] bits a sample
 * @param {number} [kind.type] 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
 * @param {0 | 1} [kind.interlace] @param {Buffer[]} [kind.extra] chunks before the data
 * @param {(x: number, y: number) => number[]} pixel the samples of one pixel
 */
export function png({ width, height, depth = 8, type = 0, interlace = 0, extra = [] }, pixel) {
  const bits = depth * CHANNELS[type];
  const rows = [];
  for (const [left, top, across, down] of interlace ? PASSES : [[0, 0, 1, 1]]) {
    const columns = Math.ceil((width - left) / across);
    for (let y = top; columns > 0 && y < height; y += down) {
      const row = Buffer.alloc(1 + Math.ceil((columns * bits) / 8)); // Filter 0, then the samples, high bits first.
      for (let i = 0, at = 8; i < columns; i++) {
        for (const sample of pixel(left + i * across, y)) {
          for (let bit = depth - 1; bit >= 0; bit--, at++) row[at >> 3] |= ((sample >> bit) & 1) << (7 - (at & 7));
        }
      }
      rows.push(row);
    }
  }
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), header(width, height, depth, type, interlace), ...extra,
    chunk('IDAT', deflateSync(Buffer.concat(rows))), chunk('IEND', Buffer.alloc(0))]);
}
