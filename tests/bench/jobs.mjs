// Races of whole jobs, films in and JSON Lines out. Each contestant is a process of its own, timed from start to exit;
// they take turns.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { modules, root, versionOf } from './runtimes.mjs';

/**
 * @typedef {{name: string, version: string, threads: number, abreast: number, own?: boolean, engine?: string, small?: boolean}} Contestant
 *   threads: in total; abreast: films at once, which share the threads; engine: of Pleura, in PLEURA_ENGINE; small: int8
 * @typedef {{file: string, verdict: string, probability: Record<string, number>}[]} Answers
 * @typedef {{startMs: number[], ms: number[], cpuMs: number[], peakMb: number[], answers: Answers}[]} JobRace
 *   one entry per contestant with one number per round; startMs: of a whole process over one film
 */

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const as = (name, version, ways, facts = {}) =>
  ways.map(([threads, abreast]) => ({ name, version, threads, abreast, ...facts }));
/** Films on one thread each. */
const APART = [
  [1, 1],
  [2, 2],
];

/** @type {Contestant[]} */
export const contestants = [
  ...as('pleura', versionOf(root), APART, { own: true, engine: 'wasm' }),
  ...as('pleura-native', versionOf(root), APART, { own: true, engine: 'native' }),
  ...as('pleura-int8', versionOf(root), APART, { own: true, engine: 'wasm', small: true }),
  ...as('pleura-native-int8', versionOf(root), APART, { own: true, engine: 'native', small: true }),
  ...as('onnxruntime-node', versionOf(`${modules}onnxruntime-node`), [
    [1, 1],
    [2, 1],
    [2, 2],
  ]),
  // It computes in the thread of its caller, so one film at a time.
  ...as('onnxruntime-web', versionOf(`${modules}onnxruntime-web`), [
    [1, 1],
    [2, 1],
  ]),
];

/** Arguments of Node. @param {Contestant} contestant @param {string} network path without extension @param {string} list of paths */
const commandOf = ({ name, own, small, threads, abreast }, network, list) =>
  own
    ? [
        here('../../src/cli.mjs'),
        '--model',
        `${network}${small ? '.int8' : ''}.gguf`,
        '--files',
        list,
        '--jobs',
        `${abreast}`,
      ]
    : [here('peer.mjs'), name, `${network}.onnx`, list, `${threads / abreast}`, `${abreast}`];

/** @param {Contestant} contestant @param {string} network @param {string} list */
export async function run(contestant, network, list) {
  const start = performance.now();
  const child = spawn(process.execPath, ['--import', here('usage.mjs'), ...commandOf(contestant, network, list)], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, PLEURA_ENGINE: contestant.engine },
  });
  const ended = once(child, 'exit').then(([status]) => ({ status, ms: performance.now() - start }));
  const [{ status, ms }, out, said, used] = await Promise.all([
    ended,
    ...child.stdio.slice(1).map((stream) => text(stream)),
  ]);
  if (status !== 0) throw new Error(`${contestant.name} ended with ${status}: ${said}`);
  /** @type {Answers} */ const answers = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { ms, ...JSON.parse(used), answers };
}

/** @param {string} path @param {string[]} films */
async function writeList(path, films) {
  await writeFile(path, films.map((film) => `${film}\n`).join(''));
  return path;
}

/**
 * @param {Contestant[]} turns @param {string} network path without extension
 * @param {string[]} films @param {number} rounds @param {string} work a folder for the lists @returns {Promise<JobRace>}
 */
export async function raceJobs(turns, network, films, rounds, work) {
  const one = await writeList(`${work}one.list`, films.slice(0, 1)),
    all = await writeList(`${work}films.list`, films);
  const race = turns.map(() => ({ startMs: [], ms: [], cpuMs: [], peakMb: [], answers: [] }));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < turns.length; turn++) {
      const at = (turn + round) % turns.length,
        own = race[at]; // no contestant always follows the same one
      own.startMs.push((await run(turns[at], network, one)).ms);
      const { ms, cpuMs, peakMb, answers } = await run(turns[at], network, all);
      own.ms.push(ms);
      own.cpuMs.push(cpuMs);
      own.peakMb.push(peakMb);
      own.answers = answers;
    }
  }
  return race;
}

/**
 * Asks all contestants about the same pixels: PNG films of the network's size, so that JPEG decoding and resizing cannot
 * differ.
 * @param {Contestant[]} turns @param {string} network @param {string[]} films @param {number} side @param {string} work
 */
export async function answersToPixels(turns, network, films, side, work) {
  const names = films.map((film, i) => `${work}${i}-${basename(film)}.png`);
  for (const [i, film] of films.entries())
    await sharp(film).autoOrient().greyscale().resize(side, side, { fit: 'fill' }).png().toFile(names[i]);
  const list = await writeList(`${work}pixels.list`, names),
    all = [];
  for (const contestant of turns) all.push((await run(contestant, network, list)).answers);
  return all;
}
