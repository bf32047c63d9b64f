// `make bench AGAINST=COMMIT`: this build and that of another commit, which the Makefile has put in build/against, take
// turns in one process. Ratios are those of neighbours in time, so a busy machine widens the spread, not the median.
//   node against.mjs FOLDER [ROUNDS]
import { mkdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { common } from './networks.mjs';
import { writeNetwork } from './prepare.mjs';
import { compareRounds, table } from './report.mjs';
import { folder, root } from './runtimes.mjs';
import { measureFilm } from './stages.mjs';

const [other, rounds = 41] = [process.argv[2], Number(process.argv[3] ?? 41)];
const WARM = 3,
  LARGEST = 0.03;
const read = (path) => new Uint8Array(readFileSync(path));

/** An engine of the sources and the wasm in a folder. */
async function open(from, weights) {
  const { createEngine } = await import(pathToFileURL(`${from}/src/engine.mjs`).href);
  return createEngine({ wasm: read(`${from}/build/pleura.wasm`), weights });
}

/** One round of all steps. @param {string} name of a network, or '' for a film and the shipped weights */
const measure = (engine, name, film) =>
  name ? { [name]: engine.profile(1).reduce((sum, { ms }) => sum + ms, 0) } : measureFilm(engine, film);

/** Takes turns, the first one alternating. */
async function race(name, weights, film) {
  const [before, now] = [await open(other, weights), await open(root, weights)],
    pairs = [];
  for (let round = -WARM; round < rounds; round++) {
    const turns = round % 2 ? [now, before] : [before, now],
      measured = new Map();
    for (const engine of turns) measured.set(engine, measure(engine, name, film));
    if (round >= 0) pairs.push([measured.get(before), measured.get(now)]);
  }
  return pairs;
}

mkdirSync(folder, { recursive: true });
const rows = compareRounds(await race('', read(`${root}model/pleura.gguf`), read(`${root}tests/fixtures/grey.jpg`)));
for (const [name, lines] of Object.entries(common())) {
  await writeNetwork(folder + name, lines);
  for (const kind of [name, `${name}.int8`])
    rows.push(...compareRounds(await race(kind, read(`${folder}${kind}.gguf`))));
}
const slower = rows.filter(({ ratio, low }) => ratio > 1 + LARGEST && low > 1);
process.stdout.write(`This build's time over that of ${other.split('/').pop()}, ${rounds} pairs; below 1 is faster.\n`);
process.stdout.write(
  `${table([
    ['', 'ms before', 'ms now', 'ratio', 'middle half'],
    ...rows.map(({ name, before, now, ratio, low, high }) => [
      name,
      before.toFixed(2),
      now.toFixed(2),
      ratio.toFixed(3),
      `${low.toFixed(3)}..${high.toFixed(3)}`,
    ]),
  ])}\n`,
);
if (slower.length) {
  process.stdout.write(`\nSlower by more than ${LARGEST * 100} %: ${slower.map(({ name }) => name).join(', ')}.\n`);
  process.exitCode = 1;
}
