// What people type and write in other words: slips of commands and options, labels, columns, and names of films.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parse } from '../../src/cli/arguments.mjs';
import { decodeText, readCsv } from '../../src/cli/csv.mjs';
import { fitLabels, readLabels } from '../../src/cli/labels.mjs';
import { makeFolder } from '../../src/cli/output_folder.mjs';
import { films } from '../../src/cli/paths.mjs';
import { notFilm } from '../../src/sniff.mjs';
import { dicomFile } from '../dicom/file.mjs';
import { film, folder, lines, pleura, root, says, tried } from './command.mjs';

const path = (...names) => join(folder, ...names);
const write = (name, content) => writeFileSync(path(name), content);

test('a slip of a command or an option is answered by the word that was meant', () => {
  for (const [words, meant] of [
    [['evalute', '--labels', 'x'], "'evaluate'"],
    [['MERGE', 'x'], "'merge'"],
    [['qantize', 'a', 'b'], "'quantise'"],
    [['hlep'], "'help'"],
    [['x.png', '--jsn'], '--json'],
    [['evaluate', '--label', 'x'], '--labels'],
    [['x.png', '--prevalance', 'x'], '--prevalence'],
  ])
    assert.throws(() => parse(words), new RegExp(`Did you mean ${meant}`), words.join(' '));
  assert.throws(
    () => parse(['x.png', '--zzzzzz']),
    (error) => !error.message.includes('Did you mean'),
  );
  assert.deepEqual(parse(['films']), { command: 'diagnose', options: {}, paths: ['films'] });
  assert.equal(parse(['quantize', 'a', 'b', 'c']).command, 'quantise');
  assert.deepEqual(parse(['diagnose', 'a.png']).paths, ['a.png']);
  for (const words of [
    ['help', 'merge'],
    ['merge', '--help'],
    ['merge', '-h'],
  ]) {
    const { command, options } = parse(words);
    assert.deepEqual([command, options.help], ['merge', true]);
  }
  assert.throws(() => parse(['help', 'evalute']), /Did you mean 'evaluate'/);
  assert.equal(parse(['version']).options.version, true);
  assert.equal(parse(['-V']).options.version, true);
  assert.throws(() => parse(['x.png', '-q', '-v']), /cannot be combined/);
});

test('a CSV may be separated by commas, semicolons or tabs, with blanks, in any encoding of Excel', () => {
  const rows = [{ file: 'a b.png', label: 'normal; sure', note: 'ä' }];
  for (const text of [
    'file,label,note\na b.png,normal; sure,ä\n',
    'file;label;note\r\na b.png;"normal; sure";ä\r\n',
    'file\tlabel\tnote\na b.png\tnormal; sure\tä',
    'file , label, note\n a b.png , "normal; sure" ,ä',
  ]) {
    for (const bytes of [
      Buffer.from(text),
      Buffer.from(`\ufeff${text}`),
      Buffer.from(`\ufeff${text}`, 'utf16le'),
      Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
      Buffer.from(text, 'latin1'),
    ])
      assert.deepEqual(readCsv(decodeText(bytes)).rows, rows, JSON.stringify(text));
  }
});

test('columns are found without regard to case, and a missing one is answered by those that are there', async () => {
  write('capitals.csv', 'File;LABEL;Patient_ID;Shift\na.png;Normal;7;night\n');
  const { items } = await readLabels({ labels: path('capitals.csv'), by: 'Shift' });
  assert.deepEqual(items[0].row, { file: 'a.png', label: 'Normal', patient_id: '7', Shift: 'night' });
  write('other.csv', 'path;finding\na.png;normal\n');
  await assert.rejects(readLabels({ labels: path('other.csv') }), /'file'.*semicolons.*path, finding/);
});

test('labels fit without regard to case or by --map; no label at all stops before the first film', () => {
  const items = ['COVID', ' normal', 'CAP', 'Other'].map((label) => ({ file: 'x', row: { file: 'x', label } }));
  const labels = ['covid', 'pneumonia', 'normal'],
    fitted = (map) => fitLabels(items, labels, map).map(({ row }) => row.label);
  assert.deepEqual(fitted(), ['covid', 'normal', 'CAP', 'Other']);
  assert.deepEqual(fitted('cap=Pneumonia,OTHER=normal'), ['covid', 'normal', 'pneumonia', 'normal']);
  assert.throws(() => fitted('CAP=lung'), /--map needs .*CAP=lung/);
  assert.throws(() => fitLabels(items.slice(2), labels), /None of the films.*CAP 1, Other 1.*--map/);
});

test('films are found by their content where the name says nothing, and other files are counted', async () => {
  mkdirSync(path('mixed'));
  const jpeg = readFileSync(join(root, 'tests/fixtures/grey.jpg')),
    dicom = dicomFile({ width: 64, height: 64, pixels: new Uint8Array(64 * 64) });
  const wanted = {
    'a.jfif': jpeg,
    'b.jpe': jpeg,
    'c.IMA': dicom,
    'd.dic': dicom,
    'e.scan': film(64),
    f: jpeg,
    'g.v2': dicom,
  };
  execFileSync('mkfifo', [path('mixed/pipe.png'), path('mixed/pipe')]);
  const others = { 'h.dcm.gz': gzipSync(dicom), 'i.txt': 'x', 'j.tif': 'II*\0xxxxxxxx' };
  for (const [name, bytes] of Object.entries({ ...wanted, ...others, DICOMDIR: dicom, '.hidden': 'x' }))
    write(`mixed/${name}`, bytes);
  const { items, leftOut } = await films([path('mixed')]),
    base = (file) => file.slice(path('mixed/').length);
  assert.deepEqual(items.map(({ file }) => base(file)).sort(), Object.keys(wanted).sort());
  assert.deepEqual(leftOut.map(base), [...Object.keys(others), 'pipe.png']);
  const { stderr } = tried(['mixed']);
  says(stderr, '4 files were left out', 'mixed/h.dcm.gz', '7 films in');
  assert.doesNotMatch(tried(['mixed', '-q']).stderr, /left out|films in|random model/);
});

test('a file that is no film is named by its kind', () => {
  for (const [bytes, word] of [
    [gzipSync('x'), 'gzip'],
    [Buffer.from('II*\0'), 'TIFF'],
    [Buffer.from('RIFF\0\0\0\0WEBPVP8 '), 'WebP'],
    [Buffer.from('\0\0\0\x18ftypheic'), 'HEIC'],
    [Buffer.from('%PDF-1.7'), 'PDF'],
    [Buffer.concat([Buffer.from('film.png'), Buffer.alloc(249), Buffer.from('ustar')]), 'tar'],
    [Buffer.from('letter'), 'DICOM'],
    [Buffer.alloc(0), 'DICOM'],
  ])
    assert.ok(notFilm(bytes).includes(word), notFilm(bytes));
});

test('a message about weights names the file that was given', () => {
  write('letter.gguf', 'a letter');
  write('one.png', film(300));
  mkdirSync(path('labelled/normal'), { recursive: true });
  copyFileSync(path('one.png'), path('labelled/normal/one.png'));
  for (const args of [
    ['one.png', '--model', 'letter.gguf'],
    ['evaluate', '--labels', 'labelled', '--model', join(root, 'tests/fixtures/tiny.gguf'), '--against', 'letter.gguf'],
    ['quantise', 'letter.gguf', 'out.gguf', 'one.png'],
  ]) {
    const { status, stderr } = pleura(args);
    assert.equal(status, 1, stderr);
    says(stderr, 'letter.gguf');
  }
});

test('a film with an error is tried again by --resume, and so is one that has changed', () => {
  write('1.png', film(300, 1));
  write('2.png', 'broken');
  write('3.png', film(300, 3));
  const run = (...more) => tried(['1.png', '2.png', '3.png', ...more]);
  assert.equal(run('--resume', 'again.jsonl').status, 1);
  write('2.png', film(300, 2));
  write('3.png', film(300, 9));
  const { status, stderr } = run('--resume', 'again.jsonl');
  assert.equal(status, 0, stderr);
  says(stderr, '1 with errors, 1 whose file has changed');
  const whole = run('--json').stdout;
  assert.equal(readFileSync(path('again.jsonl'), 'utf8'), whole);
  assert.deepEqual([run('--resume', 'again.jsonl').status, readFileSync(path('again.jsonl'), 'utf8')], [0, whole]);
  assert.deepEqual(
    lines(whole).map(({ file }) => file),
    ['1.png', '2.png', '3.png'],
  );
});

test('a mended film stays in its shard, and the shards merge', () => {
  write('2.png', 'broken');
  const shard = (n) => tried(['1.png', '2.png', '3.png', '--shard', `${n}/2`, '--resume', `shard${n}.jsonl`]);
  shard(1);
  shard(2);
  write('2.png', film(300, 4));
  shard(1);
  shard(2);
  assert.equal(
    pleura(['merge', 'shard1.jsonl', 'shard2.jsonl']).stdout,
    tried(['1.png', '2.png', '3.png', '--json']).stdout,
  );
});

test('a folder below a file or in /proc is answered at once', async () => {
  await assert.rejects(makeFolder('/proc/pleura/x', '--heatmap'), /cannot be created/);
  await assert.rejects(makeFolder(path('1.png/x'), '--report'), /cannot be created/);
  await makeFolder(path('deep/er/est'), '--report');
  await makeFolder(path('deep/er/est'), '--report');
});

test('a table in a file keeps whole names, and --color decides about colours', () => {
  const name = `${'long'.repeat(30)}.png`;
  write(name, film(300));
  assert.ok(tried(['--table', name]).stdout.includes(name));
  write('5.png', 'broken');
  assert.match(tried(['5.png', '--table', '--color', 'always']).stdout, /\u001b\[31merror/);
  assert.equal(tried(['5.png', '--color', 'sometimes']).status, 2);
});
