// pool.mjs - diagnoses many films on worker threads and returns the answers in the order of the films.
//
// WebAssembly computes one film at a time and cannot be interrupted, so every thread has an engine of its own. The pool
// reads the files, because a thread that computes cannot ask for the next part of a slow file; the threads unpack
// archives, because unpacking is work. If a thread dies, only the film it was working on is lost: a new thread takes
// its place, and the films it had not begun go back to the queue.
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { PleuraError } from '../errors.mjs';
import { CommandError, ReadError } from './errors.mjs';
import { locateThread } from './assets.mjs';
import { createReader } from './read.mjs';
import { ownsName } from './shards.mjs';

/** @typedef {import('./read.mjs').Item} Item @typedef {import('../result/record.mjs').Answer} Answer */

const DIED = {
  code: 'engine-stopped',
  message: 'The engine crashed on this film, perhaps for lack of memory. The other films are not affected.',
};

/** @param {string} cause */
const unstarted = (cause) =>
  new PleuraError(
    'engine-not-started',
    -1,
    `A thread with an engine did not start: ${cause}. Use fewer threads, or allow more memory, processes and open files.`,
  );

/** A film that nobody waits for any more may take so long before its thread is ended. */
const GRACE_MS = 1000;

/** A thread computes one film while the next one waits beside it. */
const MAX_TASKS = 2;

/** Films leave little garbage; by default V8 lets it grow to several megabytes per thread before it looks. */
const LIMITS = { maxYoungGenerationSizeMb: 3 };

/**
 * Films in flight per thread: while a slow film is computed, the answers of its followers wait in memory, but no more
 * than these.
 */
const IN_FLIGHT = 4;

/**
 * @typedef {{ item: Item, want?: import('./protocol.d.ts').Want, retried?: boolean,
 *   resolve: (answer: Answer) => void, reject: (error: any) => void }} Task  want: of a film that a program hands in
 * @typedef {{ worker: Worker, tasks: Task[] }} Thread  tasks: the one it computes and the one that waits
 * @typedef {import('../engine.mjs').Engine['model']} Model
 */

/**
 * @param {import('./assets.mjs').Parts} parts @param {number} jobs number of threads
 * @param {import('./protocol.d.ts').ThreadOptions} [options]
 * @returns {Promise<{ model: Model, run: (items: Item[]) => AsyncGenerator<{ item: Item, answer: Answer }>,
 *   submit: (item: Item, want: import('./protocol.d.ts').Want) => { answer: Promise<any>, cancel: (reason: any) => void },
 *   pending: () => number, close: () => Promise<void> }>} rejects with PleuraError or CommandError
 */
export async function createPool(parts, jobs, options = {}) {
  /** @type {Set<Worker>} */ const workers = new Set();
  /** @type {Thread[]} whose engines are ready */ const threads = [];
  /** @type {Task[]} */ const queue = [];
  /** @type {Error | null} */ let fatal = null;
  let closed = false;
  const read = createReader();
  const threadPath = locateThread();

  /** @param {import('./protocol.d.ts').ThreadData} workerData */
  function createWorker(workerData) {
    try {
      return new Worker(pathToFileURL(threadPath), { workerData, resourceLimits: LIMITS });
    } catch (error) {
      throw unstarted(error.message);
    }
  }

  /** @returns {Promise<Model>} resolves once the engine of the new thread has passed its self-test */
  async function start() {
    const { wasm, dot, weights } = parts;
    /** @type {import('./protocol.d.ts').ThreadData} */
    const workerData = { wasm: 'path' in wasm ? wasm.path : wasm, dot, weights, ...options };
    const worker = createWorker(workerData);
    /** @type {Thread} */
    const thread = { worker, tasks: [] };
    workers.add(worker);
    return new Promise((resolve, reject) => {
      let cause = 'it exited without an error message';
      worker.on('message', (/** @type {import('./protocol.d.ts').FromThread} */ message) => {
        switch (message.type) {
          case 'ready':
            threads.push(thread);
            resolve(message.model);
            return pump();
          case 'failed':
            return reject(new PleuraError(message.code, message.status, message.message));
          case 'answer':
            thread.tasks.shift()?.resolve(message.answer);
            return pump();
          case 'abort':
            return abort(new CommandError(message.message));
        }
      });
      worker.on('error', (error) => {
        cause = error.message;
      });
      worker.on('exit', () => {
        reject(unstarted(cause)); // No effect once the thread was ready.
        replace(thread);
      });
    });
  }

  /** Settles the films of a thread that has ended, and starts another one. @param {Thread} thread */
  function replace(thread) {
    workers.delete(thread.worker);
    const [lost, ...waiting] = thread.tasks;
    queue.unshift(...waiting);
    if (lost?.want && !lost.retried) queue.unshift({ ...lost, retried: true });
    else lost?.resolve(DIED);
    thread.tasks = [];
    const index = threads.indexOf(thread);
    if (index >= 0) {
      threads.splice(index, 1);
      if (!closed) start().catch(abort);
    }
    pump();
  }

  /** Fails all films that have no answer yet, and all that follow. @param {Error} error */
  function abort(error) {
    fatal = error;
    for (const { reject } of [...queue.splice(0), ...threads.flatMap(({ tasks }) => tasks)]) reject(error);
  }

  /** Hands queued films to the threads with the fewest tasks. */
  function pump() {
    for (;;) {
      const [thread] = threads
        .filter(({ tasks }) => tasks.length < MAX_TASKS)
        .sort((a, b) => a.tasks.length - b.tasks.length);
      const task = thread && queue.shift();
      if (!task) return;
      dispatch(thread, task);
    }
  }

  /** @param {Thread} thread @param {Task} task */
  function dispatch({ worker, tasks }, task) {
    tasks.push(task);
    /** @type {import('./protocol.d.ts').ToThread} */
    const message = { type: 'diagnose', item: task.item, want: task.want };
    worker.postMessage(message);
  }

  /** @param {Item} item @returns {Promise<Answer>} */
  function enqueue(item) {
    return new Promise((resolve, reject) => {
      if (fatal) return reject(fatal);
      queue.push({ item, resolve, reject });
      pump();
    });
  }

  /**
   * Queues a film of a program. If its thread dies, it is tried once more. After `cancel` the answer rejects at once; a
   * film that is being computed may finish unseen, but not for longer than GRACE_MS.
   * @param {Item} item @param {import('./protocol.d.ts').Want} want
   */
  function submit(item, want) {
    /** @type {Task} */
    const task = { item, want, resolve() {}, reject() {} };
    const answer = new Promise((resolve, reject) => {
      Object.assign(task, { resolve, reject });
    });
    if (fatal) task.reject(fatal);
    else queue.push(task);
    pump();
    /** @param {any} reason */
    function cancel(reason) {
      task.reject(reason);
      task.retried = true;
      if (queue.includes(task)) queue.splice(queue.indexOf(task), 1);
      else setTimeout(endIfComputing, GRACE_MS, task).unref();
    }
    return { answer, cancel };
  }

  /** @param {Task} task */
  function endIfComputing(task) {
    threads.find(({ tasks }) => tasks[0] === task)?.worker.terminate();
  }

  const pending = () => queue.length + threads.reduce((sum, { tasks }) => sum + tasks.length, 0);

  /**
   * Reads a file and queues it; members of archives are queued unread.
   * @param {Item} item @returns {Promise<Answer>}
   */
  async function readAndQueue(item) {
    let { code, message, bytes } = item;
    try {
      if (!code && !item.archive) bytes = await read(item);
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      ({ code, message } = error);
    }
    if (!code) return enqueue({ ...item, bytes });
    const { shard } = options;
    return shard && !item.retried && !ownsName(shard, item.file) ? { elsewhere: true } : { code, message };
  }

  /** @param {Item[]} items @returns {AsyncGenerator<{ item: Item, answer: Answer }>} in the order of the items */
  async function* run(items) {
    /** @type {{ item: Item, answer: Promise<Answer> }[]} */
    const inFlight = [];
    async function next() {
      const [{ item, answer }] = inFlight.splice(0, 1);
      return { item, answer: await answer };
    }
    for (const item of items) {
      const answer = readAndQueue(item);
      answer.catch(() => {}); // next() reports the failure when it is this film's turn.
      inFlight.push({ item, answer });
      if (inFlight.length >= IN_FLIGHT * jobs) yield await next();
    }
    while (inFlight.length) yield await next();
  }

  async function close() {
    closed = true;
    await Promise.all([...workers].map((worker) => worker.terminate()));
  }

  try {
    const [model] = await Promise.all(Array.from({ length: jobs }, start));
    return { model, run, submit, pending, close };
  } catch (error) {
    await close();
    throw error;
  }
}
