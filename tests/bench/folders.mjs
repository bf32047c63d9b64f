// `make bench-folders`: compares whole jobs with onnxruntime in Node, prints tables and writes build/folders.json.
//   node folders.mjs [FILMS [ROUNDS]]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCsv } from '../../src/cli/csv.mjs';
import { data, need } from '../support/data.mjs';
import { answersToPixels, contestants, raceJobs } from './jobs.mjs';
import { common } from './networks.mjs';
import { writeNetwork } from './prepare.mjs';
import { apart, jobEntriesOf, jobTable, machine } from './report.mjs';
import { folder, modules, root, versionOf } from './runtimes.mjs';

const FILMS = 200,
  ROUNDS = 5,
  PIXEL_FILMS = 20,
  MOST_DIFFERENCE = 1e-3;

const [most = FILMS, rounds = ROUNDS] = process.argv.slice(2).map(Number);
const say = (text = '') => process.stdout.write(`${text}\n`);

/** That many films, in equal steps through the manifest, which is sorted by source. @returns {string[]} */
function chosen() {
  const rows = parseCsv(readFileSync(join(data, 'manifest.csv'), 'utf8')),
    count = Math.min(most, rows.length);
  return Array.from({ length: count }, (_, i) => join(data, rows[Math.floor((i * rows.length) / count)].file));
}

need();
const work = `${folder}folders/`,
  films = chosen(),
  entries = [];
mkdirSync(work, { recursive: true });
for (const film of films) readFileSync(film); // so that all contestants find the films in the system's cache
let largest = 0;

/** @param {string} network @param {import('./jobs.mjs').Contestant[]} turns @param {string} path */
async function compare(network, turns, path) {
  const race = await raceJobs(turns, path, films, rounds, work),
    own = jobEntriesOf(race, turns, { network, films: films.length });
  entries.push(...own);
  say(jobTable(race, own));
}

say(`${films.length} films, ${rounds} rounds, all taking turns in each, Node ${process.versions.node}; medians.
The job: read a film, decode, make it grey, stretch it to the network's size, run the network in float32 (int8 where named so), softmax, one JSON line.
Pleura is the command as people run it, in WebAssembly and as make native builds it, which also hashes film and answer and computes the heatmap; the peers decode by sharp ${versionOf(`${modules}sharp`)}.
Films a second count the whole process from start to exit. The start-up is that of a process with one film, "then" the rest.
Answers differ from Pleura's by the decoders' JPEG and by how they shrink a film.`);

for (const [network, lines] of Object.entries(common())) {
  const { layers } = await writeNetwork(work + network, lines);
  say(`\n${network}, the same random weights for all:`);
  await compare(network, contestants, work + network);
  const [first, ...others] = await answersToPixels(
    contestants.filter(({ small }) => !small),
    work + network,
    films.slice(0, PIXEL_FILMS),
    layers[0].h,
    work,
  );
  const differs = Math.max(...others.flatMap((answers) => apart(answers, first)));
  largest = Math.max(largest, differs);
  say(
    `From the same pixels, ${first.length} films as PNG of the network's size, probabilities differ by ${differs.toExponential(1)}.`,
  );
}

say('\nThe shipped diagnosis: lungs, crop, second network, gate. Nobody else has this job.');
await compare(
  'shipped',
  contestants.filter(({ own, small }) => own && !small),
  `${root}model/pleura`,
);

writeFileSync(`${root}build/folders.json`, `${JSON.stringify({ ...machine(), entries }, null, 2)}\n`);
if (largest > MOST_DIFFERENCE) {
  say(
    `\nFailed: from the same pixels probabilities differ by ${largest.toExponential(1)}, more than ${MOST_DIFFERENCE}.`,
  );
  process.exitCode = 1;
}
