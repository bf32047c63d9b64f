// `make bench-film`: prints where the time of a film goes, in WebAssembly and as machine code.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/node.mjs';
import { table } from './report.mjs';
import { measureFilm, stepsOf } from './stages.mjs';

const ROUNDS = 30;
const root = fileURLToPath(new URL('../../', import.meta.url)); // of runtimes.mjs only where the peers are installed
const FILMS = ['corners.jpg', 'progressive.jpg', 'grey16.png'].map((name) => `${root}tests/fixtures/${name}`);
const films = process.argv.length > 2 ? process.argv.slice(2) : FILMS;

const engines = [];
for (const name of ['wasm', 'native']) {
  process.env.PLEURA_ENGINE = name;
  engines.push({ name, engine: await createEngine() });
}
for (const path of films) {
  const film = new Uint8Array(readFileSync(path)),
    rounds = engines.map(() => []);
  for (let round = 0; round < ROUNDS; round++)
    engines.forEach(({ engine }, i) => rounds[i].push(measureFilm(engine, film)));
  const [first, second] = rounds.map(stepsOf),
    { width, height } = engines[0].engine.diagnose(film);
  process.stdout.write(`${path.split('/').pop()}, ${width} x ${height}, ms, the least of ${ROUNDS}\n`);
  const row = (name) => [
    name,
    first[name].toFixed(2),
    second[name].toFixed(2),
    (first[name] / second[name]).toFixed(2),
  ];
  process.stdout.write(
    `${table([['', ...engines.map(({ name }) => name), 'ratio'], ...Object.keys(first).map(row)])}\n\n`,
  );
}
