// client.mjs: calls into the worker by id; cancelling ends the worker, and the next one answers what else was asked of it
import { codeAddress } from '../storage/trusted_types.mjs';
import { problem } from '../state/errors.mjs';

/** @typedef {{worker: string, wasm: Part, weights: Part, words: Record<string, string>, dicom: {module: string, charls: Part, openjpeg: Part}, card: import('../site/card.mjs').Card}} Site
 *     what web/site/build.mjs wrote, with content hashes in the names
 *  @typedef {{file: string, bytes: number, sha256: string}} Part
 *  @typedef {import('../../src/engine.mjs').Mixture} Mixture */

/** Seconds without a word after which a worker that owes an answer counts as dead: browsers do not tell of each way to die. */
const PATIENCE = 120;

/** @param {Site} site  @param {(received: number, total: number) => void} onProgress
 *  @param {(requests: import('../storage/requests.mjs').Request[]) => void} onRequests  what the worker has asked for
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
  let silence = 0,
    clock = null;
  /** @type {Map<number, Call>} with the oldest first; what comes before the engine is in place is posted then */
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
    worker.onerror = worker.onmessageerror = () =>
      running ? replace() : end(() => problem(alive ? 'worker-died' : 'worker-missing'));
  }

  /** Ends the worker. What it owes fails where there is a reason, and goes to the next worker where there is none.
   *  @param {(call: Call) => Error | null} reasonOf */
  function end(reasonOf) {
    worker?.terminate();
    worker = ready = null;
    running = false;
    for (const [id, call] of waiting) {
      const reason = reasonOf(call);
      if (!reason) continue;
      waiting.delete(id);
      call.reject(reason);
    }
    if (waiting.size > 0) start().catch(() => {}); // which is told to each that waits
  }

  /** A worker that died has failed at one call, by default the oldest.
   *  @param {Call} [culprit]  @param {import('../state/errors.mjs').Problem} [error]  told where no film is to be named */
  function replace(culprit = waiting.values().next().value, error) {
    const reason =
      error && !culprit?.message.file ? Object.assign(new Error(error.message), error) : problem('worker-died');
    end((call) => (call === culprit ? reason : null));
  }

  /** What `end` takes to cancel calls of these types; a start is its worker's alone and is made anew. */
  const cancelled =
    (/** @type {string[]} */ ...types) =>
    (/** @type {Call} */ { type }) =>
      type === 'start' || types.includes(type) ? new DOMException('Cancelled', 'AbortError') : null;

  /** Ends calls of these types, if there are any: wasm cannot be interrupted, its worker can. */
  function cancel(...types) {
    if ([...waiting.values()].some(({ type }) => types.includes(type))) end(cancelled(...types));
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
      const own = { type, message, resolve, reject };
      waiting.set(++lastId, own);
      if (running || type === 'start') post(own, lastId);
    });
  }

  function post({ type, message }, id) {
    worker.postMessage({ id, type, ...message });
  }

  async function load() {
    open();
    const own = worker;
    try {
      const { model, sha256, refused, ...parts } = await call('start', { site, kept, again: failed, adapter });
      running = true;
      kept = parts;
      if (refused) adapter = null;
      waiting.forEach(post);
      return { model, sha256, refused, adapter };
    } catch (error) {
      if (error.name === 'AbortError') return start();
      if (worker === own) {
        // not ended already, perhaps with another in its place
        failed = true;
        end(() => error);
      }
      throw error;
    }
  }

  /** The model's description, when engine and weights are in place; `refused`: why its overlay was not used. */
  const start = () => (ready ??= load());

  function ask(type, message) {
    const answer = call(type, message);
    start().catch(() => {}); // which is told to each that waits
    return answer;
  }

  return {
    start,

    /** @param {{file?: File, phantom?: boolean, pictured: boolean, prevalence: Mixture | null}} film  pictured: with what the viewer needs */
    diagnose: (film) => ask('diagnose', film),

    /** What films are at a prevalence. @param {Mixture | null} prevalence  @param {any[]} records  as `diagnose` gave them  @returns {Promise<any[]>} */
    judge: (prevalence, records) =>
      ask('judge', { prevalence, films: records.map(({ logits, gate }) => ({ logits, gate })) }),

    /** What a fit needs of a film. @param {File} file  @returns {Promise<{hash: string, features: Float32Array | null, patient: string | null}>} */
    examine: (file) => ask('examineForFit', { file }),

    /** @param {import('../../src/adapt/adapt.mjs').Labelled[]} films  @returns {Promise<import('../../src/adapt/adapt.mjs').Adaptation>} */
    fit: (films) => ask('fit', { films }),

    /** The overlay of the weights from now on; null for none. Films under way are to be asked for again. @param {Uint8Array | null} bytes */
    use(bytes) {
      adapter = bytes;
      end(cancelled('diagnose'));
    },

    /** The tags of a DICOM file, for display only. @param {File} file  @returns {Promise<{name: string, value: string}[]>} */
    tags: (file) => ask('tags', { file }),

    cancelFilms: () => cancel('diagnose'),
    cancelFit: () => cancel('examineForFit', 'fit'),
  };
}
