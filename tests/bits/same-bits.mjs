// `make same-bits`: sends films of the data through every platform that computes bits, prints a table and writes
// build/same-bits.json:
//   same-bits.mjs COUNT [PATTERN of the platforms' names]
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { data, need } from '../support/data.mjs';
import { compare, platforms, prepare, realFilms } from './platforms.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = join(root, 'build/same-bits.json');
need();
const folder = await mkdtemp(join(tmpdir(), 'pleura-'));
try {
  const { formats, weights } = await prepare(folder),
    real = realFilms(data, Number(process.argv[2]));
  const films = [...real.slice(0, 1), ...formats, ...real.slice(1)],
    all = films.length;
  // A slow platform gets only the first films: all of them would take a day.
  const limits = { quick: all, slow: Math.ceil(all / 20), slowest: Math.ceil(all / 400) };
  const sha256 = (await readFile(`${weights.int8}.sha256`, 'utf8')).slice(0, 64);
  console.log(
    `${real.length} films of the data, ${formats.length} files of other formats and the phantom; weights ${sha256.slice(0, 12)}.`,
  );
  console.log(
    'Slow platforms get the first of them; each answer is compared with that of the first platform with the same weights.\n',
  );
  console.log('| platform | weights | films | phantom | all answers | different |\n|---|---|---:|---|---|---|');
  const rows = [],
    asked = platforms([3, 2, 1, 0]).filter(({ name }) => new RegExp(process.argv[3] ?? '').test(name));
  for await (const row of compare(asked, films, limits, weights)) {
    rows.push(row);
    const { name, version, weights: kind, films: count, phantom, digest, different, first } = row;
    console.log(
      `| ${name}${version ? ` ${version}` : ''} | ${kind} | ${count} | ${phantom} | ${digest} | ${first ? `${different}, first ${first}` : 0} |`,
    );
    await writeFile(
      out,
      `${JSON.stringify({ date: new Date().toISOString(), weights: sha256, platforms: rows }, null, 1)}\n`,
    );
  }
  const different = rows.filter((row) => row.first).length;
  console.log(different ? `\n${different} of ${rows.length} platforms differ` : `\nall ${rows.length} platforms agree`);
  process.exitCode = different ? 1 : 0;
} finally {
  await rm(folder, { recursive: true });
}
