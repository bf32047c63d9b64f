// client.mjs: calls into the worker by id; cancelling ends the worker, and a dead one is started again
import { codeAddress } from './code.mjs';
import { problem } from './problem.mjs';

/** @typedef {{worker: string, wasm: Part, weights: Part, words: Record<string, string>, dicom: {module: string, charls: Part, openjpeg: Part}, card: import('./card.mjs').Card}} Site
 *     what web/build.mjs wrote, with content hashes in the names
 *  @typedef {{file: string, bytes: number, sha256: string}} Part
 *  @typedef {import('../src/engine.mjs').Mixture} Mixture */

/** Seconds without a word after which a worker that owes an answer counts as dead: browsers do not tell of each way to die. */
const PATIENCE = 120;

/** @param {Site} site  @param {(received: number, total: number) => void} onProgress
 *  @param {(requests: import('./requests.mjs').Request[]) => void} onRequests  what the worker has asked for
 *  @param {(share: number) => void} onFitted  how far a fit has come, 0..1 */
export function createClient(site, onProgress, onRequests, onFitted) {
  /** @typedef {{type: string, message: any, resolve: (result: any) => void, reject: (reason: Error) => void}} Call */
  let worker = null;
  let ready = null;
  let running = false; // the engine is in place
  let kept = null; // the checked module and weights: a restart needs no network
  let adapter = null; // the overlay of the weights that is in force
  let failed = false;
  let lastId = 0;
  let silence = 0, clock = null;
  /** @type {Map<number, Call>} with the oldest first */
  const waiting = new Map();

  function open() {
    worker = new Worker(codeAddress(site.worker), { type: 'module' });
    let alive = false;
    worker.onmessage = ({ data }) => {
      alive = true;
      silence = 0;
      if (data.progress) return onProgress(data.progress[0], data.progress[1]);
      if (data.requests) return onRequests(data.requests);
      if ('fitted' in data) return onFitted(data.fitted);
      const call = waiting.get(data.id);
      if (running && data.error?.code === 'unexpected') return replace(call, data.error); // after a trap the engine's memory cannot be trusted
      waiting.delete(data.id);
      if (data.error) call?.reject(Object.assign(new Error(data.error.message), data.error));
      else call?.resolve(data.result);
    };
    worker.onerror = worker.onmessageerror = () => (running ? replace() : end(problem(alive ? 'worker-died' : 'worker-missing')));
  }

  /** @returns {Call[]} what was waiting for the worker, which is gone */
  function close() {
    worker?.terminate();
    worker = ready = null;
    running = false;
    const calls = [...waiting.values()];
    waiting.clear();
    return calls;
  }

  function end(reason) {
    for (const { reject } of close()) reject(reason);
  }

  /** A worker that died has failed at one call, by default the oldest; the others go to the next worker.
   *  @param {Call} [culprit]  @param {import('./problem.mjs').Problem} [error]  told where no film is to be named */
  function replace(culprit, error) {
    const calls = close();
    for (const call of calls) {
      if (call === (culprit ?? calls[0])) call.reject(error && !call.message.file ? Object.assign(new Error(error.message), error) : problem('worker-died'));
      else call.resolve(ask(call.type, call.message));
    }
  }

  /* Seconds are counted one by one: those of a device asleep or of a frozen page do not count. */
  function tick() {
    if (running && waiting.size > 0 && ++silence >= PATIENCE) replace();
    if (waiting.size > 0) return;
    clearInterval(clock);
    clock = null;
  }

  function call(type, message) {
    return new Promise((resolve, reject) => {
      if (waiting.size === 0) silence = 0;
      clock ??= setInterval(tick, 1000);
      waiting.set(++lastId, { type, message, resolve, reject });
      worker.postMessage({ id: lastId, type, ...message });
    });
  }

  async function load() {
    open();
    const own = worker;
    try {
      const { model, sha256, refused, ...parts } = await call('start', { site, kept, again: failed, adapter });
      running = true;
      kept = parts;
      if (refused) adapter = null;
      return { model, sha256, refused, adapter };
    } catch (error) {
      if (worker === own) { // not ended by `cancel`, perhaps with another in its place
        failed = true;
        end(error);
      }
      throw error;
    }
  }

  /** The model's description, when engine and weights are in place; `refused`: why its overlay was not used. */
  const start = () => (ready ??= load());

  async function ask(type, message) {
    await start();
    return call(type, message);
  }

  return {
    start,

    /** @param {{file?: File, phantom?: boolean, pictured: boolean, prevalence: Mixture | null}} film  pictured: with what the viewer needs */
    diagnose: (film) => ask('diagnose', film),

    /** What films are at a prevalence. @param {Mixture | null} prevalence  @param {any[]} records  as `diagnose` gave them  @returns {Promise<any[]>} */
    judge: (prevalence, records) => ask('judge', { prevalence, films: records.map(({ logits, gate }) => ({ logits, gate })) }),

    /** What a fit needs of a film. @param {File} file  @returns {Promise<{hash: string, features: Float32Array | null, patient: string | null}>} */
    examine: (file) => ask('examineForFit', { file }),

    /** @param {import('../src/adapter.mjs').Labelled[]} films  @returns {Promise<import('../src/adapter.mjs').Adaptation>} */
    fit: (films) => ask('fit', { films }),

    /** The overlay of the weights from now on; null for none. Ends what runs, as `cancel` does. @param {Uint8Array | null} bytes */
    use(bytes) {
      adapter = bytes;
      this.cancel();
    },

    /** The tags of a DICOM file, for display only. @param {File} file  @returns {Promise<{name: string, value: string}[]>} */
    tags: (file) => ask('tags', { file }),

    /** Ends whatever runs: wasm cannot be interrupted, its worker can. */
    cancel: () => end(new DOMException('Cancelled', 'AbortError')),
  };
}
