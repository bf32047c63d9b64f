// node.mjs - the npm package in Node: the engine of engine.mjs, which here finds its own wasm and weights.
import { createEngine as create } from './engine.mjs';
import { PleuraError } from './errors.mjs';
import { loadCodec, loadDot, loadEngine, loadWeights } from './node/assets.mjs';

export { PleuraError };

/** @typedef {import('./types.d.ts').Engine} Engine @typedef {import('./types.d.ts').Diagnosis} Diagnosis */

/**
 * @param {import('./types.d.ts').PoolOptions} [options]
 * @returns {Promise<import('./types.d.ts').Pool>}
 */
export async function createPool(options) {
  const library = await import('./node/library.mjs'); // loaded lazily: most programs have one engine
  return library.createPool(options);
}

/** @type {typeof import('./types.d.ts').createDicomReader} */
export async function createDicomReader(engine) {
  const { createDicomReader: create } = await import('./dicom/reader.mjs'); // loaded when there are DICOM files
  return create({ engine, loadCodec });
}

/** @type {typeof import('./types.d.ts').openArchive} */
export async function openArchive(path) {
  const { openArchive: open } = await import('./node/archive.mjs');
  return open(path);
}

/**
 * @param {import('./types.d.ts').EngineOptions} [options]  what is left out or undefined comes with the package
 * @returns {Promise<Engine>}
 */
export async function createEngine(options = {}) {
  const complete = options.wasm && options.weights; // then nothing is read from the package
  const [wasm, dot, weights] = await Promise.all([
    options.wasm ?? loadEngine(),
    options.dot ?? (complete ? undefined : loadDot()),
    options.weights ?? loadWeights().then((loaded) => loaded.weights),
  ]);
  return create({ ...options, wasm, dot, weights });
}
