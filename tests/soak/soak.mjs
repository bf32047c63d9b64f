// `make soak`: sends thousands of films through engine, command and page, prints a table and writes build/soak.json.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { data, need } from '../support/data.mjs';
import { makeFilms, seenOnce } from './films.mjs';
import { throughCommand, throughEngine, throughPage } from './runs.mjs';
import { checkRecords, checkSame, growing, lines, slowing } from './verdict.mjs';

const FILMS = Number(process.argv[2]),
  STEP = Math.min(100, FILMS / 20),
  WARM = Math.min(1500, FILMS / 4),
  SPAN = Math.min(1000, FILMS / 5);
/** Largest growth per thousand films, memory in megabytes. Uncollected garbage comes and goes, with two threads by a
 *  hundred megabytes: the slope over 10,000 films was -2.7 and 2.4, over 24,000 films 0.3. */
const PROCESS = { rss: 1.5, threads: 0.1, files: 0.1 },
  THREADS = { ...PROCESS, rss: 5 };
/** For each film the page keeps the record and a picture of 16 kB, and the browser keeps the chosen file. */
const PAGE = {
  page: 22,
  worker: 0.2,
  wasm: 0.1,
  rss: 30,
  browser: 10,
  threads: 0.2,
  files: 0.5,
  workers: 0,
  nodes: 20,
  listeners: 1,
};

const root = fileURLToPath(new URL('../../', import.meta.url)),
  folder = `${root}build/soak`;
need();
const paths = await makeFilms(`${folder}/films`, FILMS, data),
  list = `${folder}/list`;
writeFileSync(list, paths.join('\n'));

const tell = (films) => films % 1000 === 0 && console.error(`${films} of ${FILMS}`);
const runs = {};
async function go(name, limits, run) {
  const started = Date.now(),
    { samples, records, ...rest } = await run();
  checkRecords(records, FILMS, seenOnce(FILMS));
  for (const other of Object.values(runs)) checkSame(records, other.records);
  const table = lines(name, samples, WARM, limits),
    time = slowing(samples, WARM, SPAN);
  runs[name] = { records, samples, table, time, ...rest };
  console.log(
    `${name}: ${FILMS} films in ${Math.round((Date.now() - started) / 1000)} s, errors ${records.filter(({ status }) => status === 'error').length}, refused ${records.filter(({ verdict }) => verdict === 'refused').length}`,
  );
  console.table(
    Object.fromEntries(
      table.map(({ measure, early, late, slope, most }) => [
        measure,
        Object.fromEntries(
          Object.entries({ early, late, slope, most }).map(([key, value]) => [key, Number(value.toFixed(2))]),
        ),
      ]),
    ),
  );
  console.log(
    `processor time a film: ${time.first.toFixed(1)} ms at first, ${time.last.toFixed(1)} ms at last, ratio ${time.ratio.toFixed(3)}\n`,
  );
}

const parts = readdirSync(`${folder}/films`)
  .sort((a, b) => Number(a) - Number(b))
  .map((part) => paths.filter((path) => path.startsWith(`${folder}/films/${part}/`)));
await go('page', PAGE, () => throughPage(parts, STEP, tell));
await go('engine alone', PROCESS, () => throughEngine(paths, STEP, tell));
for (const [jobs, limits] of Object.entries({ 1: PROCESS, 2: THREADS }))
  await go(`command, --jobs ${jobs}`, limits, () =>
    throughCommand(['--jobs', jobs, '--files', list], FILMS, STEP, tell),
  );
rmSync(`${folder}/films`, { recursive: true });

const { first, cleared, complaints } = runs.page;
const faults = growing(Object.values(runs).flatMap(({ table }) => table));
if (cleared.page > first.page + 4)
  faults.push(`page: ${(cleared.page - first.page).toFixed(1)} MB stay when all films are cleared away`);
if (cleared.worker > first.worker + 4 || cleared.workers !== 1) faults.push('page: the worker keeps something');
faults.push(
  ...complaints
    .filter((text) => !text.startsWith('Service Worker registration blocked'))
    .map((text) => `page: ${text}`),
);
const kept = Object.fromEntries(
  Object.entries(runs).map(([name, { records, ...run }]) => [
    name,
    { ...run, errors: records.filter(({ status }) => status === 'error').length },
  ]),
);
writeFileSync(`${root}build/soak.json`, `${JSON.stringify({ films: FILMS, faults, runs: kept }, null, 1)}\n`);
console.log(
  `when all films are cleared away: page ${cleared.page.toFixed(1)} MB (before the first film ${first.page.toFixed(1)}), worker ${cleared.worker.toFixed(1)} (${first.worker.toFixed(1)})`,
);
for (const fault of faults) console.error(`soak: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
