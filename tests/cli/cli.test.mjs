// The command as a person or a script meets it: records, formats, exit codes, broken input.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { readGguf, writeGguf } from '../../src/weights/gguf.mjs';
import { createPool } from '../../src/node/pool.mjs';
import { loadParts } from '../../src/node/assets.mjs';
import { bash, film, folder, lines, onTerminal, pleura, quote, root, says, tiny, tried } from './command.mjs';
import { header, png } from '../image/png.mjs';

const fixtures = join(root, 'tests/fixtures');

mkdirSync(join(folder, 'films/deeper'), { recursive: true });
mkdirSync(join(folder, 'films/.hidden'));
mkdirSync(join(folder, 'nothing'));
const good = film(200);
const inside = {
  'films/b.png': good,
  'films/a.PNG': film(150),
  'films/deeper/c.bmp': readFileSync(join(fixtures, 'grey.jpg')),
  'films/notes.txt': 'no film',
  'films/.hidden/d.png': good,
};
for (const [name, bytes] of Object.entries(inside)) writeFileSync(join(folder, name), bytes);
const broken = {
  'empty.png': ['', 'empty-file'],
  'text.png': ['This is a letter, not a film.\n', 'not-an-image'],
  'short.png': [good.subarray(0, 600), 'image-damaged'],
  'bomb.png': [
    Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), header(30000, 30000), good.subarray(33)]),
    'image-too-large',
  ],
  'dot.png': [png({ width: 1, height: 1 }, () => [0]), 'image-too-small'],
};
for (const [name, [bytes]] of Object.entries(broken)) writeFileSync(join(folder, name), bytes);

test('a film gives the whole record', () => {
  const { status, stdout, stderr } = tried(['films/b.png']);
  assert.equal(status, 0);
  const [record] = lines(stdout);
  assert.deepEqual(Object.keys(record), [
    'file',
    'status',
    'verdict',
    'probability',
    'gate',
    'decoder',
    'sha256',
    'model',
    'bits',
  ]);
  assert.deepEqual(Object.keys(record.gate), ['accepted', 'score', 'reason']);
  assert.equal(record.file, 'films/b.png');
  assert.equal(record.sha256, createHash('sha256').update(good).digest('hex'));
  const hash = createHash('sha256').update(readFileSync(tiny)).digest('hex');
  assert.equal(record.model, `tiny-0.0.1 ${hash.slice(0, 12)}`);
  assert.match(record.bits, /^[0-9a-f]{16}$/);
  assert.ok(Math.abs(Object.values(record.probability).reduce((sum, p) => sum + p) - 1) < 1e-5);
  assert.equal(stderr, 'A random model for tests.\n', 'the notice, and nothing else');
});

test('each broken film gets a sentence, and the batch continues', () => {
  const names = Object.keys(broken);
  const { status, stdout, stderr } = tried([...names, 'films/b.png', 'nowhere.png']);
  assert.equal(status, 1);
  const records = lines(stdout);
  assert.deepEqual(
    records.map(({ file }) => file),
    [...names, 'films/b.png', 'nowhere.png'],
  );
  names.forEach((name, i) => {
    assert.deepEqual([records[i].status, records[i].code], ['error', broken[name][1]], name);
    assert.match(stderr, new RegExp(`^${name}: .{20,}\\.$`, 'm'));
  });
  assert.equal(records.at(-2).status, 'ok');
  assert.equal(records.at(-1).code, 'no-such-file');
});

test('progressive, CMYK and 16-bit films are classified', () => {
  const { status, stdout } = tried(['progressive.jpg', 'cmyk.jpg', 'grey16.png'].map((name) => join(fixtures, name)));
  assert.equal(status, 0);
  assert.equal(lines(stdout).length, 3);
});

test('folders, patterns and standard input', () => {
  const inFolder = lines(tried(['films']).stdout).map(({ file }) => file);
  assert.deepEqual(
    inFolder,
    ['films/a.PNG', 'films/b.png', 'films/deeper/c.bmp'],
    'sorted, deep, without the hidden and the text',
  );
  const pattern = lines(tried(['films/*.{png,PNG}', 'films/**/c.*']).stdout).map(({ file }) => file);
  assert.deepEqual(pattern, inFolder);
  const [piped] = lines(tried(['-'], { input: good }).stdout);
  const [read] = lines(tried(['films/b.png']).stdout);
  assert.deepEqual(piped, { ...read, file: '-' });
  for (const nothing of ['nothing', '*.tif']) {
    const { status, stdout } = tried([nothing]);
    assert.deepEqual([status, lines(stdout)[0].code], [1, 'no-films']);
  }
  assert.equal(lines(tried(['/dev/null', 'films/b.png']).stdout)[0].code, 'unreadable');
  assert.equal(lines(tried(['-'], { input: '' }).stdout)[0].code, 'empty-file');
});

test('a file whose name looks like a pattern is that file', () => {
  copyFileSync(join(folder, 'films/b.png'), join(folder, 'a[1]*.png'));
  assert.equal(lines(tried(['a[1]*.png']).stdout)[0].status, 'ok');
});

test('any number of threads prints the same', () => {
  const paths = ['films', ...Object.keys(broken), 'films', 'films'];
  const one = tried(['--jobs', '1', ...paths]);
  const three = tried(['--jobs', '3', ...paths]);
  assert.equal(one.stdout, three.stdout);
  const untimed = ({ stderr }) => stderr.replace(/(films in )[\d.]+ s/, '$1- s');
  assert.match(untimed(one), /films in - s/);
  assert.equal(untimed(one), untimed(three));
});

test('CSV holds every field and cannot become a formula', () => {
  const name = '=cmd|"x",1.png';
  writeFileSync(join(folder, name), good);
  const { stdout } = tried(['--csv', name, 'text.png']);
  const [head, row, error] = stdout.split('\n');
  assert.equal(
    head,
    'file,status,verdict,probability_covid,probability_pneumonia,probability_normal,prevalence,accepted,score,reason,doubt,extent_right,extent_left,decoder,sha256,model,bits,code,message',
  );
  assert.ok(row.startsWith(`"'=cmd|""x"",1.png",ok,`), row);
  assert.match(tried(['--csv', 'a;=1+1.png']).stdout, /^"a;=1\+1\.png",error,/m);
  assert.match(error, /^text\.png,error,(,){10}.*not-an-image,/);
});

test('at a prevalence every record says so in every format, and only probability and verdict change', () => {
  const at = ['--prevalence', 'covid=0.9,normal=0.025'],
    prevalence = { covid: 0.9, pneumonia: 0.075, normal: 0.025 };
  const [own] = lines(tried(['films/b.png']).stdout),
    [moved] = lines(tried([...at, 'films/b.png']).stdout);
  assert.deepEqual(Object.keys(moved), [
    'file',
    'status',
    'verdict',
    'probability',
    'prevalence',
    'gate',
    'decoder',
    'sha256',
    'model',
    'bits',
  ]);
  assert.deepEqual(
    { ...moved, prevalence: undefined },
    { ...own, verdict: 'covid', probability: moved.probability, prevalence: undefined },
  );
  assert.deepEqual(moved.prevalence, prevalence);
  const { prior } = JSON.parse(tried(['info', '--json']).stdout);
  assert.deepEqual(prior, { covid: 0.4, pneumonia: 0.25, normal: 0.35 });
  assert.match(pleura(['info']).stdout, /^other +other$/m);
  assert.match(tried(['info']).stdout, /^prior +covid=0\.4,pneumonia=0\.25,normal=0\.35$/m);
  const odds = Object.entries(own.probability).map(([label, p]) => (p * prevalence[label]) / prior[label]),
    sum = odds.reduce((a, b) => a + b);
  Object.values(moved.probability).forEach((p, i) =>
    assert.ok(Math.abs(p - odds[i] / sum) < 3e-6, `${p} is not ${odds[i] / sum}`),
  );
  const [, row, error] = tried([...at, '--csv', 'films/b.png', 'text.png']).stdout.split('\n');
  assert.ok(row.includes(',"covid=0.9,pneumonia=0.075,normal=0.025",'), row);
  assert.match(error, /^text\.png,error,(,){10}.*not-an-image,/);
  assert.match(
    tried([...at, '--table', 'films/b.png']).stdout,
    /^At the prevalence covid=0\.9,pneumonia=0\.075,normal=0\.025\nFILE /,
  );
});

test('an invalid prevalence is a usage error, and weights without a prior reject the option', () => {
  for (const [text, sentence] of [
    ['covid=5', /needs LABEL=SHARE/],
    ['covid=0.1', /must name all labels but one/],
    ['covid=0.1234567,normal=0.1', /at most six decimals/],
    ['covid=0.7,normal=0.6', /must add up to 1/],
    ['covid=0.1,covid=0.3,normal=0.1', /names covid twice/],
    ['', /--prevalence needs a value/],
  ]) {
    const { status, stdout, stderr } = tried(['films/b.png', '--prevalence', text]);
    assert.deepEqual([status, stdout], [2, ''], text);
    assert.match(stderr, sentence);
  }
  assert.match(pleura(['merge', '--prevalence', 'covid=1', 'x']).stderr, /--prevalence cannot be used with 'merge'/);
  const weights = readGguf(readFileSync(tiny));
  weights.values.delete('pleura.prior');
  writeFileSync(join(folder, 'mute.gguf'), writeGguf(weights));
  writeFileSync(join(folder, 'two.csv'), 'file,label\nfilms/b.png,covid\n');
  for (const command of [['films/b.png'], ['evaluate', '--labels', 'two.csv']]) {
    const { status, stdout, stderr } = pleura([
      ...command,
      '--model',
      'mute.gguf',
      '--prevalence',
      'covid=0.1,normal=0.8',
    ]);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(
      stderr,
      /^pleura: These weights do not record the class mix their probabilities assume, so .* pleura\.prior\.$/m,
    );
  }
  const damaged = pleura(['films/b.png', '--model', 'text.png', '--prevalence', 'covid=0.1,normal=0.8']);
  assert.deepEqual([damaged.status, damaged.stdout], [1, '']);
  says(damaged.stderr, /^pleura: /, 'text.png');
  assert.equal(pleura(['films/b.png', '--model', 'mute.gguf']).status, 0);
  assert.match(pleura(['info', '--model', 'mute.gguf']).stdout, /^prior +unknown$/m);
});

test('a terminal gets a table, and file names cannot control it', () => {
  const name = 'evil\u001b[2J\u202egnp.png';
  writeFileSync(join(folder, name), good);
  const shown = onTerminal([name, 'text.png', 'films/b.png'], { NO_COLOR: '1' });
  assert.match(shown, /^FILE +VERDICT +covid +pneumonia +normal$/m);
  assert.match(shown, /^films\/b\.png +\w+ +[\w.% -]+$/m);
  assert.match(shown, /^text\.png +error +not-an-image/m);
  assert.match(shown, /^A random model for tests\.$/m);
  assert.ok(!shown.includes('\u001b[2J') && !shown.includes('\u202e'));
  assert.doesNotMatch(tried(['--json', name]).stdout, /[\u001b\u202e]/);
  assert.ok(!shown.includes('\u001b'), 'NO_COLOR');
  assert.match(onTerminal(['text.png'], { NO_COLOR: '' }), /^text\.png +\u001b\[31merror\u001b\[m/m);
  assert.match(tried(['--table', 'text.png']).stdout, /^text\.png +error +not-an-image$/m);
});

test('a progress bar appears for many films, and only if standard error is a terminal', () => {
  const many = Array.from({ length: 10 }, () => 'films/b.png');
  assert.match(onTerminal([...many, '--json']).replace(/\{.*\}\n/g, ''), /^A random model/m);
  const command = `${quote([process.execPath, join(root, 'src/cli.mjs'), '--model', tiny, ...many, 'text.png'])} > ${join(folder, 'out')}`;
  const shown = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', cwd: folder }).stdout;
  assert.match(shown, /11/);
  assert.match(shown, /text\.png: This is not an image that Pleura can open\. Use a DICOM, /);
  assert.equal(lines(readFileSync(join(folder, 'out'), 'utf8')).length, 11);
  assert.doesNotMatch(tried(many).stderr, /\/11|\u001b/);
});

test('the library of patterns is loaded for a pattern, that of the bar for a bar', () => {
  const list = `data:text/javascript,import{createRequire}from'node:module';import{isMainThread}from'node:worker_threads';
    if(isMainThread)process.on('exit',()=>console.error(Object.keys(createRequire('/').cache).join()))`;
  const loaded = (path) =>
    /(picomatch|cli-progress)/.exec(
      tried([path], { env: { ...process.env, NODE_OPTIONS: `--import="${list}"` } }).stderr,
    );
  assert.equal(loaded('films/b.png'), null);
  assert.equal(loaded('films/*.png')[0], 'picomatch');
});

test('a reader that stops early ends the command quietly', () => {
  const many = Array.from({ length: 300 }, () => 'text.png');
  const command = `${quote([process.execPath, join(root, 'src/cli.mjs'), '--model', tiny, ...many])} 2>${join(folder, 'err')} | head -n 1`;
  const { stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8', cwd: folder });
  assert.equal(lines(stdout).length, 1);
  assert.doesNotMatch(readFileSync(join(folder, 'err'), 'utf8'), /EPIPE|at .*\.mjs/);
});

test('results that cannot be written stop the command with a sentence', () => {
  const command = `${quote([process.execPath, join(root, 'src/cli.mjs'), '--model', tiny, 'films/b.png'])} > /dev/full`;
  const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', cwd: folder });
  assert.deepEqual([status, stderr], [1, 'pleura: The results cannot be written (ENOSPC).\n']);
});

test('no result is lost if standard error is closed or full', () => {
  const expected = tried(['films/b.png', 'text.png', 'films/b.png']);
  assert.deepEqual([expected.status, lines(expected.stdout).length], [1, 3]);
  const command = 'pleura films/b.png text.png films/b.png';
  for (const script of [
    `{ ${command} > out; echo $? >> out; } 2>&1 | true`,
    `${command} > out 2> /dev/full; echo $? >> out`,
  ]) {
    bash(script);
    assert.equal(readFileSync(join(folder, 'out'), 'utf8'), `${expected.stdout}1\n`, script);
  }
});

test('arguments after -- are paths, even if they are named like a command', () => {
  writeFileSync(join(folder, 'convert'), good);
  writeFileSync(join(folder, 'info'), good);
  const { status, stdout, stderr } = tried(['--', 'convert', 'info']);
  assert.equal(status, 0, stderr);
  assert.deepEqual(
    lines(stdout).map(({ file }) => file),
    ['convert', 'info'],
  );
});

test('a usage error says so and exits with 2', () => {
  const wrong = [
    [],
    ['--nonsense', 'x.png'],
    ['--jobs', '0', 'x.png'],
    ['--jobs', 'two', 'x.png'],
    ['--jobs'],
    ['--json', '--csv', 'x.png'],
    ['--labels', 'x.csv', 'x.png'],
    ['--csv', '--resume', 'r.jsonl', 'x.png'],
    ['--shard', '1/2', '--table', 'x.png'],
    ['info', 'x.png'],
    ['evaluate'],
    ['adapt', '--labels', 'm.csv'],
    ['evaluate', '--labels', 'm.csv', '--by', 'shoe'],
  ];
  writeFileSync(join(folder, 'm.csv'), 'file,label\nfilms/b.png,covid\n');
  for (const args of wrong) {
    const { status, stdout, stderr } = tried(args);
    assert.deepEqual([status, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /^pleura: .+ See pleura ((info|evaluate|adapt) )?--help\.\n$/, args.join(' '));
  }
});

test('a message about options names those that cannot be combined, or the one that is missing', () => {
  for (const [args, ...names] of [
    [['--json', '--csv', 'x.png'], '--json', '--csv'],
    [['--table', '--resume', 'r.jsonl', 'x.png'], '--table', '--resume'],
    [['--labels', 'x.csv', 'x.png'], '--labels', "'evaluate'", "'adapt'"],
    [['merge', '--jobs', '2', 'x'], '--jobs', "'merge'"],
    [['adapt', '--labels', 'm.csv'], "'adapt'", '--out FILE', 'See pleura adapt --help.'],
  ]) {
    const { status, stdout, stderr } = pleura(args);
    assert.deepEqual([status, stdout], [2, ''], args.join(' '));
    says(stderr, ...names);
  }
});

test('info --layers shows each layer with its MACs and its time', () => {
  const { layers } = JSON.parse(tried(['info', '--layers', '--json']).stdout);
  const mask = layers.find(({ graph, name }) => graph === 'lungs' && name === 'mask');
  assert.deepEqual(mask.shape, [16, 16, 1]);
  assert.equal(mask.products, 16 * 16 * 32); // of 8 + 24 channels
  assert.equal(layers.at(-1).graph, 'diagnosis');
  assert.ok(layers.every(({ ms, products }) => ms >= 0 && Number.isInteger(products)));
  const rows = tried(['info', '--layers']).stdout.split('\n');
  assert.equal(rows.filter((row) => /^(lungs|diagnosis) /.test(row)).length, layers.length);
});

test('help begins with examples; version and info show what is installed', () => {
  assert.match(pleura(['--help']).stdout, /^Examples:\n {2}pleura film\.png/);
  assert.equal(
    pleura(['--version']).stdout.trim(),
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
  );
  const facts = JSON.parse(tried(['info', '--json']).stdout);
  assert.deepEqual(facts.labels, ['covid', 'pneumonia', 'normal']);
  assert.equal(facts.sha256, createHash('sha256').update(readFileSync(tiny)).digest('hex'));
  assert.match(tried(['info']).stdout, /^labels +covid, pneumonia, normal$/m);
});

test('missing, altered or foreign weights or engine files stop the command with a sentence', () => {
  const copy = join(folder, 'copy');
  mkdirSync(join(copy, 'build'), { recursive: true });
  mkdirSync(join(copy, 'model'));
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true });
  copyFileSync(join(root, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const wasm = join(copy, 'build/pleura.wasm'),
    weights = join(copy, 'model/pleura.gguf');
  const reset = () => {
    for (const name of ['pleura.wasm', 'pleura.dot.wasm'])
      for (const end of ['', '.sha256']) copyFileSync(join(root, 'build', name + end), join(copy, 'build', name + end));
    copyFileSync(tiny, weights);
    writeFileSync(
      `${weights}.sha256`,
      `${createHash('sha256').update(readFileSync(tiny)).digest('hex')}  pleura.gguf\n`,
    );
  };
  const run = () =>
    spawnSync(process.execPath, [join(copy, 'src/cli.mjs'), join(folder, 'films/b.png')], { encoding: 'utf8' });
  const refused = (pattern, change) => {
    reset();
    change();
    const { status, stdout, stderr } = run();
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, pattern);
    assert.equal(stderr.split('\n').length, 2, stderr);
  };
  reset();
  assert.equal(run().status, 0);
  refused(/pleura\.gguf is missing\./, () => rmSync(weights));
  for (const file of [weights, wasm, join(copy, 'build/pleura.dot.wasm')]) {
    refused(new RegExp(`${basename(file)} is not the file that .*: it is damaged or altered\\.`), () => {
      const bytes = readFileSync(file);
      bytes[bytes.length - 40] ^= 1;
      writeFileSync(file, bytes);
    });
    refused(new RegExp(`${basename(file)}\\.sha256 cannot be read`), () => rmSync(`${file}.sha256`));
  }
  refused(/pleura\.wasm is missing\. Build it/, () => rmSync(wasm));
  refused(/pleura\.wasm is not the file that/, () => truncateSync(wasm, 1000));
  refused(/pleura\.wasm is damaged/, () => {
    truncateSync(wasm, 1000);
    writeFileSync(`${wasm}.sha256`, createHash('sha256').update(readFileSync(wasm)).digest('hex'));
  });
  const foreign = pleura(['--model', join(folder, 'films/b.png'), 'films/b.png']);
  assert.deepEqual([foreign.status, foreign.stdout], [1, '']);
  assert.match(foreign.stderr, /not a GGUF file/);
  assert.match(
    pleura(['--model', 'nowhere.gguf', 'films/b.png']).stderr,
    /nowhere\.gguf is missing\. Check its path\./,
  );
});

test('a thread that dies loses one film, and a new thread takes its place', async () => {
  const fatal = { file: 'fatal', bytes: 7 }; // The engine is given what is neither bytes nor pixels: a fault that ends its thread.
  const given = (name) => ({ file: join(folder, 'films', name) });
  const pool = await createPool(await loadParts(tiny), 2);
  const said = [];
  for await (const { item, answer } of pool.run([
    given('b.png'),
    fatal,
    given('b.png'),
    fatal,
    fatal,
    given('a.PNG'),
    given('b.png'),
  ])) {
    said.push([basename(item.file), answer.code ?? 'ok']);
  }
  await pool.close();
  assert.deepEqual(said, [
    ['b.png', 'ok'],
    ['fatal', 'engine-stopped'],
    ['b.png', 'ok'],
    ['fatal', 'engine-stopped'],
    ['fatal', 'engine-stopped'],
    ['a.PNG', 'ok'],
    ['b.png', 'ok'],
  ]);
});

test('evaluate reads labels, prints Markdown or JSON, and reports missing films', () => {
  mkdirSync(join(folder, 'read'));
  for (let i = 0; i < 26; i++) writeFileSync(join(folder, `read/${i}.png`), film(100, 1000 + i));
  const rows = [
    'file,label,patient_id,split,source',
    ...Array.from({ length: 24 }, (_, i) => `read/${i}.png,${i % 2 ? 'covid' : 'normal'},p${i},test,s`),
    'read/none.png,covid,q,test,s',
    'read/24.png,other,r,test,s',
    'read/25.png,covid,t,train,s',
  ];
  writeFileSync(join(folder, 'labels.csv'), rows.join('\n'));
  const { status, stdout, stderr } = tried(['evaluate', '--labels', 'labels.csv', '--split', 'test', '--by', 'source']);
  assert.equal(status, 1);
  assert.match(stderr, /^read\/none\.png: There is no such file/m);
  assert.match(stdout, /26 films of 26 patients.*errors: 1\./);
  assert.match(stdout, /Not scored, because the model has no such label: other 1\./);
  const again = JSON.parse(tried(['evaluate', '--labels', 'labels.csv', '--split', 'test', '--json']).stdout);
  assert.equal(again.all.n, 24);
  assert.equal(pleura(['evaluate', '--labels', 'nowhere.csv']).status, 1);
});
