// The input of a soak: real films, and among them pictures of every format, some good, some broken, some not chest
// films.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createEngine } from '../../src/engine.mjs';
import { parseCsv } from '../../src/cli/csv.mjs';
import { dicomFile } from '../dicom/file.mjs';
import { header, png } from '../image/png.mjs';

const ODD = 10; // one film in ten is of another kind
const AGAIN = 10; // one film in ten repeats an earlier one; these come last
const BIG = 3000; // width and height of the largest pictures
const PART = 2500; // films per folder
const root = new URL('../../', import.meta.url);

/** @typedef {{width: number, height: number, data: Uint8Array}} Grey */

/** 24 bits per pixel, the lowest row first. @param {Grey} grey */
function bmp({ width, height, data }) {
  const stride = (3 * width + 3) & ~3,
    bytes = Buffer.alloc(54 + stride * height);
  bytes.write('BM');
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
    [26, 1 | (24 << 16)],
  ])
    bytes.writeUInt32LE(value, at);
  data.forEach((grey, i) =>
    bytes.fill(
      grey,
      54 + (height - 1 - Math.floor(i / width)) * stride + 3 * (i % width),
      54 + (height - 1 - Math.floor(i / width)) * stride + 3 * (i % width) + 3,
    ),
  );
  return bytes;
}

/** A GIF, which only browsers decode. The code table is cleared so often that each code takes one byte.
 *  @param {Grey} grey */
function gif({ width, height, data }) {
  const CLEAR = 128,
    END = 129,
    RUN = 120;
  const palette = Buffer.from(Array.from({ length: 3 * 128 }, (_, i) => 2 * Math.floor(i / 3))),
    codes = [];
  data.forEach((grey, i) => codes.push(...(i % RUN === 0 ? [CLEAR] : []), grey >> 1));
  codes.push(END);
  const size = Buffer.alloc(4),
    blocks = [];
  size.writeUInt16LE(width);
  size.writeUInt16LE(height, 2);
  for (let at = 0; at < codes.length; at += 255)
    blocks.push(Buffer.from([Math.min(255, codes.length - at)]), Buffer.from(codes.slice(at, at + 255)));
  return Buffer.concat([
    Buffer.from('GIF89a'),
    size,
    Buffer.from([0xf6, 0, 0]),
    palette,
    Buffer.from([0x2c, 0, 0, 0, 0]),
    size,
    Buffer.from([0, 7]),
    ...blocks,
    Buffer.from([0, 0x3b]),
  ]);
}

/** Converts a DICOM file to another transfer syntax.
 *  @param {string} folder @param {Buffer} bytes @param {string[]} command  of dcmtk or GDCM */
function coded(folder, bytes, [tool, ...options]) {
  writeFileSync(`${folder}/from`, bytes);
  execFileSync(tool, [...options, `${folder}/from`, `${folder}/to`], { stdio: 'pipe' });
  const file = readFileSync(`${folder}/to`);
  for (const name of ['from', 'to']) rmSync(`${folder}/${name}`);
  return file;
}

/** Good pictures of every format, from the phantom. @param {string} folder  for temporary files
 *  @returns {Promise<Record<string, Buffer>>} */
async function goodPictures(folder) {
  const [wasm, weights] = ['build/pleura.wasm', 'model/pleura.gguf'].map((file) => readFileSync(new URL(file, root)));
  const engine = await createEngine({ wasm, weights });
  engine.phantom();
  const grey = engine.film(500),
    { width, height, data } = grey;
  const dicom = dicomFile({ width, height, bits: 12, pixels: Uint16Array.from(data, (v, i) => v * 15 + (i % 15)) });
  const ramp = (x, y) => [((x * 40503 + y * 977) >> 4) & 255]; // noise is the worst case for decoder and memory
  return {
    'grey.png': png({ width, height }, (x, y) => [data[y * width + x]]),
    'deep.png': png({ width, height, depth: 16, interlace: 1 }, (x, y) => [data[y * width + x] * 257]),
    'colour.png': png({ width, height, type: 6 }, (x, y) => {
      const v = data[y * width + x];
      return [v, v, v, 255];
    }),
    'big.png': png({ width: BIG, height: BIG }, ramp),
    'film.bmp': bmp(grey),
    'gif.webp': gif(grey), // misnamed, as happens; a .gif in a folder would be skipped
    'plain.dcm': dicom,
    'big.dcm': dicomFile({
      width: BIG,
      height: BIG,
      pixels: Uint16Array.from({ length: BIG * BIG }, (_, i) => i * 40503),
      bits: 16,
    }),
    'rle.dcm': coded(folder, dicom, ['dcmcrle']),
    'jpeg.dcm': coded(folder, dicom, ['dcmcjpeg', '+ee']),
    'lossless.dcm': coded(folder, dicom, ['dcmcjpeg', '+e1']),
    'jpegls.dcm': coded(folder, dicom, ['dcmcjpls']),
    'j2k.dcm': coded(folder, dicom, ['gdcmconv', '--j2k']),
  };
}

/** The same pictures truncated and with altered bytes, and files that are not pictures.
 *  @param {Record<string, Buffer>} good @returns {Record<string, Buffer>} */
function brokenPictures(good) {
  const broken = {
    'empty.png': Buffer.alloc(0),
    'letter.jpg': Buffer.from('A letter.'),
    'dot.png': png({ width: 1, height: 1 }, () => [0]),
    'flat.png': png({ width: 200, height: 200 }, () => [90]),
    'bomb.png': Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      header(60000, 60000),
      good['grey.png'].subarray(33),
    ]),
  };
  for (const [name, bytes] of Object.entries(good)) {
    const hurt = Buffer.from(bytes);
    for (let i = 1; i < 20; i++) hurt[Math.floor((i * hurt.length) / 20)] ^= 0x5a;
    Object.assign(broken, { [`cut-${name}`]: bytes.subarray(0, bytes.length / 2), [`hurt-${name}`]: hurt });
  }
  return broken;
}

/** How many of `count` films come before the first repeated one. @param {number} count */
export const seenOnce = (count) => count - Math.floor(count / AGAIN);

/**
 * Writes `count` films below `folder`, in the order of their names. Without the folder of the data, the phantom takes the
 * place of real films.
 * @param {string} folder @param {number} count @param {string | null} data @returns {Promise<string[]>} their paths
 */
export async function makeFilms(folder, count, data) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const good = await goodPictures(folder),
    odd = { ...good, ...brokenPictures(good) };
  const real = data ? parseCsv(readFileSync(`${data}/manifest.csv`, 'utf8')).map(({ file }) => `${data}/${file}`) : [];
  for (const name of data ? readdirSync(`${data}/ood`).filter((name) => name.endsWith('.jpg')) : [])
    odd[name] = readFileSync(`${data}/ood/${name}`);
  const kinds = Object.keys(odd),
    once = seenOnce(count);
  return Array.from({ length: count }, (_, number) => {
    const place = number % once,
      strange = place % ODD === ODD - 1,
      film = real[place % real.length];
    const kind = strange ? kinds[Math.floor(place / ODD) % kinds.length] : film ? basename(film) : 'grey.png';
    const part = `${folder}/${Math.floor(number / PART)}`,
      path = `${part}/${String(number).padStart(6, '0')}-${kind}`;
    if (number % PART === 0) mkdirSync(part);
    writeFileSync(path, strange || !film ? odd[kind] : readFileSync(film));
    return path;
  });
}
