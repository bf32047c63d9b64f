// `make bench-page`: writes .github/performance.md from what the benchmarks have measured.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { largeRows } from './report.mjs';

/** @typedef {{date: string, processor: string, load: number, node: string}} Machine  load: average at the end */
/** @typedef {Machine & {chromium: string, peak_gflops: number, entries: import('./report.mjs').Entry[]}} Bench */
/** @typedef {Machine & {entries: import('./report.mjs').JobEntry[]}} Folders */
/** @typedef {Machine & {side: number, entries: import('./large.mjs').LargeEntry[]}} Large */

const NAMES = {
  vggs: 'VGG of 5 layers',
  resnet18: 'ResNet-18',
  mobilenetv2: 'MobileNetV2',
  'pleura.lungs': 'lung U-Net',
  'pleura.diagnosis': 'EfficientNet-lite0 of the diagnosis',
  shipped: 'the shipped diagnosis',
};
const PLACES = { node: 'Node', chromium: 'Chromium' };
const ARITHMETIC = { pleura: 'float32', 'pleura-int8': 'int8', 'pleura-relaxed': 'int8, relaxed dot products' };

const unique = (/** @type {string[]} */ all) => [...new Set(all)];

/** A Markdown table: names to the left, numbers to the right. @param {string[]} head @param {string[][]} rows */
const markdown = (head, rows) =>
  [head, ['---', ...head.slice(1).map(() => '---:')], ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** The peer with the shortest time on the same network in the same race. @param {Bench} bench */
function fastestPeer({ entries }, { network, where }) {
  const peers = entries.filter((one) => one.network === network && one.where === where && !(one.runtime in ARITHMETIC));
  return peers.reduce((best, one) => (one.least_ms < best.least_ms ? one : best));
}

/** One row per place and arithmetic, one column per network. @param {Bench} bench */
function ratios(bench) {
  const networks = unique(bench.entries.map(({ network }) => network));
  const rows = Object.entries(PLACES).flatMap(([where, place]) =>
    Object.entries(ARITHMETIC).flatMap(([runtime, arithmetic]) => {
      const own = bench.entries.filter((one) => one.where === where && one.runtime === runtime);
      if (!own.length) return [];
      const cells = networks.map((network) => {
        const entry = own.find((one) => one.network === network);
        return entry ? (fastestPeer(bench, entry).least_ms / entry.least_ms).toFixed(2) : '-';
      });
      return [[`${place}, ${arithmetic}`, ...cells]];
    }),
  );
  return markdown(['', ...networks.map((name) => NAMES[name] ?? name)], rows);
}

/** Every measurement of one place. @param {Bench} bench @param {string} where */
const times = (bench, where) =>
  markdown(
    ['network, runtime', 'ms, median', 'least to most', 'share of the peak', 'times the fastest peer'],
    bench.entries
      .filter((one) => one.where === where)
      .map((one) => [
        `${NAMES[one.network] ?? one.network}, ${one.runtime} ${one.version}`,
        one.ms.toFixed(2),
        `${one.least_ms.toFixed(2)} to ${one.most_ms.toFixed(2)}`,
        `${(100 * one.share_of_peak).toFixed(0)} %`,
        (fastestPeer(bench, one).least_ms / one.least_ms).toFixed(2),
      ]),
  );

/** @param {Folders} folders */
const jobs = ({ entries }) =>
  markdown(
    [
      'network, runtime',
      'threads',
      'films per second',
      'times the fastest peer',
      'ms of processor per film',
      'peak MB',
    ],
    entries.map((one) => [
      `${NAMES[one.network] ?? one.network}, ${one.runtime} ${one.version}`,
      `${one.threads}`,
      one.films_per_second.toFixed(1),
      one.x_fastest_peer === null ? '-' : one.x_fastest_peer.toFixed(2),
      one.cpu_ms_per_film.toFixed(1),
      one.peak_mb.toFixed(0),
    ]),
  );

/** @param {Large} large */
function largeFilms({ entries }) {
  const [head, ...rows] = largeRows(entries);
  return markdown(head, rows);
}

/** @param {Machine} machine */
const measured = ({ date, processor, load, node }) =>
  `Measured on ${date}, on a server with ${processor} processors at a load of ${load.toFixed(1)}, in Node ${node}`;

/**
 * The page, as Markdown.
 * @param {Bench} bench @param {Folders} folders @param {Large} large
 */
export const performancePage = (bench, folders, large) => `# How fast Pleura is

\`make bench-page\` writes this page from the files of \`make bench\`, \`make bench-folders\` and \`make bench-large\`; no number is
typed.

## One film, one thread

${measured(bench)} and Chromium ${bench.chromium}. All runtimes take turns in one process, on the same networks with the
same weights. The table shows by how much Pleura is faster than the fastest other runtime, which computes in float32: the
shortest time of that over Pleura's shortest, since other work on the machine only ever adds time.

${ratios(bench)}

### In Node

The peak is that of multiplications and additions in vectors of WebAssembly, ${bench.peak_gflops.toFixed(1)} GFLOP/s here.
Layers by Winograd's tiles may exceed it.

${times(bench, 'node')}

### In Chromium

${times(bench, 'chromium')}

## Whole folders

${measured(folders)}: ${folders.entries[0].films} films from file to JSON line, the whole process from start to exit,
medians. pleura-native is what \`make native\` builds; it has the bits of WebAssembly. The peers decode by sharp; a peer
with the same number of threads counts. The networks are the same for all but the shipped diagnosis, which nobody else has.

${jobs(folders)}

## Large films

${measured(large)}: what a film of ${large.side.toLocaleString('en')} x ${large.side.toLocaleString('en')} pixels adds to the command \`pleura\` in WebAssembly, compared with a small film,
beside a native program that decodes the same file and does nothing else. The shortest of several runs.

${largeFilms(large)}
`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = new URL('../../', import.meta.url);
  const read = (/** @type {string} */ name) => JSON.parse(readFileSync(new URL(`build/${name}.json`, root), 'utf8'));
  writeFileSync(
    new URL('.github/performance.md', root),
    performancePage(read('bench'), read('folders'), read('large')),
  );
}
