// same-bits.slow.test.mjs: the same bits everywhere: two compilers at every level, reference and SIMD kernels, each
// Node, and three browsers.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { data } from '../support/data.mjs';
import { compare, places, prepare, realFilms } from '../bits/places.mjs';

let folder;
before(async () => {
  folder = await mkdtemp(`${tmpdir()}/pleura-`);
});
after(() => rm(folder, { recursive: true }));

test('films, files of every format and the phantom get the same bits on every platform', async (t) => {
  const { formats, weights } = await prepare(folder);
  const real = existsSync(`${data}/manifest.csv`) || process.env.CI ? realFilms(data, 24) : [];
  const films = [...real.slice(0, 1), ...formats, ...real.slice(1)],
    most = { quick: films.length, slow: 6, slowest: 1 },
    rows = [];
  for await (const row of compare(places(), films, most, weights)) {
    rows.push(row);
    t.diagnostic(`${row.name}, ${row.weights}: ${row.films} films, ${row.digest}`);
  }
  assert.deepEqual(rows.map(({ first }) => first).filter(Boolean), []);
  assert.deepEqual(
    rows.map(({ films: given, answered }) => given - answered).filter((lost) => lost > 1),
    [],
    'only one of the formats is not read',
  );
  const floats = rows.filter((row) => row.weights === 'floats').map(({ name }) => name),
    count = (pattern) => floats.filter((name) => pattern.test(name)).length;
  assert.deepEqual(
    [
      /^gcc -O[0-3]$/,
      /^gcc -O[0-3], reference$/,
      /^clang -O[0-3]$/,
      /^clang -O[0-3], reference$/,
      /^Node 2[024][.\d]+$/,
      /^(Chromium|Firefox|WebKit)$/,
    ].map(count),
    [4, 4, 4, 4, 3, 3],
  );
  assert.equal(rows.filter(({ name }) => name.endsWith('relaxed products')).length, 2);
});

test('a platform that differs is reported with the first film and both answers', async () => {
  const place = (name, answers, pace) => ({
    name,
    weights: 'floats',
    pace,
    open: async () => ({ answer: async (files) => ['0', ...files].map((file) => answers[file]) }),
  });
  const truth = { 0: 'aa', a: 'bb', b: 'cc', c: 'dd' };
  const places = [
    place('one', truth, 'quick'),
    place('two', { ...truth, b: 'ee', c: 'ff' }, 'quick'),
    place('three', { ...truth, c: 'ff' }, 'slow'),
    place('four', { ...truth, 0: 'ab' }, 'slow'),
  ];
  const rows = [];
  for await (const { first, different, films } of compare(
    places,
    ['a', 'b', 'c'],
    { quick: 3, slow: 2, slowest: 1 },
    {},
  ))
    rows.push([films, different, first]);
  assert.deepEqual(rows, [
    [3, 0, null],
    [3, 2, 'b: ee from two, cc from one'],
    [2, 0, null],
    [2, 1, 'the phantom: ab from four, aa from one'],
  ]);
});
