// DICOM files of every transfer syntax against dcmtk, GDCM and OpenJPH; their greys against dcmtk's; what the tags do.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { SYNTAXES as READ } from '../../src/dicom/syntaxes.mjs';
import { createDicomReader } from '../../src/dicom/reader.mjs';
import { loadCodec } from '../../src/node/assets.mjs';
import { isDicom } from '../../src/sniff.mjs';
import { folder } from '../cli/command.mjs';
import { data, missing } from '../support/data.mjs';
import { codedBy as convert } from '../support/dcmtk.mjs';
import { dicomFile, encapsulated } from './file.mjs';
import { engine, greys, readDicom } from './reader.mjs';
import { png } from '../image/png.mjs';

const WIDTH = 97,
  HEIGHT = 83,
  COUNT = WIDTH * HEIGHT;
/** A ramp with noise in its lowest bits, as films have. */
const ramp = (bits) =>
  Uint16Array.from({ length: COUNT }, (_, i) => {
    const x = i % WIDTH,
      y = Math.floor(i / WIDTH);
    return ((((x * 40 + y * 9) ^ (((x * 2654435 + y * 40503) >>> 5) & 31)) % 4096) << 4) >> (16 - bits);
  });
const film = (bits, more = {}) =>
  dicomFile({
    width: WIDTH,
    height: HEIGHT,
    pixels: bits === 8 ? Uint8Array.from(ramp(8)) : ramp(bits),
    bits,
    ...more,
  });

const worst = (a, b) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

const native = ['dcmconv', '+te'];
const every = [8, 12, 16];
/** By name: who codes, who decodes to compare, depths, the UID's end, the greatest difference that is right. */
const SYNTAXES = {
  'Implicit VR Little Endian': [['dcmconv', '+ti'], native, every, ''],
  'Explicit VR Big Endian': [['dcmconv', '+tb'], native, every, '.2'],
  'Deflated Explicit VR Little Endian': [['dcmconv', '+td'], native, every, '.1.99'],
  'RLE Lossless': [['dcmcrle'], ['dcmdrle'], every, '.5'],
  // 8 bits go through stb_image, whose transform may differ by a level, as it may for a bare JPEG.
  'JPEG Baseline': [['dcmcjpeg', '+eb'], ['dcmdjpeg'], [8], '.4.50', 1],
  'JPEG Extended, 8 bits': [['dcmcjpeg', '+ee'], ['dcmdjpeg'], [8], '.4.51', 1],
  'JPEG Extended, 12 bits': [['dcmcjpeg', '+ee'], ['dcmdjpeg'], [12], '.4.51'],
  'JPEG Lossless SV1': [['dcmcjpeg', '+e1'], ['dcmdjpeg'], every, '.4.70'],
  'JPEG Lossless SV1 with a point transform': [['dcmcjpeg', '+e1', '+pt', '2'], ['dcmdjpeg'], every, '.4.70'],
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7].map((predictor) => [
      `JPEG Lossless, predictor ${predictor}`,
      [['dcmcjpeg', '+el', '+sv', String(predictor)], ['dcmdjpeg'], every, '.4.57'],
    ]),
  ),
  'JPEG-LS': [['dcmcjpls'], ['dcmdjpls'], every, '.4.80'],
  'JPEG-LS near-lossless': [['dcmcjpls', '+en'], ['dcmdjpls'], every, '.4.81'],
  'JPEG 2000 lossless': [['gdcmconv', '--j2k'], ['gdcmconv', '--raw'], every, '.4.90'],
  'JPEG 2000 lossy': [['gdcmconv', '--j2k', '--lossy', '-r', '4'], ['gdcmconv', '--raw'], every, '.4.91'],
};

for (const [name, [coder, decoder, depths, uid, most = 0]] of Object.entries(SYNTAXES)) {
  test(`${name} gives the pixels that ${decoder[0]} decodes`, async () => {
    for (const bits of depths) {
      const file = convert(coder, film(bits));
      const read = await readDicom(file),
        other = await readDicom(convert(decoder, file));
      assert.equal(read.dicom.syntax, `1.2.840.10008.1.2${uid}`);
      assert.equal(other.dicom.syntax, '1.2.840.10008.1.2.1');
      const difference = worst(
        read.film.pixels,
        other.film.pixels.map((v) => Math.min(v, 2 ** bits - 1)),
      ); // GDCM keeps what is past white
      assert.ok(difference <= most, `${bits} bits: ${difference}`);
      const predictor = name.match(/predictor (\d)/)?.[1];
      if (predictor)
        assert.ok(
          file.includes(Buffer.from([0xff, 0xda, 0, 8, 1, 1, 0, Number(predictor)])),
          'dcmtk has used another predictor',
        );
      if (!/lossy|near|Baseline|Extended|point/.test(name))
        assert.deepEqual(read.film.pixels, ramp(bits), `${bits} bits`);
    }
  });
}

/** By the UID's end: what the coder is told, and the greatest difference that is right. 2: RPCL, by resolution first. */
const HIGH_THROUGHPUT = {
  '.4.201': [(encoder) => encoder.setQuality(true, 0), 0],
  '.4.202': [
    (encoder) => {
      encoder.setQuality(true, 0);
      encoder.setProgressionOrder(2);
      encoder.setTLMMarker(true);
    },
    0,
  ],
  '.4.203': [(encoder) => encoder.setQuality(false, 0.01), 8],
};

test('HTJ2K encoded by OpenJPH decodes to the original pixels', async () => {
  const openjph = await createRequire(import.meta.url)('@cornerstonejs/codec-openjph/wasmjs')();
  for (const [end, [set, most]] of Object.entries(HIGH_THROUGHPUT))
    for (const bits of every) {
      const encoder = new openjph.HTJ2KEncoder();
      const input = encoder.getDecodedBuffer({
        width: WIDTH,
        height: HEIGHT,
        bitsPerSample: bits,
        componentCount: 1,
        isSigned: false,
        isUsingColorTransform: false,
      });
      const pixels = ramp(bits);
      input.set(bits === 8 ? pixels : new Uint8Array(pixels.buffer));
      set(encoder);
      encoder.encode();
      const file = dicomFile({
        width: WIDTH,
        height: HEIGHT,
        bits,
        syntax: `1.2.840.10008.1.2${end}`,
        pixelElement: encapsulated([encoder.getEncodedBuffer().slice()]),
      });
      const read = await readDicom(file),
        difference = worst(read.film.pixels, pixels) / 2 ** (bits - 8);
      assert.ok(difference <= most, `${end}, ${bits} bits: ${difference}`);
      assert.equal(read.dicom.syntax, `1.2.840.10008.1.2${end}`);
      assert.equal(difference > 0, most > 0, 'what loses something is not told from what loses nothing');
      encoder.delete();
    }
});

test('uncompressed pixels in fragments are read, one fragment per frame', async () => {
  const frame = Buffer.from(ramp(12).buffer);
  const pixelElement = encapsulated([frame, Buffer.alloc(frame.length)]);
  const tags = { '00280008': ['IS', '2'] };
  const file = dicomFile({
    width: WIDTH,
    height: HEIGHT,
    bits: 12,
    tags,
    syntax: '1.2.840.10008.1.2.1.98',
    pixelElement,
  });
  assert.deepEqual((await readDicom(file)).film.pixels, ramp(12));
});

test('every supported transfer syntax has a sample here, and every other one is refused by UID and name', async () => {
  const tested = new Set(
    ['.1', '.1.98', ...Object.values(SYNTAXES).map(([, , , end]) => end), ...Object.keys(HIGH_THROUGHPUT)].map(
      (end) => `1.2.840.10008.1.2${end}`,
    ),
  );
  const read = Object.keys(READ).filter((uid) => READ[uid][1]);
  assert.deepEqual([...tested].sort(), read.sort());
  // pydicom knows the standard of its day, without those of high throughput; ours knows more.
  const script =
    'from pydicom._uid_dict import UID_dictionary as all\nfor uid, entry in all.items():\n    if entry[1] == "Transfer Syntax": print(uid)';
  const standard = execFileSync('/usr/bin/python3', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
  assert.ok(standard.length > 40 && read.filter((uid) => standard.includes(uid)).length >= 13, String(standard.length));
  for (const syntax of new Set([...standard, ...Object.keys(READ)])) {
    if (tested.has(syntax)) continue;
    const file = dicomFile({ width: 64, height: 64, bits: 8, syntax, pixelElement: encapsulated([Buffer.alloc(64)]) });
    await assert.rejects(
      readDicom(file),
      ({ code, message }) =>
        code === 'dicom-unsupported' && message.includes(`transfer syntax ${syntax} (`) && !/unknown/.test(message),
      syntax,
    );
  }
});

test('every codec handles signed pixels and pixels in the high bits of their words', async () => {
  const signed = ramp(12).map((v) => (v - 2048) & 65535);
  const tags = { '00280103': ['US', 1] };
  const plain = await greys(film(12));
  for (const coder of [['dcmconv', '+ti'], ['dcmcrle'], ['dcmcjpeg', '+e1'], ['dcmcjpls'], ['gdcmconv', '--j2k']]) {
    const file = convert(coder, dicomFile({ width: WIDTH, height: HEIGHT, pixels: signed, bits: 12, tags }));
    assert.deepEqual(await greys(file), plain, coder.join(' '));
  }
  const high = dicomFile({
    width: WIDTH,
    height: HEIGHT,
    pixels: ramp(12).map((v, i) => (v << 4) | (i & 15)),
    bits: 12,
    tags: { '00280102': ['US', 15] },
  });
  for (const file of [high, convert(['dcmcrle'], high), convert(['dcmconv', '+tb'], high)])
    assert.deepEqual(await greys(file), plain);
});

/** The file with another number of two bytes. @param {Buffer} file @param {Record<string, number>} numbers by tag of group 0028 */
function changed(file, numbers) {
  const bytes = Buffer.from(file);
  for (const [element, value] of Object.entries(numbers)) {
    const tag = Buffer.from([
      0x28,
      0,
      parseInt(element.slice(2), 16),
      parseInt(element.slice(0, 2), 16),
      0x55,
      0x53,
      2,
      0,
    ]);
    bytes.writeUInt16LE(value, bytes.indexOf(tag) + tag.length);
  }
  return bytes;
}

test('a stream with more bits than Bits Stored is damaged; lossy overshoot above white is white', async () => {
  const narrow = dicomFile({ width: WIDTH, height: HEIGHT, pixels: ramp(10), bits: 16 }),
    almost = ramp(10).map((v) => v + (v > 1000 ? 100 : 0));
  const over = dicomFile({ width: WIDTH, height: HEIGHT, pixels: almost, bits: 16 }),
    white = await greys(
      dicomFile({ width: WIDTH, height: HEIGHT, pixels: almost.map((v) => Math.min(v, 1023)), bits: 10 }),
    );
  for (const coder of [['dcmcjpeg', '+e1'], ['dcmcjpls'], ['gdcmconv', '--j2k']]) {
    const file = convert(coder, dicomFile({ width: WIDTH, height: HEIGHT, pixels: ramp(12), bits: 16 }));
    for (const stored of [11, 9])
      await assert.rejects(
        readDicom(changed(file, { '0101': stored, '0102': stored - 1 })),
        { code: 'dicom-damaged' },
        coder.join(' '),
      );
    assert.deepEqual(
      await greys(changed(convert(coder, narrow), { '0101': 10, '0102': 9 })),
      await greys(film(10)),
      coder.join(' '),
    );
    assert.deepEqual(await greys(changed(convert(coder, over), { '0101': 10, '0102': 9 })), white, coder.join(' '));
  }
});

test('a stream narrower than Bits Stored has its sign bit where it ends, as dcmtk and GDCM read it', async () => {
  const stream = readFileSync(new URL('../fixtures/grey.jpg', import.meta.url)); // 96 x 80, 8 bits
  const tags = { '00280103': ['US', 1] };
  const layout = { width: 96, height: 80, tags, syntax: '1.2.840.10008.1.2.4.51' };
  const wide = dicomFile({ ...layout, bits: 16, pixelElement: encapsulated([stream]) });
  const other = await readDicom(
    convert(['gdcmconv', '--raw'], dicomFile({ ...layout, bits: 8, pixelElement: encapsulated([stream]) })),
  );
  const sign = (word, bits) => (word << (32 - bits)) >> (32 - bits);
  const read = await readDicom(wide);
  assert.deepEqual(
    read.film.pixels.map((word) => sign(word, 16)),
    other.film.pixels.map((word) => sign(word, 8)),
  );
  const unsigned = await readDicom(dicomFile({ ...layout, bits: 16, tags: {}, pixelElement: encapsulated([stream]) }));
  assert.ok(Math.max(...unsigned.film.pixels) < 256);
});

test('colour in the high bits of its words equals colour in the low bits', async () => {
  const greys = ramp(12);
  const rgb = (shift) =>
    dicomFile({
      width: WIDTH,
      height: HEIGHT,
      bits: 12,
      pixels: Uint16Array.from({ length: 3 * COUNT }, (_, i) => greys[Math.floor(i / 3)] << shift),
      tags: { '00280002': ['US', 3], '00280004': ['CS', 'RGB'], '00280006': ['US', 0], '00280102': ['US', 11 + shift] },
    });
  const films = await Promise.all([0, 4].map(async (shift) => (await readDicom(rgb(shift))).film));
  assert.deepEqual(films[1], films[0]);
});

/** What dcmtk shows, 16 bits. @param {Uint8Array} bytes @param {string[]} options */
function shown(bytes, options) {
  const [, , , most, ...values] = convert(['dcm2pnm', '+opw', ...options], bytes)
    .toString('latin1')
    .trim()
    .split(/\s+/);
  assert.deepEqual([most, values.length], ['65535', COUNT]);
  return Uint16Array.from(values, Number);
}

const table = (count, bits, first, curve) => [
  'SQ',
  [
    {
      '00283002': [first < 0 ? 'SS' : 'US', [count, first, bits]],
      '00283006': ['US', Uint16Array.from({ length: count }, (_, i) => curve(i / (count - 1)) * (2 ** bits - 1))],
    },
  ],
];
const first = ['+Wi', '1'],
  window = { '00281050': ['DS', '1800\\900'], '00281051': ['DS', '1500\\70'] };
/** By name: tags, what dcm2pnm is asked to apply, what the record says, and the greatest difference that is right. */
const RENDERINGS = {
  'a linear window': [window, first, 'linear'],
  'a sigmoid window': [{ ...window, '00281056': ['CS', 'SIGMOID'] }, [...first, '--sigmoid-function'], 'sigmoid'],
  MONOCHROME1: [{ ...window, '00280004': ['CS', 'MONOCHROME1'] }, first, 'linear'],
  'rescaled values': [
    { '00281052': ['DS', '-1000'], '00281053': ['DS', '2'], '00281050': ['DS', '2500.5'], '00281051': ['DS', '3000'] },
    first,
    'linear',
  ],
  'a falling scale': [{ '00281052': ['DS', '4095'], '00281053': ['DS', '-1'], ...window }, first, 'linear'],
  'a VOI table': [{ '00283010': table(3000, 12, 400, (x) => x * x) }, ['+Wl', '1'], 'lut'],
  'a VOI table of 8 bits, beside a window': [
    { ...window, '00283010': table(256, 8, 1000, (x) => Math.sqrt(x)) },
    ['+Wl', '1'],
    'lut',
    255,
  ], // dcmtk's white is then 255 * 256
  'a VOI table for signed values': [
    { '00280103': ['US', 1], '00283010': table(3000, 16, -1500, (x) => x * x) },
    ['+Wl', '1'],
    'lut',
  ],
  'a modality table': [
    { '00283000': table(4096, 16, 0, (x) => x ** 3), '00281050': ['DS', '20000'], '00281051': ['DS', '30000'] },
    first,
    'linear',
  ],
};

for (const [name, [tags, options, voi, most = 17]] of Object.entries(RENDERINGS)) {
  test(`${name}: the greys match those of dcmtk`, async () => {
    const file = film(12, { tags });
    const other = shown(file, options),
      own = await greys(file);
    assert.ok(worst(own, other) <= most, `${worst(own, other)} of 65535`); // dcmtk keeps about 12 bits on the way
    assert.ok(new Set(own).size > 100);
    assert.equal((await readDicom(file)).dicom.voi, voi);
    for (const options of [['+ti'], ['+tb'], ['+te', '-e'], ['+td']])
      assert.deepEqual(await greys(convert(['dcmconv', ...options], file)), own, options.join(' '));
  });
}

test('LINEAR_EXACT, INVERSE and pixel padding follow the standard to the last bit', async () => {
  const exact = await greys(film(12, { tags: { ...window, '00281056': ['CS', 'LINEAR_EXACT'] } }));
  assert.deepEqual(
    exact,
    ramp(12).map((v) => Math.floor(Math.min(1, Math.max(0, (v - 1800) / 1500 + 0.5)) * 65535 + 0.5)),
  );
  const inverse = await greys(film(12, { tags: { 20500020: ['CS', 'INVERSE'] } }));
  assert.deepEqual(
    inverse,
    (await greys(film(12))).map((v) => 65535 - v),
  );
  const [padding, limit] = [3000, 3500];
  const padded = await greys(
    film(12, { tags: { '00280004': ['CS', 'MONOCHROME1'], '00280120': ['US', padding], '00280121': ['US', limit] } }),
  );
  ramp(12).forEach((v, i) => assert.equal(padded[i] === 0, v === 4095 || (v >= padding && v <= limit)));
  assert.deepEqual(
    await greys(film(12, { tags: { '00281050': ['DS', 'wide'], '00281051': ['DS', '0'] } })),
    await greys(film(12)),
    'a window of nonsense is none',
  );
});

/** A film for the whole engine: the phantom as a file would hold it. */
function phantom() {
  engine.phantom();
  return engine.film(640);
}

test('a film has the same bits as DICOM, in any coding, and as PNG', async () => {
  const { data: grey, width, height } = phantom();
  const bits = (given) => engine.diagnose(given).bits;
  const eight = bits(new Uint8Array(png({ width, height, depth: 8 }, (x, y) => [grey[y * width + x]])));
  const wide = Uint16Array.from(grey, (v, i) => v * 200 + (i % 150));
  const sixteen = bits(new Uint8Array(png({ width, height, depth: 16 }, (x, y) => [wide[y * width + x]])));
  assert.notEqual(eight, sixteen);
  const files = [
    [dicomFile({ width, height, pixels: grey }), eight],
    [dicomFile({ width, height, pixels: wide }), sixteen],
  ];
  for (const [file, expected] of files) {
    for (const coder of [
      ['dcmconv', '+te'],
      ['dcmconv', '+td'],
      ['dcmcrle'],
      ['dcmcjpeg', '+e1'],
      ['dcmcjpls'],
      ['gdcmconv', '--j2k'],
    ]) {
      assert.equal(bits((await readDicom(convert(coder, file))).film), expected, coder.join(' '));
    }
  }
  const window = { '00281050': ['DS', '128'], '00281051': ['DS', '256'] }; // alters nothing: 0 is black, 255 white
  assert.equal(bits((await readDicom(dicomFile({ width, height, pixels: grey, tags: window }))).film), eight);
  const negative = { '00280004': ['CS', 'MONOCHROME1'] };
  assert.equal(
    bits((await readDicom(dicomFile({ width, height, pixels: grey.map((v) => 255 - v), tags: negative }))).film),
    eight,
  );
});

test('real films have the same bits as DICOM and as JPEG', async (t) => {
  if (missing(t)) return;
  for (const source of ['cohen', 'nih', 'hannover', 'openist']) {
    const name = readdirSync(join(data, 'images', source))
      .filter((file) => file.endsWith('.jpg'))
      .sort()[5];
    const path = join(data, 'images', source, name),
      to = join(folder, `${name}.dcm`);
    execFileSync('img2dcm', ['-k', 'Modality=DX', path, to], { stdio: 'pipe' });
    const { film, dicom } = await readDicom(readFileSync(to));
    assert.equal(dicom.syntax, '1.2.840.10008.1.2.4.50', name);
    assert.equal(engine.diagnose(film).bits, engine.diagnose(new Uint8Array(readFileSync(path))).bits, name);
  }
});

/** Who decodes a coding to compare, by the end of its UID, and the greatest difference that is right. */
const decoderOf = (syntax) =>
  /\.4\.5[01]$/.test(syntax)
    ? [['dcmdjpeg'], 2 * 257] // 8 bits: another transform, and chroma interpolated in another way
    : /\.4\.(57|70)$/.test(syntax)
      ? [['dcmdjpeg'], 0]
      : /\.4\.8[01]$/.test(syntax)
        ? [['dcmdjpls'], 0]
        : /\.4\.9[01]$/.test(syntax)
          ? [['gdcmconv', '--raw'], 0]
          : /\.5$/.test(syntax)
            ? [['dcmdrle'], 0]
            : [['dcmconv', '+te'], 0];

test('files from many manufacturers are read as other readers do, or refused with a sentence', async () => {
  const samples = '/usr/lib/python3/dist-packages/pydicom/data/test_files';
  const readSmall = createDicomReader({ engine: { ...engine, checkSize() {} }, loadCodec });
  const values = ({ film: { pixels, table } }) => pixels.map((word) => table[word]);
  let compared = 0;
  for (const name of readdirSync(samples, { recursive: true }).sort()) {
    const path = join(samples, String(name));
    const file = statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0);
    if (!isDicom(file)) continue;
    const read = await readSmall(file).catch((error) => {
      assert.equal(error.name, 'PleuraError', `${name}: ${error.stack}`);
      return null;
    });
    // JP2 boxes around a stream; R, G, B in JPEG without a marker; a data set that is not written as its syntax says, which dcmtk refuses.
    const lies = /SC_rgb_jpeg\.dcm$/.test(path);
    assert.ok(read || !(lies || /GDCMJ2K_TextGBR|lossy_gdcm/.test(path)), name);
    if (!read) continue;
    const [decoder, most] = lies ? [['gdcmconv', '--raw'], 257] : decoderOf(read.dicom.syntax);
    const difference = worst(values(read), values(await readSmall(convert(decoder, file))));
    assert.ok(difference <= most, `${name}: ${difference}`);
    compared++;
  }
  assert.ok(compared >= 60, `${compared} compared`);
});

test('only the first of several frames is used, and the record gives their number', async () => {
  const pixels = [0, 1, 2].map((i) => ramp(8).map((v) => (v + 60 * i) & 255));
  const tags = { '00280008': ['IS', '3'] };
  const file = dicomFile({
    width: WIDTH,
    height: HEIGHT,
    pixels: Uint8Array.from(pixels.flatMap((frame) => [...frame])),
    tags,
  });
  for (const coder of [
    ['dcmconv', '+te'],
    ['dcmcrle'],
    ['dcmcjpeg', '+e1'],
    ['dcmcjpeg', '+e1', '+ot'],
    ['dcmcjpeg', '+e1', '-ot'],
    ['dcmcjpeg', '+e1', '+fs', '1'],
    ['gdcmconv', '--j2k'],
  ]) {
    const given = [],
      many = convert(coder, file);
    const watched = { ...engine, decodeJpeg: (bytes) => (given.push(bytes.length), engine.decodeJpeg(bytes)) };
    const { film, dicom } = await createDicomReader({ engine: watched, loadCodec })(many);
    assert.deepEqual([dicom.frames, film.pixels], [3, pixels[0]], coder.join(' '));
    for (const size of given) assert.ok(size < many.length / 2, 'the other frames are not unpacked');
  }
});

test('grey stored as colour is accepted, colour is left to the gate', async () => {
  const { data: grey, width, height } = phantom();
  const { bits } = engine.diagnose(new Uint8Array(png({ width, height, depth: 8 }, (x, y) => [grey[y * width + x]])));
  const three = (channels, photometric, planar, pixel) => {
    const pixels = new Uint8Array(3 * grey.length);
    grey.forEach((v, i) =>
      pixel(v).forEach((sample, c) => {
        pixels[planar ? c * grey.length + i : 3 * i + c] = sample;
      }),
    );
    return dicomFile({
      width,
      height,
      pixels,
      tags: { '00280002': ['US', channels], '00280004': ['CS', photometric], '00280006': ['US', planar] },
    });
  };
  const palette = (curve) => ({
    '00280004': ['CS', 'PALETTE COLOR'],
    ...Object.fromEntries(
      [1, 2, 3].flatMap((c) => [
        [`0028110${c}`, ['US', [256, 0, 16]]],
        [`0028120${c}`, ['OW', Uint16Array.from({ length: 256 }, (_, v) => curve(v, c) * 257)]],
      ]),
    ),
  });
  const rgb = three(3, 'RGB', 0, (v) => [v, v, v]);
  const ybr = three(3, 'YBR_FULL', 0, (v) => [v, 128, 128]);
  const greys = [
    rgb,
    ybr,
    convert(['dcmcrle'], ybr),
    three(3, 'RGB', 1, (v) => [v, v, v]),
    convert(['dcmcrle'], rgb),
    convert(['dcmcjpeg', '+e1'], rgb),
    convert(['dcmcjpls'], rgb),
    convert(['gdcmconv', '--j2k'], rgb),
    dicomFile({ width, height, pixels: grey, tags: palette((v) => v) }),
  ];
  for (const [i, file] of greys.entries())
    assert.equal(engine.diagnose((await readDicom(file)).film).bits, bits, `file ${i}`);
  const red = three(3, 'RGB', 0, (v) => [255, v, v]);
  const colours = [
    red,
    convert(['dcmcjpeg', '+eb'], red),
    three(3, 'YBR_FULL', 1, (v) => [v, 128, 250]),
    dicomFile({ width, height, pixels: grey, tags: palette((v, c) => (c === 1 ? 255 : v)) }),
  ];
  for (const file of colours) assert.equal(engine.diagnose((await readDicom(file)).film).gate.reason, 'colour');
  const halved = three(3, 'YBR_FULL_422', 0, (v) => [v, 128, 128]);
  await assert.rejects(readDicom(convert(['dcmcrle'], halved)), {
    code: 'dicom-unsupported',
    message: /halved resolution/,
  });
});
