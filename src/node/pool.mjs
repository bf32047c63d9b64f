// Worker threads for many films: answers in the order of the films, and a thread that dies costs one film only.
import { Worker } from 'node:worker_threads';
import { CommandError, ReadError } from './errors.mjs';
import { createReader } from './read.mjs';
import { ownsName } from './shards.mjs';

const THREAD = new URL('./thread.mjs', import.meta.url);
const DIED = {
  code: 'engine-stopped',
  message: 'The engine stopped at this film, perhaps for lack of memory. The other films are not affected.',
};

/** A thread has its next film while it diagnoses one. */
const AHEAD = 2;

/**
 * @typedef {object} Answer what is known of one film: a diagnosis, an error, or that another shard has it
 * @property {string} [verdict] @property {Record<string, number>} [probability]
 * @property {import('../engine.mjs').Mixture | null} [prevalence] @property {number[]} [logits]
 * @property {{ accepted: boolean, score: number, reason: string | null, message: string | null }} [gate]
 * @property {string} [decoder] @property {import('../dicom/reader.mjs').Facts} [dicom] @property {string} [sha256] @property {string} [bits]
 * @property {Float32Array} [features] @property {string | null} [patient]  a hash, where they are asked for
 * @property {string} [code] @property {string} [message]
 * @property {boolean} [elsewhere]
 */

/**
 * @param {import('./assets.mjs').Parts} parts @param {number} jobs
 * @param {{ prevalence?: string, features?: boolean, patients?: boolean, shard?: import('./shards.mjs').Shard, heatmap?: string }} [each] what every thread is told besides
 * @returns {Promise<{ model: any, run: (items: any[]) => AsyncGenerator<{ item: any, answer: Answer }>, close: () => Promise<void> }>}
 */
export async function createPool(parts, jobs, each = {}) {
  /** @typedef {{ item: any, resolve: (answer: Answer) => void, reject: (error: Error) => void }} Task */
  /** @type {Set<Worker>} */ const threads = new Set();
  /** @type {{ tasks: Task[], give: (task: Task) => void }[]} */ const ready = [];
  /** @type {Task[]} */ const waiting = [];
  /** @type {Error | null} */ let broken = null;
  let closed = false;
  const read = createReader();

  /** Starts a thread; resolves with the model once its engine has passed the self-test. */
  function start() {
    const thread = new Worker(THREAD, {
      workerData: { wasm: parts.wasm, dot: parts.dot, weights: parts.weights, ...each },
    });
    threads.add(thread);
    return new Promise((resolve, reject) => {
      let reason = 'it ended without a word';
      const own = {
        tasks: [],
        give(task) {
          own.tasks.push(task);
          thread.postMessage(task.item);
        },
      };
      thread.on('message', ({ model, failure, stop, answer }) => {
        if (failure) return reject(new CommandError(failure.message, failure.status));
        if (stop) return giveUp(new CommandError(stop));
        if (model) {
          ready.push(own);
          resolve(model);
        }
        own.tasks.shift()?.resolve(answer);
        work();
      });
      thread.on('error', (error) => {
        reason = error.message;
      });
      thread.on('exit', () => {
        threads.delete(thread);
        const at = ready.indexOf(own);
        if (at < 0) reject(new CommandError(`The engine did not start: ${reason}.`));
        else ready.splice(at, 1);
        own.tasks.shift()?.resolve(DIED);
        waiting.unshift(...own.tasks);
        if (at >= 0 && !closed) start().catch(giveUp);
        work();
      });
    });
  }

  /** @param {Error} error no film can be diagnosed any more */
  function giveUp(error) {
    broken = error;
    for (const { reject } of [...waiting.splice(0), ...ready.flatMap(({ tasks }) => tasks)]) reject(error);
  }

  /** The thread with the fewest films takes the next. */
  function work() {
    while (waiting.length) {
      const free = ready.filter(({ tasks }) => tasks.length < AHEAD).sort((a, b) => a.tasks.length - b.tasks.length)[0];
      if (!free) return;
      free.give(waiting.shift());
    }
  }

  /**
   * Files are read here, while all threads compute: a thread that computes cannot ask for the next part of a slow file.
   * Archives are not, because unpacking is work.
   * @param {import('../cli/paths.mjs').Item} item @returns {Promise<Answer>}
   */
  async function ask(item) {
    let { file, archive, code, message, bytes } = item;
    try {
      if (!code && !archive) bytes = await read(item);
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      ({ code, message } = error);
    }
    if (code) return each.shard && !ownsName(each.shard, file) ? { elsewhere: true } : { code, message };
    return new Promise((resolve, reject) => {
      if (broken) return reject(broken);
      waiting.push({ item: { ...item, bytes }, resolve, reject });
      work();
    });
  }

  async function* run(items) {
    // A short queue: the answers of a slow film's followers wait in memory.
    const ahead = [];
    for (const item of items) {
      const answer = ask(item);
      answer.catch(() => {}); // Reported where it is awaited, in its turn.
      ahead.push({ item, answer });
      if (ahead.length >= 4 * jobs) yield await next(ahead);
    }
    while (ahead.length) yield await next(ahead);
  }

  async function next(ahead) {
    const { item, answer } = ahead.shift();
    return { item, answer: await answer };
  }

  async function close() {
    closed = true;
    await Promise.all([...threads].map((thread) => thread.terminate()));
  }

  try {
    const [model] = await Promise.all(Array.from({ length: jobs }, start));
    return { model, run, close };
  } catch (error) {
    await close();
    throw error;
  }
}
