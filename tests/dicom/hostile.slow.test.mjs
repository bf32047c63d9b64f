// Broken and hostile DICOM files: a sentence or a result, never a crash, a hang or a bomb.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { createDicomReader, listTags } from '../../src/dicom/reader.mjs';
import { folder } from '../cli/command.mjs';
import { dataSet, dicomFile, encapsulated } from './file.mjs';
import { engine, readDicom } from './reader.mjs';

const SIDE = 64;
const pixels = Uint16Array.from({ length: SIDE * SIDE }, (_, i) => ((i % SIDE) * 60 + ((i * 7919) & 31)) & 4095);
const TAGS = {
  '00281050': ['DS', '1800\\900'],
  '00281051': ['DS', '1500\\70'],
  '00185101': ['CS', 'PA'],
  '00100010': ['PN', 'Doe^Jane'],
  '00283010': [
    'SQ',
    [{ '00283002': ['US', [16, 0, 12]], '00283006': ['US', Uint16Array.from({ length: 16 }, (_, i) => i * 200)] }],
  ],
};
const film = (tags = {}, more = {}) =>
  dicomFile({ width: SIDE, height: SIDE, pixels, bits: 12, tags: { ...TAGS, ...tags }, ...more });
const eight = () => film({}, { pixels: Uint8Array.from(pixels, (v) => v >> 4), bits: 8 });

const CODERS = [
  ['dcmconv', '+te'],
  ['dcmconv', '+te', '-e'],
  ['dcmconv', '+ti'],
  ['dcmconv', '+tb'],
  ['dcmconv', '+td'],
  ['dcmcrle'],
  ['dcmcjpeg', '+eb'],
  ['dcmcjpeg', '+ee'],
  ['dcmcjpeg', '+e1'],
  ['dcmcjpeg', '+el', '+sv', '7'],
  ['dcmcjpls'],
  ['gdcmconv', '--j2k'],
];

/** @param {string[]} coder @returns {Uint8Array} */
function coded([tool, ...options]) {
  const from = join(folder, 'from'),
    to = join(folder, 'to');
  writeFileSync(from, options[0] === '+eb' ? eight() : film());
  execFileSync(tool, [...options, from, to], { stdio: 'pipe' });
  return new Uint8Array(readFileSync(to));
}

/** What becomes of a file: its samples, or a PleuraError with a sentence; any other error fails the test. */
async function outcome(bytes) {
  const own = bytes.slice();
  try {
    listTags(own);
    return { ...(await readDicom(own)), code: 'ok' };
  } catch (error) {
    assert.equal(error.name, 'PleuraError', error?.stack ?? error);
    assert.match(error.message, /^[A-Z].*\.$/);
    assert.doesNotMatch(error.message, /Doe/);
    return error;
  }
}

for (const coder of CODERS) {
  test(`${coder.join(' ')}: every prefix is refused, and no changed byte does harm`, async () => {
    const file = coded(coder);
    const whole = await outcome(file);
    assert.equal(whole.code, 'ok');
    for (let size = 0; size < file.length; size += size < 1500 ? 3 : 61) {
      const { code, film: part } = await outcome(file.subarray(0, size));
      // Only the delimiter behind the last fragment may be missing.
      if (code === 'ok' && size >= file.length - 8) assert.deepEqual(part, whole.film);
      else assert.ok(code === 'dicom-damaged' || code === 'dicom-not-a-film', `${size} bytes: ${code}`);
    }
    let seed = 1;
    const random = (below) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let round = 0; round < 250; round++) {
      const changed = file.slice();
      for (let n = random(4); n >= 0; n--)
        changed[random(2) ? random(file.length) : random(1500)] = [0, 255, 127, 128, random(256)][random(5)];
      const first = await outcome(changed),
        second = await outcome(changed);
      assert.equal(first.code, second.code);
      assert.deepEqual(first.film, second.film);
    }
  });
}

test('an image that would unpack to more than a film is refused before it is unpacked', async () => {
  const huge = { '00280010': ['US', 65535], '00280011': ['US', 65535] };
  assert.equal((await outcome(film(huge))).code, 'image-too-large');
  assert.equal((await outcome(film({ '00280010': ['US', 9000], '00280011': ['US', 9000] }))).code, 'image-too-large');
  assert.equal((await outcome(film({ '00280010': ['US', 9], '00280011': ['US', 9] }))).code, 'image-too-small');
  // The file says 64 x 64, the stream in it 65535 x 65535: no codec is even asked for.
  const careful = createDicomReader({ engine, loadCodec: () => assert.fail('a codec was loaded') });
  for (const [coder, marker, offset] of [
    [['dcmcjpeg', '+e1'], [0xff, 0xc3], 5],
    [['dcmcjpeg', '+ee'], [0xff, 0xc1], 5],
    [['dcmcjpls'], [0xff, 0xf7], 5],
    [['gdcmconv', '--j2k'], [0xff, 0x51], 8],
  ]) {
    const file = Buffer.from(coded(coder)),
      at = file.indexOf(Buffer.from(marker)) + offset;
    file.fill(255, at, at + 4);
    await assert.rejects(careful(file), { name: 'PleuraError' }, coder.join(' '));
  }
});

test('a stream that contradicts the header’s size or is cut within its fragment is damaged', async () => {
  for (const coder of [
    ['dcmcrle'],
    ['dcmcjpeg', '+eb'],
    ['dcmcjpeg', '+ee'],
    ['dcmcjpeg', '+e1'],
    ['dcmcjpls'],
    ['gdcmconv', '--j2k'],
  ]) {
    const taller = Buffer.from(coded(coder)),
      rows = taller.indexOf(Buffer.from([0x28, 0, 0x10, 0, 0x55, 0x53, 2, 0]));
    taller.writeUInt16LE(SIDE + 1, rows + 8);
    assert.equal((await outcome(taller)).code, 'dicom-damaged', coder.join(' '));
    const whole = Buffer.from(coded(coder)),
      tag = whole.lastIndexOf(Buffer.from([0xe0, 0x7f, 0x10, 0])),
      first = tag + 12 + 8 + whole.readUInt32LE(tag + 16);
    const length = whole.readUInt32LE(first + 4);
    for (const left of [length >> 2, length >> 1, length - 60, length - 8]) {
      const cut = Buffer.concat([whole.subarray(0, first + 8 + (left & ~1)), whole.subarray(first + 8 + length)]);
      cut.writeUInt32LE(left & ~1, first + 4);
      assert.equal((await outcome(cut)).code, 'dicom-damaged', `${coder.join(' ')}: ${left} of ${length}`);
    }
  }
});

/** The pixel stream of a film: its syntax, and the bytes of its only fragment. @param {Uint8Array} file */
function streamOf(file) {
  const bytes = Buffer.from(file),
    tag = bytes.lastIndexOf(Buffer.from([0xe0, 0x7f, 0x10, 0])),
    first = tag + 20 + bytes.readUInt32LE(tag + 16);
  const { syntax } = /(?<syntax>1\.2\.840\.10008\.1\.2[.\d]*)/.exec(bytes.subarray(132, 400).toString('latin1')).groups;
  return { syntax, stream: bytes.subarray(first + 8, first + 8 + bytes.readUInt32LE(first + 4)) };
}

/** Milliseconds: the least of as many runs as fill 50, since other programs only add. @param {() => Promise<any>} work */
async function leastTime(work) {
  const times = [];
  for (const end = performance.now() + 50; performance.now() < end;) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}

/** By coder: where the stream holds its height and width (0: it does not), in two or four bytes. */
const SIZES = [
  [['dcmcrle'], null],
  [['dcmcjpeg', '+eb'], { marker: [0xff, 0xc0], offset: 5, bytes: 2 }],
  [['dcmcjpeg', '+ee'], { marker: [0xff, 0xc1], offset: 5, bytes: 2 }],
  [['dcmcjpeg', '+e1'], { marker: [0xff, 0xc3], offset: 5, bytes: 2 }],
  [['dcmcjpls'], { marker: [0xff, 0xf7], offset: 5, bytes: 2 }],
  [['gdcmconv', '--j2k'], { marker: [0xff, 0x51], offset: 6, bytes: 4 }],
];
const HUGE = 8000;

test('a stream that ends early, or claims 64 megapixels in a few hundred bytes, takes no longer than a whole one', async () => {
  const huge = dicomFile({ width: HUGE, height: HUGE, pixels: new Uint8Array(HUGE * HUGE) });
  const longest = await leastTime(() => outcome(huge));
  for (const [coder, size] of SIZES) {
    const { syntax, stream } = streamOf(coded(coder)),
      bits = coder[1] === '+eb' ? 8 : 12,
      holding = (side, bytes) =>
        dicomFile({ width: side, height: side, bits, syntax, pixelElement: encapsulated([bytes]) });
    const whole = await leastTime(async () => {
      for (let i = 0; i < 20; i++) assert.equal((await outcome(holding(SIDE, stream))).code, 'ok');
    });
    const cut = await leastTime(async () => {
      for (let i = 0; i < 20; i++) {
        const part = stream.subarray(0, Math.floor((stream.length * (i + 2)) / 24));
        assert.equal((await outcome(holding(SIDE, part))).code, 'dicom-damaged', `${coder.join(' ')}: ${i}`);
      }
    });
    assert.ok(cut < 10 * whole, `${coder.join(' ')}: ${cut} and ${whole} ms`);
    const large = Buffer.from(stream);
    if (size) {
      const at = large.indexOf(Buffer.from(size.marker)) + size.offset;
      for (const place of [at, at + size.bytes]) large.writeUIntBE(HUGE, place, size.bytes);
    }
    const time = await leastTime(async () =>
      assert.equal((await outcome(holding(HUGE, large))).code, 'dicom-damaged', coder.join(' ')),
    );
    assert.ok(time < 10 * longest, `${coder.join(' ')}: ${time} and ${longest} ms`);
  }
});

test('a deflated bomb is refused', async () => {
  const whole = film({}, { syntax: '1.2.840.10008.1.2.1.99' });
  const start = whole.indexOf(Buffer.from([8, 0, 0x16, 0]));
  const deflated = (bytes) => Buffer.concat([whole.subarray(0, start), deflateRawSync(bytes)]);
  assert.equal((await outcome(deflated(whole.subarray(start)))).code, 'ok');
  assert.equal(
    (await outcome(deflated(Buffer.concat([whole.subarray(start), Buffer.alloc(300 << 20)])))).code,
    'dicom-unsupported',
  );
  assert.equal(
    (await outcome(Buffer.concat([whole.subarray(0, start), Buffer.alloc(5000, 0xa5)]))).code,
    'dicom-damaged',
  );
});

const undefinedLength = Buffer.from([255, 255, 255, 255]);
const sequence = Buffer.concat([Buffer.from([0x08, 0, 0x40, 0x11]), Buffer.from('SQ\0\0'), undefinedLength]);
const item = Buffer.concat([Buffer.from([0xfe, 0xff, 0, 0xe0]), undefinedLength]);

test('endless nesting is damage, millions of elements are skipped, and lengths beyond the file cost nothing', async () => {
  const head = film({ '7fe00010': null }, { pixels: undefined, bits: 12 });
  const tail = film().subarray(film().lastIndexOf(Buffer.from([0xe0, 0x7f, 0x10, 0])));
  assert.equal((await outcome(Buffer.concat([head, tail]))).code, 'ok');
  const nested = Buffer.concat(Array.from({ length: 200_000 }, () => [sequence, item]).flat());
  const many = Buffer.alloc(40 << 20);
  for (let i = 0; i < many.length; i += 8)
    many.write(`\x29\x00${String.fromCharCode((i >> 3) & 255, (i >> 11) & 255)}LO\0\0`, i, 'latin1');
  assert.equal((await outcome(Buffer.concat([head, nested, tail]))).code, 'dicom-damaged');
  assert.deepEqual((await outcome(Buffer.concat([head, many, tail]))).film.pixels, pixels);
  const long = film();
  long.writeUInt32LE(0xfffffff0, long.length - 2 * pixels.length - 4);
  assert.equal((await outcome(long)).code, 'ok', 'the frame is there, whatever the length says');
  assert.equal((await outcome(long.subarray(0, long.length - 1))).code, 'dicom-damaged');
});

test('missing, endless and overlong fragments are damage', async () => {
  const lossless = (pixelElement) =>
    dicomFile({ width: SIDE, height: SIDE, bits: 12, syntax: '1.2.840.10008.1.2.4.70', pixelElement });
  const none = encapsulated([]),
    one = encapsulated([Buffer.alloc(100, 255)]);
  for (const pixelElement of [
    none,
    one,
    one.subarray(0, one.length - 9),
    none.subarray(0, 12),
    Buffer.concat([none.subarray(0, 12), Buffer.alloc(400_000, Buffer.from([0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0]))]),
  ]) {
    assert.equal((await outcome(lossless(pixelElement))).code, 'dicom-damaged');
  }
  const beyond = Buffer.from(one);
  beyond.writeUInt32LE(0x7fffffff, 12 + 8 + 4);
  assert.equal((await outcome(lossless(beyond))).code, 'dicom-damaged');
});

test('nonsense in grayscale tags is ignored, and in the layout of the pixels refused', async () => {
  const codeOf = async (tags) => (await outcome(film(tags))).code;
  const lut = (descriptor, length) => [
    'SQ',
    [{ '00283002': ['US', descriptor], '00283006': ['US', new Uint16Array(length)] }],
  ];
  for (const tags of [{ '00280002': ['US', 3] }, { '00280010': null }])
    assert.equal(await codeOf(tags), 'dicom-damaged', JSON.stringify(tags));
  for (const tags of [
    { '00283010': lut([0, 0, 16], 9) },
    { '00283010': lut([9, 0, 0], 9) },
    { '00283000': lut([9, 0, 99], 9) },
    { '00280101': ['US', 17] },
    { '00280102': ['US', 3] },
    { '00280102': ['US', 99] },
    { '00283010': ['SQ', []] },
    { '00280008': ['IS', '-7'] },
    { '00280008': ['IS', '99999999999'] },
    { '00281053': ['DS', '1e999'] },
    { '00281053': ['DS', '0'] },
    { '00281052': ['DS', '-1e308'], '00281053': ['DS', '1e308'] },
    { '00283010': null, '00281051': ['DS', '1e-300'], '00281056': ['CS', 'SIGMOID'] },
  ])
    assert.equal(await codeOf(tags), 'ok', JSON.stringify(tags));
});

test('a codec decodes the next film after a damaged one', async () => {
  for (const coder of [['dcmcjpls'], ['gdcmconv', '--j2k']]) {
    const file = coded(coder),
      broken = file.slice();
    broken.fill(0x5a, file.length - 900, file.length - 20);
    for (let n = 0; n < 400; n++) await outcome(broken); // what each leaves in a codec's memory fills it after some 250
    const { film: again } = await outcome(file);
    assert.deepEqual(again.pixels, pixels, coder.join(' '));
  }
});

test('a data set without a film is refused', async () => {
  const { code } = await outcome(Buffer.concat([dataSet({ '00080005': ['CS', 'ISO_IR 100'] })]));
  assert.equal(code, 'dicom-not-a-film');
});
