// Turns measurements into tables for people and into the records of build/bench.json.
import { cpus, loadavg } from 'node:os';
import { difference, spread } from './race.mjs';

/** Where and when something was measured. @returns {import('./performance.mjs').Machine} */
export const machine = () => ({
  date: new Date().toISOString().slice(0, 10),
  processor: cpus()[0].model,
  load: loadavg()[0],
  node: process.versions.node,
});

/** @typedef {import('./race.mjs').Race} Race */
/**
 * @typedef {object} Entry  a record of build/bench.json; null means not measured
 * @property {string} runtime
 * @property {string} version
 * @property {string} network
 * @property {string} where
 * @property {number} threads
 * @property {number} ms  median
 * @property {number} least_ms
 * @property {number} most_ms
 * @property {number | null} cpu_ms
 * @property {number} gflops  counted for direct convolutions, whatever the runtime does
 * @property {number} share_of_peak  best run over the best measurement of the peak, by CPU time if known
 * @property {number} bytes_brotli
 * @property {number | null} first_result_ms
 * @property {number | null} rss_mb
 */

/**
 * @typedef {object} JobEntry  a record of build/folders.json: whole jobs over many films, medians
 * @property {string} runtime
 * @property {string} version
 * @property {string} network
 * @property {number} films
 * @property {number} threads
 * @property {number} abreast  films at once, sharing the threads
 * @property {number} films_per_second  of the process from start to exit
 * @property {number | null} x_fastest_peer  in films per second, compared with as many threads; null: no peer does this job
 * @property {number} start_ms  of the process from start to exit over a single film
 * @property {number} running_films_per_second  all other films after it
 * @property {number} cpu_ms_per_film
 * @property {number} peak_mb  of memory
 * @property {number | null} differs_by  the largest difference of a probability from Pleura's in one thread
 */

const round = (value, digits) => Number(value.toFixed(digits));

/**
 * @param {Race} race @param {{network: string, where: string, products: number, versions: Record<string, string>}} facts
 * @returns {Entry[]}
 */
export function entriesOf(race, { network, where, products, versions }, { bytes, first = {}, rss = {} }) {
  const peak = spread(race.peak).most,
    gflopsIn = (ms) => (2 * products) / ms / 1e6;
  return Object.keys(race.ms).map((runtime) => {
    const ms = spread(race.ms[runtime]),
      cpu = race.cpuMs[runtime].length ? spread(race.cpuMs[runtime]) : null;
    return {
      runtime,
      version: versions[runtime],
      network,
      where,
      threads: 1,
      ms: round(ms.median, 3),
      least_ms: round(ms.least, 3),
      most_ms: round(ms.most, 3),
      cpu_ms: cpu && round(cpu.median, 3),
      gflops: round(gflopsIn(ms.median), 2),
      share_of_peak: round(gflopsIn((cpu ?? ms).least) / peak, 3),
      bytes_brotli: bytes[runtime],
      first_result_ms: first[runtime] ? round(first[runtime].median, 1) : null,
      rss_mb: rss[runtime] ? round(rss[runtime], 1) : null,
    };
  });
}

/** The largest difference between the outputs of any two runtimes. @param {Race} race @param {string[]} names */
export function disagreement({ outputs }, names) {
  const all = names.map((name) => outputs[name]);
  return all.reduce((most, a) => all.reduce((largest, b) => Math.max(largest, difference(a, b)), most), 0);
}

/** Pads columns to their widest cell and aligns the first to the left, the numbers to the right.
 *  @param {string[][]} rows */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const percent = (share) => `${(share * 100).toFixed(0)} %`;

/**
 * The table of one race: time, spread, speed, and the speed-up over the fastest peer by medians, by best runs and by
 * medians of CPU time.
 * @param {Race} race @param {Entry[]} entries @param {string[]} peers
 */
export function raceTable(race, entries, peers) {
  const ratio = (times, which, name) => {
    if (!times[name].length) return '-';
    return `${(Math.min(...peers.map((peer) => spread(times[peer])[which])) / spread(times[name])[which]).toFixed(2)}x`;
  };
  return table([
    ['runtime', 'ms', 'least..most', 'CPU ms', 'GFLOP/s', 'of peak', 'x fastest peer', 'by best', 'by CPU'],
    ...entries.map(({ runtime, version, ms, cpu_ms, gflops, share_of_peak }) => {
      const { least, most } = spread(race.ms[runtime]);
      return [
        `${runtime} ${version}`,
        ms.toFixed(2),
        `${least.toFixed(2)}..${most.toFixed(2)}`,
        cpu_ms?.toFixed(2) ?? '-',
        gflops.toFixed(1),
        percent(share_of_peak),
        ratio(race.ms, 'median', runtime),
        ratio(race.ms, 'least', runtime),
        ratio(race.cpuMs, 'median', runtime),
      ];
    }),
  ]);
}

/**
 * The table of what a runtime costs before its first result; in brackets in units of the best peer's cost.
 * @param {string[]} names @param {{bytes: Record<string, number>, first: Record<string, ReturnType<typeof spread>>, rss: Record<string, number>}} costs
 * @param {number} bareRss
 */
export function costTable(names, { bytes, first, rss }, bareRss) {
  const peers = names.filter((name) => name !== 'pleura');
  const against = (value, name) => `${(value(name) / Math.min(...peers.map(value))).toFixed(2)}x`;
  const download = (name) => bytes[name],
    cold = (name) => first[name].median;
  return table([
    ['runtime', 'download, brotli', 'first result', 'least..most', 'RSS in Node'],
    ...names.map((name) => [
      name,
      `${(bytes[name] / 1000).toFixed(1)} KB (${against(download, name)})`,
      `${cold(name).toFixed(0)} ms (${against(cold, name)})`,
      `${first[name].least.toFixed(0)}..${first[name].most.toFixed(0)}`,
      rss[name] === undefined ? '-' : `${rss[name].toFixed(0)} MB (bare +${(rss[name] - bareRss).toFixed(0)})`,
    ]),
  ]);
}

/** @param {ReturnType<Awaited<ReturnType<typeof import('../../src/engine.mjs').createEngine>>['profile']>} layers @param {number} peak */
export function profileTable(layers, peak) {
  const line = (name, shape, products, ms) => {
    const gflops = (2 * products) / ms / 1e6;
    return [name, shape, ms.toFixed(3), products ? gflops.toFixed(1) : '-', products ? percent(gflops / peak) : '-'];
  };
  const total = (graph) => {
    const own = layers.filter((layer) => layer.graph === graph),
      sum = (key) => own.reduce((all, layer) => all + layer[key], 0);
    return line(`${graph} in all`, '', sum('products'), sum('ms'));
  };
  const rows = layers.map(({ graph, name, shape, products, ms }) =>
    line(`${graph}.${name}`, shape.join('x'), products, ms),
  );
  return table([
    ['layer', 'output', 'ms', 'GFLOP/s', 'of peak'],
    ...rows,
    ...[...new Set(layers.map(({ graph }) => graph))].map(total),
  ]);
}

/**
 * @param {import('./jobs.mjs').JobRace} race @param {import('./jobs.mjs').Contestant[]} contestants
 * @param {{network: string, films: number}} facts @returns {JobEntry[]}
 */
export function jobEntriesOf(race, contestants, { network, films }) {
  const [first] = race,
    median = (values) => spread(values).median,
    rate = ({ ms }) => (films * 1000) / median(ms);
  return race.map((own, i) => {
    const { name: runtime, version, threads, abreast } = contestants[i],
      start = median(own.startMs);
    const peers = race.filter((_, j) => !contestants[j].own && contestants[j].threads === threads);
    return {
      runtime,
      version,
      network,
      films,
      threads,
      abreast,
      films_per_second: round(rate(own), 2),
      x_fastest_peer: peers.length ? round(rate(own) / Math.max(...peers.map(rate)), 3) : null,
      start_ms: round(start, 0),
      running_films_per_second: round(((films - 1) * 1000) / (median(own.ms) - start), 2),
      cpu_ms_per_film: round(median(own.cpuMs) / films, 2),
      peak_mb: round(median(own.peakMb), 1),
      differs_by: own === first ? null : round(Math.max(...apart(own.answers, first.answers)), 6),
    };
  });
}

/** The largest difference of a probability over all films.
 *  @param {import('./jobs.mjs').Answers} answers @param {import('./jobs.mjs').Answers} others */
export const apart = (answers, others) =>
  answers.map(({ file, probability }, i) =>
    file === others[i].file
      ? Math.max(
          ...Object.keys(probability).map((label) => Math.abs(probability[label] - others[i].probability[label])),
        )
      : Infinity,
  );

/** @param {import('./jobs.mjs').JobRace} race @param {JobEntry[]} entries */
export function jobTable(race, entries) {
  return table([
    [
      'runtime, threads x films at once',
      'films/s',
      'least..most',
      'x fastest peer',
      'start-up ms',
      'films/s then',
      'CPU ms a film',
      'peak MB',
      'differs by',
    ],
    ...entries.map((entry, i) => {
      const { least, most } = spread(race[i].ms.map((ms) => (entry.films * 1000) / ms));
      return [
        `${entry.runtime} ${entry.version}, ${entry.threads / entry.abreast} x ${entry.abreast}`,
        entry.films_per_second.toFixed(1),
        `${least.toFixed(1)}..${most.toFixed(1)}`,
        entry.x_fastest_peer === null ? '-' : `${entry.x_fastest_peer.toFixed(2)}x`,
        entry.start_ms.toFixed(0),
        entry.running_films_per_second.toFixed(1),
        entry.cpu_ms_per_film.toFixed(1),
        entry.peak_mb.toFixed(0),
        entry.differs_by?.toExponential(1) ?? '-',
      ];
    }),
  ]);
}

/** Steps shorter than this are not compared: a clock that ticks and noise decide them. */
const LEAST_MS = 0.5;

/**
 * The ratio of two builds, step by step: the median over the rounds, and where the middle half of them lies.
 * @param {[before: Record<string, number>, now: Record<string, number>][]} rounds
 */
export function compareRounds(rounds) {
  return Object.keys(rounds[0][0])
    .map((name) => {
      const ratios = rounds.map(([before, now]) => now[name] / before[name]).sort((a, b) => a - b),
        median = (/** @type {0 | 1} */ which) => spread(rounds.map((round) => round[which][name])).median;
      const quarter = ratios.length >> 2;
      return {
        name,
        before: median(0),
        now: median(1),
        ratio: spread(ratios).median,
        low: ratios[quarter],
        high: ratios[ratios.length - 1 - quarter],
      };
    })
    .filter(({ before }) => before >= LEAST_MS);
}

/** Heading and rows of the large films. @param {import('./large.mjs').LargeEntry[]} entries @returns {string[][]} */
export const largeRows = (entries) => [
  ['format', 'decoder', 'ms added', 'ms of the decoder', 'times', 'MB added', 'MB of the decoder', 'times'],
  ...entries.map((one) => [
    one.format,
    one.decoder,
    ...[one.ms, one.decoder_ms].map((ms) => ms.toFixed(0)),
    (one.ms / one.decoder_ms).toFixed(2),
    ...[one.mb, one.decoder_mb].map((mb) => mb.toFixed(0)),
    (one.mb / one.decoder_mb).toFixed(2),
  ]),
];
