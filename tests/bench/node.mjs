// The benchmark in Node, one fresh process per job: a `race` of all runtimes, or the `memory` of one after some runs.
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { imageFor, layersOf } from './graph.mjs';
import { race } from './race.mjs';
import { folder } from './runtimes.mjs';

const RUNS = 5;
const read = async (file) => new Uint8Array(await readFile(folder + file));

// TensorFlow.js fetches its wasm by path even in Node.
const { fetch } = globalThis;
globalThis.fetch = async (address, options) =>
  String(address).startsWith('file:')
    ? new Response(await readFile(new URL(address)), { headers: { 'content-type': 'application/wasm' } })
    : fetch(address, options);

async function opened(name, job) {
  const { open } = await import(`./${name}.mjs`);
  return open({ read, base: pathToFileURL(folder).href, ...job });
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const jobs = {
  async race({ names, leastRounds, budgetMs, ...job }) {
    const runs = {};
    for (const name of names) runs[name] = await opened(name, job);
    return race(runs, imageFor(layersOf(job.lines)), { peakWasm: await read('peak.wasm'), leastRounds, budgetMs, cpu });
  },

  async memory({ name, ...job }) {
    const run = name && (await opened(name, job)),
      image = imageFor(layersOf(job.lines));
    for (let i = 0; run && i < RUNS; i++) await run(image);
    return process.memoryUsage.rss() / 2 ** 20;
  },
};

const [, , job, options] = process.argv;
process.send(await jobs[job](JSON.parse(options)), () => process.exit());
