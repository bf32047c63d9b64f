// node.mjs - the npm package in Node: the engine of engine.mjs, which here finds its own wasm and weights.
import { createEngine as create } from './engine.mjs';
import { loadDot, loadWasm, loadWeights } from './node/assets.mjs';

export { PleuraError } from './errors.mjs';

/** @typedef {import('./types.d.ts').Engine} Engine @typedef {import('./types.d.ts').Diagnosis} Diagnosis */

/**
 * @param {import('./types.d.ts').EngineOptions} [options]  what is left out or undefined comes with the package
 * @returns {Promise<Engine>}
 */
export async function createEngine(options = {}) {
  const complete = options.wasm && options.weights; // then nothing is read from the package
  const [wasm, dot, weights] = await Promise.all([
    options.wasm ?? loadWasm(),
    options.dot ?? (complete ? undefined : loadDot()),
    options.weights ?? loadWeights().then((loaded) => loaded.weights),
  ]);
  return create({ ...options, wasm, dot, weights });
}
