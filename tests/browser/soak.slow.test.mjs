// soak.slow.test.mjs: the short form of `make soak`: the page reads hundreds of pictures of every kind, and nothing
// grows.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { makeFilms, seenOnce } from '../soak/films.mjs';
import { throughEngine, throughPage } from '../soak/runs.mjs';
import { checkRecords, checkSame, growing, lines, slope } from '../soak/verdict.mjs';

const FILMS = 300,
  STEP = 20,
  WARM = 100, // the largest pictures are among the first hundred
  ROWS = 200; // of the table, which gain their remarks while the films are read
/** Growth per thousand films, in megabytes and in objects: each film leaves its record and a picture of 16 kB. */
const LIMITS = { page: 30, worker: 12, wasm: 0.1, workers: 0, listeners: 5 },
  NODES = { nodes: 100 };

test('after hundreds of good, broken and refused pictures the page holds only their records, with the bits of Node', async (t) => {
  const folder = mkdtempSync(`${tmpdir()}/pleura-`);
  t.after(() => rmSync(folder, { recursive: true }));
  const paths = await makeFilms(folder, FILMS, null),
    tell = () => {};
  const { samples, records, first, cleared } = await throughPage([paths], STEP, tell);
  checkRecords(records, FILMS, seenOnce(FILMS));
  checkSame(records, (await throughEngine(paths, STEP, tell)).records);
  assert.deepEqual(growing([...lines('page', samples, WARM, LIMITS), ...lines('page', samples, ROWS, NODES)]), []);
  assert.ok(cleared.page < first.page + 12, `${cleared.page - first.page} MB stay when the page is cleared`);
  assert.equal(cleared.workers, 1);
});

test('growth is detected, and fluctuation is not', () => {
  const samples = (value) => Array.from({ length: 50 }, (_, i) => ({ films: 100 * (i + 1), held: value(i) }));
  assert.ok(
    Math.abs(
      slope(
        samples((i) => 7 + i / 5),
        'held',
      ) - 2,
    ) < 1e-9,
    'a fifth in a hundred films',
  );
  assert.equal(
    growing(
      lines(
        '',
        samples((i) => 7 + i / 5),
        1000,
        { held: 1.9 },
      ),
    ).length,
    1,
  );
  assert.deepEqual(
    growing(
      lines(
        '',
        samples((i) => 100 + 10 * Math.sin(i)),
        1000,
        { held: 1.9 },
      ),
    ),
    [],
  );
  const records = [0, 1, 2].map((number) => ({
    file: `${String(number).padStart(6, '0')}-a.png`,
    status: 'ok',
    verdict: 'normal',
    bits: '1',
  }));
  assert.doesNotThrow(() => checkRecords(records, 3, 2));
  assert.throws(() => checkRecords([records[0], records[2]], 3, 2), /one record/);
  assert.throws(() => checkRecords([...records.slice(0, 2), { ...records[2], bits: '2' }], 3, 2), /second reading/);
});
