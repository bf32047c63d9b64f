// `pleura evaluate` as a person meets it: labelled folders, two models, expected prevalence, a report with plots.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import jpeg from 'jpeg-js';
import { dicomFile } from '../dicom/file.mjs';
import { evaluationSummary } from '../../src/cli/evaluation/summary.mjs';
import { applyAdapter, readLastLayer, writeAdapter } from '../../src/weights/adapter.mjs';
import { readGguf, textValue, writeGguf } from '../../src/weights/gguf.mjs';
import { seenFilms } from '../../src/weights/seen.mjs';
import { png } from '../image/png.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tiny = join(root, 'tests/fixtures/tiny.gguf');
const folder = mkdtempSync(join(tmpdir(), 'pleura-evaluate-'));
after(() => rmSync(folder, { recursive: true }));

/** @param {string[]} args */
function evaluate(...args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'src/cli.mjs'), 'evaluate', '--model', tiny, '--rounds', '200', ...args],
    { encoding: 'utf8', cwd: folder, maxBuffer: 1 << 28 },
  );
  return { status, stdout, stderr };
}

const rows = ['file,label,patient_id,site'];
for (const [n, label] of ['covid', 'pneumonia', 'normal'].entries()) {
  mkdirSync(join(folder, 'films', label), { recursive: true });
  for (let i = 0; i < 12; i++) {
    const file = `films/${label}/${i}.png`;
    writeFileSync(
      join(folder, file),
      png({ width: 72, height: 72 }, (x, y) => [(x * (n + 1) + y * (i + 2)) & 255]),
    );
    rows.push(`${file},${label},${label}${i >> 1},"a|b <i>"`);
  }
}
writeFileSync(join(folder, 'films.csv'), `${rows.join('\n')}\n`);

/** A third-party classifier with these labels. @param {string} name @param {string} labels @returns {string} its path */
function converted(name, labels) {
  const path = join(folder, name);
  const args = ['convert', join(root, 'tests/fixtures/convert/vgg.onnx'), path, '--labels', labels];
  spawnSync(process.execPath, [join(root, 'src/cli.mjs'), ...args]);
  return path;
}

test('a folder with one sub-folder per label needs no CSV', () => {
  const [byFolder, byCsv] = ['films', 'films.csv'].map((labels) => evaluate('--labels', labels, '--json'));
  assert.deepEqual([byFolder.status, byCsv.status], [0, 0], byFolder.stderr + byCsv.stderr);
  const [a, b] = [byFolder, byCsv].map(({ stdout }) => JSON.parse(stdout));
  assert.deepEqual([a.films, a.patients, b.patients], [36, 36, 18]);
  assert.deepEqual(a.all.confusion, b.all.confusion);
  assert.equal(a.command, `pleura evaluate --model ${tiny} --rounds 200 --labels films --json`);
  const { status, stderr } = evaluate('--labels', 'films/covid');
  assert.equal(status, 2);
  assert.match(
    stderr,
    /films\/covid has no sub-folders\. Put the films into one sub-folder per label, or pass a CSV\./,
  );
  assert.match(evaluate('--labels', 'films', '--by', 'site').stderr, /films has no column 'site'/);
  mkdirSync(join(folder, 'gaps/covid'), { recursive: true });
  for (const label of ['pneumonia', 'normal']) symlinkSync(join(folder, 'films', label), join(folder, 'gaps', label));
  symlinkSync('/nowhere', join(folder, 'gaps/broken'));
  const gaps = evaluate('--labels', 'gaps');
  assert.deepEqual([gaps.status, gaps.stdout], [2, '']);
  assert.match(gaps.stderr, /gaps\/covid: /);
  symlinkSync(join(folder, 'films/covid'), join(folder, 'gaps/covid/more'));
  assert.equal(JSON.parse(evaluate('--labels', 'gaps', '--json').stdout).films, 36);
});

test('absolute paths in a CSV are independent of --root', () => {
  writeFileSync(
    join(folder, 'places.csv'),
    `file,label\n${join(folder, 'films/covid/1.png')},covid\ncovid/2.png,covid\n`,
  );
  const { status, stdout, stderr } = evaluate('--labels', 'places.csv', '--root', 'films', '--json');
  assert.equal(status, 0, stderr);
  assert.deepEqual([JSON.parse(stdout).films, JSON.parse(stdout).errors], [2, 0]);
});

test('DICOM films with one Patient ID count as one patient unless the CSV says otherwise, and the ID is never written', () => {
  mkdirSync(join(folder, 'discs/covid'), { recursive: true });
  ['ID-1', ' ID-1', 'ID-2', ''].forEach((id, i) => {
    const pixels = Uint8Array.from({ length: 72 * 72 }, (_, p) => (p % 72) * 2 + i);
    writeFileSync(
      join(folder, `discs/covid/${i}.dcm`),
      dicomFile({ width: 72, height: 72, pixels, tags: { '00100020': ['LO', id] } }),
    );
  });
  const own = [0, 1, 2, 3].map((i) => `discs/covid/${i}.dcm,covid,${['', 'x', 'x', ''][i]}`);
  writeFileSync(join(folder, 'discs.csv'), ['file,label,patient_id', ...own].join('\n'));
  for (const labels of ['discs', 'discs.csv']) {
    const { status, stdout, stderr } = evaluate(
      '--labels',
      labels,
      '--json',
      '--against',
      tiny,
      '--report',
      'discs.report',
    );
    assert.equal(status, 0, stderr);
    const { all, comparison, ...result } = JSON.parse(stdout);
    assert.deepEqual(
      [result.patients, all.patients, comparison.patients, result.unknownPatients],
      [3, 3, 3, 1],
      labels,
    );
    const hash = createHash('sha256').update('ID-1').digest('hex');
    for (const text of [stdout, stderr, readFileSync(join(folder, 'discs.report/evaluation.md'), 'utf8')])
      assert.ok(!text.includes('ID-') && !text.includes(hash.slice(0, 8)));
  }
});

test('labels and columns may have the names of properties that every object has', () => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];
  const odd = rows
    .slice(1, 13)
    .map((row, i) => row.replace('covid,', `${names[i % 4]},`).replace(/"a\|b.*"$/, names[i % 3]));
  writeFileSync(
    join(folder, 'odd.csv'),
    [
      'file,label,patient_id,source,__proto__',
      ...odd.map((row, i) => `${row},${names[i % 2]}`),
      ...rows.slice(13).map((row) => `${row},x`),
    ].join('\n'),
  );
  const { status, stdout, stderr } = evaluate('--labels', 'odd.csv', '--by', '__proto__');
  assert.equal(status, 0, stderr);
  assert.match(
    stdout,
    /Not scored, because the model has no such label: constructor 3, \\_\\_proto\\_\\_ 3, toString 3, hasOwnProperty 3\./,
  );
  assert.match(stdout, /^\| \\_\\_proto\\_\\_ \| 6 /m);
  assert.doesNotMatch(stdout, /function|native code|undefined/);
  const none = evaluate('--labels', 'odd.csv', '--by', 'valueOf');
  assert.deepEqual([none.status, none.stdout], [2, '']);
  assert.match(none.stderr, /odd\.csv has no column 'valueOf'\./);
});

test('a report is a folder of Markdown, JSON and plots, and states the command that made it', () => {
  const { status, stdout, stderr } = evaluate(
    '--labels',
    'films.csv',
    '--by',
    'site',
    '--report',
    'out/report 1',
    '--against',
    join(root, 'model/pleura.gguf'),
  );
  assert.equal(status, 0, stderr);
  const read = (name) => readFileSync(join(folder, 'out/report 1', name), 'utf8');
  const plots = [
    ...['calibration', 'comparison', 'confusion', 'decision', 'flow', 'recall', 'roc'],
    ...['subgroups', 'subgroups-2', 'subgroups-3'],
  ].map((name) => `${name}.svg`);
  assert.deepEqual(
    readdirSync(join(folder, 'out/report 1')).sort(),
    [...plots, 'evaluation.html', 'evaluation.json', 'evaluation.md', 'films.csv'].sort(),
  );
  assert.equal(read('evaluation.md'), stdout);
  for (const name of plots) {
    assert.match(read(name), /^<svg /);
    assert.ok(stdout.includes(`](${name})`), name);
  }
  assert.match(stdout, /^ {4}pleura evaluate .*--report 'out\/report 1' --against /m);
  assert.match(stdout, /^\| a b \\<i> \| 36 \|/m, 'what a CSV says is no markup');
  const { comparison, curves } = JSON.parse(read('evaluation.json'));
  assert.deepEqual(
    curves.map(({ label }) => label),
    ['covid', 'pneumonia', 'normal'],
  );
  assert.deepEqual([comparison.n, comparison.patients], [36, 18]);
  assert.match(comparison.against, /^pleura-/);
  assert.match(stdout, /^\| AUC covid \| 12 \| 0\.\d{3} .*\| DeLong \|/m);
  assert.match(stdout, /^\| sensitivity % covid \| 12 \| .*\| McNemar mid-p \| \d+ : \d+ \|/m);
  assert.doesNotMatch(stdout, /NaN|undefined|null/);
  assert.match(stdout, /^\| Reference standard, and who read it \| .* \| not known \|$/m);
  const html = read('evaluation.html');
  assert.doesNotMatch(
    html.replaceAll('http://www.w3.org/2000/svg', ''),
    /<script|https?:|<link|src="(?!data:)|NaN|undefined/,
  );
  assert.ok(html.includes('a|b &lt;i&gt;') && !html.includes('a|b <i>'), 'what a CSV says is no markup');
  for (const title of ['Flow of films', 'Calibration', 'Checklist', 'The worst mistakes'])
    assert.match(html, new RegExp(`<h2 id="s\\d+">${title}</h2>`));
  assert.ok(html.split('<img ').length > 20, 'a panel per label');
});

test('a model compared with itself shows no difference, and a model with other labels is rejected before it runs', () => {
  const { stdout } = evaluate('--labels', 'films', '--json', '--against', tiny);
  const { comparison } = JSON.parse(stdout);
  for (const { figure, difference, p } of comparison.rows) {
    if (difference) assert.equal(difference.value, 0, figure);
    if (p !== undefined) assert.equal(p, 1, figure);
  }
  const other = converted('other.gguf', 'a,b,c');
  const { status, stderr } = evaluate('--labels', 'films', '--against', other);
  assert.equal(status, 2);
  assert.match(stderr, /The models have no label in common: covid, pneumonia, normal; a, b, c\./);
});

test('models with different labels are compared, in table and plot, on the films of their common labels', () => {
  const other = converted('two.gguf', 'covid,normal,c');
  const { status, stderr } = evaluate('--labels', 'films', '--report', 'both', '--against', other);
  assert.equal(status, 0, stderr);
  const { comparison, curves } = JSON.parse(readFileSync(join(folder, 'both/evaluation.json'), 'utf8'));
  assert.deepEqual([comparison.n, curves[0].n + curves[0].others], [24, 36]);
  const described = /<desc id="described">(.*?)<\/desc>/.exec(
    readFileSync(join(folder, 'both/comparison.svg'), 'utf8'),
  )[1];
  const areas = [
    ...described.matchAll(
      /(covid|pneumonia|normal), [^:]*: area under the curve (\d\.\d+)[^,]*, (\d+) films against (\d+)\./g,
    ),
  ];
  assert.deepEqual(
    areas.map(([, label, area, n, others]) => [label, area, n, others]),
    comparison.rows
      .filter(({ figure }) => figure === 'AUC')
      .flatMap(({ label, first, second }) => [first, second].map(({ value }) => [label, value.toFixed(3), '12', '12'])),
  );
});

test('evaluate at a prevalence agrees with the command at that prevalence, and rejects invalid ones', () => {
  const at = ['--prevalence', 'covid=0.5,pneumonia=0.4'];
  const { status, stdout } = evaluate('--labels', 'films', ...at);
  assert.equal(status, 0);
  assert.match(stdout, /^## At the prevalence covid 50 %, pneumonia 40 %, normal 10 %$/m);
  assert.match(
    stdout,
    /adjusted by Bayes' rule from the model's own prior \(covid 40 %, pneumonia 25 %, normal 35 %\)/,
  );
  const [moved, own] = [at, []].map((more) =>
    JSON.parse(evaluate('--labels', 'films', '--json', ...more, '--report', 'at').stdout),
  );
  const shares = { covid: 0.5, pneumonia: 0.4, normal: 0.1 };
  assert.deepEqual(moved.prevalence.shares, shares);
  for (const part of ['all', 'answered', 'outcomes'])
    assert.deepEqual(moved[part], own[part], 'the tables stay at the own prior');
  assert.deepEqual(
    moved.curves.map(({ roc }) => roc),
    own.curves.map(({ roc }) => roc),
  );
  assert.notDeepEqual(
    moved.curves.map(({ netBenefit }) => netBenefit),
    own.curves.map(({ netBenefit }) => netBenefit),
  );
  const records = spawnSync(process.execPath, [join(root, 'src/cli.mjs'), '--model', tiny, 'films', ...at], {
    encoding: 'utf8',
    cwd: folder,
  })
    .stdout.trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const right = records.filter(
    ({ file, probability }) =>
      file.split('/')[1] === Object.keys(probability).reduce((a, b) => (probability[b] > probability[a] ? b : a)),
  );
  const expected = right.reduce((sum, { file }) => sum + shares[file.split('/')[1]] / 12, 0);
  assert.ok(
    Math.abs(moved.prevalence.accuracy.value - expected) < 1e-9,
    `${moved.prevalence.accuracy.value} is not ${expected}`,
  );
  for (const [text, sentence] of [
    ['covid=5', /needs LABEL=SHARE/],
    ['flu=0.1,covid=0.2', /not 'flu=0\.1'/],
    ['covid=0.1', /must name all labels but one/],
    ['covid=0.7,pneumonia=0.6', /must add up to 1/],
    ['covid=0.1,pneumonia=0.1,normal=0.1', /must add up to 1/],
  ]) {
    const wrong = evaluate('--labels', 'films', '--prevalence', text);
    assert.equal(wrong.status, 2, text);
    assert.match(wrong.stderr, sentence);
    assert.equal(wrong.stdout, '');
  }
});

test('a label with only one patient has no interval, and its plots are still drawn', () => {
  writeFileSync(
    join(folder, 'alone.csv'),
    [
      rows[0],
      ...rows
        .slice(1)
        .filter((row) => !row.includes(',pneumonia,'))
        .map((row) => row.replace(/covid\d+,/, 'alone,')),
    ].join('\n'),
  );
  const { status, stderr } = evaluate('--labels', 'alone.csv', '--report', 'alone');
  assert.equal(status, 0, stderr);
  assert.ok(readdirSync(join(folder, 'alone')).some((name) => name.endsWith('.svg')));
});

test('a prevalence for which there are too few films gets no metrics and no plots', () => {
  writeFileSync(join(folder, 'few.csv'), rows.filter((row, i) => !row.includes(',pneumonia,') || i % 2).join('\n'));
  const { status, stdout, stderr } = evaluate(
    '--labels',
    'few.csv',
    '--prevalence',
    'covid=0.05,pneumonia=0.05',
    '--report',
    'few',
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^A label has too few films\.$/m);
  const plotted = readdirSync(join(folder, 'few')).filter((name) => name.endsWith('.svg'));
  assert.deepEqual(plotted.sort(), ['confusion.svg', 'flow.svg', 'recall.svg', 'roc.svg']);
});

test('a report that cannot be written is reported before the films are read', () => {
  const { status, stdout, stderr } = evaluate('--labels', 'films', '--report', 'films.csv/report');
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(
    stderr,
    /^pleura: The folder films\.csv\/report cannot be created \(ENOTDIR\)\. Pass another one to --report\.$/m,
  );
});

test('labels that the model lacks stop the command before a film is read', () => {
  mkdirSync(join(folder, 'other/flu'), { recursive: true });
  writeFileSync(join(folder, 'other/flu/a.png'), readFileSync(join(folder, 'films/covid/1.png')));
  const { status, stdout, stderr } = evaluate('--labels', 'other');
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /None of the films has a label of the model \(covid, pneumonia, normal\)\. Found: flu 1\./);
  writeFileSync(join(folder, 'strange.csv'), [...rows, 'films/covid/0b.png,flu,p,x'].join('\n'));
  const some = evaluate('--labels', 'strange.csv', '--json');
  assert.match(some.stderr, /lacks these labels: flu 1 \(films\/covid\/0b\.png\)/);
});

/** What the command without a name prints about films. @param {string[]} args */
const diagnosed = (...args) =>
  spawnSync(process.execPath, [join(root, 'src/cli.mjs'), '--model', tiny, ...args], { encoding: 'utf8', cwd: folder })
    .stdout;

test('results and shards give the figures of a run, without the model and without the films', () => {
  const own = JSON.parse(evaluate('--labels', 'films.csv', '--json').stdout);
  writeFileSync(join(folder, 'all.jsonl'), diagnosed('films'));
  for (const i of [1, 2]) writeFileSync(join(folder, `${i}.jsonl`), diagnosed('films', '--shard', `${i}/2`));
  for (const files of [['all.jsonl'], ['2.jsonl', '1.jsonl']]) {
    const { status, stdout, stderr } = evaluate(...files, '--labels', 'films.csv', '--json');
    assert.equal(status, 0, stderr);
    const found = JSON.parse(stdout);
    for (const part of ['all', 'answered', 'outcomes', 'intentionToDiagnose', 'model'])
      assert.deepEqual(found[part], own[part], part);
    assert.deepEqual([found.provenance.films, found.provenance.labels], [own.provenance.films, own.provenance.labels]);
    assert.deepEqual(
      found.provenance.results.map(({ file }) => file),
      files,
    );
    assert.match(found.provenance.date, /^20\d\d-\d\d-\d\dT.*Z$/);
  }
  writeFileSync(
    join(folder, 'half.jsonl'),
    readFileSync(join(folder, '1.jsonl'), 'utf8').split('\n').slice(0, -2).join('\n'),
  );
  const half = evaluate('half.jsonl', '2.jsonl', '--labels', 'films.csv');
  assert.deepEqual([half.status, half.stdout], [2, '']);
  assert.match(half.stderr, /half\.jsonl is not finished: run shard 1\/2 again/);
  const all = readFileSync(join(folder, 'all.jsonl'), 'utf8').split('\n');
  all[3] = all[3].replace(/"covid":[\d.e-]+/, '"covid":0.999');
  writeFileSync(join(folder, 'sum.jsonl'), all.join('\n'));
  const sum = evaluate('sum.jsonl', '--labels', 'films.csv');
  assert.deepEqual([sum.status, sum.stdout], [2, '']);
  assert.match(sum.stderr, /must add up to 1\. They do not in sum\.jsonl, line 4\./);
  const some = evaluate('1.jsonl', '--labels', 'films.csv', '--json');
  assert.equal(some.status, 1);
  assert.match(some.stderr, /The results lack \d+ of 36 labelled films: .*They count as errors\./);
  assert.equal(JSON.parse(some.stdout).errors, 36 - JSON.parse(some.stdout).all.n);
});

test('predictions of any model are evaluated from a CSV, and rows that cannot be right are named', () => {
  const csv = (name, lines) => writeFileSync(join(folder, name), lines.join('\n'));
  const films = rows.slice(1).map((row) => row.split(',').slice(0, 2));
  const likely = (label, of, i) => (label === of ? 0.5 + (i % 9) / 30 : 0.25 - (i % 9) / 60).toFixed(6);
  const predictions = films.map(([file, label], i) =>
    [file, ...['covid', 'normal', 'pneumonia'].map((of) => likely(i % 5 ? label : 'normal', of, i))].join(','),
  );
  csv('theirs.csv', ['file,covid,normal,pneumonia', ...predictions]);
  const { status, stdout, stderr } = evaluate(
    'theirs.csv',
    '--labels',
    'films.csv',
    '--json',
    '--report',
    'theirs',
    '--threshold',
    'covid=0.3',
  );
  assert.equal(status, 0, stderr);
  const found = JSON.parse(stdout);
  assert.equal(
    found.all.confusion.flat().reduce((sum, n) => sum + n),
    36,
  );
  const right = films.filter(([, label], i) => i % 5 || label === 'normal').length;
  assert.ok(Math.abs(found.all.accuracy.value - right / 36) < 1e-12);
  assert.deepEqual([found.operating.points[0].threshold, found.operating.chosenOn], [0.3, null]);
  // Everything can be computed again from the table of films.
  const table = readFileSync(join(folder, 'theirs/films.csv'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  assert.deepEqual(table[0], [
    'file',
    'sha256',
    'truth',
    'patient',
    'verdict',
    'reason',
    ...['covid', 'normal', 'pneumonia'].map((label) => `probability_${label}`),
  ]);
  assert.equal(table.slice(1).filter(([, , truth, , verdict]) => truth === verdict).length, right);
  assert.equal(new Set(table.slice(1).map((row) => row[3])).size, 18);

  csv('two.csv', [
    'file,covid',
    ...films.slice(0, 12).map(([file], i) => `${file},0.${10 + i}`),
    ...films.slice(24).map(([file], i) => `${file},0.${20 + i}`),
  ]);
  csv(
    'two.labels.csv',
    rows.filter((row) => !row.includes(',pneumonia,')),
  );
  const two = evaluate('two.csv', '--labels', 'two.labels.csv', '--json');
  assert.equal(two.status, 0, two.stderr);
  assert.deepEqual(
    JSON.parse(two.stdout).all.classes.map(({ label, n }) => [label, n]),
    [
      ['covid', 12],
      ['normal', 12],
    ],
  );

  for (const [name, lines, sentence] of [
    [
      'sum.csv',
      [...predictions.slice(0, 5), `${films[5][0]},0.5,0.6,0.2`],
      /must add up to 1\. They do not in sum\.csv, row 7\./,
    ],
    ['text.csv', [`${films[0][0]},high,0.6,0.2`], /a number from 0 to 1\. It is not in text\.csv, row 2\./],
    ['twice.csv', [predictions[0], predictions[0]], /more than one prediction: twice\.csv, row 3/],
    ['none.csv', ['x.png,0.2,0.6,0.2'], /None of the 36 labelled films is in the results/],
  ]) {
    csv(name, ['file,covid,normal,pneumonia', ...lines]);
    const wrong = evaluate(name, '--labels', 'films.csv');
    assert.deepEqual([wrong.status, wrong.stdout], [2, ''], name);
    assert.match(wrong.stderr, sentence);
  }
});

test('a film that is listed twice, or in two splits, is named before any film is read', () => {
  const split = rows.slice(1).map((row, i) => `${row.split(',').slice(0, 3).join(',')},${i % 2 ? 'test' : 'val'}`);
  const cases = [
    [
      [...split, split[1]],
      [],
      /The list has a film more than once: films\/covid\/1\.png \(row 3\), films\/covid\/1\.png \(row 38\)/,
    ],
    [
      [...split, split[1].replace('test', 'train')],
      [],
      /Films of the split 'test' are in another split too \(1\): films\/covid\/1\.png \(also in train\)/,
    ],
  ];
  for (const [lines, more, sentence] of cases) {
    writeFileSync(join(folder, 'split.csv'), ['file,label,patient_id,split', ...lines].join('\n'));
    const { status, stdout, stderr } = evaluate('--labels', 'split.csv', '--split', 'test', ...more);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, sentence);
  }
  writeFileSync(join(folder, 'split.csv'), ['file,label,patient_id,split', ...split].join('\n'));
  const { status, stdout, stderr } = evaluate(
    '--labels',
    'split.csv',
    '--split',
    'test',
    '--json',
    '--threshold',
    'covid=specificity:0.8,normal=0.4',
    '--choose-on',
    'val',
  );
  assert.equal(status, 0, stderr);
  const { warnings, operating, films } = JSON.parse(stdout);
  assert.deepEqual([films, operating.chosenOn, operating.points.length], [18, 'val', 2]);
  assert.match(warnings[0], /^18 films are of patients who have films in another split too: /);
  for (const [args, sentence] of [
    [['--threshold', 'flu=0.3'], /--threshold needs LABEL=NUMBER/],
    [['--choose-on', 'val', '--threshold', 'covid=0.3'], /--choose-on needs --split/],
    [['--rounds', '5'], /--rounds needs an integer from 100/],
  ]) {
    const wrong = evaluate('--labels', 'split.csv', ...args);
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, sentence);
  }
});

test('weights refuse to be judged by films that made them, unless that is allowed and marked', () => {
  const { values, tensors } = readGguf(readFileSync(tiny)),
    splits = '5'.repeat(64);
  const digits = (file) =>
    createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex')
      .slice(0, 10);
  values.set('pleura.card.splits', textValue(splits));
  writeFileSync(join(folder, 'made.gguf'), writeGguf({ values, tensors }));
  const made = (hash) =>
    `# made\nsplits ${hash}\ntrained\n${digits('films/normal/3.png')}\nchosen\n${digits('films/normal/4.png')}\n`;
  writeFileSync(join(folder, 'made.films'), made(splits));
  const run = (...args) => evaluate('--model', 'made.gguf', '--json', ...args);
  const { status, stdout, stderr } = run('--labels', 'films');
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /normal\/3\.png is one of the films that trained these weights\. .*--allow-seen/);
  const allowed = run('--labels', 'films', '--allow-seen');
  assert.equal(allowed.status, 0, allowed.stderr);
  const { seen, makersKnown, warnings } = JSON.parse(allowed.stdout);
  assert.deepEqual([seen, makersKnown], [2, true]);
  assert.match(warnings[0], /^Seen films: 2 of 36 made the weights/);

  // A threshold may be chosen on the films that chose the weights, but not on those that trained them.
  const splitOf = (file) => (file.includes('normal/4') ? 'val' : file.includes('normal/3') ? 'train' : 'test');
  const split = rows.slice(1).map((row) => `${row.split(',').slice(0, 2).join(',')},${splitOf(row)}`);
  const more = (i) => `films/covid/${i}.png,covid,val`;
  const list = split.map((row, i) => (/covid\/[01]\.png/.test(row) ? more(i) : row));
  writeFileSync(join(folder, 'made.csv'), ['file,label,split', ...list].join('\n'));
  const chosen = ['--labels', 'made.csv', '--split', 'test', '--threshold', 'covid=sensitivity:0.9', '--choose-on'];
  assert.equal(run(...chosen, 'val').status, 0);
  assert.match(run(...chosen, 'train').stderr, /normal\/3\.png is one of the films that trained/);
  assert.match(run('--labels', 'made.csv', '--split', 'val').stderr, /normal\/4\.png is one of the films on which/);

  writeFileSync(join(folder, 'made.films'), made('6'.repeat(64)));
  const others = run('--labels', 'films');
  assert.equal(others.status, 0, 'the list is about other splits');
  assert.equal(JSON.parse(others.stdout).makersKnown, false);
});

test('the list of films that made the shipped weights is about their splits, and marks copies of these weights', async () => {
  const text = readFileSync(join(root, 'model/pleura.films'), 'utf8'),
    weights = readFileSync(join(root, 'model/pleura.gguf'));
  const [, first] = /^trained\n([0-9a-f]{10})$/m.exec(text),
    [, last] = /^chosen\n([0-9a-f]{10})$/m.exec(text);
  const { known, judge } = seenFilms(weights, () => '', [text]);
  const reasons = [first, last, '0'.repeat(10)].map((start) => judge(['f'.repeat(64), start.padEnd(64, '0')], null));
  assert.deepEqual([known, ...(await Promise.all(reasons))], [true, 'trained', 'chosen', null]);
});

test('an adapter knows the films and patients that it was fitted to', async () => {
  const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
  const weights = readFileSync(tiny),
    labels = ['covid', 'pneumonia', 'normal'],
    base = sha(weights);
  const layer = readLastLayer(weights, labels),
    made = { hashes: ['a'.repeat(64), 'b'.repeat(64)], patients: ['p1'] };
  const fit = {
    base,
    model: { name: 'm', version: '1', license: 'x', labels },
    layer,
    temperature: 1,
    counts: [1, 1, 0],
    mix: [0.5, 0.5, 0],
    patients: 2,
    made,
  };
  const adapter = await writeAdapter(fit, sha);
  const { judge } = seenFilms(await applyAdapter(weights, adapter, sha), sha);
  assert.deepEqual(
    await Promise.all([
      judge(['a'.repeat(64)], null),
      judge(['c'.repeat(64)], 'p1'),
      judge(['c'.repeat(64)], 'p2'),
      judge([], null),
    ]),
    ['fitted', 'patient', null, null],
  );
  assert.ok(!Buffer.from(adapter).includes('p1'), 'no ID is in it');
});

test('on a terminal a summary fits into 100 columns', () => {
  const result = JSON.parse(evaluate('--labels', 'films.csv', '--against', tiny, '--json').stdout);
  const long = { ...result, model: 'm'.repeat(150), warnings: [`${'w'.repeat(30)} `.repeat(9)] };
  for (const line of evaluationSummary(long, undefined).split('\n')) assert.ok([...line].length <= 100, line);
  assert.match(evaluationSummary(result, 'out'), /^covid +12 +\d/m);
});

test('films without an answer are named in the evaluation, because its figures are over the others', () => {
  writeFileSync(join(folder, 'lost.csv'), `${rows.join('\n')}\nfilms/covid/lost.png,covid,covid9,x\n`);
  const { status, stdout } = evaluate('--labels', 'lost.csv', '--json');
  const { errors, warnings } = JSON.parse(stdout);
  assert.deepEqual([status, errors], [1, 1]);
  assert.match(
    warnings.at(-1),
    /^1 of 37 films have no answer \(\S+ 1\): films\/covid\/lost\.png\. The figures are over/,
  );
});

test('films of one class get a confusion matrix but no curves', () => {
  writeFileSync(join(folder, 'one.csv'), rows.slice(0, 13).join('\n'));
  const { status, stderr } = evaluate('--labels', 'one.csv', '--report', 'one');
  assert.equal(status, 0, stderr);
  const plotted = readdirSync(join(folder, 'one')).filter((name) => name.endsWith('.svg'));
  assert.deepEqual(plotted.sort(), ['confusion.svg', 'flow.svg']);
});

test('near duplicates with different patients or splits are named, distinct films are not', () => {
  const name = (/** @type {string} */ file) => join(folder, 'near', file);
  mkdirSync(join(folder, 'near'));
  /** A smooth picture of its own per seed, at any size. @param {number} seed @param {number} u @param {number} v */
  const grey = (seed, u, v) =>
    128 +
    [1, 2, 3, 4, 5].reduce(
      (sum, k) => sum + 22 * Math.sin(k * (4 * u + seed) + (6 - k) * (3 * v - 2 * seed) + seed * k),
      0,
    );
  for (const seed of [1, 2, 3])
    writeFileSync(
      name(`${seed}.png`),
      png({ width: 200, height: 180 }, (x, y) => [Math.round(grey(seed, (x + 0.5) / 200, (y + 0.5) / 180))]),
    );
  const copy = (/** @type {number} */ seed, /** @type {number} */ width, /** @type {number} */ height) => {
    const data = Buffer.alloc(width * height * 4, 255);
    for (let i = 0; i < width * height; i++)
      data.fill(grey(seed, ((i % width) + 0.5) / width, (Math.floor(i / width) + 0.5) / height), 4 * i, 4 * i + 3);
    return jpeg.encode({ width, height, data }, 60).data;
  };
  writeFileSync(name('1.jpg'), copy(1, 130, 117));
  writeFileSync(name('2.jpg'), copy(2, 300, 270));
  writeFileSync(name('3.jpg'), copy(3, 130, 117));
  const list = [
    'file,label,patient_id,split',
    'near/1.png,covid,a,test',
    'near/1.jpg,covid,b,test',
    'near/2.png,normal,c,test',
    'near/2.jpg,normal,c,train',
    'near/3.png,normal,d,test',
    'near/3.jpg,normal,d,test',
  ];
  writeFileSync(join(folder, 'near.csv'), list.join('\n'));
  const { status, stdout, stderr } = evaluate('--labels', 'near.csv', '--json', '--report', 'near.report');
  assert.equal(status, 0, stderr);
  const warning =
    'Near duplicates, pairs of films that look the same (2): near/1.png and near/1.jpg (not known as one patient), ' +
    'near/2.png and near/2.jpg (splits test and train). Look at them.';
  assert.ok(stderr.includes(`pleura: ${warning}\n`), stderr);
  assert.ok(JSON.parse(stdout).warnings.includes(warning));
  for (const file of ['evaluation.md', 'evaluation.html', 'evaluation.json'])
    assert.match(readFileSync(join(folder, 'near.report', file), 'utf8'), /Near duplicates/);
});
