// server.mjs - the sample server under load: real films over many connections, and whether it stays responsive.
//
//   node tests/bench/server.mjs [SECONDS] [CONNECTIONS]
//
// Prints one line of figures and ends with 1 if a film has a wrong answer or none, any health check takes longer than
// MAX_HEALTH_MS, or the memory of the server grows.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const MAX_HEALTH_MS = 50;
const HEALTH_EVERY_MS = 100;
/** Memory in the second half of the run may exceed that of the first by so much. */
const MAX_GROWTH = 1.1;

const root = fileURLToPath(new URL('../..', import.meta.url));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Times health checks on a thread of its own, so that the load generator does not delay them. */
async function watchHealth({ address }) {
  const times = [];
  let going = true;
  parentPort.once('message', () => (going = false));
  const check = async () => {
    const start = performance.now();
    const response = await fetch(`${address}/health`);
    await response.arrayBuffer();
    return response.ok ? performance.now() - start : Infinity;
  };
  await check(); // The first fetch of a thread loads the client, which is no time of the server.
  parentPort.postMessage('ready');
  while (going) {
    times.push(await check());
    await pause(HEALTH_EVERY_MS);
  }
  parentPort.postMessage(times);
}

/** The films of the data, or else the sample films. */
function readFilms() {
  const data = process.env.PLEURA_DATA ?? join(root, '../shared/data');
  for (const folder of [join(data, 'images/cohen'), join(root, 'build/samples'), join(root, 'tests/fixtures')]) {
    try {
      const names = readdirSync(folder).filter((name) => /\.(jpe?g|png)$/i.test(name));
      if (names.length) return names.slice(0, 50).map((name) => readFileSync(join(folder, name)));
    } catch {
      continue; // It is not there.
    }
  }
  throw new Error('there are no films');
}

/** Resident memory of a process in megabytes. @param {number} pid */
const memoryOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

const at = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

async function main(seconds, connections) {
  const { default: autocannon } = await import('autocannon');
  const { install } = await import('../package/pack.mjs');
  const folder = mkdtempSync(join(tmpdir(), 'pleura-bench-'));
  install('server', folder);
  const server = spawn(process.execPath, ['server.mjs'], {
    cwd: folder,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const address = String((await once(server.stdout, 'data'))[0]).trim();
  const health = new Worker(new URL(import.meta.url), { workerData: { address } });
  await once(health, 'message');
  const memory = [];
  const sampling = setInterval(() => memory.push(memoryOf(server.pid)), 1000);
  try {
    const result = await autocannon({
      url: `${address}/diagnose`,
      method: 'POST',
      connections,
      duration: seconds,
      timeout: 60,
      requests: readFilms().map((body) => ({ method: 'POST', body })),
    });
    health.postMessage('end');
    const [times] = await once(health, 'message');
    const half = Math.floor(memory.length / 2),
      growth = mean(memory.slice(half)) / mean(memory.slice(Math.min(5, half - 1), half));
    const figures = {
      films: result['2xx'],
      'films/s': Number((result['2xx'] / result.duration).toFixed(1)),
      wrong: result.non2xx,
      errors: result.errors,
      timeouts: result.timeouts,
      'health ms p50': Number(at(times, 0.5).toFixed(1)),
      'health ms p99': Number(at(times, 0.99).toFixed(1)),
      'health ms max': Number(at(times, 1).toFixed(1)),
      'memory MB': Math.round(memory.at(-1)),
      growth: Number(growth.toFixed(3)),
    };
    console.log(JSON.stringify(figures));
    const failed = figures.wrong || figures.errors || figures.timeouts || figures['health ms max'] > MAX_HEALTH_MS;
    process.exitCode = failed || growth > MAX_GROWTH ? 1 : 0;
  } finally {
    clearInterval(sampling);
    await health.terminate();
    server.kill();
    await once(server, 'exit');
    rmSync(folder, { recursive: true });
  }
}

const [seconds = 60, connections = 200] = process.argv.slice(2).map(Number);
await (isMainThread ? main(seconds, connections) : watchHealth(workerData));
