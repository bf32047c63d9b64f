// client.mjs: calls into the worker by id; cancelling ends the worker, and a dead one is started again
import { codeAddress } from './code.mjs';
import { problem } from './problem.mjs';

/** @typedef {{worker: string, wasm: Part, weights: Part, words: Record<string, string>, dicom: {module: string, charls: Part, openjpeg: Part}, card: import('./card.mjs').Card}} Site
 *     what web/build.mjs wrote, with content hashes in the names
 *  @typedef {{file: string, bytes: number, sha256: string}} Part
 *  @typedef {import('../src/engine.mjs').Mixture} Mixture */

/** @param {Site} site  @param {(received: number, total: number) => void} onProgress
 *  @param {(requests: import('./requests.mjs').Request[]) => void} onRequests  what the worker has asked for
 *  @param {(share: number) => void} onFitted  how far a fit has come, 0..1 */
export function createClient(site, onProgress, onRequests, onFitted) {
  let worker = null;
  let ready = null;
  let kept = null; // the checked module and weights: a restart needs no network
  let adapter = null; // the overlay of the weights that is in force
  let failed = false;
  let lastId = 0;
  const waiting = new Map();

  function open() {
    worker = new Worker(codeAddress(site.worker), { type: 'module' });
    let alive = false;
    worker.onmessage = ({ data }) => {
      alive = true;
      if (data.progress) return onProgress(data.progress[0], data.progress[1]);
      if (data.requests) return onRequests(data.requests);
      if ('fitted' in data) return onFitted(data.fitted);
      const call = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.error) call?.reject(Object.assign(new Error(data.error.message), data.error));
      else call?.resolve(data.result);
    };
    worker.onerror = worker.onmessageerror = () => end(problem(alive ? 'worker-died' : 'worker-missing'));
  }

  function end(reason) {
    worker?.terminate();
    worker = ready = null;
    for (const { reject } of waiting.values()) reject(reason);
    waiting.clear();
  }

  function call(type, message) {
    return new Promise((resolve, reject) => {
      waiting.set(++lastId, { resolve, reject });
      worker.postMessage({ id: lastId, type, ...message });
    });
  }

  async function load() {
    open();
    try {
      const { model, sha256, refused, ...parts } = await call('start', { site, kept, again: failed, adapter });
      kept = parts;
      if (refused) adapter = null;
      return { model, sha256, refused, adapter };
    } catch (error) {
      failed = true;
      end(error);
      throw error;
    }
  }

  return {
    /** The model's description, when engine and weights are in place; `refused`: why its overlay was not used. */
    start: () => (ready ??= load()),

    /** @param {{file?: File, phantom?: boolean, pictured: boolean, prevalence: Mixture | null}} film  pictured: with what the viewer needs */
    async diagnose(film) {
      await this.start();
      try {
        return await call('diagnose', film);
      } catch (error) {
        if (error.code === 'worker-died') end(error); // after a trap the engine's memory cannot be trusted
        throw error;
      }
    },

    /** What films are at a prevalence. @param {Mixture | null} prevalence  @param {any[]} records  as `diagnose` gave them */
    async judge(prevalence, records) {
      await this.start();
      return call('judge', { prevalence, films: records.map(({ logits, gate }) => ({ logits, gate })) });
    },

    /** What a fit needs of a film. @param {File} file  @returns {Promise<{hash: string, features: Float32Array | null, patient: string | null}>} */
    async examine(file) {
      await this.start();
      return call('examineForFit', { file });
    },

    /** @param {import('../src/adapter.mjs').Labelled[]} films  @returns {Promise<import('../src/adapter.mjs').Adaptation>} */
    async fit(films) {
      await this.start();
      return call('fit', { films });
    },

    /** The overlay of the weights from now on; null for none. Ends what runs, as `cancel` does. @param {Uint8Array | null} bytes */
    use(bytes) {
      adapter = bytes;
      this.cancel();
    },

    /** The tags of a DICOM file, for display only. @param {File} file  @returns {Promise<{name: string, value: string}[]>} */
    async tags(file) {
      await this.start();
      return call('tags', { file });
    },

    /** Ends whatever runs: wasm cannot be interrupted, its worker can. */
    cancel: () => end(new DOMException('Cancelled', 'AbortError')),
  };
}
