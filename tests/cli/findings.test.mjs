// The command with weights that have an opacity map and a label for other findings.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createEngine } from '../../src/engine.mjs';
import { parsePrevalence } from '../../src/cli/prevalence.mjs';
import { table } from '../../src/cli/table.mjs';
import { film, folder, lines, pleura, root } from './command.mjs';

const weights = join(root, 'tests/fixtures/findings.gguf');
const run = (...args) => pleura(['--model', weights, 'film.png', ...args]);
writeFileSync(join(folder, 'film.png'), film(96));

const { model, ...engine } = await createEngine({
  wasm: readFileSync(join(root, 'build/pleura.wasm')),
  weights: readFileSync(weights),
});
/** What covid 5 %, pneumonia 15 % and normal 80 % of the others are where other findings keep their 10 %. */
const KEPT = { covid: 0.045, pneumonia: 0.135, normal: 0.72, other: 0.1 };

test('another finding makes the verdict uncertain, and every format says why and where opacity is', () => {
  const all = ['--prevalence', 'covid=0,pneumonia=0,other=1'];
  const [record] = lines(run(...all).stdout);
  assert.deepEqual([record.verdict, record.doubt, record.probability.other], ['uncertain', 'other-finding', 1]);
  const { right, left } = record.extent;
  assert.match(
    run('--csv', ...all).stdout,
    new RegExp(`^film\\.png,ok,uncertain,.*,other-finding,${right},${left},`, 'm'),
  );
  assert.match(run('--table', ...all).stdout, /^film\.png +other-finding +0\.0 % .* 100\.0 % +\d+ \/ \d+ %$/m);
});

test('a prevalence that does not name the label for other findings keeps its share, and scales the rest', () => {
  for (const text of ['covid=0.05,pneumonia=0.15', 'normal=0.8,pneumonia=0.15,covid=0.05'])
    assert.deepEqual(parsePrevalence(text, model), KEPT, text);
  const named = parsePrevalence('covid=0.05,pneumonia=0.5,other=0.2', model);
  assert.deepEqual(named, { covid: 0.05, pneumonia: 0.5, normal: 0.25, other: 0.2 });
  for (const text of ['covid=0.5', 'other=0.1,covid=0.5', 'covid=0.5,pneumonia=0.1,normal=0.3'])
    assert.throws(() => parsePrevalence(text, model), text);
  assert.deepEqual(lines(run('--prevalence', 'covid=0.05,pneumonia=0.15').stdout)[0].prevalence, KEPT);

  engine.setPrevalence({ covid: 0.05, pneumonia: 0.15, normal: 0.8 });
  assert.deepEqual(engine.phantom().prevalence, KEPT);
  assert.throws(() => engine.setPrevalence({ covid: 0.5, pneumonia: 0.1, normal: 0.3 }), { code: 'prevalence' });
});

test('the table shows how much of each lung is under opacity', () => {
  const look = { labels: ['a', 'b'], files: ['x'], columns: 80, coloured: false, prevalence: null };
  const { head, row } = table({ ...look, other: true, extent: true });
  const shown = { file: 'x', status: /** @type {const} */ ('ok'), verdict: 'a', probability: { a: 0.9, b: 0.1 } };
  assert.match(head, /^FILE +VERDICT +a +b +OPACITY R\/L$/);
  const line = row({ ...shown, extent: { right: 0.124, left: 0.396 } });
  assert.match(line, /^x +a +90\.0 % +10\.0 % +12 \/ 40 %$/);
  assert.equal(line.length, head.length);
});
