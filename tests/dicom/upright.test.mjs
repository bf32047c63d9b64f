// How a film lies, and the shape of its pixels, as its tags say it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dicomFile } from './file.mjs';
import { greys, readDicom } from './reader.mjs';

const [WIDTH, HEIGHT] = [70, 90];
/** A film without any symmetry, as it is shown. */
const shown = (x, y) => 300 + x * 40 + y * 7;
/** @param {number} width @param {number} height @param {(x: number, y: number) => number} value  @param {object} tags */
const film = (width, height, value, tags = {}) =>
  dicomFile({
    width,
    height,
    bits: 12,
    pixels: Uint16Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width))),
    tags,
  });
const upright = film(WIDTH, HEIGHT, shown);

/** By Patient Orientation: the pixel of the film as shown that is stored at x, y. */
const LYING = {
  'L\\F': (x, y) => [x, y],
  'R\\F': (x, y) => [WIDTH - 1 - x, y],
  'L\\H': (x, y) => [x, HEIGHT - 1 - y],
  'R\\H': (x, y) => [WIDTH - 1 - x, HEIGHT - 1 - y],
  'F\\L': (x, y) => [y, x],
  'H\\L': (x, y) => [y, HEIGHT - 1 - x],
  'F\\R': (x, y) => [WIDTH - 1 - y, x],
  'H\\R': (x, y) => [WIDTH - 1 - y, HEIGHT - 1 - x],
};

test('a film that lies in any of the eight ways is set upright', async () => {
  const expected = await greys(upright);
  for (const [orientation, place] of Object.entries(LYING)) {
    const [width, height] = /^[FH]/.test(orientation) ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT];
    const value = (x, y) => shown(...place(x, y));
    for (const text of [orientation, orientation.replace(/[LRHF]/g, '$&A')]) {
      const file = film(width, height, value, { '00200020': ['CS', text] });
      const read = await readDicom(file);
      assert.deepEqual([read.film.width, read.film.height], [WIDTH, HEIGHT], text);
      assert.deepEqual(await greys(file), expected, text);
      assert.equal(read.dicom.turned, orientation === 'L\\F' ? undefined : orientation);
      assert.equal(read.film.tagReason, null, text);
    }
  }
});

test('an orientation that is missing, contradicts itself or is of another kind changes nothing', async () => {
  const expected = await greys(upright);
  for (const text of ['', 'L', 'L\\', 'L\\R', 'H\\H', 'RT\\V', 'LE\\CD', 'X\\Y', 'L\\F\\H'])
    assert.deepEqual(await greys(film(WIDTH, HEIGHT, shown, { '00200020': ['CS', text] })), expected, text);
});

test('pixels that are not square are made square, and the film never shrinks', async () => {
  const wide = (x, y) => shown(x, Math.floor(y / 2)) & ~0;
  const tall = film(WIDTH, HEIGHT, shown, { '00280034': ['IS', '2\\1'] });
  const read = await readDicom(tall);
  assert.deepEqual([read.film.width, read.film.height, read.dicom.aspect], [WIDTH, 2 * HEIGHT, 2]);
  const values = await greys(tall);
  const level = (value) => (value / 4095) * 65535;
  for (const [x, y] of [
    [0, 0],
    [33, 61],
    [69, 178],
  ]) {
    const [a, b] = [Math.max(0, Math.floor((y - 0.5) / 2)), Math.min(HEIGHT - 1, Math.floor((y + 1.5) / 2))];
    const grey = values[y * WIDTH + x];
    assert.ok(grey >= level(shown(x, a)) - 1 && grey <= level(shown(x, b)) + 1, `${x}, ${y}`);
  }
  for (const [tag, vr, text, size] of [
    ['00280034', 'IS', '1\\2', [2 * WIDTH, HEIGHT]],
    ['00280030', 'DS', '0.2\\0.1', [WIDTH, 2 * HEIGHT]],
    ['00181164', 'DS', '0.15\\0.1', [WIDTH, 135]],
    ['00182010', 'DS', '0.1\\0.15', [105, HEIGHT]],
    ['00280030', 'DS', '0.143\\0.143', [WIDTH, HEIGHT]],
    ['00280030', 'DS', '0.1431\\0.143', [WIDTH, HEIGHT]],
    ['00280034', 'IS', '0\\1', [WIDTH, HEIGHT]],
    ['00280034', 'IS', '100\\1', [WIDTH, HEIGHT]],
  ]) {
    const { film: one } = await readDicom(film(WIDTH, HEIGHT, wide, { [tag]: [vr, text] }));
    assert.deepEqual([one.width, one.height, one.pixels.length], [...size, size[0] * size[1]], `${tag} ${text}`);
  }
  // Multi-frame files describe their frames in functional groups, shared or of each frame.
  for (const groups of ['52009229', '52009230']) {
    const macro = (tag, tags) => ({ [tag]: ['SQ', [tags]] });
    const { film: one, ...read } = await readDicom(
      film(HEIGHT, WIDTH, shown, {
        [groups]: [
          'SQ',
          [
            {
              ...macro('00289110', { '00280030': ['DS', '0.2\\0.1'] }),
              ...macro('00209450', { '00200020': ['CS', 'F\\L'] }),
            },
          ],
        ],
      }),
    );
    assert.deepEqual([one.width, one.height, read.dicom.turned], [2 * WIDTH, HEIGHT, 'F\\L']);
    assert.deepEqual(read.display.spacing, { millimetres: 0.1, calibrated: false });
  }
  // Turning comes after that: the ratio belongs to the pixels as they are stored.
  const turned = await readDicom(
    film(HEIGHT, WIDTH, shown, { '00280034': ['IS', '2\\1'], '00200020': ['CS', 'F\\L'] }),
  );
  assert.deepEqual([turned.film.width, turned.film.height], [2 * WIDTH, HEIGHT]);
});
