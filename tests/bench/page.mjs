// page.mjs - what the benchmark's pages run: a race of all runtimes, or one runtime's first result.
import { imageFor, layersOf } from './graph.mjs';
import { race } from './race.mjs';

const base = new URL('.', location.href).href;

async function read(file) {
  const response = await fetch(base + file);
  if (!response.ok) throw new Error(`${file}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** @param {string} name @param {{network: string, lines: string[]}} job */
async function opened(name, job) {
  const { open } = await import(/* a bundle beside this one */ `${base}${name}.js`);
  return open({ read, base, ...job });
}

/** @param {{network: string, lines: string[], names: string[], leastRounds: number, budgetMs: number}} job */
export async function raceHere({ names, leastRounds, budgetMs, ...job }) {
  const runs = {};
  for (const name of names) runs[name] = await opened(name, job);
  return race(runs, imageFor(layersOf(job.lines)), { peakWasm: await read('peak.wasm'), leastRounds, budgetMs });
}

/** Time since the navigation began, ms. @param {string} name @param {{network: string, lines: string[]}} job */
export async function firstResult(name, job) {
  const run = await opened(name, job);
  await run(imageFor(layersOf(job.lines)));
  return performance.now();
}
