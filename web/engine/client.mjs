// client.mjs: the page's side of the worker: typed calls, answered by id. It also fetches what the worker checks.
//
// Wasm cannot be interrupted, so cancelling ends the worker. The next worker starts from the module and weights that
// were already checked and takes over the calls that were not cancelled. The same happens when a worker dies or falls
// silent: one call fails, and the others move to its successor.
import { trustedScriptUrl } from '../storage/trusted_types.mjs';
import { errorFrom, isCancelled, pageError } from '../state/errors.mjs';
import { fetchPart } from './parts.mjs';

/** @typedef {import('./protocol.d.ts').CallType} CallType
 *  @typedef {import('./protocol.d.ts').Reply} Reply
 *  @typedef {import('../../src/engine.mjs').Mixture} Mixture
 *  @typedef {import('../state/errors.mjs').ErrorInfo} ErrorInfo
 *  @typedef {ReturnType<typeof createClient>} Client
 *
 *  @typedef {{name: string, bytes: Uint8Array}} Brought  the file of another model
 *
 *  @typedef {object} Started
 *  @property {import('../../src/engine.mjs').Engine['model']} model
 *  @property {string} sha256  of the weights in use
 *  @property {ErrorInfo | null} broughtError  why the other model is not in use
 *  @property {ErrorInfo | null} adapterError  why the adapter was not applied
 *  @property {Brought | null} brought  another model, in use
 *  @property {Uint8Array | null} adapter  in use
 *
 *  @typedef {object} Pending  a call without an answer so far
 *  @property {{type: CallType, file?: File | null}} message
 *  @property {(result: unknown) => void} resolve
 *  @property {(reason: Error) => void} reject */

/** A worker that owes an answer counts as dead after so many seconds of silence, because browsers do not report every
 *  way to die. */
const MAX_SILENCE = 120;

/** WebAssembly never gives memory back. A worker whose engine has grown by more than this, in bytes, over a very large
 *  film is ended once it has rested for so many milliseconds. */
const MAX_GROWTH = 48e6;
const REST = 5000;

/** @param {import('../site/constants.d.ts').Site} site
 *  @param {object} on
 *  @param {(received: number, total: number) => void} on.progress  bytes of engine and weights
 *  @param {(requests: import('../storage/requests.mjs').Request[]) => void} on.requests  sent by the worker
 *  @param {(share: number) => void} on.fitting  how far a fit has come, 0..1 */
export function createClient(site, on) {
  /** @type {Worker | null} */
  let worker = null;
  /** @type {Promise<Started> | null} the start of this worker */
  let started = null;
  let running = false; // the engine is set up
  /** @type {import('./protocol.d.ts').CheckedParts | null} */
  let parts = null;
  /** @type {Brought | null} */
  let brought = null;
  /** @type {ReturnType<typeof fetchParts> | null} unchecked, until a worker has checked them */
  let fetched = null;
  /** @type {Uint8Array | null} */
  let adapter = null;
  let failed = false; // the last start did
  let opensDicom = false; // each worker loads its DICOM reader in advance
  let lastId = 0;
  let silence = 0; // seconds
  let atFirst = 0; // bytes of the engine's memory after its start
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let rest;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let clock;
  /** @type {Map<number, Pending>} oldest first; calls made before the engine is set up are posted then */
  const pending = new Map();

  function open() {
    const opened = new Worker(trustedScriptUrl(site.worker), { type: 'module' });
    let alive = false;
    opened.onmessage = ({ data }) => {
      alive = true;
      silence = 0;
      receive(data);
    };
    opened.onerror = opened.onmessageerror = () => {
      if (running) replace();
      else end(() => pageError(alive ? 'worker-died' : 'worker-missing'));
    };
    return (worker = opened);
  }

  /** @param {Reply} data */
  function receive(data) {
    switch (data.type) {
      case 'requests':
        return on.requests(data.requests);
      case 'fitting':
        return on.fitting(data.share);
      case 'result':
        settle(data.id)?.resolve(data.result);
        return restAfter(data.memory);
      case 'error':
        // An unexpected error is a trap, after which the engine's memory cannot be trusted.
        if (running && data.error.code === 'unexpected') return replace(pending.get(data.id), data.error);
        settle(data.id)?.reject(errorFrom(data.error));
        return restAfter(data.memory);
    }
  }

  /** @param {number} memory  of the engine, in bytes */
  function restAfter(memory) {
    atFirst ||= memory;
    if (pending.size === 0 && memory > atFirst + MAX_GROWTH) rest = setTimeout(() => end(() => null), REST);
  }

  /** @param {number} id */
  function settle(id) {
    const call = pending.get(id);
    pending.delete(id);
    return call;
  }

  /** Ends the worker. A pending call fails with the reason given for it; without one it goes to the next worker.
   *  @param {(call: Pending) => Error | null} reasonFor */
  function end(reasonFor) {
    worker?.terminate();
    worker = started = null;
    running = false;
    atFirst = 0;
    clearTimeout(rest);
    for (const [id, call] of pending) {
      const reason = reasonFor(call);
      if (!reason) continue;
      pending.delete(id);
      call.reject(reason);
    }
    if (pending.size > 0) start().catch(() => {}); // each pending call is rejected with the same error
  }

  /** Replaces a worker that died over one call, by default the oldest.
   *  @param {Pending} [culprit]  @param {ErrorInfo} [error]  reported for calls that have no film to blame */
  function replace(culprit = pending.values().next().value, error) {
    const reason = error && !culprit?.message.file ? errorFrom(error) : pageError('worker-died');
    end((call) => (call === culprit ? reason : null));
  }

  /** Cancels calls of these types, and the start, which belongs to the worker that is ended and is made anew.
   *  @param {CallType[]} types  @returns {(call: Pending) => Error | null} */
  const cancelling = (types) => (call) =>
    call.message.type === 'start' || types.includes(call.message.type)
      ? new DOMException('Cancelled', 'AbortError')
      : null;

  /** @param {CallType[]} types */
  function cancel(...types) {
    if ([...pending.values()].some(({ message }) => types.includes(message.type))) end(cancelling(types));
  }

  /** Counts the seconds of silence one by one, so that those of a sleeping device or a frozen page do not count. */
  function tick() {
    if (running && pending.size > 0 && ++silence >= MAX_SILENCE) replace();
    if (pending.size > 0) return;
    clearInterval(clock);
    clock = undefined;
  }

  /** @template {CallType} T  @param {import('./protocol.d.ts').Message<T>} message
   *  @returns {Promise<import('./protocol.d.ts').Result<T>>} */
  function call(message) {
    return new Promise((resolve, reject) => {
      if (pending.size === 0) silence = 0;
      clearTimeout(rest);
      clock ??= setInterval(tick, 1000);
      const own = { message, resolve: /** @type {(result: unknown) => void} */ (resolve), reject };
      pending.set(++lastId, own);
      if (running || message.type === 'start') post(own, lastId);
    });
  }

  /** @param {Pending} call  @param {number} id */
  const post = ({ message }, id) => worker?.postMessage({ id, ...message });

  /** Both at once: on a slow line each round trip counts. */
  function fetchParts() {
    const total = site.wasm.bytes + site.weights.bytes;
    let received = 0;
    const count = (/** @type {number} */ bytes) => on.progress((received += bytes), total);
    count(0);
    return {
      wasm: fetchPart('wasm', site.wasm, failed, count),
      weights: fetchPart('weights', site.weights, failed, count),
    };
  }

  /** Sends the parts to a worker, each as it arrives. @param {Worker} own */
  function deliver(own) {
    fetched ??= fetchParts();
    for (const name of /** @type {const} */ (['wasm', 'weights']))
      fetched[name].then(
        (bytes) => own.postMessage({ type: 'part', name, bytes }),
        (error) => worker === own && fail(error),
      );
  }

  /** Ends a worker that could not start. The next attempt bypasses what this device has cached. @param {Error} error */
  function fail(error) {
    failed = true;
    fetched = null;
    end(() => error);
  }

  /** @returns {Promise<Started>} */
  async function load() {
    const own = open();
    try {
      const answer = call({ type: 'start', site, parts, brought: brought?.bytes ?? null, adapter });
      if (!parts) deliver(own);
      const result = await answer;
      running = true;
      parts = result.parts;
      fetched = null;
      if (result.broughtError) brought = null;
      if (result.adapterError) adapter = null;
      pending.forEach(post);
      if (opensDicom) openDicom();
      const { model, sha256, broughtError, adapterError } = result;
      return { model, sha256, broughtError, adapterError, brought, adapter };
    } catch (error) {
      if (isCancelled(error)) return start();
      if (worker === own) fail(/** @type {Error} */ (error)); // else it was ended already, perhaps replaced
      throw error;
    }
  }

  /** Has the worker load its DICOM reader now, so that no DICOM file adds a request. */
  function openDicom() {
    opensDicom = true;
    if (running) call({ type: 'open-dicom' }).catch(() => {}); // a DICOM file will report it
  }

  /** Resolves once the engine is set up. */
  const start = () => (started ??= load());

  /** @template {CallType} T  @param {import('./protocol.d.ts').Message<T>} message */
  function ask(message) {
    const answer = call(message);
    start().catch(() => {}); // each pending call is rejected with the same error
    return answer;
  }

  return {
    start,
    openDicom,

    /** @param {import('./protocol.d.ts').Calls['diagnose']['message']} film */
    diagnose: (film) => ask({ type: 'diagnose', ...film }),

    /** @param {import('./protocol.d.ts').Calls['occlude']['message']} film */
    occlude: (film) => ask({ type: 'occlude', ...film }),

    /** @param {Mixture | null} prevalence  @param {import('../state/state.mjs').FilmRecord[]} records */
    judge: (prevalence, records) =>
      ask({ type: 'judge', prevalence, films: records.map(({ logits, gate }) => ({ logits, gate })) }),

    /** @param {File} file */
    tags: (file) => ask({ type: 'tags', file }),

    /** @param {File} file */
    examine: (file) => ask({ type: 'examine', file }),

    /** @param {import('./protocol.d.ts').Calls['fit']['message']['films']} films */
    fit: (films) => ask({ type: 'fit', films }),

    /** Applies an adapter to the weights, or none. Pending diagnoses are cancelled and must be asked for again.
     *  @param {Uint8Array | null} bytes */
    use(bytes) {
      adapter = bytes;
      end(cancelling(['diagnose', 'occlude']));
    },

    /** Uses another model, or the page's own, without an adapter. All that the worker still owes is cancelled: it is
     *  of the model before.
     *  @param {Brought | null} file */
    bring(file) {
      brought = file;
      adapter = null;
      end(cancelling(['diagnose', 'occlude', 'judge', 'examine', 'fit']));
    },

    cancelFilms: () => cancel('diagnose'),
    cancelOcclusion: () => cancel('occlude'),
    cancelFit: () => cancel('examine', 'fit'),
  };
}
