// Malicious names, labels and lines, and what each output format of the command does with them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { marked } from 'marked';
import { readGguf, textValue, textValues, writeGguf } from '../../src/weights/gguf.mjs';
import { parseCsv } from '../../src/cli/csv.mjs';
import { cli, film, folder, lines, pleura, quote, root, tiny } from './command.mjs';

const ESCAPES = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202egnp.\u061c\r';
const HOSTILE = [
  `a${ESCAPES}`,
  '=HYPERLINK("http:x")',
  '+1+1',
  "-1+cmd|' C calc'!A0",
  '@SUM(1)',
  '\t=1',
  '\r=1',
  '\n=1',
  ' =1',
  '\uff1d1',
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)<',
  '[x](javascript:alert(1))',
  '`x`',
  '![x](y)',
  '**x**',
  '| a | b |',
  '"quoted", "twice"',
  '{"file":"x"}',
  '__proto__',
  'constructor',
  'http:x www.evil.example a@evil.example',
  '$(touch owned)',
  'x\\..\\owned',
];
const LABELS = [`covid${ESCAPES}`, '=1+1|<img src=x onerror=alert(1)>', '__proto__'];
/** Characters that control a terminal, except the newline. */
const COMMANDS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

const good = film(200);
mkdirSync(join(folder, 'films'));
HOSTILE.forEach((name, i) =>
  writeFileSync(join(folder, 'films', `${name}.png`), i % 2 ? film(150, i) : `No film ${i}.`),
);
const model = join(folder, 'hostile.gguf');
const weights = readGguf(readFileSync(tiny));
weights.values
  .set('pleura.labels', textValues(LABELS))
  .set('general.name', textValue(`name${ESCAPES}`))
  .set('pleura.card.notice', textValue(`notice${ESCAPES}`));
writeFileSync(model, writeGguf(weights));
const run = (...args) => pleura(['--model', model, ...args]);
/** What a terminal is sent. @param {string[]} args */
const onTerminal = (...args) =>
  execFileSync(
    'script',
    ['-qec', `stty -onlcr; ${quote([process.execPath, cli, '--model', model, ...args])}; true`, '/dev/null'],
    { encoding: 'utf8', cwd: folder, env: { ...process.env, NO_COLOR: '1' } },
  );

test('no name, label, notice or error can control the terminal, in any format', () => {
  for (const args of [
    ['films'],
    ['films', '--csv'],
    ['films', '--json'],
    ['info'],
    ['info', '--layers'],
    ['films', '--prevalence', `${LABELS[0]}=1`],
    ['films', '--prevalence', `none${ESCAPES}=1`],
    [`nowhere${ESCAPES}`],
    ['films', '--resume', `none${ESCAPES}/x`],
    ['films', '--heatmap', `films/${HOSTILE[0]}.png/x`],
    ['--adapter', `none${ESCAPES}`, 'films'],
    ['evaluate', '--labels', `none${ESCAPES}`],
    [`--none${ESCAPES}`],
    ['merge', `none${ESCAPES}`],
  ]) {
    const shown = onTerminal(...args);
    assert.ok(shown.length > 40, args.join(' '));
    assert.doesNotMatch(shown, COMMANDS, args.join(' '));
  }
});

test('there is one JSON line per film, with its exact name and no control characters', () => {
  const { stdout } = run('films');
  assert.deepEqual(
    lines(stdout)
      .map(({ file }) => file)
      .sort(),
    HOSTILE.map((name) => `films/${name}.png`).sort(),
  );
  assert.doesNotMatch(stdout, COMMANDS);
  const [answered] = lines(stdout).filter(({ status }) => status === 'ok');
  assert.deepEqual(Object.keys(answered.probability), LABELS);
});

test('no CSV cell is a formula, ends its row or controls a terminal', () => {
  for (const name of HOSTILE.slice(0, 10)) writeFileSync(join(folder, `${name}.png`), good);
  const names = readdirSync(folder).filter((name) => name.endsWith('.png'));
  writeFileSync(join(folder, 'list'), names.join('\0'));
  const { stdout } = run('--csv', '--files', 'list');
  assert.doesNotMatch(stdout, COMMANDS);
  const rows = parseCsv(stdout);
  assert.equal(rows.length, 10);
  for (const cells of [Object.keys(rows[0]), ...rows.map(Object.values)]) {
    for (const cell of cells) assert.ok(!/^\s*[=+\-@\uff1d]/.test(cell) || /^-?\d+(\.\d+)?$/.test(cell), cell);
  }
});

test('labels, columns and groups stay text in the Markdown of an evaluation', () => {
  const cell = (text) => `"${text.replaceAll('"', '""')}"`;
  mkdirSync(join(folder, 'plain'));
  const rows = HOSTILE.map((name, i) => {
    writeFileSync(join(folder, `plain/${i}.png`), film(120, i));
    return [`plain/${i}.png`, i % 2 ? LABELS[i % 3] : name, name, name].map(cell).join(',');
  });
  writeFileSync(join(folder, 'labels.csv'), [`file,label,source,${cell('<b>`[x](y)')}`, ...rows].join('\n'));
  const { status, stdout, stderr } = run('evaluate', '--labels', 'labels.csv', '--by', '<b>`[x](y)');
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stdout, COMMANDS);
  const html = marked.parse(stdout, { async: false });
  assert.deepEqual([...new Set([...html.matchAll(/<([a-z]\w*)/g)].map(([, name]) => name))].sort(), [
    'code',
    'h1',
    'h2',
    'h3',
    'p',
    'pre',
    'strong', // the warning of near duplicates
    'table',
    'tbody',
    'td',
    'th',
    'thead',
    'tr',
  ]);
  assert.match(html, /&lt;img src=x onerror=alert\(1\)&gt;/);
  assert.match(html, /<td>constructor<\/td>\s*<td align="right">1<\/td>/);
  assert.doesNotMatch(html, /\[object|function|NaN|undefined/);
});

test('no film or archive member can write its heatmap outside the folder', () => {
  mkdirSync(join(folder, 'pack'));
  const names = ['../../owned.png', '/owned.png', 'C:\\owned.png', `a${ESCAPES}.png`, '..\\owned.png', 'a/../../b.png'];
  execFileSync('python3', [
    '-c',
    'import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w") as z:\n  for name in sys.argv[3:]: z.writestr(name, open(sys.argv[2], "rb").read())',
    join(folder, 'pack/x.zip'),
    join(folder, 'plain/1.png'),
    ...names,
  ]);
  const before = readdirSync(folder).sort();
  const { stdout } = run('films', 'pack/x.zip', '--heatmap', 'pack/heat');
  assert.deepEqual(
    lines(stdout)
      .filter(({ file }) => file.startsWith('pack'))
      .map(({ code }) => code ?? 'ok')
      .sort(),
    [...Array(5).fill('unsafe-name'), 'ok'].sort(),
  );
  assert.deepEqual(readdirSync(folder).sort(), before);
  const written = readdirSync(join(folder, 'pack/heat'));
  assert.ok(written.length >= HOSTILE.length / 2, String(written.length));
  for (const name of written) assert.match(name, /^[\p{L}\p{N}_-][\p{L}\p{N}._-]*-[0-9a-f]{16}\.png$/u);
});

test('shards that Pleura did not write are rejected with a sentence, and their texts never become formulas', () => {
  const head = { shard: '1/1', films: 1, list: 'x', model: 'm', labels: ['a'] },
    record = { place: 0, file: 'f', status: 'ok', verdict: 'a', probability: { a: 1 }, model: 'm' };
  const merged = (...all) => {
    writeFileSync(join(folder, 'shard.jsonl'), all.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return pleura(['merge', '--csv', 'shard.jsonl']);
  };
  const end = { shard: '1/1', records: 1 };
  assert.equal(merged(head, record, end).status, 0);
  for (const [what, ...all] of /** @type {[RegExp, ...object[]][]} */ ([
    [/is not a shard/, { ...head, films: -1 }, record, end],
    [/is not a shard/, { ...head, films: 1e300 }, record, end],
    [/is not a shard/, { ...head, labels: 'a' }, record, end],
    [/is not a shard/, { ...head, labels: [{}] }, record, end],
    [/is not a shard/, { ...head, shard: '1/99999999999' }, record, end],
    [/Film 2 of 9007199254740991 is in no shard/, { ...head, films: Number.MAX_SAFE_INTEGER }, record, end],
    [/is not finished/, head, { ...record, place: 'length' }, end],
    [/Film 1 of 1 is in no shard/, head, { ...record, place: 1 }, end],
    [
      /does not list its films in order/,
      { ...head, films: 2 },
      { ...record, place: 1 },
      record,
      { ...end, records: 2 },
    ],
    [/is not finished/, head, { place: 0, file: 'f' }, end],
  ])) {
    const { status, stdout, stderr } = merged(...all);
    assert.deepEqual([status, stdout], [1, ''], stderr);
    assert.match(stderr, what);
    assert.equal(stderr.split('\n').length, 2, stderr);
  }
  const { status, stdout, stderr } = merged(
    { ...head, labels: ['=1', 'a'] },
    {
      ...record,
      file: '=1',
      verdict: ['=1'],
      model: '@x',
      probability: { '=1': '=1', a: '-1' },
      gate: { accepted: '=1', score: '+1' },
    },
    end,
  );
  assert.deepEqual([status, stdout.split('\n').length], [0, 3], stderr);
  for (const cell of stdout.split(/[,\n]/)) assert.doesNotMatch(cell, /^"?\s*[=+\-@]/);
});

test('messages of the converter about a hostile network cannot control the terminal', () => {
  const network = join(folder, 'net.onnx');
  execFileSync('/usr/bin/python3', [
    '-c',
    `import onnx, sys
m = onnx.load(sys.argv[1]); m.graph.node[1].op_type = sys.argv[3]; m.graph.node[1].name = sys.argv[3]
open(sys.argv[2], 'wb').write(m.SerializeToString())`,
    join(root, 'tests/fixtures/convert/vgg.onnx'),
    network,
    `Op${ESCAPES}`,
  ]);
  const { status, stderr } = pleura(['convert', network, join(folder, 'out.gguf'), '--labels', 'a,b,c']);
  assert.equal(status, 1);
  assert.match(stderr, /the engine has no such operation/);
  assert.doesNotMatch(stderr, COMMANDS);
});
