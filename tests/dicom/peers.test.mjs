// DICOM files of every kind beside pydicom and dcmtk, pixel for pixel.
//
// pydicom gives the stored values, and the greys by its own modality and VOI functions; dcmtk the picture that it shows.
// The files are made here and are nobody's film.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folder } from '../cli/command.mjs';
import { codedBy } from '../support/dcmtk.mjs';
import { dicomFile, element, item, dataSet } from './file.mjs';
import { greys, readDicom } from './reader.mjs';

const SIDE = 64,
  COUNT = SIDE * SIDE;
const noise = (bits) => Uint16Array.from({ length: COUNT }, (_, i) => (i * 40503 + ((i * 7919) >> 3)) % 2 ** bits);
const BIG = { encoding: { big: true }, syntax: '1.2.840.10008.1.2.2' };
const IMPLICIT = { encoding: { implicit: true }, syntax: '1.2.840.10008.1.2' };

/** A film of some bits. @param {number} bits @param {object} [tags] @param {object} [more] */
const film = (bits, tags = {}, more = {}) => {
  const signed = tags['00280103']?.[1] === 1;
  const stored = noise(bits).map((v) => (signed ? (v - 2 ** (bits - 1)) & 65535 : v));
  const pixels = bits > 8 ? stored : Uint8Array.from(stored);
  return dicomFile({ width: SIDE, height: SIDE, bits, pixels, tags, ...more });
};
const SIGNED = { '00280103': ['US', 1] };
const curve = (count, bits) =>
  Uint16Array.from({ length: count }, (_, i) => Math.floor((i / (count - 1)) ** 2 * (2 ** bits - 1)));
const table = (tag, count, first, bits) => ({
  [tag]: [
    'SQ',
    [{ '00283002': [first < 0 ? 'SS' : 'US', [count, first, bits]], '00283006': ['OW', curve(count, bits)] }],
  ],
});
const window = (centre, width, code) => ({
  '00281050': ['DS', String(centre)],
  '00281051': ['DS', String(width)],
  ...(code && { '00281056': ['CS', code] }),
});
const rescale = (slope, intercept) => ({ '00281052': ['DS', String(intercept)], '00281053': ['DS', String(slope)] });
const UNKNOWN = {
  '00283010': element(
    '00283010',
    'UN',
    item(dataSet(table('00283010', 4096, 0, 12)['00283010'][1][0], { implicit: true })),
  ),
};

/** A film of three samples per pixel, or of two where the chroma is halved. @param {string} model @param {object} [tags] */
const colour = (model, tags = {}, bits = 8, samples = 3) => {
  const values = Uint16Array.from({ length: samples * COUNT }, (_, i) => (i * 40503 + ((i * 7919) >> 3)) % 2 ** bits);
  return dicomFile({
    width: SIDE,
    height: SIDE,
    bits,
    pixels: bits > 8 ? values : Uint8Array.from(values),
    tags: { '00280002': ['US', 3], '00280004': ['CS', model], '00280006': ['US', 0], ...tags },
  });
};
const BY_PLANE = { '00280006': ['US', 1] };

/** By name: the file; and whether dcmtk shows it too, and by which option. @type {Record<string, [Buffer, string[]?]>} */
const FILES = {
  ...Object.fromEntries([8, 9, 10, 11, 12, 13, 14, 15, 16].map((bits) => [`${bits} bits`, [film(bits)]])),
  ...Object.fromEntries([8, 10, 12, 15, 16].map((bits) => [`${bits} bits signed`, [film(bits, SIGNED)]])),
  'big endian, 16 bits': [film(16, {}, BIG)],
  'big endian, 8 bits': [film(8, {}, BIG)],
  implicit: [film(12, {}, IMPLICIT)],
  deflated: [codedBy(['dcmconv', '+td'], film(12))],
  rle: [codedBy(['dcmcrle'], film(12))],
  'rle, signed': [codedBy(['dcmcrle'], film(16, SIGNED))],
  'three frames': [
    film(8, { '00280008': ['IS', '3'] }, { pixels: Uint8Array.from({ length: 3 * COUNT }, (_, i) => (i * 7) & 255) }),
  ],
  'an implicit VOI LUT in UN': [film(12, UNKNOWN)],
  'a linear window': [film(12, window(2000, 1500)), ['+Wi', '1']],
  'a linear window, signed': [film(12, { ...SIGNED, ...window(-100, 2500) }), ['+Wi', '1']],
  'a window of width 1': [film(12, window(2000, 1)), ['+Wi', '1']],
  'an exact window': [film(12, window(2000, 1500, 'LINEAR_EXACT'))],
  'an exact window, signed and rescaled': [
    film(12, { ...SIGNED, ...rescale(2, -10), ...window(40, 1.5e3, 'LINEAR_EXACT') }),
  ],
  'a sigmoid': [film(12, window(2000, 900, 'SIGMOID')), ['+Wi', '1', '--sigmoid-function']],
  'a sigmoid, signed': [film(12, { ...SIGNED, ...window(0, 900, 'SIGMOID') }), ['+Wi', '1', '--sigmoid-function']],
  'the first of several windows': [
    film(12, { '00281050': ['DS', '2000\\100'], '00281051': ['DS', '1500\\20'] }),
    ['+Wi', '1'],
  ],
  rescaled: [film(12, { ...rescale(1.5, -1024), ...window(1000, 4000) }), ['+Wi', '1']],
  'rescaled, falling': [film(12, { ...rescale(-1, 4095), ...window(2000, 3000) }), ['+Wi', '1']],
  'a VOI LUT': [film(12, table('00283010', 4096, 0, 12)), ['+Wl', '1']],
  'a VOI LUT of 16 bits': [film(12, table('00283010', 4096, 0, 16)), ['+Wl', '1']],
  'a VOI LUT of 10 bits': [film(12, table('00283010', 4096, 0, 10))],
  'a VOI LUT beside a window': [film(12, { ...window(100, 50), ...table('00283010', 3000, 500, 12) }), ['+Wl', '1']],
  'a VOI LUT in big endian': [film(12, table('00283010', 4096, 0, 12), BIG), ['+Wl', '1']],
  'a VOI LUT for signed pixels': [film(12, { ...SIGNED, ...table('00283010', 4096, -2048, 12) }), ['+Wl', '1']],
  'a modality LUT and a window': [
    film(12, { ...table('00283000', 4096, 0, 16), ...window(20000, 30000) }),
    ['+Wi', '1'],
  ],
  'a modality LUT for signed pixels': [
    film(12, { ...SIGNED, ...table('00283000', 4096, -2048, 16), ...window(20000, 30000) }),
    ['+Wi', '1'],
  ],
  'modality and VOI LUT': [
    film(12, { ...table('00283000', 4096, 0, 12), ...table('00283010', 4096, 0, 12) }),
    ['+Wl', '1'],
  ],
  MONOCHROME1: [film(12, { '00280004': ['CS', 'MONOCHROME1'], ...window(2000, 1500) }), ['+Wi', '1']],
  'MONOCHROME1, INVERSE': [
    film(12, { '00280004': ['CS', 'MONOCHROME1'], 20500020: ['CS', 'INVERSE'], ...window(2000, 1500) }),
    ['+Wi', '1'],
  ],
  'an overlay': [
    film(12, {
      ...window(2000, 1500),
      60000010: ['US', SIDE],
      60000011: ['US', SIDE],
      60000040: ['CS', 'G'],
      60000050: ['SS', [1, 1]],
      60000100: ['US', 1],
      60000102: ['US', 0],
      60003000: ['OW', new Uint16Array(COUNT / 16).fill(0xf0f0)],
    }),
    ['+Wi', '1', '-O'],
  ],
  RGB: [colour('RGB')],
  'RGB by plane': [colour('RGB', BY_PLANE)],
  'RGB of 16 bits': [colour('RGB', {}, 16)],
  'RGB of 16 bits by plane': [colour('RGB', BY_PLANE, 16)],
  'RGB in RLE': [codedBy(['dcmcrle'], colour('RGB'))],
  YBR_FULL: [colour('YBR_FULL')],
  'YBR_FULL by plane': [colour('YBR_FULL', BY_PLANE)],
  YBR_FULL_422: [colour('YBR_FULL_422', {}, 8, 2)],
  'a palette of words': [
    palette(
      16,
      Uint16Array.from({ length: 256 }, (_, i) => (255 - i) * 257),
    ),
  ],
  'a palette of words in big endian': [
    palette(
      16,
      Uint16Array.from({ length: 256 }, (_, i) => (255 - i) * 257),
      BIG,
    ),
  ],
  'a palette in segments': [
    palette(16, Uint16Array.of(0, 3, 0, 700, 900, 1, 100, 30000, 1, 153, 65535), {}, [
      '00281221',
      '00281222',
      '00281223',
    ]),
  ],
};

/** @param {number} bits @param {Uint16Array} data @param {object} [more] @param {string[]} [names] */
function palette(bits, data, more = {}, names = ['00281201', '00281202', '00281203']) {
  const descriptors = ['00281101', '00281102', '00281103'].map((tag) => [tag, ['US', [256, 0, bits]]]);
  const tags = Object.fromEntries([...descriptors, ...names.map((tag) => [tag, ['OW', data]])]);
  return film(8, { '00280004': ['CS', 'PALETTE COLOR'], ...tags }, more);
}

/** Stored values and greys (0 to 65535, a byte for each colour of a palette) of all files, by pydicom. */
const PYDICOM = `import json, sys
import numpy as np, pydicom
from pydicom.pixel_data_handlers.util import apply_color_lut, apply_modality_lut, apply_voi_lut, convert_color_space
out = {}
for path in sys.argv[1:]:
    ds = pydicom.dcmread(path)
    stored = ds.pixel_array
    if ds.SamplesPerPixel == 3:
        rgb = stored
        if ds.PhotometricInterpretation != "RGB":
            rgb = convert_color_space(stored, ds.PhotometricInterpretation, "RGB")
        grey = rgb.astype(float) / (2 ** ds.BitsStored - 1) * 65535
        out[path] = [stored.ravel().tolist(), grey.ravel().tolist()]
        continue
    stored = stored[0] if stored.ndim > 2 else stored
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        out[path] = [stored.ravel().tolist(), apply_color_lut(stored, ds).ravel().tolist()]
        continue
    bits_of = {}
    for sequence in ("ModalityLUTSequence", "VOILUTSequence"):
        if sequence in ds:  # pydicom applies tables of 8 and 16 bits only; the entries are the same
            descriptor = ds[sequence][0].LUTDescriptor
            bits_of[sequence], descriptor[2] = descriptor[2], 16
    value = apply_modality_lut(stored, ds).astype(float)
    signed, bits = ds.PixelRepresentation, ds.BitsStored
    low, high = (-2 ** (bits - 1), 2 ** (bits - 1) - 1) if signed else (0, 2 ** bits - 1)
    if "ModalityLUTSequence" in ds:
        low, high = 0, 2 ** bits_of["ModalityLUTSequence"] - 1
    elif "RescaleSlope" in ds:
        low, high = [v * float(ds.RescaleSlope) + float(ds.RescaleIntercept) for v in (low, high)]  # as pydicom does
    if "VOILUTSequence" in ds:
        value = apply_voi_lut(np.rint(value).astype(int), ds).astype(float)
        low, high = 0, 2 ** bits_of["VOILUTSequence"] - 1
    elif "WindowWidth" in ds:
        value = apply_voi_lut(value, ds)
    grey = np.clip((value - low) / (high - low), 0, 1) * 65535
    inverse = ds.PhotometricInterpretation == "MONOCHROME1"
    out[path] = [stored.ravel().tolist(), (65535 - grey if inverse else grey).ravel().tolist()]
print(json.dumps(out))`;

const names = Object.keys(FILES);
mkdirSync(join(folder, 'peers'), { recursive: true });
const paths = names.map((name, i) => {
  writeFileSync(join(folder, 'peers', `${i}.dcm`), FILES[name][0]);
  return join(folder, 'peers', `${i}.dcm`);
});
const told = JSON.parse(
  execFileSync('/usr/bin/python3', ['-W', 'ignore', '-c', PYDICOM, ...paths], { encoding: 'utf8', maxBuffer: 1 << 28 }),
);

const worst = (a, b) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

for (const [i, name] of names.entries()) {
  test(`${name}: the pixels are those of pydicom${FILES[name][1] ? ' and dcmtk' : ''}`, async () => {
    const [file, options] = FILES[name];
    const [stored, shown] = told[paths[i]];
    const { film: read } = await readDicom(file);
    if (read.channels === 1) {
      const mask = 2 ** (stored.some((v) => v < 0) ? 8 * (file.length > 2 * COUNT ? 2 : 1) : 16) - 1;
      assert.deepEqual(
        read.pixels,
        Uint16Array.from(stored, (v) => v & mask),
      );
    }
    const own = await greys(file);
    assert.equal(own.length, shown.length);
    const most = name.startsWith('YBR') ? 257 : 1; // a level, where colours are converted
    assert.ok(worst(own, shown) <= most, `pydicom: ${worst(own, shown)} of 65535`);
    if (!options) return;
    const [, , , top, ...values] = codedBy(['dcm2pnm', '+opw', ...options], file)
      .toString('latin1')
      .trim()
      .split(/\s+/);
    assert.equal(top, '65535');
    assert.ok(worst(own, values) <= 17, `dcmtk: ${worst(own, values)} of 65535`); // it keeps about 12 bits on the way
  });
}
