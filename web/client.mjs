// client.mjs: calls into the worker by id; cancelling ends the worker, and a dead one is started again
import { problem } from './problem.mjs';

/** @typedef {{worker: string, wasm: Part, weights: Part, words: Record<string, string>, dicom: {module: string, charls: Part, openjpeg: Part}, card: import('./card.mjs').Card}} Site
 *     what web/build.mjs wrote, with content hashes in the names
 *  @typedef {{file: string, bytes: number, sha256: string}} Part
 *  @typedef {import('../src/engine.mjs').Mixture} Mixture */

/** @param {Site} site  @param {(received: number, total: number) => void} onProgress
 *  @param {(requests: import('./requests.mjs').Request[]) => void} onRequests  what the worker has asked for */
export function createClient(site, onProgress, onRequests) {
  let worker = null;
  let ready = null;
  let kept = null; // the checked module and weights: a restart needs no network
  let failed = false;
  let lastId = 0;
  const waiting = new Map();

  function open() {
    worker = new Worker(new URL(site.worker, import.meta.url), { type: 'module' });
    let alive = false;
    worker.onmessage = ({ data }) => {
      alive = true;
      if (data.progress) return onProgress(data.progress[0], data.progress[1]);
      if (data.requests) return onRequests(data.requests);
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
      const { model, ...parts } = await call('start', { site, kept, again: failed });
      kept = parts;
      return model;
    } catch (error) {
      failed = true;
      end(error);
      throw error;
    }
  }

  return {
    /** The model's description, when engine and weights are in place. */
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

    /** The tags of a DICOM file, for display only. @param {File} file  @returns {Promise<{name: string, value: string}[]>} */
    async tags(file) {
      await this.start();
      return call('tags', { file });
    },

    /** Ends whatever runs: wasm cannot be interrupted, its worker can. */
    cancel: () => end(new DOMException('Cancelled', 'AbortError')),
  };
}
