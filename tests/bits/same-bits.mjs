// Films of the data through every place that gives bits: same-bits.mjs COUNT [PATTERN of the places' names] prints a table and writes build/same-bits.json
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { data, need } from '../support/data.mjs';
import { compare, places, prepare, realFilms } from './places.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = join(root, 'build/same-bits.json');
need();
const folder = await mkdtemp(join(tmpdir(), 'pleura-'));
try {
  const { formats, weights } = await prepare(folder),
    real = realFilms(data, Number(process.argv[2]));
  const films = [...real.slice(0, 1), ...formats, ...real.slice(1)],
    all = films.length;
  // A place that is slow gets the first of the same films: whole, it would take a day.
  const most = { quick: all, slow: Math.ceil(all / 20), slowest: Math.ceil(all / 400) };
  const sha256 = (await readFile(`${weights.floats}.sha256`, 'utf8')).slice(0, 64);
  console.log(
    `${real.length} films of the data, ${formats.length} files of other formats and the phantom; weights ${sha256.slice(0, 12)}.`,
  );
  console.log(
    'Slow places get the first of them; every answer is compared with that of the first place with the same weights.\n',
  );
  console.log('| place | weights | films | phantom | all answers | different |\n|---|---|---:|---|---|---|');
  const rows = [],
    asked = places().filter(({ name }) => new RegExp(process.argv[3] ?? '').test(name));
  for await (const row of compare(asked, films, most, weights)) {
    rows.push(row);
    const { name, version, weights: kind, films: count, phantom, digest, different, first } = row;
    console.log(
      `| ${name}${version ? ` ${version}` : ''} | ${kind} | ${count} | ${phantom} | ${digest} | ${first ? `${different}, first ${first}` : 0} |`,
    );
    await writeFile(
      out,
      `${JSON.stringify({ date: new Date().toISOString(), weights: sha256, places: rows }, null, 1)}\n`,
    );
  }
  const different = rows.filter((row) => row.first).length;
  console.log(different ? `\n${different} of ${rows.length} places differ` : `\nall ${rows.length} places agree`);
  process.exitCode = different ? 1 : 0;
} finally {
  await rm(folder, { recursive: true });
}
