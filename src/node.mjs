// node.mjs - the package in Node: the engine, with the wasm and the weights that come with it unless others are given.
import { createEngine as create } from './engine.mjs';
import { loadParts } from './node/assets.mjs';

export { PleuraError } from './errors.mjs';

/** @typedef {import('./engine.mjs').Engine} Engine @typedef {import('./engine.mjs').Diagnosis} Diagnosis */

/**
 * @param {Partial<Parameters<typeof create>[0]>} [options] as those of engine.mjs; none are needed
 * @returns {Promise<Engine>}
 */
export async function createEngine(options = {}) {
  const parts = options.wasm && options.weights ? {} : await loadParts();
  return create(/** @type {Parameters<typeof create>[0]} */ ({ ...parts, ...options }));
}
