// `pleura evaluate` as a person meets it: labelled folders, two models, expected prevalence, a report with plots.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dicomFile } from '../dicom/file.mjs';
import { png } from '../image/png.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tiny = join(root, 'tests/fixtures/tiny.gguf');
const folder = mkdtempSync(join(tmpdir(), 'pleura-evaluate-'));
after(() => rmSync(folder, { recursive: true }));

/** @param {string[]} args */
function evaluate(...args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'src/cli.mjs'), 'evaluate', '--model', tiny, ...args],
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
  assert.equal(a.command, `pleura evaluate --model ${tiny} --labels films --json`);
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
  const plots = ['comparison.svg', 'confusion.svg', 'decision.svg', 'reliability.svg', 'roc.svg'];
  assert.deepEqual(
    readdirSync(join(folder, 'out/report 1')).sort(),
    [...plots, 'evaluation.json', 'evaluation.md'].sort(),
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
  assert.match(stdout, /^\| AUC covid \| 0\.\d{3} \| 0\.\d{3} \| -?0\.\d{3} \(.*\) \| [<0-1]/m);
  assert.match(stdout, /McNemar's exact test: p [=<] /);
  assert.match(stdout, /trust the bootstrap first/);
  assert.doesNotMatch(stdout, /NaN|undefined|null/);
});

test('a model compared with itself shows no difference, and a model with other labels is rejected before it runs', () => {
  const { stdout } = evaluate('--labels', 'films', '--json', '--against', tiny);
  const { comparison } = JSON.parse(stdout);
  for (const { difference, delong } of comparison.classes)
    assert.deepEqual([difference.value, difference.low, difference.high, delong.p], [0, null, null, 1]);
  assert.equal(comparison.mcnemar.p, 1);
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
      /(covid|pneumonia|normal), [^:]*: area under the curve (\S+) [^,]*, (\d+) films against (\d+)\./g,
    ),
  ];
  assert.deepEqual(
    areas.map(([, label, area, n, others]) => [label, area, n, others]),
    comparison.classes.flatMap(({ label, first, second }) =>
      [first, second].map((area) => [label, area.toFixed(3), '12', '12']),
    ),
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
  assert.deepEqual(readdirSync(join(folder, 'few')).sort(), [
    'confusion.svg',
    'evaluation.json',
    'evaluation.md',
    'roc.svg',
  ]);
});

test('a report that cannot be written is reported before the films are read', () => {
  const { status, stdout, stderr } = evaluate('--labels', 'films', '--report', 'films.csv/report');
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(
    stderr,
    /^pleura: The folder films\.csv\/report cannot be created \(ENOTDIR\)\. Pass another one to --report\.$/m,
  );
});

test('if no film can be scored, no metric is reported', () => {
  mkdirSync(join(folder, 'other/flu'), { recursive: true });
  writeFileSync(join(folder, 'other/flu/a.png'), readFileSync(join(folder, 'films/covid/1.png')));
  const { status, stdout } = evaluate(
    '--labels',
    'other',
    '--against',
    tiny,
    '--prevalence',
    'covid=0.1,normal=0.1',
    '--report',
    'none',
  );
  assert.equal(status, 0);
  assert.match(stdout, /Not scored, because the model has no such label: flu 1\./);
  assert.match(stdout, /^A label has too few films\.$/m);
  assert.match(stdout, /^\| balanced accuracy % \| – \| – \| – \| {2}\|$/m);
  assert.doesNotMatch(stdout, /NaN|undefined|null|Infinity/);
});

test('films of one class get a confusion matrix but no curves', () => {
  writeFileSync(join(folder, 'one.csv'), rows.slice(0, 13).join('\n'));
  const { status, stderr } = evaluate('--labels', 'one.csv', '--report', 'one');
  assert.equal(status, 0, stderr);
  assert.deepEqual(readdirSync(join(folder, 'one')).sort(), ['confusion.svg', 'evaluation.json', 'evaluation.md']);
});
