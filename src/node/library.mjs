// library.mjs - the asynchronous form of the package: films in, promises out, computed on threads.
//
//   const pool = await createPool({ threads: 4 });
//   const result = await pool.diagnose(bytes, { signal: AbortSignal.timeout(5000) });
//   await pool.close();
import { availableParallelism } from 'node:os';
import { bytesOf } from '../engine/bytes.mjs';
import { withShortGrid, withShortJson } from '../engine/json.mjs';
import { compileWasm } from '../engine/wasm.mjs';
import { PleuraError } from '../errors.mjs';
import { completeMixture, neededLabels } from '../mixture.mjs';
import { loadDot, loadEngine, loadWeights } from './assets.mjs';
import { createPool as startPool } from './pool.mjs';

const OPTIONS = ['threads', 'maxQueue', 'wasm', 'dot', 'weights', 'adapter'];
const REQUEST = ['prevalence', 'signal', 'view', 'heatmap'];
const DEFAULT_QUEUE = 1000;
/** Shares of a mixture may be typed with rounding errors. */
const TOLERANCE = 1e-3;

/** @param {string} code @param {string} sentence */
const failure = (code, sentence) => new PleuraError(code, -1, sentence);

/**
 * Checks the names of options, and the values of those that are counts.
 * @param {string} caller @param {object} options @param {string[]} known @param {Record<string, unknown>} counts
 */
function checkOptions(caller, options, known, counts) {
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  if (unknown.length)
    throw failure(
      'unknown-option',
      `${caller} does not know these options: ${unknown.join(', ')}. It knows ${known.join(', ')}.`,
    );
  for (const [name, value] of Object.entries(counts))
    if (value !== undefined && !(Number.isInteger(value) && Number(value) > 0))
      throw failure('wrong-option', `${caller} needs an integer above 0 for ${name}, not ${value}.`);
}

/** @param {import('../types.d.ts').PoolRequest} request */
function checkRequest(request) {
  checkOptions('diagnose', request, REQUEST, { view: request.view });
  const { signal } = request;
  if (signal && typeof signal.throwIfAborted !== 'function')
    throw failure('wrong-option', 'diagnose needs an AbortSignal for signal: that of an AbortController.');
}

/** What every thread needs. @param {import('../types.d.ts').PoolOptions} options */
async function loadAll({ wasm, dot, weights, adapter }) {
  const [module, products, bytes] = await Promise.all([
    wasm ? compileWasm(wasm) : loadEngine(),
    /** @type {Uint8Array | undefined} */ (dot) ?? loadDot(),
    weights ?? loadWeights().then((loaded) => loaded.weights),
  ]);
  if (!adapter) return { wasm: module, dot: products, weights: bytes, sha256: '' };
  const { applyAdapter } = await import('../weights/adapter.mjs');
  return { wasm: module, dot: products, weights: await applyAdapter(bytes, adapter), sha256: '' };
}

/**
 * A class mix with a share for each label: one that is missing gets the remainder, and the label for other findings may
 * be missing too, as with --prevalence.
 * @param {import('../types.d.ts').Mixture | null | undefined} shares @param {import('../types.d.ts').Model} model
 */
function mixtureOf(shares, model) {
  if (!shares) return null;
  const { labels } = model;
  const needed = neededLabels(Object.keys(shares), model);
  const missing = needed.filter((label) => shares[label] === undefined),
    unknown = Object.keys(shares).filter((label) => !labels.includes(label));
  const rest = 1 - Object.values(shares).reduce((sum, share) => sum + share, 0);
  if (unknown.length || missing.length > 1 || !(rest >= -TOLERANCE))
    throw failure(
      'prevalence',
      `A prevalence needs shares that add up to 1 for all labels but one: ${needed.join(', ')}.`,
    );
  return completeMixture(Object.fromEntries(needed.map((label) => [label, shares[label] ?? Math.max(0, rest)])), model);
}

/** The bytes of a film in a buffer of their own size. @param {any} film @returns {Uint8Array} */
function ownBytes(film) {
  const bytes = bytesOf(film);
  if (!bytes) throw new TypeError('a film is a Uint8Array or an ArrayBuffer');
  return bytes.length < bytes.buffer.byteLength ? bytes.slice() : bytes; // A message copies the whole buffer.
}

/**
 * @param {import('../types.d.ts').PoolOptions} [options]
 * @returns {Promise<import('../types.d.ts').Pool>} throws PleuraError
 */
export async function createPool(options = {}) {
  checkOptions('createPool', options, OPTIONS, { threads: options.threads, maxQueue: options.maxQueue });
  const { threads = availableParallelism(), maxQueue = DEFAULT_QUEUE } = options;
  const pool = await startPool(await loadAll(options), threads, { background: true });
  const { model } = pool;
  /** @type {Set<Promise<any>>} */
  const open = new Set();
  let closed = false;

  /** @param {any} film @param {import('../types.d.ts').PoolRequest} request */
  async function diagnose(film, request) {
    checkRequest(request);
    const { prevalence, signal, view = 0, heatmap = false } = request;
    if (closed) throw failure('pool-closed', 'This pool is closed. Create another one.');
    signal?.throwIfAborted();
    if (pool.pending() >= maxQueue)
      throw failure('busy', `${maxQueue} films are waiting. Try again later, or raise maxQueue.`);
    const want = { prevalence: mixtureOf(prevalence, model), view, heatmap };
    const { answer, cancel } = pool.submit({ file: '', bytes: ownBytes(film) }, want);
    const onAbort = () => cancel(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const result = await answer;
      if (result.code) throw failure(result.code, result.message);
      for (const grid of [result.heatmap, result.lungs]) if (grid) withShortGrid(grid);
      return withShortJson(result);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  return {
    model,
    threads,
    get pending() {
      return pool.pending();
    },
    diagnose(film, request = {}) {
      const result = diagnose(film, request);
      open.add(result);
      const done = () => open.delete(result);
      result.then(done, done);
      return result;
    },
    async close() {
      closed = true;
      await Promise.allSettled(open);
      await pool.close();
    },
  };
}
