// The C library after make install: its files, its exported names, and the example built with pkg-config.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/engine.mjs';
import { dataSet, dicomFile, element, item } from '../dicom/file.mjs';
import { codedBy } from '../support/dcmtk.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'pleura-install-'));
const prefix = join(folder, 'prefix');
after(() => rmSync(folder, { recursive: true }));

const STRICT = ['-std=c11', '-Wall', '-Wextra', '-Wshadow', '-Werror'];

/** @param {string} command @param {string[]} args */
function run(command, args, options = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}
const make = (target, ...variables) => run('make', ['--no-print-directory', target, 'CC=clang', ...variables]);
const config = (...args) =>
  run('pkg-config', [...args, 'pleura'], {
    env: { ...process.env, PKG_CONFIG_PATH: join(prefix, 'lib/pkgconfig') },
  }).trim();
const files = (where) =>
  readdirSync(where, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .sort();

before(() => make('install', `PREFIX=${prefix}`));

test('the library has a soname, its links, and exports exactly what the installed headers declare', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const library = join(prefix, 'lib', `libpleura.so.${version}`);
  const soname = `libpleura.so.${version.split('.')[0]}`;
  assert.equal(readlinkSync(join(prefix, 'lib', soname)), `libpleura.so.${version}`);
  assert.equal(readlinkSync(join(prefix, 'lib/libpleura.so')), soname);
  assert.match(run('readelf', ['-d', library]), new RegExp(`SONAME.*\\[${soname.replaceAll('.', '\\.')}\\]`));
  assert.equal(config('--modversion'), version);
  const include = join(prefix, 'include/pleura');
  assert.deepEqual(readdirSync(include).sort(), ['pleura.h', 'status.h']);
  const ast = run('clang', ['-fsyntax-only', '-Xclang', '-ast-dump=json', join(include, 'pleura.h')]);
  const declared = JSON.parse(ast)
    .inner.filter(({ kind }) => kind === 'FunctionDecl')
    .map(({ name }) => name);
  const exported = run('nm', ['-D', '--defined-only', library])
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[2]);
  assert.deepEqual(exported.sort(), declared.sort());
});

test('the example in C, built with pkg-config, prints what the wasm computes', async () => {
  const program = join(folder, 'diagnose'),
    film = join(root, 'tests/fixtures/grey.jpg');
  const flags = config('--cflags', '--libs').split(' ');
  run('clang', [...STRICT, join(root, 'tests/examples/c/diagnose.c'), ...flags, '-o', program]);
  const env = { ...process.env, LD_LIBRARY_PATH: join(prefix, 'lib') };
  const diagnose = (...args) => spawnSync(program, args, { encoding: 'utf8', env });
  const wasm = await readFile(join(root, 'build/pleura.wasm'));
  const tiny = join(root, 'tests/fixtures/tiny.gguf');
  const engine = await createEngine({ wasm, weights: await readFile(tiny) });
  const { verdict, probability } = engine.diagnose(await readFile(film));
  const lines = Object.entries(probability).map(
    ([label, p]) => `${label === verdict ? '*' : ' '} ${label} ${p.toFixed(3)}\n`,
  );
  const answer = diagnose(tiny, film);
  assert.deepEqual(
    [answer.status, answer.stdout],
    [0, (verdict === 'uncertain' ? 'uncertain\n' : '') + lines.join('')],
  );
  const refused = diagnose(config('--variable=weights'), film);
  assert.match(refused.stdout, /^refused: .{20,}\.$/m);
  const broken = diagnose(config('--variable=weights'), join(root, 'package.json'));
  assert.deepEqual([broken.status, broken.stdout], [1, '']);
  assert.match(broken.stderr, /not an image/);
});

test('a C++ program diagnoses the pixels of a DICOM film, and finds the ABI it was compiled for', async () => {
  const program = join(folder, 'pixels'),
    raw = join(folder, 'film.raw'),
    [width, height, bits] = [96, 80, 12];
  const flags = config('--cflags', '--libs').split(' ');
  run('clang++', ['-Wall', '-Wextra', '-Werror', join(root, 'tests/examples/c/pixels.cpp'), ...flags, '-o', program]);
  const pixels = Uint16Array.from({ length: width * height }, (_, i) => (i * 7) % 4096),
    table = Uint16Array.from({ length: 65536 }, (_, i) => (i >= 4095 ? 65535 : Math.floor((i * 65535) / 4095)));
  writeFileSync(raw, Buffer.from(pixels.buffer));
  const tiny = join(root, 'tests/fixtures/tiny.gguf');
  const { status, stdout, stderr } = spawnSync(program, [tiny, raw, String(width), String(height), String(bits)], {
    encoding: 'utf8',
    env: { ...process.env, LD_LIBRARY_PATH: join(prefix, 'lib') },
  });
  assert.equal(status, 0, stderr);
  const engine = await createEngine({
    wasm: await readFile(join(root, 'build/pleura.wasm')),
    weights: await readFile(tiny),
  });
  const { probability } = engine.diagnose({ pixels, width, height, channels: 1, table });
  const [version, , ...shares] = stdout.trim().split(' ');
  assert.equal(version, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
  assert.deepEqual(
    shares,
    Object.values(probability).map((p) => p.toFixed(6)),
  );
});

test('the example in C that reads DICOM gives the bits of the command, or says what it does not read', async () => {
  const program = join(folder, 'dicom');
  const flags = config('--cflags', '--libs').split(' ');
  run('clang', [...STRICT, join(root, 'tests/examples/c/dicom.c'), ...flags, '-o', program]);
  const wasm = await readFile(join(root, 'build/pleura.wasm'));
  const engine = await createEngine({ wasm, weights: await readFile(join(root, 'model/pleura.gguf')) });
  engine.phantom();
  const { data, width, height } = engine.film(640);
  const wide = (grey) => Uint16Array.from(data, (v, i) => grey(v * 16 + (i % 16)));
  const window = { '00281050': ['DS', '1800.5\\900'], '00281051': ['DS', '3500\\70'] };
  const sequence = Buffer.concat([
    item(dataSet({ '00280004': ['CS', 'RGB'] })),
    Buffer.from('feffdde000000000', 'hex'),
  ]);
  const grey = dicomFile({ width, height, pixels: data });
  const films = {
    bytes: grey,
    words: dicomFile({ width, height, bits: 12, pixels: wide((v) => v) }),
    'a window': dicomFile({ width, height, bits: 12, pixels: wide((v) => v), tags: window }),
    'signed, falling and inverted': dicomFile({
      width,
      height,
      bits: 12,
      pixels: wide((v) => (v - 2048) & 65535),
      tags: {
        '00280004': ['CS', 'MONOCHROME1'],
        '00280103': ['US', 1],
        '00281052': ['DS', '-1.5 '],
        '00281053': ['DS', '-2'],
      },
    }),
    'high bits': dicomFile({
      width,
      height,
      bits: 12,
      pixels: wide((v) => v << 4),
      tags: { '00280102': ['US', 15], '00400275': element('00400275', 'SQ', sequence, 0xffffffff) },
    }),
  };
  const paths = Object.entries(films).map(
    ([name, file]) => (writeFileSync(join(folder, name), file), join(folder, name)),
  );
  const records = run(process.execPath, ['src/cli.mjs', ...paths])
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const env = { ...process.env, LD_LIBRARY_PATH: join(prefix, 'lib') };
  const diagnose = (path) => spawnSync(program, [config('--variable=weights'), path], { encoding: 'utf8', env });
  for (const [i, { file, bits, probability }] of records.entries()) {
    const { stdout, stderr } = diagnose(paths[i]);
    const shares = Object.entries(probability).map(([label, share]) => `${label} ${share.toFixed(3)}\n`);
    assert.equal(stdout, `${shares.join('')}bits ${bits}\n`, `${file}: ${stderr}`);
  }
  assert.ok(new Set(records.map(({ bits }) => bits)).size > 2);
  const others = [
    codedBy(['dcmcrle'], grey),
    codedBy(['dcmconv', '+ti'], grey),
    dicomFile({ width, height, pixels: data, tags: { '00280004': ['CS', 'PALETTE COLOR'] } }),
    grey.subarray(0, grey.length - 9),
    Buffer.from('a letter'),
  ];
  for (const file of others) {
    writeFileSync(join(folder, 'other'), file);
    const { status, stdout, stderr } = diagnose(join(folder, 'other'));
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^[A-Z].*\.\n$/);
  }
});

test('DESTDIR is put before every path but written to no file, and uninstall leaves no file', () => {
  const staged = join(folder, 'staged');
  make('install', 'PREFIX=/usr', 'LIBDIR=/usr/lib/here', `DESTDIR=${staged}`);
  const pc = readFileSync(join(staged, 'usr/lib/here/pkgconfig/pleura.pc'), 'utf8');
  assert.match(pc, /^libdir=\/usr\/lib\/here$/m);
  assert.ok(!pc.includes(staged) && !pc.includes('@'));
  assert.deepEqual(files(staged), files(prefix));
  make('uninstall', 'PREFIX=/usr', 'LIBDIR=/usr/lib/here', `DESTDIR=${staged}`);
  assert.deepEqual(files(staged), []);
});
