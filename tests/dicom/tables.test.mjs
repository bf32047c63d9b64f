// Tables of greys and colours as real makers write them: what the data are decides, and what cannot be used gives way to
// what stands beside it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dicomFile } from './file.mjs';
import { greys, readDicom } from './reader.mjs';

const SIDE = 64;
/** Every value of 12 bits, in a ramp. */
const pixels = Uint16Array.from({ length: SIDE * SIDE }, (_, i) => i);
const film = (tags = {}, more = {}) => dicomFile({ width: SIDE, height: SIDE, pixels, bits: 12, tags, ...more });
const BIG = { encoding: { big: true }, syntax: '1.2.840.10008.1.2.2' };
const WINDOW = { '00281050': ['DS', '2048'], '00281051': ['DS', '1000'] };
const words = (count, curve) => Uint16Array.from({ length: count }, (_, i) => curve(i / (count - 1)));
const square = (top) => (x) => Math.floor(x * x * top);

/** @param {number[]} descriptor @param {any} data @param {string} [vr]  of the data */
const lut = (descriptor, data, vr = 'OW') => ({ '00283002': ['US', descriptor], '00283006': [vr, data] });
const voi = (...items) => ({ '00283010': ['SQ', items] });
const modality = (...items) => ({ '00283000': ['SQ', items] });

/** @param {Record<string, Buffer>} files @param {Buffer} twin  that shows the same */
async function sameGreys(files, twin) {
  const expected = await greys(twin);
  assert.ok(new Set(expected).size > 100);
  for (const [name, file] of Object.entries(files)) assert.deepEqual(await greys(file), expected, name);
}

const CURVE = lut([4096, 0, 12], words(4096, square(4095)));

test('a table without use leaves its place to the next one, to the window, or to nothing', async () => {
  const empty = lut([4096, 0, 16], new Uint8Array());
  const useless = {
    empty: [empty],
    'half of its entries': [lut([4096, 0, 16], words(2048, square(65535)))],
    'bytes for words': [
      lut(
        [4096, 0, 16],
        Uint8Array.from(pixels, (v) => v >> 4),
      ),
    ],
    'no data': [{ '00283002': ['US', [4096, 0, 16]] }],
    'no descriptor': [{ '00283006': ['OW', words(4096, square(4095))] }],
    'half a descriptor': [lut([4096, 0], words(4096, square(4095)))],
    'an empty item': [{}],
    'no item': [],
  };
  for (const [name, items] of Object.entries(useless)) {
    await sameGreys({ [name]: film({ ...WINDOW, ...voi(...items) }) }, film(WINDOW));
    await sameGreys({ [`${name}, alone`]: film(voi(...items)) }, film());
    await sameGreys({ [`${name}, before another`]: film({ ...WINDOW, ...voi(...items, CURVE) }) }, film(voi(CURVE)));
    const rescale = {
      '00281052': ['DS', '-1024'],
      '00281053': ['DS', '2'],
      '00281050': ['DS', '3000'],
      '00281051': ['DS', '4000'],
    };
    await sameGreys({ [`${name}, modality`]: film({ ...rescale, ...modality(...items) }) }, film(rescale));
  }
  assert.equal((await readDicom(film({ ...WINDOW, ...voi(empty) }))).dicom.voi, 'linear');
});

test('a table has the entries and the bits of its data, whatever its descriptor says', async () => {
  const data = words(4096, square(4095));
  await sameGreys(
    Object.fromEntries(
      [
        [0, 0, 12],
        [4096, 0, 0],
        [4096, 0, 32],
        [4096, 0, 16],
        [4096, 0, 8],
        [4096, 0, 10],
      ].map((descriptor) => [String(descriptor), film({ ...WINDOW, ...voi(lut(descriptor, data)) })]),
    ),
    film(voi(CURVE)),
  );
  await sameGreys({ 'one entry more': film(voi(lut([4096, 0, 12], Uint16Array.of(...data, 9)))) }, film(voi(CURVE)));
  // Padding and inversion make it matter what white is: Agfa gives the size of a word.
  const negative = { '00280004': ['CS', 'MONOCHROME1'], '00280120': ['US', 4095] };
  for (const [bits, says] of [
    [10, 16],
    [12, 16],
    [16, 12],
  ])
    await sameGreys(
      {
        [`${bits} in ${says}`]: film({ ...negative, ...voi(lut([4096, 0, says], words(4096, square(2 ** bits - 1)))) }),
      },
      film({ ...negative, ...voi(lut([4096, 0, bits], words(4096, square(2 ** bits - 1)))) }),
    );
});

test('the first value of a table has the sign of what goes into the table', async () => {
  const signed = { '00280103': ['US', 1] };
  const stored = pixels.map((v) => (v - 2048) & 65535);
  const toUpper = lut(
    [4096, -2048 & 65535, 16],
    words(4096, (x) => 32768 + Math.floor(x * 32767)),
  );
  const upper = lut(
    [32768, 32768, 16],
    words(32768, (x) => Math.floor(x * 65535)),
  );
  const expected = pixels.map((v) => Math.floor((Math.floor((v / 4095) * 32767) / 32767) * 65535));
  assert.deepEqual(await greys(film({ ...signed, ...modality(toUpper), ...voi(upper) }, { pixels: stored })), expected);
  const curve = (first) => lut([4096, first, 12], words(4096, square(4095)));
  await sameGreys(
    {
      'signed pixels': film({ ...signed, ...voi(curve(-2048)) }, { pixels: stored }),
      'a falling rescale': film({ '00281052': ['DS', '-2048'], ...voi(curve(-2048)) }),
      'pixels of 16 bits': film({ '00281052': ['DS', '40000'], ...voi(curve(40000)) }, { bits: 16 }),
    },
    film(voi(CURVE)),
  );
});

test('tables of bytes lie two in a word of either byte order, with padding where they are odd', async () => {
  const curve = Uint8Array.from({ length: 4095 }, (_, i) => i >> 4);
  assert.deepEqual(
    await greys(film(voi(lut([4095, 0, 8], curve)))),
    pixels.map((v) => (Math.min(v, 4094) >> 4) * 257),
  );
  const even = Uint8Array.from({ length: 4096 }, (_, i) => ((i * i) / 4095) >> 4);
  await sameGreys(
    {
      'big endian, words': film(voi(lut([4096, 0, 8], Buffer.from(even).swap16())), BIG),
      'big endian, bytes': film(voi(lut([4096, 0, 8], even, 'OB')), BIG),
      'one byte per word': film(voi(lut([4096, 0, 8], Uint16Array.from(even)))),
      US: film(voi(lut([4096, 0, 8], Uint16Array.from(even), 'US'))),
    },
    film(voi(lut([4096, 0, 8], even))),
  );
  await sameGreys({ 'words in big endian': film(voi(CURVE), BIG) }, film(voi(CURVE)));
});

test('the first window that can be used is used, at the top or in functional groups', async () => {
  const windows = (centre, width) => ({ '00281050': ['DS', centre], '00281051': ['DS', width] });
  const inGroups = (groups, macro, tags) => ({ [groups]: ['SQ', [{ [macro]: ['SQ', [tags]] }]] });
  await sameGreys(
    {
      'the first has no width': film(windows('100\\2048', '0\\1000')),
      'the first is no number': film(windows('wide\\2048', '1\\1000')),
      'with spaces and zeros': film(windows('2048.000 ', ' 1.0E3')),
      'one centre more': film(windows('2048\\1', '1000')),
      'for all frames': film(inGroups('52009229', '00289132', WINDOW)),
      'for the first frame': film(inGroups('52009230', '00289132', WINDOW)),
      'beside an overlay': film({ ...WINDOW, 60003000: ['OW', new Uint8Array((SIDE * SIDE) / 8).fill(255)] }),
    },
    film(WINDOW),
  );
  const rescale = { '00281052': ['DS', '-1000'], '00281053': ['DS', '2'] };
  await sameGreys(
    { 'a rescale for all frames': film({ ...WINDOW, ...inGroups('52009229', '00289145', rescale) }) },
    film({ ...WINDOW, ...rescale }),
  );
});

test('each polarity is applied once', async () => {
  const plain = await greys(film());
  const shown = (photometric, shape) =>
    greys(film({ '00280004': ['CS', photometric], ...(shape && { 20500020: ['CS', shape] }) }));
  const inverse = plain.map((v) => 65535 - v);
  assert.deepEqual(await shown('MONOCHROME2', 'IDENTITY'), plain);
  assert.deepEqual(await shown('MONOCHROME1', ''), inverse);
  assert.deepEqual(await shown('MONOCHROME1', 'INVERSE'), inverse);
  assert.deepEqual(await shown('MONOCHROME2', 'INVERSE'), inverse);
});

test('every number of stored bits, with and without a sign, spreads over all greys', async () => {
  for (let bits = 1; bits <= 16; bits++)
    for (const sign of [0, 1]) {
      const top = 2 ** bits - 1;
      const values = pixels.map((_, i) => i % (top + 1));
      const file = film(
        { '00280103': ['US', sign] },
        { bits, pixels: sign ? values.map((v) => (v - 2 ** (bits - 1)) & 65535) : values },
      );
      assert.deepEqual(
        await greys(file),
        values.map((v) => Math.floor((v / top) * 65535 + 0.5)),
        `${bits}, sign ${sign}`,
      );
    }
});

/** A film of 8 bits with a palette. @param {number} bits  in the descriptor @param {any} data */
const palette = (bits, data, more = {}, names = ['00281201', '00281202', '00281203'], count = 256) =>
  dicomFile({
    width: SIDE,
    height: SIDE,
    pixels: Uint8Array.from(pixels, (v) => v >> 4),
    tags: {
      '00280004': ['CS', 'PALETTE COLOR'],
      ...Object.fromEntries(['00281101', '00281102', '00281103'].map((tag) => [tag, ['US', [count, 0, bits]]])),
      ...Object.fromEntries(names.map((tag, i) => [tag, ['OW', [data].flat()[i] ?? [data].flat()[0]]])),
    },
    ...more,
  });

test('palettes of bytes and words are read in either byte order, and in segments', async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => Math.floor((i * i) / 255));
  const wide = Uint16Array.from(bytes, (v) => v * 257);
  await sameGreys(
    {
      'words that are called bytes': palette(8, wide),
      bytes: palette(8, bytes),
      'bytes that are called words': palette(16, bytes),
      'one byte per word': palette(16, Uint16Array.from(bytes)),
      'bytes in big endian': palette(8, Buffer.from(bytes).swap16(), BIG),
      'words in big endian': palette(16, wide, BIG),
    },
    palette(16, wide),
  );
  const straight = Uint16Array.from({ length: 256 }, (_, i) => i * 257);
  // 16 single entries, a line to 143, and the same 112 steps up by an indirect segment for the rest.
  const discrete = [0, 16, ...straight.slice(0, 16)];
  const line = [1, 240, 65535];
  const segmented = Uint16Array.of(...discrete, ...line);
  await sameGreys(
    { segments: palette(16, segmented, {}, ['00281221', '00281222', '00281223']) },
    palette(16, straight),
  );
  // The tables of a colour keep their proportions: a dark blue stays dark.
  const dark = straight.map((v) => v >> 3);
  const { film: shown } = await readDicom(palette(16, [straight, straight, dark]));
  const last = [...shown.pixels.subarray(-3)].map((v) => shown.table[v]);
  assert.deepEqual(
    last.map((v) => Math.round(v / 257)),
    [255, 255, 32],
  );
  await assert.rejects(readDicom(palette(16, new Uint16Array(9))), { code: 'dicom-unsupported', message: /palette/ });
});

test('uncompressed colour of halved resolution is read', async () => {
  const halved = Uint8Array.from({ length: SIDE * SIDE * 2 }, (_, i) => [i >> 5, i >> 5, 128, 128][i & 3] & 255);
  const tags = { '00280002': ['US', 3], '00280004': ['CS', 'YBR_FULL_422'], '00280006': ['US', 0] };
  const { film: shown } = await readDicom(dicomFile({ width: SIDE, height: SIDE, pixels: halved, tags }));
  const luma = Array.from({ length: SIDE * SIDE }, (_, i) => halved[(i >> 1) * 4 + (i & 1)]);
  assert.deepEqual(
    [...shown.pixels],
    luma.flatMap((v) => [v, v, v]),
  );
});
