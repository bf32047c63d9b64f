// Races: runtimes take turns on one image in one thread, and the peak of the machine is measured between them.

/**
 * @callback Open  loads a runtime and a network
 * @param {{read: (file: string) => Promise<Uint8Array>, base: string, network: string, lines: string[]}} place
 *   base: the URL of the folder with all files, ending in a slash
 * @returns {Promise<(image: Float32Array) => Promise<Float32Array>>} runs the network: [h][w][c] in, logits out
 */

const PEAK_CALLS = 40,
  PEAK_ROUNDS = 2e5; // as long as a sample; V8 does not switch to optimised code during a call
const WARM_RUNS = 5,
  WARM_MS = 1000,
  LEAST_SAMPLE_MS = 20,
  MOST_ROUNDS = 41;

/** @param {number[]} values @returns {{median: number, least: number, most: number}} */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b),
    middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, least: sorted[0], most: sorted.at(-1) };
}

/** The largest difference between two outputs, in units of the largest value. */
export function difference(a, b) {
  if (a.length !== b.length) return Infinity;
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const apart = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
  return Number.isNaN(apart / largest) ? Infinity : apart / largest;
}

/** Runs until the code is optimised. Returns the mean of the last half, in ms. */
async function warm(run, image) {
  const times = [];
  for (let total = 0; times.length < WARM_RUNS || total < WARM_MS; total += times.at(-1)) {
    const start = performance.now();
    await run(image);
    times.push(performance.now() - start);
  }
  const last = times.slice(times.length >> 1);
  return last.reduce((sum, ms) => sum + ms, 0) / last.length;
}

/**
 * @typedef {object} Race  one number per round
 * @property {Record<string, number[]>} ms
 * @property {Record<string, number[]>} cpuMs  empty where CPU time is unknown
 * @property {number[]} peak  GFLOP/s, by CPU time where it is known, because other processes do not disturb it
 * @property {Record<string, number[]>} outputs  of the last run
 */

/**
 * @param {Record<string, (image: Float32Array) => Promise<Float32Array>>} runtimes
 * @param {Float32Array} image
 * @param {{peakWasm: BufferSource, leastRounds: number, budgetMs: number, cpu?: () => number | Promise<number>}}
 *   options  cpu: CPU time of this process or thread, in ms
 * @returns {Promise<Race>}
 */
export async function race(runtimes, image, { peakWasm, leastRounds, budgetMs, cpu }) {
  const { instance } = await WebAssembly.instantiate(peakWasm),
    turns = Object.entries(runtimes);
  const now = cpu ?? (() => performance.now());
  const measurePeak = async () => {
    const start = await now();
    let operations = 0;
    for (let call = 0; call < PEAK_CALLS; call++) operations += instance.exports.peak(PEAK_ROUNDS, 0.999, 0.001);
    return operations / ((await now()) - start) / 1e6;
  };
  await warm(measurePeak);
  const estimates = [];
  for (const [, run] of turns) estimates.push(await warm(run, image));
  // Short runs are timed together, because a browser's clock ticks every 0.1 ms.
  const repeats = Math.ceil(LEAST_SAMPLE_MS / Math.min(...estimates));
  const roundMs = estimates.reduce((sum, ms) => sum + ms * repeats, 0);
  const rounds = Math.min(MOST_ROUNDS, Math.max(leastRounds, Math.floor(budgetMs / roundMs)));
  const empty = () => Object.fromEntries(turns.map(([name]) => [name, []]));
  const result = { ms: empty(), cpuMs: empty(), peak: [], outputs: empty() };
  for (let round = 0; round < rounds; round++) {
    result.peak.push(await measurePeak());
    for (let turn = 0; turn < turns.length; turn++) {
      const [name, run] = turns[(turn + round) % turns.length]; // no runtime always follows the same one
      const cpuStart = await cpu?.(),
        start = performance.now();
      let output;
      for (let i = 0; i < repeats; i++) output = await run(image);
      result.ms[name].push((performance.now() - start) / repeats);
      if (cpu) result.cpuMs[name].push(((await cpu()) - cpuStart) / repeats);
      result.outputs[name] = [...output];
    }
  }
  return result;
}
