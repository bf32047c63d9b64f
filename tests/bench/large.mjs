// `make bench-large`: what a film of 3,000 x 3,000 pixels adds to a command, beside a native decoder of its format that
// does nothing else; a table and build/large.json.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/node.mjs';
import { dicomFile } from '../dicom/file.mjs';
import { largeRows, machine, table } from './report.mjs';

process.env.PLEURA_ENGINE = 'wasm'; // what all people have
const SIDE = 3000;
const ROUNDS = 5;
const root = fileURLToPath(new URL('../../', import.meta.url));
const MEASURED = `import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print((time.perf_counter() - start) * 1000, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)`;

/**
 * @typedef {object} LargeEntry  a record of build/large.json; the shortest times and the peaks of memory of them
 * @property {string} format
 * @property {string} decoder
 * @property {number} ms  that the film adds to the command
 * @property {number} mb  of memory that it adds
 * @property {number} decoder_ms
 * @property {number} decoder_mb
 */

/** Runs a command. @param {string[]} command @returns {{ms: number, mb: number}} */
function measure(command) {
  const [ms, mb] = execFileSync('/usr/bin/python3', ['-c', MEASURED, ...command], { encoding: 'utf8' })
    .split(' ')
    .map(Number);
  return { ms, mb };
}

/** The run that took the shortest time. @param {{ms: number, mb: number}[]} runs */
const least = (runs) => runs.reduce((best, run) => (run.ms < best.ms ? run : best));

/** A phantom with the noise of a detector, 12 bits. @returns {Promise<Uint16Array>} */
async function pixels() {
  const engine = await createEngine();
  engine.phantom();
  const { data, width, height } = engine.greys(640),
    out = new Uint16Array(SIDE * SIDE);
  for (let i = 0, seed = 1; i < out.length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const x = ((i % SIDE) * width) / SIDE,
      y = (Math.floor(i / SIDE) * height) / SIDE;
    out[i] = Math.min(4095, (data[Math.floor(y) * width + Math.floor(x)] >> 4) + (seed >>> 27));
  }
  return out;
}

/** Writes the film in every format. @param {string} folder */
async function films(folder) {
  const to = (/** @type {string} */ name) => join(folder, name),
    run = (/** @type {string[]} */ [name, ...options]) =>
      execFileSync(name, options, { stdio: 'pipe', maxBuffer: 1 << 28 });
  const data = await pixels();
  writeFileSync(to('plain.dcm'), dicomFile({ width: SIDE, height: SIDE, bits: 12, pixels: data }));
  run(['dcmcjpeg', '+e1', to('plain.dcm'), to('lossless.dcm')]);
  run(['dcmcjpls', to('plain.dcm'), to('jpegls.dcm')]);
  run(['gdcmconv', '--j2k', to('plain.dcm'), to('j2k.dcm')]);
  writeFileSync(
    to('16.pgm'),
    Buffer.concat([Buffer.from(`P5 ${SIDE} ${SIDE} 65535\n`), Buffer.from(data.map((v) => v << 4).buffer).swap16()]),
  );
  writeFileSync(
    to('8.pgm'),
    Buffer.concat([Buffer.from(`P5 ${SIDE} ${SIDE} 255\n`), Buffer.from(Uint8Array.from(data, (v) => v >> 4))]),
  );
  writeFileSync(to('film.png'), run(['pnmtopng', to('16.pgm')]));
  run(['cjpeg', '-quality', '90', '-outfile', to('film.jpg'), to('8.pgm')]);
  run(['cjpeg', '-quality', '90', '-progressive', '-outfile', to('progressive.jpg'), to('8.pgm')]);
  const raw = (/** @type {string} */ film) => ['gdcmconv', '--raw', to(film), to('out.dcm')];
  return [
    { format: 'DICOM, 12 bits, not compressed', film: to('plain.dcm'), decode: raw('plain.dcm') },
    {
      format: 'DICOM, JPEG lossless',
      film: to('lossless.dcm'),
      decode: ['dcmdjpeg', to('lossless.dcm'), to('out.dcm')],
    },
    { format: 'DICOM, JPEG-LS', film: to('jpegls.dcm'), decode: ['dcmdjpls', to('jpegls.dcm'), to('out.dcm')] },
    { format: 'DICOM, JPEG 2000', film: to('j2k.dcm'), decode: raw('j2k.dcm') },
    { format: 'PNG, 16 bits', film: to('film.png'), decode: ['pngtopnm', to('film.png')] },
    { format: 'JPEG', film: to('film.jpg'), decode: ['djpeg', '-outfile', to('out.pgm'), to('film.jpg')] },
    {
      format: 'JPEG, progressive',
      film: to('progressive.jpg'),
      decode: ['djpeg', '-outfile', to('out.pgm'), to('progressive.jpg')],
    },
  ];
}

const folder = mkdtempSync(join(tmpdir(), 'pleura-large-'));
try {
  const diagnose = (/** @type {string} */ film) => measure([process.execPath, join(root, 'src/cli.mjs'), film]),
    rounds = (/** @type {() => {ms: number, mb: number}} */ run) => least(Array.from({ length: ROUNDS }, run)),
    small = rounds(() => diagnose(join(root, 'tests/fixtures/corners.jpg')));
  const entries = (await films(folder)).map(({ format, film, decode }) => {
    const own = rounds(() => diagnose(film)),
      decoder = rounds(() => measure(decode));
    return {
      format,
      decoder: decode[0],
      ms: own.ms - small.ms,
      mb: own.mb - small.mb,
      decoder_ms: decoder.ms,
      decoder_mb: decoder.mb,
    };
  });
  console.log(
    `${SIDE} x ${SIDE} pixels; a small film takes ${small.ms.toFixed(0)} ms and ${small.mb.toFixed(0)} MB, whole command`,
  );
  console.log(table(largeRows(entries)));
  writeFileSync(join(root, 'build/large.json'), `${JSON.stringify({ ...machine(), side: SIDE, entries }, null, 1)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
