// How elements are written: value representations of every age, elements that break the rules as known writers do, and
// what surrounds the pixels. Each file must be read as its plain twin is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, deflateSync } from 'node:zlib';
import { codedBy } from '../support/dcmtk.mjs';
import { dataSet, dicomFile, element, encapsulated, item } from './file.mjs';
import { greys, readDicom, tagReason } from './reader.mjs';

const SIDE = 64,
  BIG = { big: true },
  IMPLICIT = { implicit: true };
const SYNTAX = {
  implicit: '1.2.840.10008.1.2',
  deflated: '1.2.840.10008.1.2.1.99',
  big: '1.2.840.10008.1.2.2',
  jpeg: '1.2.840.10008.1.2.4.70',
};
const pixels = Uint16Array.from({ length: SIDE * SIDE }, (_, i) => ((i % SIDE) * 60 + ((i * 7919) & 31)) & 4095);
const film = (tags = {}, more = {}) => dicomFile({ width: SIDE, height: SIDE, pixels, bits: 12, tags, ...more });
const bigFilm = (tags = {}) => film(tags, { encoding: BIG, syntax: SYNTAX.big });
const plain = await greys(film());

/** Each of the files shows the greys of the plain film. @param {Record<string, Buffer>} files */
async function samePixels(files) {
  for (const [name, file] of Object.entries(files)) assert.deepEqual(await greys(file), plain, name);
}

const OWNER = { '00090010': ['LO', 'TEST'] };
/** An element that starts like the header of another, so that a reader that takes its header for a short one is lost. */
const trap = (vr, encoding) => element('00091001', vr, Buffer.from('LO\x0e\0\0\0\0\0'), 8, encoding);
const LATERAL = { '00185101': ['CS', 'LL'] };
const PROJECTION = ['SQ', [{ '00080100': ['SH', '399067008'], '00080102': ['SH', 'SCT'], '00080104': ['LO', 'x'] }]];

test('every value representation is skipped by its own header, wherever it stands', async () => {
  for (const vr of ['OV', 'SV', 'UV', 'UC', 'UR', 'UT', 'OL', 'OD', 'OF', 'UN', 'ZZ']) {
    const inItem = { '00400275': ['SQ', [{ ...OWNER, '00091001': trap(vr) }]] };
    await samePixels({
      [vr]: film({ ...OWNER, '00091001': trap(vr) }),
      [`${vr} in an item`]: film(inItem),
      [`${vr} in big endian`]: bigFilm({ ...OWNER, '00091001': trap(vr, BIG) }),
      [`${vr} of 256 bytes`]: film({ ...OWNER, '00091001': element('00091001', vr, Buffer.alloc(256, 1)) }),
    });
    assert.equal(await tagReason(film({ ...OWNER, '00091001': trap(vr), ...LATERAL })), 'tag-view', vr);
  }
});

test('headers that break the rules are read the way that makes the file fit together', async () => {
  const value = Buffer.from('ABCDEF');
  const short = (vr) =>
    Buffer.concat([dataSet({ '00091001': ['LO', ''] }).subarray(0, 4), Buffer.from(vr), Buffer.from([6, 0]), value]);
  const reserved = element('00091001', 'OB', value);
  reserved.writeUInt16LE(0x2020, 6);
  await samePixels({
    'no representation, short': film({ ...OWNER, '00091001': short('??') }),
    'no representation, implicit': film({ ...OWNER, '00091001': element('00091001', 'LO', value, 6, IMPLICIT) }),
    'a short header for a long one': film({ ...OWNER, '00091001': short('UN') }),
    'reserved bytes in use': film({ ...OWNER, '00091001': reserved }),
  });
});

const NESTED = Buffer.concat([
  item(dataSet({ '00080100': ['SH', 'ABCD'] }, IMPLICIT)),
  Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]),
]);

test('UN holds implicit little endian, whatever the file, and is read where its tag is known', async () => {
  const endless = (encoding) => element('00091020', 'UN', NESTED, 0xffffffff, encoding);
  await samePixels({
    'undefined length': film({ ...OWNER, '00091020': endless() }),
    'undefined length in big endian': bigFilm({ ...OWNER, '00091020': endless(BIG) }),
    numbers: film({ '00280101': element('00280101', 'UN', Buffer.from([12, 0])) }),
    'numbers in big endian': bigFilm({ '00280101': element('00280101', 'UN', Buffer.from([12, 0]), 2, BIG) }),
  });
  const view = Buffer.concat([item(dataSet(PROJECTION[1][0], IMPLICIT))]);
  const explicit = item(dataSet(PROJECTION[1][0]));
  assert.equal(await tagReason(film({ '00540220': element('00540220', 'UN', view) })), 'tag-view');
  assert.equal(await tagReason(film({ '00540220': element('00540220', 'UN', explicit) })), 'tag-view');
  assert.equal(await tagReason(bigFilm({ '00540220': element('00540220', 'UN', view, view.length, BIG) })), 'tag-view');
  assert.equal(await tagReason(film({ '00185101': element('00185101', 'UN', Buffer.from('LL')) })), 'tag-view');
});

test('sequences and items of undefined length are read at any depth, and in an encoding of their own', async () => {
  const end = (tag) => Buffer.concat([item(Buffer.alloc(0)).fill(0, 4)].map((one) => (one.writeUInt16LE(tag, 2), one)));
  const open = item(Buffer.alloc(0)).fill(255, 4);
  const deep = (depth, inner) => {
    let content = inner;
    for (let i = 0; i < depth; i++)
      content = element('00540220', 'SQ', Buffer.concat([open, content, end(0xe00d), end(0xe0dd)]), 0xffffffff);
    return content;
  };
  const codes = dataSet(PROJECTION[1][0]);
  assert.equal(await tagReason(film({ '00540220': deep(1, codes) })), 'tag-view');
  await samePixels({ 'forty levels': film({ '00540220': deep(40, codes) }) });
  const implicit = element('00540220', 'SQ', item(dataSet(PROJECTION[1][0], IMPLICIT)));
  assert.equal(await tagReason(film({ '00540220': implicit })), 'tag-view', 'an implicit item in an explicit file');
  const text = element('00091001', 'OB', Buffer.concat([Buffer.from('no items'), end(0xe0dd)]), 0xffffffff);
  await samePixels({ 'a value up to a delimiter': film({ ...OWNER, '00091001': text }) });
});

test('a sequence whose length is wrong has the length of its items', async () => {
  const views = dataSet({ '00540220': PROJECTION });
  for (const wrong of [-8, -2, 2, 8, 100]) {
    const sequence = Buffer.from(views);
    sequence.writeUInt32LE(sequence.readUInt32LE(8) + wrong, 8);
    const file = film({ '00540220': sequence });
    await samePixels({ [wrong]: file });
    assert.equal(await tagReason(file), 'tag-view', String(wrong));
  }
});

test('a number in another representation of integers, and a number of samples that contradicts the colours, are read', async () => {
  await samePixels({
    'a long integer': film({ '00280010': ['UL', SIDE] }),
    'a text': film({ '00280010': ['IS', String(SIDE)] }),
    'RGB of one sample': film({ '00280004': ['CS', 'RGB'] }),
  });
  const rgb = Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, i) => i);
  const samples = (photometric) =>
    readDicom(
      film({ '00280002': ['US', 3], '00280004': photometric && ['CS', photometric] }, { pixels: rgb, bits: 8 }),
    );
  for (const photometric of ['RGB', 'MONOCHROME2', null])
    assert.deepEqual([...(await samples(photometric)).film.pixels], [...rgb], photometric ?? 'none');
  await assert.rejects(readDicom(film({ '00280002': ['US', 4] })), { code: 'dicom-unsupported', message: /4 samples/ });
});

test('meta information in implicit, and data sets that are not written as their syntax says, are read', async () => {
  const body = film().subarray(film().indexOf(Buffer.from([8, 0, 0x16, 0])));
  const head = (syntax) => film({}, { syntax }).subarray(0, film({}, { syntax }).length - body.length);
  const packed = (pack, tail = Buffer.alloc(0)) => Buffer.concat([head(SYNTAX.deflated), pack(body), tail]);
  await samePixels({
    'implicit meta and data': film({}, { metaEncoding: IMPLICIT, encoding: IMPLICIT, syntax: SYNTAX.implicit }),
    'implicit meta alone': film({}, { metaEncoding: IMPLICIT }),
    'big-endian meta alone': film({}, { metaEncoding: BIG }),
    'explicit though implicit is named': film({}, { syntax: SYNTAX.implicit }),
    'implicit though explicit is named': film({}, { encoding: IMPLICIT }),
    'big endian though little is named': film({}, { encoding: BIG }),
    'plain though deflated is named': film({}, { syntax: SYNTAX.deflated }),
    deflated: packed(deflateRawSync),
    'deflated with a zlib header': packed(deflateSync),
    'bytes behind a deflated data set': packed(deflateRawSync, Buffer.alloc(3)),
    'bytes behind the pixels': Buffer.concat([film(), Buffer.alloc(1000, 7)]),
  });
});

test('tens of megabytes before the pixels are skipped, also in a small deflated file', async () => {
  const block = element('00291010', 'OB', Buffer.alloc(20 << 20, 1));
  const overlay = element('60003000', 'OW', Buffer.alloc(20 << 20));
  const file = film({ '00290010': ['LO', 'TEST'], '00291010': block, 60003000: overlay }, { syntax: SYNTAX.deflated });
  const at = file.indexOf(Buffer.from([8, 0, 0x16, 0]));
  await samePixels({
    whole: film({ 60003000: overlay }),
    deflated: Buffer.concat([file.subarray(0, at), deflateRawSync(file.subarray(at), { level: 1 })]),
  });
  const bomb = deflateRawSync(Buffer.concat([file.subarray(at), Buffer.alloc(230 << 20)]), { level: 1 });
  await assert.rejects(readDicom(Buffer.concat([file.subarray(0, at), bomb])), {
    code: 'dicom-unsupported',
    message: /more than 256 MB of deflated data/,
  });
});

test('Bits Stored and High Bit that cannot be are left out', async () => {
  await samePixels({
    'High Bit 0': film({ '00280102': ['US', 0] }),
    'High Bit 99': film({ '00280102': ['US', 99] }),
    'no High Bit': film({ '00280102': null }),
  });
  const wide = await readDicom(film({ '00280101': ['US', 17], '00280102': ['US', 16] }));
  assert.deepEqual(wide.film.pixels, pixels);
});

test('an overlay in unused bits of the pixels is not shown, also where they are compressed', async () => {
  const marked = pixels.map((word, i) => word | (i % 3 === 0 ? 0x8000 : 0));
  const overlay = { 60000010: ['US', SIDE], 60000011: ['US', SIDE], 60000100: ['US', 16], 60000102: ['US', 15] };
  const native = film(overlay, { pixels: marked });
  await samePixels({ native });
  // dcmtk moves the overlay out of the pixels, so the stream is that of a film without one.
  const lossless = codedBy(['dcmcjpeg', '+e1'], film({}, { pixels: marked, bits: 16 }));
  const stream = lossless.subarray(lossless.lastIndexOf(Buffer.from([0xe0, 0x7f, 0x10, 0])));
  await samePixels({ compressed: film(overlay, { pixels: undefined, pixelElement: stream, syntax: SYNTAX.jpeg }) });
});

/** The stream of the film, losslessly compressed. @param {string[]} coder */
function streamOf(coder) {
  const file = codedBy(coder, film());
  const at = file.lastIndexOf(Buffer.from([0xe0, 0x7f, 0x10, 0])) + 12;
  const first = at + 8 + file.readUInt32LE(at + 4);
  return file.subarray(first + 8, first + 8 + file.readUInt32LE(first + 4));
}
const coded = (pixelElement, tags = {}, syntax = SYNTAX.jpeg) =>
  film(tags, { pixels: undefined, pixelElement, syntax });

test('fragments are put together with and without tables of offsets, and around small mistakes', async () => {
  const stream = streamOf(['dcmcjpeg', '+e1']);
  const half = (stream.length >> 2) * 2;
  const parts = [stream.subarray(0, half), stream.subarray(half)];
  const other = Buffer.alloc(100, 0x55);
  const second = 16 + stream.length + (stream.length & 1);
  const offset = (...numbers) =>
    Buffer.concat(
      numbers.map(
        (n) => (Buffer.alloc(8).writeBigUInt64LE(BigInt(n)), Buffer.from(BigUint64Array.of(BigInt(n)).buffer)),
      ),
    );
  const two = { '00280008': ['IS', '2'] };
  const whole = encapsulated([stream]);
  const defined = Buffer.concat([whole.subarray(0, 8), Buffer.alloc(4), whole.subarray(12)]);
  defined.writeUInt32LE(whole.length - 12, 8);
  await samePixels({
    'two fragments': coded(encapsulated(parts)),
    'a basic offset table': coded(encapsulated([...parts, other], [0, second]), two),
    'an extended offset table': coded(encapsulated([...parts, other]), {
      ...two,
      '7fe00001': element('7fe00001', 'OV', offset(0, second)),
    }),
    'one fragment per frame': coded(encapsulated([stream, other]), two),
    'no offset table': coded(Buffer.concat([whole.subarray(0, 12), whole.subarray(20)])),
    'no delimiter': coded(whole.subarray(0, whole.length - 8)),
    'a length for what is in fragments': coded(defined),
  });
});

test('a byte of padding that a fragment does not count is passed over', async () => {
  const packed = streamOf(['dcmcrle']);
  const odd = encapsulated([Buffer.concat([packed, Buffer.alloc(1)])]);
  odd.writeUInt32LE(packed.length + 1, 12 + 8 + 4);
  await samePixels({ odd: coded(odd, {}, '1.2.840.10008.1.2.5') });
});

test('the stream decides its coding, whatever the syntax says', async () => {
  const streams = [['dcmcjpeg', '+e1'], ['dcmcjpls'], ['gdcmconv', '--j2k']].map(streamOf);
  for (const stream of streams)
    for (const syntax of [
      '1.2.840.10008.1.2.4.70',
      '1.2.840.10008.1.2.4.80',
      '1.2.840.10008.1.2.4.90',
      '1.2.840.10008.1.2.1',
    ])
      await samePixels({ [syntax]: coded(encapsulated([stream]), {}, syntax) });
  await samePixels({ 'native pixels in a compressed syntax': film({}, { syntax: SYNTAX.jpeg }) });
});
