// Decodes BMP files of every kind, after Jason Summers' bmpsuite, in sizes that the engine accepts. Each gives the
// right pixels or the right error.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBytes, grey, REASON, witness } from './decode.mjs';

const WIDTH = 67,
  HEIGHT = 65;
const noise = (x, y) => (x * 2654435 + y * 40503 + x * y * 131) >>> 3;
/** @param {number} i */
const colour = (i) => [(i * 37 + 11) & 255, (i * 91) & 255, (i * 53 + (i >> 2)) & 255];

/**
 * Writes a BMP file.
 * @param {object} kind
 * @param {number} [kind.width] @param {number} [kind.height] negative: the top row comes first
 * @param {number} [kind.header] size of the header: 12 OS/2 1, 40 Windows 3, 52 and 56 with masks, 64 OS/2 2, 108 and 124 Windows 4 and 5
 * @param {number} kind.bits @param {number} [kind.coding] 0 none, 1 and 2 run lengths, 3 masks
 * @param {number[]} [kind.masks] R, G, B, A
 * @param {number} [kind.colours] in the palette @param {number} [kind.gap] unused bytes before the pixels
 * @param {(x: number, y: number) => number} pixel the stored value
 */
function bmp(
  {
    width = WIDTH,
    height = HEIGHT,
    header = 40,
    bits,
    coding = 0,
    masks = [],
    colours = bits < 16 ? 1 << bits : 0,
    gap = 0,
  },
  pixel,
) {
  const info = Buffer.alloc(header),
    rows = Math.abs(height),
    row = Math.ceil((width * bits) / 32) * 4;
  info.writeUInt32LE(header, 0);
  if (header === 12)
    for (const [i, value] of [width, height & 65535, 1, bits].entries()) info.writeUInt16LE(value, 4 + 2 * i);
  else {
    info.writeInt32LE(width, 4);
    info.writeInt32LE(height, 8);
    info.writeUInt16LE(1, 12);
    info.writeUInt16LE(bits, 14);
    if (header >= 40)
      for (const [i, value] of [coding, row * rows, 2835, 2835, colours, 0].entries())
        info.writeUInt32LE(value, 16 + 4 * i);
    for (const [i, mask] of masks.entries())
      if (header >= 44 + 4 * i && header !== 64) info.writeUInt32LE(mask, 40 + 4 * i);
  }
  const behind = header !== 40 ? 0 : coding === 3 ? 3 : coding === 6 ? 4 : 0,
    own = Buffer.from(Uint32Array.from(masks.slice(0, behind)).buffer);
  const palette = Buffer.concat(
    Array.from({ length: colours }, (_, i) => Buffer.from([...colour(i).reverse(), ...(header === 12 ? [] : [0])])),
  );
  const pixels = Buffer.alloc(row * rows);
  for (let y = 0; y < rows; y++) {
    for (let x = 0, at = (height < 0 ? y : rows - 1 - y) * row; x < width; x++) {
      if (bits < 8) pixels[at + ((x * bits) >> 3)] |= pixel(x, y) << (8 - bits - ((x * bits) & 7));
      else pixels.writeUIntLE(pixel(x, y), at + (x * bits) / 8, bits / 8);
    }
  }
  const front = Buffer.alloc(14),
    offset = 14 + header + own.length + palette.length + gap;
  front.write('BM');
  front.writeUInt32LE(offset + pixels.length, 2);
  front.writeUInt32LE(offset, 10);
  return Buffer.concat([front, info, own, palette, Buffer.alloc(gap), pixels]);
}

/** Scales the masked channel of a pixel to 8 bits. @param {number} value @param {number} mask */
function channel(value, mask) {
  const low = mask & -mask,
    max = (mask / low) >>> 0;
  return Math.round(((((value & mask) >>> 0) / (low >>> 0)) * 255) / max);
}

const DEFAULTS = { 16: [0x7c00, 0x3e0, 0x1f], 24: [0xff0000, 0xff00, 0xff], 32: [0xff0000, 0xff00, 0xff] };

/** Decodes files of all kinds and compares the pixels with those written, and with netpbm's where `asked` says so.
 *  @param {Record<string, any>} kinds by name */
function right(kinds, asked = () => true) {
  const pixel =
    ({ bits, colours = 1 << bits }) =>
    (x, y) =>
      bits < 16 ? noise(x, y) % colours : (noise(x, y) * 40503) % 2 ** bits;
  const files = Object.values(kinds).map((kind) => bmp(kind, pixel(kind))),
    films = decodeBytes(files);
  Object.entries(kinds).forEach(([name, kind], i) => {
    const { width = WIDTH, bits, coding } = kind,
      height = Math.abs(kind.height ?? HEIGHT),
      masks = coding ? kind.masks : DEFAULTS[bits],
      of = pixel(kind);
    assert.deepEqual([films[i].code, films[i].width, films[i].height], ['ok', width, height], name);
    const meant = Uint16Array.from({ length: width * height }, (_, n) => {
      const value = of(n % width, Math.floor(n / width));
      return grey(
        ...(bits < 16 ? colour(value) : masks.slice(0, 3).map((mask) => channel(value, mask))).map((v) => v * 257),
      );
    });
    const worst = meant.reduce((max, value, n) => Math.max(max, Math.abs(value - films[i].pixels[n])), 0);
    // stb_image widens channels of fewer than 8 bits by repeating them, which may be one level off.
    assert.ok(worst <= (bits === 16 || coding === 3 ? 257 : 0), `${name}: ${worst}`);
    if (asked(kind, name)) {
      const other = witness(['bmptopnm', '-quiet'], files[i]).pixels,
        apart = meant.reduce((max, value, n) => Math.max(max, Math.abs(value - other[n])), 0);
      assert.ok(apart <= (bits === 16 || coding === 3 ? 3 * 257 : 257), `netpbm: ${name}: ${apart}`);
    }
  });
}

test('1 to 32 bits behind every header, bottom up and top down', () => {
  const kinds = {};
  for (const header of [12, 40, 52, 56, 64, 108, 124]) {
    for (const bits of header === 12 ? [1, 4, 8, 24] : [1, 2, 4, 8, 16, 24, 32]) {
      for (const height of header === 12 ? [HEIGHT] : [HEIGHT, -HEIGHT])
        kinds[`${bits} bits, header ${header}, height ${height}`] = { header, bits, height, masks: [0, 0, 0, 0] };
    }
  }
  right(kinds, ({ header, bits }) => [40, 108, 124].includes(header) && bits !== 2); // which netpbm reads
});

test('rows of every length', () => {
  right(
    Object.fromEntries(
      [1, 4, 8, 16, 24, 32].flatMap((bits) =>
        Array.from({ length: 33 }, (_, i) => [`${bits} bits, ${64 + i} wide`, { bits, width: 64 + i, height: 64 }]),
      ),
    ),
    ({ width }) => width % 8 === 3,
  );
});

test('masks of any length, in any order, with alpha and without', () => {
  const sets = {
    16: {
      565: [0xf800, 0x7e0, 0x1f],
      555: [0x7c00, 0x3e0, 0x1f],
      444: [0xf00, 0xf0, 0xf],
      '4444 with alpha': [0xf00, 0xf0, 0xf, 0xf000],
      'blue first': [0x1f, 0x7e0, 0xf800],
      'one bit of blue': [0xfe00 & 0x7c00, 0x3e0, 0x10],
    },
    32: {
      888: [0xff0000, 0xff00, 0xff],
      'red last': [0xff, 0xff00, 0xff0000],
      '8888 with alpha': [0xff0000, 0xff00, 0xff, 0xff000000],
      'red on top': [0xff000000, 0xff0000, 0xff00, 0xff],
      'seven, three and five bits': [0xfe000000, 0xe000, 0x1f],
      'ten bits': [0x3ff00000, 0xffc00, 0x3ff],
    },
  };
  const kinds = {};
  for (const [bits, own] of Object.entries(sets)) {
    for (const [name, masks] of Object.entries(own))
      for (const header of [40, 52, 56, 108, 124])
        kinds[`${bits} bits, ${name}, header ${header}`] = { bits: Number(bits), coding: 3, masks, header };
  }
  right(kinds, (_, name) => /(565|555|888), header 108/.test(name)); // netpbm reads the masks of no other header
});

test('short palettes are accepted if every pixel is in them', () => {
  const lengths = [
    [1, 1],
    [4, 1],
    [4, 2],
    [4, 15],
    [8, 1],
    [8, 2],
    [8, 17],
    [8, 255],
  ];
  right(Object.fromEntries(lengths.map(([bits, colours]) => [`${bits} bits, ${colours} colours`, { bits, colours }])));
  const outside = (header) =>
    lengths.map(([bits, colours]) => bmp({ bits, colours, header }, (x, y) => (x === 66 && y === 64 ? colours : 0)));
  for (const { code } of decodeBytes([...outside(40), ...outside(124)]))
    assert.equal(code, 'image-damaged', 'one pixel is not in the palette');
});

test('pixels begin where the file header says, behind any gap and any suggested palette', () => {
  const kinds = {
    'masks with alpha behind the header': { bits: 32, coding: 6, masks: [0xff0000, 0xff00, 0xff, 255 << 24] },
  };
  for (const [header, bits, masks] of [
    [12, 8],
    [12, 24],
    [40, 1],
    [40, 8],
    [40, 16],
    [40, 24],
    [64, 4],
    [56, 32, [0xff0000, 0xff00, 0xff, 0]],
    [124, 32, [0xff0000, 0xff00, 0xff, 0]],
  ])
    for (const gap of [1, 2, 6, 12, 200])
      kinds[`${bits} bits, header ${header}, gap ${gap}`] = { header, bits, masks, coding: masks ? 3 : 0, gap };
  for (const bits of [16, 24, 32]) kinds[`${bits} bits, 236 suggested colours`] = { bits, colours: 236 };
  right(kinds, ({ header = 40, coding, bits }) => header === 40 && coding !== 6 && bits > 8);
});

test('run lengths, embedded JPEG and PNG, other headers and depths are unsupported, each for its own reason', () => {
  const compressed = {
    RLE8: { bits: 8, coding: 1 },
    RLE4: { bits: 4, coding: 2 },
    'masks for 24 bits': { bits: 24, coding: 3, masks: [255, 65280, 16711680] },
    'JPEG inside': { bits: 24, coding: 4 },
    'PNG inside': { bits: 24, coding: 5 },
    CMYK: { bits: 32, coding: 11 },
    'Huffman codes of OS/2 2': { bits: 1, header: 64, coding: 3 },
  };
  const layout = {
    '64 bits': { bits: 48 },
    'header of 48 bytes': { bits: 32, header: 48 },
    'header of 1000 bytes': { bits: 32, header: 1000 },
    'a mask with a hole': { bits: 32, coding: 3, masks: [0xf0f000, 0xff00, 0xff] },
    'no mask for green': { bits: 16, coding: 3, masks: [0x7c00, 0, 0x1f] },
  };
  for (const [kinds, reason] of [
    [compressed, REASON.compressed],
    [layout, REASON.layout],
  ])
    decodeBytes(Object.values(kinds).map((kind) => bmp(kind, () => 0))).forEach(({ code, status }, i) =>
      assert.deepEqual([code, status], ['image-unsupported', reason], Object.keys(kinds)[i]),
    );
});

test('broken files are damaged, whatever their headers say', () => {
  const plain = bmp({ bits: 8 }, (x, y) => noise(x, y) % 256),
    deep = bmp({ bits: 24 }, () => 0),
    set = (bytes, at, value) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt32LE(value >>> 0, at);
      return copy;
    };
  const broken = {
    'the last row cut': plain.subarray(0, -1),
    'no pixels': plain.subarray(0, 1078),
    'no palette': plain.subarray(0, 54),
    'a header cut': plain.subarray(0, 30),
    'pixels at 0': set(plain, 10, 0),
    'pixels in the header': set(deep, 10, 53),
    'pixels beyond the end': set(plain, 10, plain.length),
    'pixels at the end of memory': set(plain, 10, -1),
  };
  decodeBytes(Object.values(broken)).forEach(({ code }, i) =>
    assert.equal(code, 'image-damaged', Object.keys(broken)[i]),
  );
  const sized = {
    'no width': [set(plain, 18, 0), 'image-too-small'],
    'a negative width': [set(plain, 18, -67), 'image-too-small'],
    'no height': [set(plain, 22, 0), 'image-too-small'],
    'the smallest 32-bit height': [set(plain, 22, -(2 ** 31)), 'image-too-large'],
    'a million wide': [set(plain, 18, 1e6), 'image-too-large'],
  };
  decodeBytes(Object.values(sized).map(([bytes]) => bytes)).forEach(({ code }, i) =>
    assert.equal(code, Object.values(sized)[i][1], Object.keys(sized)[i]),
  );
});
