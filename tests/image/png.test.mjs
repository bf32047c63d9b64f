// Decodes PNG files of every kind, after Willem van Schaik's PngSuite, in sizes that the engine accepts. Each gives
// the right pixels or the right error.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { decodeBytes, grey, REASON, witness } from './decode.mjs';
import { chunk, header, png, SIGNATURE } from './png.mjs';

const WIDTH = 67,
  HEIGHT = 65;
/** A value that uses every bit of every channel. */
const noise = (x, y, channel, depth) =>
  ((x * 2654435 + y * 40503 + channel * 9176 + x * y * 131) >>> 3) & ((1 << depth) - 1);
const palette = Buffer.from(Array.from({ length: 768 }, (_, i) => (i * 37 + (i >> 3)) & 255));
const plte = (entries) => chunk('PLTE', palette.subarray(0, 3 * entries));
const SAMPLES = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const DEPTHS = [
  [0, [1, 2, 4, 8, 16]],
  [2, [8, 16]],
  [3, [1, 2, 4, 8]],
  [4, [8, 16]],
  [6, [8, 16]],
];

/** Every colour type with every bit depth that exists for it. @param {object} more options of the writer */
const kinds = (more = {}) =>
  DEPTHS.flatMap(([type, depths]) =>
    depths.map((depth) => ({
      name: `colour type ${type}, ${depth} bits, ${JSON.stringify(more)}`,
      width: WIDTH,
      height: HEIGHT,
      type,
      depth,
      extra: type === 3 ? [plte(1 << depth)] : [],
      pixel: (x, y) => Array.from({ length: SAMPLES[type] }, (_, c) => noise(x, y, c, depth)),
      ...more,
    })),
  );

/** The grey levels that a kind must decode to. */
function expected({ width, height, type, depth, pixel }) {
  const pixels = new Uint16Array(width * height),
    scale = type === 3 ? 257 : 65535 / ((1 << depth) - 1);
  for (let y = 0, n = 0; y < height; y++) {
    for (let x = 0; x < width; x++, n++) {
      const raw = pixel(x, y),
        [r, g, b] = (type === 3 ? [...palette.subarray(3 * raw[0], 3 * raw[0] + 3)] : raw).map((v) => v * scale);
      pixels[n] = type === 0 || type === 4 ? r : grey(r, g, b);
    }
  }
  return pixels;
}

/** Decodes files of all kinds and compares the pixels with those written, and with libpng's where `asked` says so. */
function right(all, asked = () => false) {
  const files = all.map((kind) => png(kind, kind.pixel)),
    films = decodeBytes(files);
  all.forEach((kind, i) => {
    assert.deepEqual([films[i].code, films[i].width, films[i].height], ['ok', kind.width, kind.height], kind.name);
    const meant = expected(kind);
    assert.deepEqual(films[i].pixels, meant, kind.name);
    if (asked(kind)) assert.deepEqual(witness(['pngtopnm'], files[i]).pixels, meant, `libpng: ${kind.name}`);
  });
}

test('every colour type, depth and interlace is decoded to the pixel, and libpng sees the same', () => {
  right([...kinds({ interlace: 0 }), ...kinds({ interlace: 1 })], () => true);
});

test('every filter, alone and mixed', () => {
  const filters = [0, 1, 2, 3, 4].map((filter) => () => filter);
  for (const filter of [...filters, (y) => y % 5, (y) => (y * 7 + 3) % 5]) {
    right(
      [...kinds({ filter, interlace: 0 }), ...kinds({ filter, interlace: 1 })],
      ({ depth, type }) => filter(1) !== filter(2) && (depth === 16 || type === 3),
    );
  }
});

test('sizes of every remainder by 8, decoded to the pixel', () => {
  // Adam7 repeats every 8 pixels, and a byte holds 8 pixels of 1 bit.
  const sizes = Array.from({ length: 17 }, (_, i) => 64 + i);
  right(
    sizes.flatMap((size) =>
      [
        [size, 64],
        [64, size],
      ].flatMap(([width, height]) =>
        [0, 1].flatMap((interlace) =>
          kinds({ width, height, interlace, name: `${width}x${height}, interlace ${interlace}` }).filter(
            ({ type, depth }) => (type === 3 && depth < 8) || (type === 0 && depth === 1),
          ),
        ),
      ),
    ),
  );
});

test('palettes of every length are decoded, and transparency is ignored', () => {
  const whole = kinds().filter(({ type, depth }) => type === 3 && depth === 8)[0];
  right(
    [1, 2, 3, 16, 17, 173, 255, 256].map((entries) => ({
      ...whole,
      name: `${entries} entries`,
      extra: [plte(entries)],
      pixel: (x, y) => [noise(x, y, 0, 8) % entries],
    })),
    () => true,
  );
  const big = (values) => {
    const bytes = Buffer.alloc(2 * values.length);
    values.forEach((value, i) => bytes.writeUInt16BE(value, 2 * i));
    return bytes;
  };
  right(
    [...kinds({ interlace: 0 }), ...kinds({ interlace: 1 })]
      .filter(({ type }) => type < 4)
      .flatMap((kind) => {
        const first = kind.pixel(3, 3),
          trns =
            kind.type === 3
              ? [Buffer.alloc(1), Buffer.alloc(1 << kind.depth, 77)]
              : [big(first), big(first.map(() => 0))];
        return trns.map((bytes) => ({
          ...kind,
          name: `${kind.name}, transparent ${bytes.toString('hex')}`,
          extra: [...kind.extra, chunk('tRNS', bytes)],
        }));
      }),
  );
});

test('ancillary chunks change nothing: gamma, profile, background, text, time, physical size', () => {
  const bytes = (...values) => Buffer.from(values),
    text = (string) => Buffer.from(string, 'latin1');
  const beside = [
    chunk('gAMA', bytes(0, 0, 39, 16)),
    chunk('cHRM', Buffer.alloc(32, 1)),
    chunk('sRGB', bytes(0)),
    chunk('iCCP', Buffer.concat([text('p\0\0'), deflateSync(Buffer.alloc(200))])),
    chunk('sBIT', bytes(5)),
    chunk('pHYs', bytes(0, 0, 0, 1, 0, 0, 0, 4, 0)),
    chunk('tIME', bytes(7, 208, 1, 1, 12, 34, 56)),
    chunk('tEXt', text('Title\0PngSuite')),
    chunk('zTXt', Buffer.concat([text('Title\0\0'), deflateSync(text('PngSuite'))])),
    chunk('iTXt', text('Title\0\0\0en\0\0x')),
    chunk('vpAg', Buffer.alloc(9)),
    chunk('eXIf', exif(1)),
  ];
  const each = kinds().filter(({ type, depth }) => depth === (type === 3 ? 4 : 16));
  for (const one of beside)
    right(
      each.map((kind) => ({
        ...kind,
        name: `${kind.name}, ${one.toString('latin1', 4, 8)}`,
        extra: [one, ...kind.extra],
      })),
    );
  const behindPalette = [
    chunk('bKGD', bytes(0, 0, 0, 0, 0, 0)),
    chunk('hIST', Buffer.alloc(32)),
    chunk('sPLT', text('p\0\x08')),
  ];
  for (const one of behindPalette)
    right(
      each.map((kind) => ({
        ...kind,
        name: `${kind.name}, ${one.toString('latin1', 4, 8)}`,
        extra: [...kind.extra, one],
        behind: [chunk('tEXt', text('a\0b'))],
      })),
    );
  right(
    kinds()
      .filter(({ type }) => type === 2 || type === 6)
      .map((kind) => ({ ...kind, extra: [plte(5)] })),
    () => true,
  ); // a suggested palette
});

/** EXIF data that holds an orientation alone. @param {number} orientation @param {number} [type] 3 SHORT, 4 LONG */
function exif(orientation, little = false, type = 3) {
  const bytes = Buffer.alloc(26),
    write = (value, at, size) => (little ? bytes.writeUIntLE(value, at, size) : bytes.writeUIntBE(value, at, size));
  bytes.write(little ? 'II' : 'MM');
  for (const [value, at, size] of [
    [42, 2, 2],
    [8, 4, 4],
    [1, 8, 2],
    [0x112, 10, 2],
    [type, 12, 2],
    [1, 14, 4],
    [orientation, 18, type === 3 ? 2 : 4],
  ])
    write(value, at, size);
  return bytes;
}

/** The places in which a PNG keeps EXIF: a chunk for it, and the text chunks that came before this one. */
const PLACES = {
  eXIf: (bytes) => chunk('eXIf', bytes),
  'eXIf with the letters of JPEG': (bytes) => chunk('eXIf', Buffer.concat([Buffer.from('Exif\0\0'), bytes])),
  zTXt: (bytes) =>
    chunk('zTXt', Buffer.concat([Buffer.from('Raw profile type exif\0\0'), deflateSync(profile(bytes))])),
  'zTXt, APP1': (bytes) =>
    chunk('zTXt', Buffer.concat([Buffer.from('Raw profile type APP1\0\0'), deflateSync(profile(bytes))])),
  tEXt: (bytes) => chunk('tEXt', Buffer.concat([Buffer.from('Raw profile type exif\0'), profile(bytes)])),
  iTXt: (bytes) => chunk('iTXt', Buffer.concat([Buffer.from('Raw profile type exif\0\0\0en\0\0'), profile(bytes)])),
  'iTXt, compressed': (bytes) =>
    chunk('iTXt', Buffer.concat([Buffer.from('Raw profile type exif\0\x01\0\0\0'), deflateSync(profile(bytes))])),
};
/** EXIF data as ImageMagick writes it to text, with much behind it. @param {Buffer} bytes */
function profile(bytes) {
  const all = Buffer.concat([Buffer.from('Exif\0\0'), bytes, Buffer.alloc(60000)]),
    lines = all.toString('hex').replace(/.{72}/g, '$&\n');
  return Buffer.from(`\nexif\n${String(all.length).padStart(8)}\n${lines}\n`);
}

test('every orientation in every place where a PNG keeps EXIF turns the picture', () => {
  const kind = { width: WIDTH, height: HEIGHT, type: 0, depth: 8 },
    pixel = (x, y) => noise(x, y, 0, 8),
    upright = decodeBytes([png(kind, (x, y) => [pixel(x, y)])])[0].pixels;
  const [w, h] = [WIDTH - 1, HEIGHT - 1];
  const shown = {
    1: (x, y) => [x, y],
    2: (x, y) => [w - x, y],
    3: (x, y) => [w - x, h - y],
    4: (x, y) => [x, h - y],
    5: (x, y) => [y, x],
    6: (x, y) => [w - y, x],
    7: (x, y) => [w - y, h - x],
    8: (x, y) => [y, h - x],
  }; // which upright pixel is stored at x, y (EXIF 2.3, tag 0x0112)
  const stored = (orientation, bytes) =>
    png({ ...kind, ...(orientation > 4 && { width: HEIGHT, height: WIDTH }), ...bytes }, (x, y) => [
      pixel(...shown[orientation](x, y)),
    ]);
  const files = {};
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    for (const [name, place] of Object.entries(PLACES))
      files[`${name} ${orientation}`] = stored(orientation, { extra: [place(exif(orientation))] });
    files[`little ${orientation}`] = stored(orientation, { extra: [PLACES.eXIf(exif(orientation, true))] });
    files[`LONG ${orientation}`] = stored(orientation, { extra: [PLACES.eXIf(exif(orientation, false, 4))] });
    files[`little LONG ${orientation}`] = stored(orientation, { extra: [PLACES.eXIf(exif(orientation, true, 4))] });
    files[`behind the data ${orientation}`] = stored(orientation, { behind: [PLACES.eXIf(exif(orientation))] });
    files[`the chunk before the text ${orientation}`] = stored(orientation, {
      extra: [PLACES.zTXt(exif((orientation % 8) + 1)), PLACES.eXIf(exif(orientation))],
    });
  }
  for (const [name, bytes] of Object.entries({
    'of another type': exif(6, false, 2),
    'of 9': exif(9),
    'cut off': exif(6).subarray(0, 20),
    'of a wrong checksum': null,
  }))
    files[name] = stored(1, { extra: [bytes ? PLACES.eXIf(bytes) : odd(PLACES.eXIf(exif(6)), 36, 1)] });
  files['a profile that is no zlib stream'] = stored(1, {
    extra: [chunk('zTXt', Buffer.from('Raw profile type exif\0\0abc'))],
  });
  decodeBytes(Object.values(files)).forEach((film, i) => {
    const name = Object.keys(files)[i];
    assert.deepEqual([film.code, film.width, film.height], ['ok', WIDTH, HEIGHT], name);
    assert.deepEqual(film.pixels, upright, name);
  });
});

test('a broken ancillary chunk does not cost the picture', () => {
  const text = chunk('tEXt', Buffer.from('a\0b')),
    broken = odd(text, 8, 0x63),
    grey = [header(64, 64), idat(), end],
    [top, data] = grey,
    alpha = chunk('tRNS', Buffer.alloc(2));
  const files = {
    'a wrong checksum of a text': file(top, broken, data, end),
    'a wrong checksum behind the data': file(top, data, broken, end),
    'a wrong checksum of the transparency': file(top, odd(alpha, 11, 1), data, end),
    'transparency behind the data': file(top, data, alpha, end),
    'two transparencies': file(top, alpha, alpha, data, end),
    'transparency of a wrong length': file(top, chunk('tRNS', Buffer.alloc(5)), data, end),
  };
  const films = decodeBytes([file(...grey), ...Object.values(files)]);
  Object.keys(files).forEach((name, i) => assert.deepEqual(films[i + 1], films[0], name));
  const withAlpha = png({ width: 64, height: 64, type: 4, extra: [alpha] }, (x, y) => [x ^ y, 99]),
    indexed = { width: 64, height: 64, type: 3, depth: 8, extra: [chunk('tRNS', Buffer.alloc(9)), plte(256)] };
  for (const { code } of decodeBytes([withAlpha, png(indexed, (x) => [x])])) assert.equal(code, 'ok');
});

test('every compression level, and data split into chunks of any length', () => {
  for (let level = 0; level <= 9; level += 3) right(kinds({ level }));
  for (const part of [1, 2, 7, 100]) right(kinds({ part }));
});

const plain = png({ width: 64, height: 64, type: 0 }, (x, y) => [x ^ y]);
const picture = Buffer.concat(
  [...Array(64)].map((_, y) => Buffer.from([0, ...Array(64).keys()].map((x, i) => (i ? x ^ y : 0)))),
);
const end = chunk('IEND', Buffer.alloc(0)),
  idat = (data = picture) => chunk('IDAT', deflateSync(data));
const file = (...chunks) => Buffer.concat([SIGNATURE, ...chunks]);
const odd = (bytes, at, value) => {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
};
const headed = (...fields) => {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32BE(64, 0);
  bytes.writeUInt32BE(64, 4);
  bytes.set(fields, 8);
  return chunk('IHDR', bytes);
};

/** PngSuite's x group and more like it: what is wrong, the file, and the error code. */
const BROKEN = {
  'signature byte 1 without its highest bit': [odd(plain, 0, 0x09), 'not-an-image'],
  'signature with another letter': [odd(plain, 2, 0x51), 'not-an-image'],
  'signature byte 4 changed to a space': [odd(plain, 4, 0x20), 'not-an-image'],
  'signature byte 7 changed to a space': [odd(plain, 6, 0x20), 'not-an-image'],
  'line ends turned into CR': [Buffer.from(plain.toString('latin1').replaceAll('\n', '\r'), 'latin1'), 'not-an-image'],
  'line ends turned into CR LF': [
    Buffer.from(plain.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
    'not-an-image',
  ],
  'a wrong checksum of the header': [odd(plain, 32, plain[32] ^ 1), 'image-damaged'],
  'a wrong checksum of the data': [odd(plain, plain.length - 13, plain.at(-13) ^ 1), 'image-damaged'],
  'no data': [file(header(64, 64), end), 'image-damaged'],
  'no end': [file(header(64, 64), idat()), 'image-damaged'],
  'no header': [file(idat(), end), 'image-damaged'],
  'the header not first': [file(chunk('tEXt', Buffer.from('a\0b')), header(64, 64), idat(), end), 'image-damaged'],
  'two headers': [file(header(64, 64), header(64, 64), idat(), end), 'image-damaged'],
  'a long header': [
    file(chunk('IHDR', Buffer.concat([header(64, 64).subarray(8, 21), Buffer.alloc(1)])), idat(), end),
    'image-damaged',
  ],
  'no palette': [file(headed(8, 3, 0, 0, 0), idat(), end), 'image-damaged'],
  'a palette after the data': [file(headed(8, 3, 0, 0, 0), idat(), plte(256), end), 'image-damaged'],
  'a palette of 257 colours': [
    file(headed(8, 3, 0, 0, 0), chunk('PLTE', Buffer.alloc(771)), idat(), end),
    'image-damaged',
  ],
  'a palette of 4 bytes': [file(headed(8, 3, 0, 0, 0), chunk('PLTE', Buffer.alloc(4)), idat(), end), 'image-damaged'],
  'compression method 1': [file(headed(8, 0, 1, 0, 0), idat(), end), 'image-damaged'],
  'filter method 1': [file(headed(8, 0, 0, 1, 0), idat(), end), 'image-damaged'],
  'interlace method 2': [file(headed(8, 0, 0, 0, 2), idat(), end), 'image-damaged'],
  'an unknown critical chunk': [file(header(64, 64), chunk('ABCD', Buffer.alloc(3)), idat(), end), 'image-unsupported'],
  'Apple’s own PNG': [
    file(chunk('CgBI', Buffer.from([80, 0, 32, 2])), header(64, 64), idat(), end),
    'image-unsupported',
  ],
  'a chunk without a name': [file(header(64, 64), chunk('a\0bc', Buffer.alloc(3)), idat(), end), 'image-damaged'],
  'too few rows': [file(header(64, 64), idat(picture.subarray(0, -65)), end), 'image-damaged'],
  'one byte too few': [file(header(64, 64), idat(picture.subarray(0, -1)), end), 'image-damaged'],
  'filter 5': [file(header(64, 64), idat(odd(picture, 65, 5)), end), 'image-damaged'],
  'data that is not a zlib stream': [file(header(64, 64), chunk('IDAT', picture), end), 'image-damaged'],
  'data with a preset dictionary': [
    file(header(64, 64), chunk('IDAT', deflateSync(picture, { dictionary: Buffer.from('abc') })), end),
    'image-damaged',
  ],
  'truncated data in an intact chunk': [
    file(header(64, 64), chunk('IDAT', deflateSync(picture).subarray(0, 40)), end),
    'image-damaged',
  ],
  'no width': [file(header(0, 64), idat(), end), 'image-too-small'],
  'a width of 2^31': [file(header(2 ** 31, 64), idat(), end), 'image-too-large'],
  'too many pixels': [file(header(16384, 16384), idat(), end), 'image-too-large'],
};

test('broken files are refused, each for what is wrong', () => {
  assert.equal(decodeBytes([BROKEN['Apple’s own PNG'][0]])[0].status, REASON.apple);
  assert.equal(decodeBytes([plain])[0].code, 'ok');
  assert.deepEqual(decodeBytes([file(header(64, 64), idat(), end)])[0].pixels, decodeBytes([plain])[0].pixels);
  const films = decodeBytes(Object.values(BROKEN).map(([bytes]) => bytes));
  assert.deepEqual(
    Object.fromEntries(Object.keys(BROKEN).map((name, i) => [name, films[i].code])),
    Object.fromEntries(Object.entries(BROKEN).map(([name, [, code]]) => [name, code])),
  );
});

test('colour types and depths that do not exist are refused', () => {
  const exist = new Set(DEPTHS.flatMap(([type, depths]) => depths.map((depth) => `${type} ${depth}`)));
  const all = Array.from({ length: 8 * 34 }, (_, i) => [i % 8, i >> 3]).filter(
    ([type, depth]) => !exist.has(`${type} ${depth}`),
  );
  const films = decodeBytes(
    [...all, [9, 8], [255, 8], [2, 99], [0, 255]].map(([type, depth]) =>
      file(headed(depth, type, 0, 0, 0), plte(2), idat(Buffer.alloc(64 * 600)), end),
    ),
  );
  for (const [i, { code }] of films.entries()) assert.equal(code, 'image-damaged', String(all[i]));
});

test('sizes below 64 pixels, PngSuite’s own 1 to 40 included, are too small', () => {
  const sizes = Array.from({ length: 63 }, (_, i) => i + 1).flatMap((size) => [
    [size, size],
    [size, 200],
    [200, size],
  ]);
  const films = decodeBytes(
    sizes.flatMap(([width, height]) =>
      [0, 1].map((interlace) =>
        png({ width, height, interlace, type: 3, depth: 4, extra: [plte(16)] }, (x, y) => [(x + y) & 15]),
      ),
    ),
  );
  for (const { code } of films) assert.equal(code, 'image-too-small');
});

test('every prefix of an interlaced palette PNG is refused', () => {
  const whole = png(
    { width: 64, height: 64, type: 3, depth: 2, interlace: 1, extra: [chunk('PLTE', Buffer.alloc(12, 99))] },
    (x) => [x & 3],
  );
  const films = decodeBytes(Array.from({ length: whole.length }, (_, size) => whole.subarray(0, size)));
  films.forEach(({ code }, size) => {
    assert.equal(code, size === 0 ? 'empty-file' : size < 8 ? 'not-an-image' : 'image-damaged', `${size} bytes`);
  });
  assert.equal(decodeBytes([whole])[0].code, 'ok');
});
