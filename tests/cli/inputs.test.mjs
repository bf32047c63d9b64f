// Inputs of the command: archives, lists of paths, links, folders that cannot be read, names of any bytes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import { bash, film, folder, lines, pleura, root, tiny, tried } from './command.mjs';
import { dicomFile } from '../dicom/file.mjs';

configure({ useWebWorkers: false });
const good = film(200);
const at = (...names) => join(folder, ...names);
const files = (run) => lines(run.stdout).map(({ file }) => file);

/** @param {Record<string, Uint8Array>} members @param {object} [options] of the zip library @returns {Promise<Buffer>} */
async function zip(members, options = {}) {
  const writer = new ZipWriter(new Uint8ArrayWriter(), options);
  for (const [name, bytes] of Object.entries(members)) await writer.add(name, new Uint8ArrayReader(bytes));
  return Buffer.from(await writer.close());
}

mkdirSync(at('films/deeper'), { recursive: true });
for (const [name, bytes] of Object.entries({
  'films/b.png': good,
  'films/a.png': film(150),
  'films/deeper/c.png': film(120),
  'films/notes.txt': 'no film',
})) {
  writeFileSync(at(name), bytes);
}

test('an archive made by another program gives the records of its films in order, without unpacking', () => {
  spawnSync('python3', ['-m', 'zipfile', '-c', 'films.zip', 'films'], { cwd: folder });
  const packed = tried(['films.zip', 'films/b.png']);
  assert.equal(packed.status, 0, packed.stderr);
  assert.deepEqual(files(packed), [
    'films.zip/films/a.png',
    'films.zip/films/b.png',
    'films.zip/films/deeper/c.png',
    'films/b.png',
  ]);
  const unpacked = lines(tried(['films']).stdout);
  assert.deepEqual(
    lines(packed.stdout).slice(0, 3),
    unpacked.map((record) => ({ ...record, file: `films.zip/${record.file}` })),
  );
  const named = tried(['films.zip/films/b.png', 'films.zip/films/none.png']);
  assert.deepEqual(
    lines(named.stdout).map(({ file, status, code }) => [file, code ?? status]),
    [
      ['films.zip/films/b.png', 'ok'],
      ['films.zip/films/none.png', 'no-such-file'],
    ],
    'a record can be run again by its name',
  );
  mkdirSync(at('inbox'));
  renameSync(at('films.zip'), at('inbox/films.ZIP'));
  assert.equal(files(tried(['inbox'])).length, 3, 'an archive in a folder counts as a folder');
  assert.equal(files(tried(['inb*/*.ZIP', '--jobs', '3'])).length, 3);
});

test('a forbidden archive member gets a sentence, and the other films are classified', async () => {
  writeFileSync(
    at('odd.zip'),
    await zip({
      'a.png': good,
      '../../escape.png': good,
      '/root.png': good,
      'C:\\drive.png': good,
      'inner.zip': await zip({ 'b.png': good }),
      '__MACOSX/._a.png': good,
      'notes.txt': Buffer.from('no film'),
    }),
  );
  const { status, stdout, stderr } = tried(['odd.zip']);
  assert.equal(status, 1);
  assert.deepEqual(
    lines(stdout).map(({ file, status, code }) => [file, code ?? status]),
    [
      ['odd.zip/../../escape.png', 'unsafe-name'],
      ['odd.zip//root.png', 'unsafe-name'],
      ['odd.zip/C:\\drive.png', 'unsafe-name'],
      ['odd.zip/a.png', 'ok'],
      ['odd.zip/inner.zip', 'nested-archive'],
    ],
  );
  assert.match(stderr, /^odd\.zip\/inner\.zip: .{20,}\.$/m);
  const script =
    'import zipfile\nwith zipfile.ZipFile("bzip.zip", "w", zipfile.ZIP_BZIP2) as z: z.write("films/b.png")';
  spawnSync('python3', ['-c', script], { cwd: folder });
  assert.equal(lines(tried(['bzip.zip']).stdout)[0].code, 'archive-method');
});

test('encrypted, empty, foreign and truncated archives each get a sentence', async () => {
  const plain = await zip({ 'a.png': good, 'b.png': good });
  const broken = {
    'locked.zip': [await zip({ 'a.png': good }, { password: 'x' }), 'encrypted'],
    'empty.zip': [await zip({}), 'no-films'],
    'letter.zip': [Buffer.from('This is a letter.'), 'archive-damaged'],
    'nothing.zip': [Buffer.alloc(0), 'archive-damaged'],
    'cut.zip': [plain.subarray(0, plain.length / 2), 'archive-damaged'],
  };
  for (const [name, [bytes]] of Object.entries(broken)) writeFileSync(at(name), bytes);
  const { status, stdout, stderr } = tried([...Object.keys(broken), 'films/b.png']);
  assert.equal(status, 1);
  assert.deepEqual(
    lines(stdout).map(({ code, status }) => code ?? status),
    [...Object.values(broken).map(([, code]) => code), 'ok'],
  );
  assert.equal(stderr.split('\n').length, Object.keys(broken).length + 3); // and the summary, the notice
});

test('damage to an archive loses films, but never the run', async () => {
  const whole = await zip({ 'a.png': film(100), 'b.png': film(101) });
  mkdirSync(at('hurt'));
  for (let i = 0; i < 60; i++) {
    const bytes = Buffer.from(whole);
    if (i % 2) bytes[Math.floor((i * bytes.length) / 60)] ^= 0xff;
    else bytes.fill(0xff, bytes.length - 4 * i - 30, bytes.length - 4 * i - 24);
    writeFileSync(at(`hurt/${i}.zip`), bytes);
  }
  const { status, stdout, stderr } = tried(['hurt']);
  assert.equal(status, 1);
  assert.ok(lines(stdout).length >= 60);
  assert.deepEqual(
    [...new Set(lines(stdout).map(({ code }) => code))].sort(),
    [undefined, 'archive-damaged', 'encrypted'].sort(),
  );
  assert.doesNotMatch(stderr, /at .*\.m?js/);
});

test('zip bombs are rejected: by declared size, by real size, and by overlapping members', async () => {
  const big = await zip({ 'a.png': Buffer.alloc(1 << 20), 'b.png': good });
  const central = big.indexOf('PK\x01\x02', 0, 'latin1');
  const honest = Buffer.from(big),
    lying = Buffer.from(big),
    overlapping = Buffer.from(big);
  for (const offset of [22, central + 24]) {
    honest.writeUInt32LE(0xfffffff0, offset);
    lying.writeUInt32LE(1000, offset);
  }
  const second = big.indexOf('PK\x01\x02', central + 4, 'latin1');
  overlapping.writeUInt32LE(0, second + 42); // the place of the first
  for (const [name, bytes] of Object.entries({ honest, lying, overlapping })) writeFileSync(at(`${name}.zip`), bytes);
  const codes = lines(tried(['honest.zip', 'lying.zip', 'overlapping.zip']).stdout).map(({ file, status, code }) => [
    file,
    code ?? status,
  ]);
  assert.deepEqual(codes, [
    ['honest.zip/a.png', 'file-too-large'],
    ['honest.zip/b.png', 'ok'],
    ['lying.zip/a.png', 'archive-damaged'],
    ['lying.zip/b.png', 'ok'],
    ['overlapping.zip', 'archive-damaged'],
  ]);
});

test('a DICOM film without an extension is found in archives and folders; other such files are not mistaken for one', async () => {
  mkdirSync(at('disc/IMAGES'), { recursive: true });
  const radiograph = dicomFile({
    width: 128,
    height: 128,
    bits: 8,
    pixels: Uint8Array.from({ length: 128 * 128 }, (_, i) => i % 251),
  });
  for (const [name, bytes] of [
    ['disc/IMAGES/IM000001', radiograph],
    ['disc/README', 'Read me.'],
    ['disc/DICOMDIR', radiograph],
  ])
    writeFileSync(at(name), bytes);
  spawnSync('python3', ['-m', 'zipfile', '-c', 'disc.zip', 'disc'], { cwd: folder });
  const [inFolder, inArchive] = ['disc', 'disc.zip'].map((path) => lines(tried([path]).stdout));
  assert.deepEqual(
    inFolder.map(({ file, status }) => [file, status]),
    [['disc/IMAGES/IM000001', 'ok']],
  );
  assert.deepEqual(inArchive, [{ ...inFolder[0], file: 'disc.zip/disc/IMAGES/IM000001' }]);
});

test('lists separate paths by newlines or NULs, may name folders and archives, and do not expand patterns', () => {
  const expected = ['films/b.png', 'films/a.png', 'films/b.png', 'films/deeper/c.png'];
  writeFileSync(at('list.txt'), '\ufefffilms/b.png\r\n\r\nfilms\r\n');
  assert.deepEqual(files(tried(['--files', 'list.txt'])), expected);
  assert.deepEqual(files(tried(['--files', '-', 'films/deeper'], { input: 'films/b.png\0films\0' })), [
    'films/deeper/c.png',
    ...expected,
  ]);
  assert.deepEqual(files(bash("find films -name '*.png' -print0 | sort -z | pleura --files -")), expected.slice(1));
  const patterns = tried(['--files', '-'], { input: 'films/*.png\n' });
  assert.deepEqual([patterns.status, lines(patterns.stdout)[0].code], [1, 'no-such-file']);
  const missing = tried(['--files', 'none.txt']);
  assert.deepEqual([missing.status, missing.stdout], [1, '']);
  assert.match(missing.stderr, /^pleura: The list none\.txt cannot be read \(ENOENT\)\. Check/);
  assert.equal(tried(['--files', '-', '-'], { input: good }).status, 2);
});

test('file names of any bytes survive: from the arguments, a folder and a list', () => {
  mkdirSync(at('names'));
  const odd = [
    Buffer.from('caf\xe9.png', 'latin1'),
    Buffer.from('\xe9\u00e9.png', 'latin1'),
    Buffer.from('line\nbreak.png'),
    Buffer.from('\udced.png'),
    Buffer.from('über \u{1fa7b}.png'),
  ];
  for (const name of odd) writeFileSync(Buffer.concat([Buffer.from(at('names/')), name]), good);
  const seen = tried(['names']);
  assert.equal(seen.status, 0, seen.stderr);
  assert.ok(files(seen).includes('names/caf\udce9.png'));
  const script =
    'import json, os, sys\nfor line in sys.stdin: os.stat(os.fsencode(json.loads(line)["file"]))\nprint("found")';
  assert.equal(
    spawnSync('python3', ['-c', script], { cwd: folder, input: seen.stdout, encoding: 'utf8' }).stdout,
    'found\n',
    'other programs find the files',
  );
  assert.deepEqual(files(bash('pleura names/*')).sort(), files(seen));
  assert.deepEqual(files(bash('find names -type f -print0 | pleura --files -')).sort(), files(seen));
  assert.deepEqual(files(tried(['names/caf*'])), ['names/caf\udce9.png']);
  for (const form of ['--csv', '--table']) assert.equal(tried([form, 'names']).status, 0);
});

test('links are followed, and circular links end', () => {
  mkdirSync(at('linked/real'), { recursive: true });
  writeFileSync(at('linked/real/x.png'), good);
  for (const [to, name] of [
    ['..', 'linked/real/up'],
    ['../films', 'linked/away'],
    ['real', 'linked/again'],
    ['self.png', 'linked/self.png'],
    ['nowhere', 'linked/dangling.png'],
    ['../films/b.png', 'linked/film.png'],
  ])
    symlinkSync(to, at(name));
  const { status, stdout } = tried(['linked']);
  assert.equal(status, 1);
  assert.deepEqual(
    lines(stdout).map(({ file, status, code, message }) => [file, code ?? status, message?.slice(0, 25)]),
    [
      ['linked/away/a.png', 'ok', undefined],
      ['linked/away/b.png', 'ok', undefined],
      ['linked/away/deeper/c.png', 'ok', undefined],
      ['linked/dangling.png', 'no-such-file', 'There is no such file. Ch'],
      ['linked/film.png', 'ok', undefined],
      ['linked/real/x.png', 'ok', undefined],
      ['linked/self.png', 'unreadable', 'This link leads in a circ'],
    ],
  );
});

test('pipes in a folder, and links to them, are skipped, because reading them would block', () => {
  mkdirSync(at('pipes'));
  writeFileSync(at('pipes/b.png'), good);
  bash('mkfifo pipe pipes/own.png; ln -s ../pipe pipes/a.png; ln -s /dev/zero pipes/c.png');
  for (const path of ['pipes', 'pipes/*.png'])
    assert.deepEqual(files(tried([path], { timeout: 20000 })), ['pipes/b.png'], path);
  assert.deepEqual(files(bash('cat films/b.png > pipe & pleura pipe')), ['pipe'], 'one that is named is read');
});

test('an unreadable folder or file is reported, and the rest is classified', () => {
  mkdirSync(at('closed/inner'), { recursive: true });
  writeFileSync(at('closed/a.png'), good);
  writeFileSync(at('closed/z.png'), good);
  chmodSync(at('closed/a.png'), 0);
  chmodSync(at('closed/inner'), 0);
  for (const open of [folder, at('closed')]) chmodSync(open, 0o755);
  const asNobody =
    process.getuid() === 0 ? ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'] : [];
  const [program, ...args] = [...asNobody, process.execPath, join(root, 'src/cli.mjs'), '--model', tiny, 'closed'];
  const { status, stdout } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 1);
  assert.deepEqual(
    lines(stdout).map(({ file, status, code }) => [file, code ?? status]),
    [
      ['closed/a.png', 'unreadable'],
      ['closed/inner', 'unreadable'],
      ['closed/z.png', 'ok'],
    ],
  );
});

test('patterns match hidden names only with an explicit dot, and search no deeper than written', () => {
  mkdirSync(at('deep/.hidden/x'), { recursive: true });
  for (const name of ['deep/.hidden/h.png', 'deep/.hidden/x/i.png', 'deep/d.png']) writeFileSync(at(name), good);
  assert.deepEqual(files(tried(['deep/**'])), ['deep/d.png']);
  assert.deepEqual(files(tried(['deep/.hid*/*.png'])), ['deep/.hidden/h.png']);
  assert.deepEqual(files(tried(['{films,deep}/*.png'])), ['deep/d.png', 'films/a.png', 'films/b.png']);
  assert.deepEqual(files(tried([`${folder}/films/[!a]*.png`])), [`${folder}/films/b.png`]);
  assert.deepEqual(files(pleura(['--model', tiny, '../fil*/*.png'], { cwd: at('deep') })), [
    '../films/a.png',
    '../films/b.png',
  ]);
});
