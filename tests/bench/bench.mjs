// `make bench`: compares Pleura with other runtimes in Node and Chromium, prints tables and writes build/bench.json.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/engine.mjs';
import { floatWeights } from '../support/float_weights.mjs';
import { inChromium } from './chromium.mjs';
import { layersOf, products } from './graph.mjs';
import { networks as networksOf } from './networks.mjs';
import { prepare } from './prepare.mjs';
import { spread } from './race.mjs';
import { costTable, disagreement, entriesOf, machine, profileTable, raceTable } from './report.mjs';
import { root, runtimes } from './runtimes.mjs';

const LEAST_ROUNDS = 5,
  COLD_ROUNDS = 5,
  BUDGET_MS = 3000,
  MOST_DIFFERENCE = 1e-3,
  PROFILE_ROUNDS = 50;

const say = (text = '') => process.stdout.write(`${text}\n`);
const wasm = readFileSync(`${root}build/pleura.wasm`);
const engine = await createEngine({ wasm, weights: new Uint8Array(readFileSync(`${root}model/pleura.gguf`)) });
const { model } = await createEngine({ wasm, weights: await floatWeights() });
const networks = networksOf(model.graphs);
const inFloats = runtimes.filter(({ small }) => !small).map(({ name }) => name),
  others = runtimes.filter(({ own }) => !own).map(({ name }) => name);
const versions = Object.fromEntries(runtimes.map(({ name, version }) => [name, version]));
const racing = (where, of = runtimes.map(({ name }) => name)) =>
  runtimes.filter(({ name, wheres }) => wheres.includes(where) && of.includes(name)).map(({ name }) => name);
const jobOf = (network) => ({ network, lines: networks[network] });

/** Runs a job of node.mjs in a process of its own. */
async function inNode(job, options) {
  const child = fork(fileURLToPath(new URL('node.mjs', import.meta.url)), [job, JSON.stringify(options)]);
  const [answer] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`node.mjs ended with ${code}`))),
  ]);
  return answer;
}

async function memory() {
  const used = {};
  for (const name of ['', ...racing('node', inFloats)]) used[name] = await inNode('memory', { name, ...jobOf('vggs') });
  return used;
}

say('Writing the networks and bundling the runtimes below build/bench.');
const costs = { bytes: await prepare(networks), rss: await memory(), first: {} };
const entries = [],
  nodePeaks = [];
let apart = 0;

async function compare(where, network, run) {
  const result = await run({ names: racing(where), leastRounds: LEAST_ROUNDS, budgetMs: BUDGET_MS, ...jobOf(network) });
  const facts = { network, where, products: products(layersOf(networks[network])), versions };
  const own = entriesOf(result, facts, {
    bytes: costs.bytes,
    ...(network === 'vggs' && (where === 'node' ? { rss: costs.rss } : { first: costs.first })),
  });
  const largest = disagreement(result, racing(where, inFloats));
  apart = Math.max(apart, largest);
  entries.push(...own);
  if (where === 'node') nodePeaks.push(...result.peak);
  say(
    `\n${network} in ${where}: ${(facts.products / 1e6).toFixed(1)} million products, ${result.peak.length} rounds, ` +
      `peak ${spread(result.peak).most.toFixed(1)} GFLOP/s, outputs differ by ${largest.toExponential(1)}, those of bytes by ${disagreement(result, ['pleura', 'pleura-int8']).toExponential(1)}`,
  );
  say(raceTable(result, own, racing(where, others)));
}

say(
  '\nOne thread, float32 (and Pleura on bytes), all runtimes taking turns in each round. ms, CPU ms and GFLOP/s are medians, the share of the peak is by CPU time, best against best.',
);
say('LiteRT.js loads in browsers only.');
say(`\nNode ${process.versions.node}.`);
for (const network of Object.keys(networks)) await compare('node', network, (job) => inNode('race', job));

const versionsOf = { node: process.versions.node, chromium: '' };
await inChromium(async ({ version, race, firstResults }) => {
  versionsOf.chromium = version;
  say(`\nChromium ${version}.`);
  costs.first = await firstResults(racing('chromium', inFloats), jobOf('vggs'), COLD_ROUNDS);
  for (const network of Object.keys(networks)) await compare('chromium', network, race);
});

say(
  '\nBefore the first result on vggs: files without weights, a cold page on loopback in Chromium, memory after five runs.',
);
say(costTable(inFloats, costs, costs.rss['']));

const peak = spread(nodePeaks).most;
say(
  `\nThe shipped model's layers in Node, least of ${PROFILE_ROUNDS} (peak ${peak.toFixed(1)} GFLOP/s; layers by Winograd's tiles may exceed it):`,
);
say(profileTable(engine.profile(PROFILE_ROUNDS), peak));

const facts = { ...machine(), ...versionsOf, peak_gflops: peak, entries };
writeFileSync(`${root}build/bench.json`, `${JSON.stringify(facts, null, 2)}\n`);
if (apart > MOST_DIFFERENCE) {
  say(`\nFailed: outputs differ by ${apart.toExponential(1)}, more than ${MOST_DIFFERENCE}.`);
  process.exitCode = 1;
}
