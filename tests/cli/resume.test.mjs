// A run that is killed or fills the disk, and is started again: no film is lost or done twice.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bash, cli, film, folder, lines, onTerminal, pleura, quote, says, tiny, tried } from './command.mjs';

const FILMS = 600;
const at = (...names) => join(folder, ...names);
const read = (name) => readFileSync(at(name), 'utf8');

mkdirSync(at('films'));
for (let i = 0; i < 20; i++) writeFileSync(at(`films/${i}.png`), i === 7 ? 'A letter.' : film(300, i));
writeFileSync(at('list'), Array.from({ length: FILMS }, (_, i) => `films/${i % 20}.png\n`).join(''));
const whole = tried(['--files', 'list']);

test('a run that is killed at any moment and restarted ends with the bytes of an uninterrupted one', async () => {
  const args = [cli, '--model', tiny, '--files', 'list', '--jobs', '2', '--resume', 'killed.jsonl'];
  let size = 0,
    unfinished = 0;
  for (let kill = 0; kill < 8; kill++) {
    const more = (Math.random() * whole.stdout.length) / 9;
    const run = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' });
    const ended = once(run, 'exit');
    while (run.exitCode === null && (statSync(at('killed.jsonl'), { throwIfNoEntry: false })?.size ?? 0) < size + more)
      await new Promise(setImmediate);
    run.kill('SIGKILL');
    await ended;
    const now = statSync(at('killed.jsonl')).size;
    assert.ok(now >= size, 'nothing is lost');
    size = now;
    if (size < whole.stdout.length) unfinished++;
  }
  assert.ok(unfinished, 'it was killed before its end');
  const last = pleura(args.slice(1));
  assert.equal(last.status, 1, 'an error that an earlier run has met counts');
  assert.equal(last.stdout, '');
  assert.equal(read('killed.jsonl'), whole.stdout);
  const again = pleura(args.slice(1));
  assert.deepEqual([again.status, read('killed.jsonl')], [1, whole.stdout], 'and once more changes nothing');
});

for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM'])) {
  test(`${signal} ends a run at once, by that signal, after a whole line; the same command continues`, async () => {
    for (const output of ['--resume', '>']) {
      rmSync(at('signal.jsonl'), { force: true });
      const words = output === '>' ? ['--json'] : ['--resume', 'signal.jsonl'],
        file = output === '>' ? openSync(at('signal.jsonl'), 'w') : 'ignore';
      const run = spawn(process.execPath, [cli, '--model', tiny, '--files', 'list', '--jobs', '2', ...words], {
        cwd: folder,
        stdio: ['ignore', file, 'ignore'],
      });
      const ended = once(run, 'exit');
      while ((statSync(at('signal.jsonl'), { throwIfNoEntry: false })?.size ?? 0) < whole.stdout.length / 9)
        await new Promise(setImmediate);
      run.kill(signal);
      assert.deepEqual(await ended, [null, signal]);
      if (file !== 'ignore') closeSync(file);
      const left = read('signal.jsonl');
      assert.ok(
        left.endsWith('\n') && left.length < whole.stdout.length && whole.stdout.startsWith(left),
        `${left.length} bytes, the last ${JSON.stringify(left.slice(-20))}`,
      );
      tried(['--files', 'list', '--resume', 'signal.jsonl']);
      assert.equal(read('signal.jsonl'), whole.stdout);
    }
  });

  test(`${signal} gives a terminal its cursor back`, async () => {
    rmSync(at('pid'), { force: true });
    const run = spawn(
      'script',
      [
        '-qec',
        `echo $$ > pid; exec ${quote([process.execPath, cli, '--model', tiny, '--files', 'list', '--json'])} > signal.out`,
        '/dev/null',
      ],
      { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] },
    );
    const ended = once(run, 'close');
    let shown = '';
    run.stdout.on('data', (text) => {
      shown += text;
    });
    while (!shown.includes('films/s')) await new Promise(setImmediate);
    process.kill(Number(read('pid')), signal);
    await ended;
    assert.ok(shown.lastIndexOf('\u001b[?25h') > shown.lastIndexOf('\u001b[?25l'), JSON.stringify(shown.slice(-100)));
    assert.ok(lines(read('signal.out')).length < FILMS, 'it has ended');
  });
}

test('a last line that was cut off anywhere is written again', () => {
  const end = whole.stdout.length,
    lastLine = whole.stdout.lastIndexOf('\n', end - 2) + 1;
  for (const cut of [
    end - 1,
    end - 2,
    lastLine + 1,
    lastLine,
    lastLine - 1,
    lastLine + Math.floor(Math.random() * (end - lastLine)),
  ]) {
    writeFileSync(at('cut.jsonl'), whole.stdout.slice(0, cut));
    tried(['--files', 'list', '--resume', 'cut.jsonl']);
    assert.equal(read('cut.jsonl'), whole.stdout, `cut at ${cut} of ${end}`);
  }
});

test('new films are added in their order; records of removed films stay', () => {
  const first = tried(['films/1.png', 'films/2.png', '--resume', 'grown.jsonl']);
  assert.equal(first.status, 0, first.stderr);
  tried(['films/3.png', 'films/2.png', 'films/2.png', '--resume', 'grown.jsonl']);
  assert.deepEqual(
    lines(read('grown.jsonl')).map(({ file }) => file),
    ['films/1.png', 'films/3.png', 'films/2.png', 'films/2.png'],
  );
});

test('a file that Pleura did not write is not changed', () => {
  const foreign = {
    'a.png': readFileSync(at('films/1.png')),
    'notes.txt': 'Some notes.\n',
    'table.csv': 'file,label\n',
    'other.json': '{"a": 1}\n',
    'half.txt': 'no newline at the end',
    'bare.json': '{"a": 1}',
    'long.json': `{"file":"${'x'.repeat(3 << 20)}","status":"error"}\n`,
    'deep.json': `{"file":"a","status":"error","code":${'['.repeat(9000)}${']'.repeat(9000)}}\n`,
    'model.json': '{"file":"a","status":"ok","model":{"toString":1}}\n',
    'broken.json': '{"file":"a","status":"error","model":{"toString":1}}\n',
    'place.json': '{"place":1e300,"file":"a","status":"error"}\n',
    'shard.jsonl': tried(['films/1.png', '--shard', '1/1']).stdout,
  };
  for (const [name, bytes] of Object.entries(foreign)) {
    writeFileSync(at(name), bytes);
    const { status, stdout, stderr } = tried(['films/1.png', '--resume', name]);
    assert.deepEqual([status, stdout], [2, ''], name);
    says(stderr, /^pleura: /, name, 'not changed', '--resume');
    assert.deepEqual(readFileSync(at(name)), Buffer.from(bytes));
  }
  for (const [name, pattern] of [
    ['/dev/full', /not a regular file/],
    ['nowhere/x.jsonl', /cannot be written \(ENOENT\)/],
    ['films', /cannot be written \(EISDIR\)/],
  ]) {
    const { status, stderr } = tried(['films/1.png', '--resume', name]);
    assert.ok(status > 0);
    assert.match(stderr, pattern);
  }
  for (const form of ['--csv', '--table']) assert.equal(tried([form, '--resume', 'x', 'films']).status, 2);
});

test('a film on standard input, which has no name, is a usage error', () => {
  writeFileSync(at('unnamed'), 'films/1.png\n-\n');
  for (const films of [
    ['films/1.png', '-'],
    ['--files', 'unnamed'],
  ]) {
    const { status, stdout, stderr } = tried([...films, '--resume', 'unnamed.jsonl'], { input: film(300) });
    assert.deepEqual([status, stdout, existsSync(at('unnamed.jsonl'))], [2, '', false]);
    assert.match(
      stderr,
      /^pleura: --resume recognises films by their names, and standard input has none\. Save the film first\. See pleura --help\.$/m,
    );
  }
});

test('a usage error leaves no empty file behind', () => {
  for (const wrong of [
    ['--jobs', '0'],
    ['--prevalence', 'covid=5'],
  ]) {
    assert.equal(tried(['films/1.png', '--resume', 'unborn.jsonl', ...wrong]).status, 2);
    assert.ok(!existsSync(at('unborn.jsonl')), wrong.join(' '));
  }
});

test('a file whose name is not UTF-8 can be resumed and merged', () => {
  const { status, stdout, stderr } = bash(`caf=$'caf\\xe9.jsonl'
    pleura films/1.png --resume "$caf" && pleura films/1.png films/2.png --resume "$caf" && cat "$caf"
    pleura films/1.png films/2.png --shard 1/1 > "$caf" && "$node" "$cli" merge "$caf"`);
  assert.equal(status, 0, stderr);
  assert.equal(lines(stdout).length, 2 + 2);
});

test('results of two models are never mixed', () => {
  const bytes = readFileSync(tiny);
  const other = Buffer.from(bytes);
  other.write('0.0.2', bytes.indexOf('0.0.1'), 'latin1');
  writeFileSync(at('other.gguf'), other);
  tried(['films/1.png', '--resume', 'model.jsonl']);
  const { status, stderr } = pleura(['--model', 'other.gguf', 'films/1.png', 'films/2.png', '--resume', 'model.jsonl']);
  assert.equal(status, 2);
  assert.match(stderr, /contains results of another model \(tiny-0\.0\.1 /);
  assert.equal(lines(read('model.jsonl')).length, 1);
  const cut = `${read('model.jsonl')}{"file":"films/2.p`;
  writeFileSync(at('model.jsonl'), cut);
  assert.equal(pleura(['--model', 'other.gguf', 'films/1.png', 'films/2.png', '--resume', 'model.jsonl']).status, 2);
  assert.equal(read('model.jsonl'), cut, 'left as it is, the half-written line too');
});

test("results at two prevalences are never mixed, nor with results at the model's own prior", () => {
  const at = (text) => ['--prevalence', text],
    [few, many] = ['covid=0.05,pneumonia=0.1', 'covid=0.5,pneumonia=0.1'];
  for (const [first, second, told] of [
    [at(few), at(many), few],
    [at(few), [], few],
    [[], at(many), "the model's own"],
  ]) {
    rmSync(join(folder, 'mixed.jsonl'), { force: true });
    assert.equal(tried([...first, 'films/1.png', '--resume', 'mixed.jsonl']).status, 0);
    const { status, stderr } = tried([...second, 'films/1.png', 'films/2.png', '--resume', 'mixed.jsonl']);
    assert.equal(status, 2);
    assert.ok(stderr.includes(`contains results at another prevalence (${told}`), stderr);
    assert.equal(lines(read('mixed.jsonl')).length, 1);
  }
  rmSync(join(folder, 'mixed.jsonl'));
  for (const films of [['films/1.png'], ['films/1.png', 'films/2.png']])
    tried([...at(few), ...films, '--resume', 'mixed.jsonl']);
  assert.equal(read('mixed.jsonl'), tried([...at(few), 'films/1.png', 'films/2.png']).stdout);
});

test('a full disk stops the run with a sentence; with free space it continues', () => {
  const full = bash('ulimit -f 20; pleura --files list --resume full.jsonl');
  assert.equal(full.status, 1);
  says(full.stderr, /^pleura: full\.jsonl /m, '(EFBIG)');
  assert.equal(statSync(at('full.jsonl')).size, 20 * 1024);
  tried(['--files', 'list', '--resume', 'full.jsonl']);
  assert.equal(read('full.jsonl'), whole.stdout);
});

test('a second process writing to the same file is detected', async () => {
  copyFileSync(at('list'), at('shared.list'));
  rmSync(at('shared.jsonl'), { force: true });
  const run = spawn(process.execPath, [cli, '--model', tiny, '--files', 'list', '--resume', 'shared.jsonl'], {
    cwd: folder,
  });
  let stderr = '';
  run.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = once(run, 'exit');
  while (!statSync(at('shared.jsonl'), { throwIfNoEntry: false })?.size) await new Promise(setImmediate);
  appendFileSync(
    at('shared.jsonl'),
    lines(whole.stdout)
      .slice(0, 1)
      .map((record) => `${JSON.stringify(record)}\n`)[0],
  );
  assert.deepEqual(await ended, [1, null]);
  assert.match(stderr, /shared\.jsonl is also being written by another process\./);
});

test('a terminal shows the rate and the time left, but no records', () => {
  const shown = onTerminal(['--files', 'list', '--resume', 'terminal.jsonl']);
  assert.match(shown, /600 +[\d.]+ films\/s +\S+ left/);
  assert.doesNotMatch(shown, /"file"|VERDICT/);
  assert.equal(read('terminal.jsonl'), whole.stdout);
});

test('with too few open files allowed, the engine does not start or every film is read', () => {
  let refused = 0,
    status;
  for (let most = 36; status !== 0; most += 4) {
    const run = bash(
      `ulimit -n ${most}; pleura --json --jobs 4 ${Array.from({ length: 40 }, () => 'films/1.png').join(' ')}`,
    );
    ({ status } = run);
    if (status !== 0) refused++;
    assert.deepEqual(
      [...new Set(lines(run.stdout).map((record) => record.status))],
      status === 0 ? ['ok'] : [],
      `${most} files: ${run.stderr}`,
    );
  }
  assert.ok(refused > 0, 'the limit was felt');
});
