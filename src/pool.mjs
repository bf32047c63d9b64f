// Worker threads for many films: answers in the order of the films, and a thread that dies costs one film only.
import { Worker } from 'node:worker_threads';
import { CommandError } from './shipped.mjs';

const THREAD = new URL('./thread.mjs', import.meta.url);
const DIED = {
  code: 'engine-stopped',
  message: 'The engine stopped at this film, perhaps for lack of memory. The other films are not affected.',
};

/**
 * @typedef {object} Answer what is known of one film: either a diagnosis or an error
 * @property {string} [verdict] @property {Record<string, number>} [probability]
 * @property {{ accepted: boolean, score: number, reason: string | null, message: string | null }} [gate]
 * @property {string} [decoder] @property {import('./dicom.mjs').Facts} [dicom] @property {string} [sha256] @property {string} [bits]
 * @property {string} [code] @property {string} [message]
 */

/**
 * @param {import('./shipped.mjs').Parts} parts @param {number} jobs
 * @returns {Promise<{ model: any, run: (items: any[]) => AsyncGenerator<{ item: any, answer: Answer }>, close: () => Promise<void> }>}
 */
export async function createPool(parts, jobs) {
  /** @type {Set<Worker>} */ const threads = new Set();
  /** @type {((task: any) => void)[]} */ const idle = []; // Each gives its thread a task.
  /** @type {{ item: any, resolve: (answer: Answer) => void, reject: (error: Error) => void }[]} */ const waiting = [];
  /** @type {Error | null} */ let broken = null;
  let closed = false;

  /** Starts a thread; resolves with the model once its engine has passed the self-test. */
  function start() {
    const thread = new Worker(THREAD, { workerData: { wasm: parts.wasm, dot: parts.dot, weights: parts.weights } });
    threads.add(thread);
    return new Promise((resolve, reject) => {
      let task = null;
      let ready = false;
      let reason = 'it ended without a word';
      const take = (next) => {
        task = next;
        thread.postMessage(next.item);
      };
      thread.on('message', ({ model, failure, answer }) => {
        if (failure) return reject(new CommandError(failure));
        if (model) {
          ready = true;
          resolve(model);
        }
        task?.resolve(answer);
        task = null;
        idle.push(take);
        work();
      });
      thread.on('error', (error) => { reason = error.message; });
      thread.on('exit', () => {
        threads.delete(thread);
        if (idle.includes(take)) idle.splice(idle.indexOf(take), 1);
        if (!ready) reject(new CommandError(`The engine did not start: ${reason}.`));
        task?.resolve(DIED);
        if (ready && !closed) start().catch(giveUp);
      });
    });
  }

  /** @param {Error} error no thread can be started any more */
  function giveUp(error) {
    broken = error;
    for (const { reject } of waiting.splice(0)) reject(error);
  }

  function work() {
    while (idle.length && waiting.length) idle.shift()(waiting.shift());
  }

  /** @returns {Promise<Answer>} */
  function ask(item) {
    if (item.code) return Promise.resolve({ code: item.code, message: item.message });
    return new Promise((resolve, reject) => {
      if (broken) return reject(broken);
      waiting.push({ item, resolve, reject });
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
