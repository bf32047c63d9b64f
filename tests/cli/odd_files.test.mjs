// odd_files.test.mjs - one film in the forms in which hospitals, cameras and archives really write it. Command and library
// give each the bits of the plain film, or say the same about it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { createEngine, createPool } from '../../src/node.mjs';
import { dicomFile, element } from '../dicom/file.mjs';
import { png } from '../image/png.mjs';
import { folder, lines, pleura } from './command.mjs';

const engine = await createEngine();
engine.phantom();
const { data: grey, width, height } = engine.film(640);
const plain = png({ width, height, depth: 8 }, (x, y) => [grey[y * width + x]]);
const dicom = (tags = {}, more = {}) => dicomFile({ width, height, pixels: grey, tags, ...more });
const NONE = new Uint8Array(0);

/** @param {number} bits @param {number} compression @param {Buffer} between  masks or palette @param {Buffer} pixels */
function bmp(bits, compression, between, pixels, rows = height) {
  const head = Buffer.alloc(54);
  head.write('BM');
  for (const [value, at] of [
    [54 + between.length + pixels.length, 2],
    [54 + between.length, 10],
    [40, 14],
    [width, 18],
    [1 + bits * 65536, 26],
    [compression, 30],
    [pixels.length, 34],
  ])
    head.writeUInt32LE(value, at);
  head.writeInt32LE(rows, 22);
  return Buffer.concat([head, between, pixels]);
}
const palette = Buffer.from(Array.from({ length: 256 }, (_, i) => [i, i, i, 0]).flat());
const masks = Buffer.from(Uint32Array.of(0xff000000, 0xff0000, 0xff00).buffer);
const words = Buffer.from(Uint32Array.from(grey, (v) => (v * 0x010101 * 256) >>> 0).buffer);

const jpeg = (...options) =>
  execFileSync('cjpeg', ['-quality', '95', ...options], {
    input: Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), grey]),
    maxBuffer: 1 << 24,
  });
const shared = (tag, tags) => ['SQ', [{ [tag]: ['SQ', [tags]] }]];
const window = { '00281050': ['DS', '128'], '00281051': ['DS', '256'] }; // alters nothing

/** By name: the bytes, and the code of the error; none: the answer is that of the plain film. */
const FILES = {
  'private-class.dcm': [dicom({ '00080016': ['UI', '1.3.12.2.1107.5.9.1'] })],
  'group-lengths.dcm': [dicom({ '00080000': ['UL', 200], '00280000': ['UL', 1], '7fe00000': ['UL', 9] })],
  'windows-with-spaces.dcm': [dicom({ '00281050': ['DS', ' 128.0 \\90 '], '00281051': ['DS', '256 \\ \\70 '] })],
  'window-with-commas.dcm': [dicom({ '00281050': ['DS', '128,5'], '00281051': ['DS', '256,0'] })],
  'no-pixels.dcm': [dicom({ '7fe00010': ['OB', NONE] }, { pixels: undefined, bits: 8 }), 'dicom-damaged'],
  'no-photometric.dcm': [dicom({ '00280004': null })],
  'no-bits-stored.dcm': [dicom({ '00280101': null, '00280102': null })],
  'no-representation.dcm': [dicom({ '00280103': null })],
  'no-samples.dcm': [dicom({ '00280002': null })],
  'no-modality.dcm': [dicom({ '00080060': null })],
  'no-extension': [dicom({}, { preamble: false })],
  'private-syntax.dcm': [dicom({}, { syntax: '1.2.840.113619.5.2' }), 'dicom-unsupported'],
  'enhanced.dcm': [dicom({ '00280008': ['IS', '1 '], 52009229: shared('00289132', window) })],
  'utf8-name.dcm': [dicom({ '00080005': ['CS', 'ISO_IR 192'], '00100010': ['PN', Buffer.from('Müller^Jürgen')] })],
  'empty-orientation.dcm': [dicom({ '00200020': ['CS', ''] })],
  'thorax.dcm': [dicom({ '00180015': ['CS', 'THORAX'] })],
  'scanned.dcm': [dicom({ '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.7'], '00080060': ['CS', 'OT'] })],
  'square-pixels.dcm': [dicom({ '00280034': ['IS', '1\\1 '] })],
  'two-frames.dcm': [dicom({ '00280008': ['IS', '2'] }, { pixels: new Uint8Array([...grey, ...grey.toReversed()]) })],
  'unknown-pixels.dcm': [dicom({ '7fe00010': element('7fe00010', 'UN', Buffer.from(grey)) })],
  'behind-the-pixels.dcm': [Buffer.concat([dicom(), element('fffcfffc', 'OB', Buffer.alloc(300))])],
  'also-tiff.dcm': [Buffer.concat([Buffer.from('II*\0'), dicom().subarray(4)])],
  'disc/IM000001': [dicom()],
  'top-down.bmp': [bmp(8, 0, palette, Buffer.from(grey), -height)],
  'masks.bmp': [bmp(32, 3, masks, words, -height)],
  'runs.bmp': [bmp(8, 1, palette, Buffer.from([0, 1])), 'image-unsupported'],
  'progressive-cut.jpg': [jpeg('-progressive').subarray(0, -2), 'image-damaged'],
  'arithmetic.jpg': [jpeg('-arithmetic'), 'image-unsupported'],
  'tiff.jpg': [Buffer.from('II*\0rest of a TIFF'), 'not-an-image'],
  'webp.jpg': [Buffer.from('RIFF\0\0\0\0WEBPVP8 '), 'not-an-image'],
  'heic.jpg': [Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), 'not-an-image'],
  'trailer.png': [Buffer.concat([plain, Buffer.from('a camera wrote this')])],
  'line\nbreak.png': [plain],
};

test('odd files of hospitals and cameras are the plain film, or say what they are, in command and library', async (t) => {
  const { bits, verdict } = engine.diagnose(new Uint8Array(plain));
  assert.notEqual(verdict, 'refused');
  for (const [name, [bytes]] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, 'odd', name)), { recursive: true });
    writeFileSync(join(folder, 'odd', name), bytes);
  }
  writeFileSync(join(folder, 'odd/disc/DICOMDIR'), dicom({ '00080016': ['UI', '1.2.840.10008.1.3.10'] }));
  symlinkSync('trailer.png', join(folder, 'odd/link.png'));
  symlinkSync('nowhere.png', join(folder, 'odd/dangling.png'));
  writeFileSync(
    join(folder, 'odd/mac.zip'),
    zipSync({ '__MACOSX/._a.png': NONE, 'a.png': plain, 'in.zip': zipSync({}) }),
  );
  writeFileSync(join(folder, 'odd/umlaut.zip'), zipSync({ xyz: NONE, 'u.png': plain }));
  const named = readFileSync(join(folder, 'odd/umlaut.zip'));
  for (let at = named.indexOf('u.png'); at >= 0; at = named.indexOf('u.png')) named[at] = 0xfc; // ü in Windows-1252
  writeFileSync(join(folder, 'odd/umlaut.zip'), named);
  const inArchives = { 'mac.zip/a.png': 'ok', 'mac.zip/in.zip': 'nested-archive', 'umlaut.zip/ⁿ.png': 'ok' };
  const expected = {
    ...Object.fromEntries(Object.entries(FILES).map(([name, [, code = 'ok']]) => [name, code])),
    'link.png': 'ok',
    'dangling.png': 'no-such-file',
    ...inArchives,
  };
  const records = lines(pleura(['odd']).stdout);
  const said = records.map((record) => [record.file.slice('odd/'.length), record.code ?? record.status]);
  assert.deepEqual(Object.fromEntries(said.sort()), Object.fromEntries(Object.entries(expected).sort()));
  for (const record of records) if (record.status === 'ok') assert.equal(record.bits, bits, record.file);

  const pool = await createPool({ threads: 1 });
  t.after(() => pool.close());
  for (const [name, [bytes, code]] of Object.entries(FILES)) {
    const answer = await pool.diagnose(new Uint8Array(bytes)).catch((error) => error);
    assert.deepEqual([answer.code, answer.bits], code ? [code, undefined] : [undefined, bits], name);
  }
});
