// display.test.mjs: what a viewer learns about a DICOM film: the size of its pixels, and the values before its window.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDicomReader } from '../../src/dicom/reader.mjs';
import { dicomFile } from './file.mjs';

const read = createDicomReader({
  engine: { checkSize() {}, decodeJpeg: () => assert.fail() },
  loadCodec: () => assert.fail(),
});
/** Eight pixels of 12 bits. */
async function display(tags, pixels = Uint16Array.of(0, 100, 500, 1000, 2000, 3000, 4000, 4095)) {
  const { film, display } = await read(dicomFile({ width: 4, height: 2, bits: 12, pixels, tags }));
  const units = display.units();
  const values = units && Array.from(film.pixels, (word) => units.offset + units.slope * units.table[word]);
  return { units, spacing: display.spacing, values };
}
const near = (found, wanted, tolerance = 0.1) =>
  assert.ok(
    found.every((value, i) => Math.abs(value - wanted[i]) <= tolerance),
    `${found} instead of ${wanted}`,
  );

test('levels stand for the values behind the modality step, whatever the window, the sign or the inversion', async () => {
  const window = { '00281050': ['DS', '1000'], '00281051': ['DS', '400'] };
  const stored = [0, 100, 500, 1000, 2000, 3000, 4000, 4095];
  near((await display({})).values, stored);
  near((await display(window)).values, stored);
  near((await display({ ...window, '00280004': ['CS', 'MONOCHROME1'] })).values, stored);
  const rescaled = { '00281052': ['DS', '-1024'], '00281053': ['DS', '0.5'] };
  near(
    (await display({ ...window, ...rescaled })).values,
    stored.map((value) => value / 2 - 1024),
  );
  const signed = await display({ ...window, '00280103': ['US', 1] }, Uint16Array.of(0, 1, 2047, 2048, 4095, 0, 0, 0));
  near(signed.values, [0, 1, 2047, -2048, -1, 0, 0, 0]);
});

test('the windows of a file come with their names; an inverted film shows the larger values black', async () => {
  const tags = {
    '00281050': ['DS', ['1000', 'x', '2000']],
    '00281051': ['DS', ['400', '100', '200']],
    '00281055': ['LO', ['NORMAL', 'BAD', 'HARD ']],
  };
  const windows = [
    { low: 800, high: 1200, name: 'NORMAL' },
    { low: 1900, high: 2100, name: 'HARD' },
  ];
  const { units } = await display(tags);
  assert.deepEqual(units.windows, windows);
  assert.deepEqual(units.shown, { low: 800, high: 1200 });
  const inverted = await display({ ...tags, '00280004': ['CS', 'MONOCHROME1'] });
  assert.deepEqual(inverted.units.shown, { low: 1200, high: 800 });
  assert.deepEqual((await display({})).units.shown, { low: 0, high: 4095 });
});

test('values that went through a curve, or pixels that had to be averaged, are not told', async () => {
  const window = { '00281050': ['DS', '1000'], '00281051': ['DS', '400'] };
  assert.equal((await display({ ...window, '00281056': ['CS', 'SIGMOID'] })).units, null);
  const lut = {
    '00283002': ['US', [4096, 0, 12]],
    '00283006': ['OW', Uint16Array.from({ length: 4096 }, (_, i) => i)],
  };
  assert.equal((await display({ '00283010': ['SQ', [lut]] })).units, null);
  const stretched = await display({ ...window, '00280030': ['DS', ['0.4', '0.2']] });
  assert.deepEqual([stretched.units, stretched.spacing.millimetres], [null, 0.2]);
});

test('the size of a pixel is that in the patient only where it was calibrated', async () => {
  const spacing = async (tags) => (await display(tags)).spacing;
  const imager = { '00181164': ['DS', ['0.2', '0.2']] };
  const own = (value) => ({ '00280030': ['DS', [value, value]] });
  assert.equal(await spacing({}), null);
  assert.equal(await spacing(own('0')), null);
  assert.deepEqual(await spacing(imager), { millimetres: 0.2, calibrated: false });
  assert.deepEqual(await spacing({ ...imager, ...own('0.2') }), { millimetres: 0.2, calibrated: false });
  assert.deepEqual(await spacing({ ...imager, ...own('0.17') }), { millimetres: 0.17, calibrated: true });
  assert.deepEqual(await spacing(own('0.15')), { millimetres: 0.15, calibrated: false }, 'nobody knows');
});
