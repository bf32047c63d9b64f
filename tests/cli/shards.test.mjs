// Runs split into shards, and merging them: the bytes of a single-machine run, or a sentence for each problem.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bash, film, folder, lines, pleura, tiny, tried } from './command.mjs';

const at = (...names) => join(folder, ...names);

mkdirSync(at('films'));
for (let i = 0; i < 30; i++) writeFileSync(at(`films/${i}.png`), film(100, i));
writeFileSync(at('films/broken.png'), 'A letter.');
const paths = ['nowhere.png', 'films', 'films/3.png', 'none/*.png'];
const whole = tried(paths);
const shard = (label, given = paths) => tried([...given, '--shard', label]).stdout;
const names = (of) => Array.from({ length: of }, (_, i) => `${i + 1}of${of}.jsonl`);
for (const of of [1, 4, 40]) names(of).forEach((name, i) => writeFileSync(at(name), shard(`${i + 1}/${of}`)));

test('merged shards are byte-identical to a single-machine run, in any order', () => {
  for (const of of [1, 4, 40]) {
    const merged = pleura(['merge', ...names(of).reverse()]);
    assert.deepEqual(
      [merged.status, merged.stdout, merged.stderr],
      [1, whole.stdout, ''],
      `${of} shards; status 1 as a film is broken`,
    );
  }
  assert.equal(pleura(['merge', '--csv', ...names(4)]).stdout, tried([...paths, '--csv']).stdout);
  writeFileSync(at('good.jsonl'), shard('1/1', ['films/1.png']));
  assert.equal(pleura(['merge', 'good.jsonl']).status, 0);
});

test('the results of a whole run become the CSV that the run would have printed', () => {
  writeFileSync(join(folder, 'whole.jsonl'), tried(paths).stdout);
  assert.equal(pleura(['merge', '--csv', 'whole.jsonl']).stdout, tried([...paths, '--csv']).stdout);
  assert.equal(pleura(['merge', 'whole.jsonl']).stdout, readFileSync(join(folder, 'whole.jsonl'), 'utf8'));
});

test('a film belongs to one shard by its content, not its name', () => {
  const where = (name) =>
    [1, 2, 3, 4].filter((i) => lines(readFileSync(at(`${i}of4.jsonl`), 'utf8')).some(({ file }) => file === name));
  assert.equal(where('films/7.png').length, 1);
  const [own] = where('films/7.png');
  renameSync(at('films/7.png'), at('films/renamed.png'));
  assert.equal(lines(shard(`${own}/4`)).filter(({ file }) => file === 'films/renamed.png').length, 1);
  renameSync(at('films/renamed.png'), at('films/7.png'));
  const counts = names(4).map((name) => lines(readFileSync(at(name), 'utf8')).at(-1).records);
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    lines(whole.stdout).length,
  );
  assert.ok(
    counts.every((count) => count > 0),
    String(counts),
  );
});

test('a shard that was killed continues with --resume and ends with the same bytes', () => {
  const expected = readFileSync(at('2of4.jsonl'), 'utf8');
  const ends = [...expected.matchAll(/\n/g)].map(({ index }) => index + 1);
  for (const cut of [
    0,
    5,
    ends[0],
    ends[0] + 3,
    ends[3],
    ends[3] + 20,
    ends.at(-2),
    expected.length - 1,
    expected.length,
  ]) {
    writeFileSync(at('again.jsonl'), expected.slice(0, cut));
    tried([...paths, '--shard', '2/4', '--resume', 'again.jsonl']);
    assert.equal(readFileSync(at('again.jsonl'), 'utf8'), expected, `cut at ${cut}`);
  }
  writeFileSync(at('again.jsonl'), expected.slice(0, ends[3]));
  for (const other of [
    ['--shard', '3/4', ...paths],
    ['--shard', '2/5', ...paths],
    ['--shard', '2/4', 'films'],
    paths,
  ]) {
    const { status, stderr } = tried([...other, '--resume', 'again.jsonl']);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /so it was not changed/);
    assert.equal(readFileSync(at('again.jsonl'), 'utf8'), expected.slice(0, ends[3]));
  }
});

test('every reason why shards are not one run is named, and nothing is printed', () => {
  const bytes = readFileSync(tiny),
    other = Buffer.from(bytes);
  other.write('0.0.2', bytes.indexOf('0.0.1'), 'latin1');
  writeFileSync(at('other.gguf'), other);
  writeFileSync(at('foreign.jsonl'), pleura(['--model', 'other.gguf', ...paths, '--shard', '4/4']).stdout);
  writeFileSync(at('elsewhere.jsonl'), shard('4/4', ['films']));
  writeFileSync(at('results.jsonl'), whole.stdout);
  writeFileSync(at('labels.csv'), 'file,label\n');
  writeFileSync(at('empty.jsonl'), '');
  const third = readFileSync(at('3of4.jsonl'), 'utf8');
  writeFileSync(at('cut.jsonl'), third.slice(0, -5));
  writeFileSync(at('short.jsonl'), third.replace(/\n.*\n/, '\n'));
  const [one, two, three, four] = names(4);
  const refused = (files, ...patterns) => {
    const { status, stdout, stderr } = pleura(['merge', ...files]);
    assert.deepEqual([status, stdout], [1, ''], files.join(' '));
    for (const pattern of patterns) assert.match(stderr, pattern);
    assert.equal(stderr.split('\n').length, patterns.length + 1, stderr);
  };
  refused([one, three], /^pleura: Shard 2\/4 is missing\.$/m, /^pleura: Shard 4\/4 is missing\.$/m);
  refused(
    [one, two, three, four, two],
    /^pleura: 2of4\.jsonl and 2of4\.jsonl are both shard 2\/4\. Pass only one of them\.$/m,
  );
  refused(
    [one, two, three, 'foreign.jsonl'],
    /foreign\.jsonl is of another model \(tiny-0\.0\.2 \w+\) than 1of4\.jsonl \(tiny-0\.0\.1 /,
  );
  refused([one, two, three, 'elsewhere.jsonl'], /elsewhere\.jsonl was made from other films than 1of4\.jsonl/);
  refused([one, '2of40.jsonl'], /2of40\.jsonl is one of 40 shards, 1of4\.jsonl one of 4/);
  refused(
    ['results.jsonl', 'labels.csv', 'empty.jsonl', 'none.jsonl'],
    /^pleura: results\.jsonl is a whole run, not a shard\. Merge shards, or pass a whole run alone\.$/m,
    /labels\.csv is not a shard/,
    /empty\.jsonl is empty/,
    /none\.jsonl cannot be read \(ENOENT\)/,
  );
  refused([one, two, 'cut.jsonl', four], /cut\.jsonl is not finished: run shard 3\/4 again with --resume cut\.jsonl\./);
  refused([one, two, 'short.jsonl', four], /short\.jsonl is not finished/);
});

test('altered shards are detected, whatever they claim', () => {
  const [head, ...rest] = lines(shard('1/1', ['films'])),
    end = rest.pop(),
    text = (values) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  const merged = (values) => {
    writeFileSync(at('altered.jsonl'), text(values));
    const { status, stdout, stderr } = pleura(['merge', '--csv', 'altered.jsonl'], { timeout: 120_000 });
    assert.deepEqual([status, stdout], [1, ''], stderr.slice(0, 2000));
    assert.doesNotMatch(stderr, /at .*\.mjs/);
    return stderr;
  };
  assert.match(merged([{ ...head, films: 4e9 }, ...rest, end]), /Film 32 of 4000000000 is in no shard/);
  assert.match(merged([{ ...head, films: 30 }, ...rest, end]), /The shards hold 31 films, not the 30 of their run/);
  assert.match(
    merged([...[head, ...rest, end].map((value) => (value.shard ? { ...value, shard: '1/999999' } : value))]),
    /^(pleura: Shard \d+\/999999 is missing\.\n){101}pleura: …and more of the 999999 shards are missing\.\n$/,
  );
  assert.match(merged([head, rest[1], rest[0], ...rest.slice(2), end]), /does not list its films in order/);
  assert.match(merged([head, ...rest, end, rest[0]]), /is not finished/);
  for (const wrong of [
    { labels: 5 },
    { labels: [{}] },
    { shard: '1/99999999999' },
    { shard: ['1/1'] },
    { films: -1 },
    { films: 1.5 },
    { model: null },
    { list: { toString: 1 } },
  ]) {
    assert.match(merged([{ ...head, ...wrong }, ...rest, end]), /is not a shard/, JSON.stringify(wrong));
  }
  for (const wrong of [
    { place: 'x' },
    { place: 1e300 },
    { status: 'done' },
    { file: 7 },
    { gate: { score: { toString: 1 } } },
  ])
    assert.match(
      merged([head, { ...rest[0], ...wrong }, ...rest.slice(1), end]),
      /is not finished/,
      JSON.stringify(wrong),
    );
  writeFileSync(at('altered.jsonl'), text([head, { ...rest[0], code: { toString: 1 } }, ...rest.slice(1), end]));
  assert.match(
    pleura(['merge', '--csv', 'altered.jsonl']).stdout,
    /"\{""toString"":1\}"/,
    'an object is shown as what it is',
  );
});

test('shards at a prevalence merge to the bytes of one machine, and not with others', () => {
  const at = ['--prevalence', 'covid=0.05,pneumonia=0.1'],
    run = (label, more) => tried([...paths, ...more, '--shard', label]).stdout;
  for (const label of ['1/2', '2/2']) {
    writeFileSync(join(folder, `at${label[0]}.jsonl`), run(label, at));
    writeFileSync(join(folder, `own${label[0]}.jsonl`), run(label, []));
  }
  for (const form of [[], ['--csv']])
    assert.equal(pleura(['merge', ...form, 'at2.jsonl', 'at1.jsonl']).stdout, tried([...paths, ...at, ...form]).stdout);
  const mixed = pleura(['merge', 'own1.jsonl', 'at2.jsonl']);
  assert.deepEqual([mixed.status, mixed.stdout], [1, '']);
  assert.match(
    mixed.stderr,
    /at2\.jsonl is at another prevalence \(covid=0\.05,pneumonia=0\.1,normal=0\.85\) than own1\.jsonl \(the model's own\)\.$/m,
  );
  writeFileSync(join(folder, 'begun.jsonl'), run('1/2', at).split('\n')[0] + '\n');
  assert.match(
    tried([...paths, '--shard', '1/2', '--resume', 'begun.jsonl']).stderr,
    /started as another shard, with other films, another model or another prevalence/,
  );
});

test('a film that changed while the shards ran is detected', () => {
  const before = readFileSync(at('films/9.png'));
  const owner = (bytes) => {
    writeFileSync(at('films/9.png'), bytes);
    return [1, 2].find((i) => lines(shard(`${i}/2`, ['films'])).some(({ file }) => file === 'films/9.png'));
  };
  const first = owner(before);
  let changed = film(100, 100);
  for (let tone = 101; owner(changed) === first; tone++) changed = film(100, tone);
  const run = (label, bytes) => {
    writeFileSync(at('films/9.png'), bytes);
    writeFileSync(at(`${label[0]}.jsonl`), shard(label, ['films']));
  };
  run(`${first}/2`, changed);
  run(`${3 - first}/2`, before);
  assert.match(
    pleura(['merge', '1.jsonl', '2.jsonl']).stderr,
    /^pleura: Film \d+ of 31 is in no shard: it was changed/,
  );
  run(`${first}/2`, before);
  run(`${3 - first}/2`, changed);
  assert.match(
    pleura(['merge', '1.jsonl', '2.jsonl']).stderr,
    /^pleura: Film \d+ of 31 is in more than one shard: it was changed/,
  );
  writeFileSync(at('films/9.png'), before);
});

test('more shards than open files allowed give a sentence, and nothing is printed', () => {
  const { status, stdout, stderr } = bash('ulimit -n 50; "$node" "$cli" merge --csv *of40.jsonl');
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(
    stderr,
    /^pleura: \d+of40\.jsonl cannot be read \(EMFILE\)\. All shards are open at once: allow more open files \(ulimit -n\)\.\n$/,
  );
});

test('invalid shards and merges are usage errors', () => {
  for (const label of ['0/4', '5/4', '1', '1/', '-1/4', '1/0', 'a/b', '1.5/2']) {
    const { status, stderr } = tried(['films', `--shard=${label}`]);
    assert.deepEqual([status, /^pleura: --shard needs two numbers/.test(stderr)], [2, true], label);
  }
  assert.match(tried(['films', '--shard', '']).stderr, /^pleura: --shard needs a value\./);
  assert.equal(tried(['films', '--shard', '1/2', '--csv']).status, 2);
  assert.equal(pleura(['merge']).status, 2);
  assert.match(bash('"$node" "$cli" merge <(cat 1of1.jsonl)').stderr, /is not a regular file\. Shards are read twice/);
  assert.equal(pleura(['merge', '--jobs', '2', 'x']).status, 2);
});

test('merging into a closed pipe ends quietly, into a full disk with a sentence', () => {
  const piped = bash('"$node" "$cli" merge 1of1.jsonl 2>err | head -n 1; cat err >&2');
  assert.deepEqual([lines(piped.stdout).length, piped.stderr], [1, '']);
  const full = bash('"$node" "$cli" merge 1of1.jsonl > /dev/full');
  assert.deepEqual([full.status, full.stderr], [1, 'pleura: The results cannot be written (ENOSPC).\n']);
  rmSync(at('1of1.jsonl'));
});
