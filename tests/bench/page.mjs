// What the pages of the benchmark run: a race of all runtimes, or the first result of one runtime.
import { imageFor, layersOf } from './graph.mjs';
import { race } from './race.mjs';

const base = new URL('.', location.href).href;

async function read(file) {
  const response = await fetch(base + file);
  if (!response.ok) throw new Error(`${file}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * @param {{network: string, lines: string[], names: string[], leastRounds: number, budgetMs: number}} job
 * @param {() => Promise<number>} cpu
 */
export async function raceHere({ names, leastRounds, budgetMs, ...job }, cpu) {
  const runs = {};
  for (const name of names) {
    const { open } = await import(`${base}${name}.js`);
    runs[name] = await open({ read, base, ...job });
  }
  return race(runs, imageFor(layersOf(job.lines)), { peakWasm: await read('peak.wasm'), leastRounds, budgetMs, cpu });
}

/** Time since the navigation began, ms. @param {import('./race.mjs').Open} open @param {{network: string, lines: string[]}} job */
export async function firstResult(open, job) {
  const run = await open({ read, base, ...job });
  await run(imageFor(layersOf(job.lines)));
  return performance.now();
}
