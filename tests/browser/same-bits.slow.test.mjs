// same-bits.slow.test.mjs: the same bits everywhere: two compilers, not and fully optimised, reference and SIMD kernels,
// each Node, and three browsers. `make same-bits` has the other levels too.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { data } from '../support/data.mjs';
import { compare, platforms, prepare, realFilms } from '../bits/platforms.mjs';

let folder;
before(async () => {
  folder = await mkdtemp(`${tmpdir()}/pleura-`);
});
after(() => rm(folder, { recursive: true }));

test('films, files of every format and the phantom get the same bits on every platform', async (t) => {
  const { formats, weights } = await prepare(folder);
  const real = existsSync(`${data}/manifest.csv`) || process.env.CI ? realFilms(data, 10) : [];
  const films = [...real.slice(0, 1), ...formats, ...real.slice(1)],
    limits = { quick: films.length, slow: 4, slowest: 1 },
    rows = [];
  for await (const row of compare(platforms(), films, limits, weights)) {
    rows.push(row);
    t.diagnostic(`${row.name}, ${row.weights}: ${row.films} films, ${row.digest}`);
  }
  assert.deepEqual(rows.map(({ first }) => first).filter(Boolean), []);
  assert.deepEqual(
    rows.map(({ films: given, answered }) => given - answered).filter((lost) => lost > 1),
    [],
    'only one of the formats is not read',
  );
  const names = rows.filter((row) => row.weights === 'float').map(({ name }) => name),
    count = (pattern) => names.filter((name) => pattern.test(name)).length;
  assert.deepEqual(
    [
      /^gcc -O[03]$/,
      /^gcc -O[03], reference$/,
      /^clang -O[03]$/,
      /^clang -O[03], reference$/,
      /^Node 2[024][.\d]+$/,
      /^(Chromium|Firefox|WebKit)$/,
    ].map(count),
    [2, 2, 2, 2, 3, 3],
  );
  assert.equal(rows.filter(({ name }) => name.endsWith('relaxed SIMD')).length, 2);
});

test('a platform that differs is reported with the first film and both answers', async () => {
  const platform = (name, answers, pace) => ({
    name,
    weights: 'float',
    pace,
    open: async () => ({ answer: async (files) => ['0', ...files].map((file) => answers[file]) }),
  });
  const truth = { 0: 'aa', a: 'bb', b: 'cc', c: 'dd' };
  const all = [
    platform('one', truth, 'quick'),
    platform('two', { ...truth, b: 'ee', c: 'ff' }, 'quick'),
    platform('three', { ...truth, c: 'ff' }, 'slow'),
    platform('four', { ...truth, 0: 'ab' }, 'slow'),
  ];
  const rows = [];
  for await (const { first, different, films } of compare(all, ['a', 'b', 'c'], { quick: 3, slow: 2, slowest: 1 }, {}))
    rows.push([films, different, first]);
  assert.deepEqual(rows, [
    [3, 0, null],
    [3, 2, 'b: ee from two, cc from one'],
    [2, 0, null],
    [2, 1, 'the phantom: ab from four, aa from one'],
  ]);
});
