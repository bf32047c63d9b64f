// Pleura as a runtime of the benchmark.
import { createEngine } from '../../src/engine.mjs';

/**
 * @param {string} kind  of weights: '' or '.int8' @param {boolean} [relaxed]  use relaxed SIMD, or throw
 * @returns {import('./race.mjs').Open}
 */
export const opener =
  (kind, relaxed = false) =>
  async ({ read, network }) => {
    const [wasm, weights, dot] = await Promise.all(
      ['pleura.wasm', `${network}${kind}.gguf`, ...(relaxed ? ['pleura.dot.wasm'] : [])].map(read),
    );
    const engine = await createEngine({ wasm, weights, dot });
    if (engine.model.relaxed !== relaxed) throw new Error('relaxed dot products are missing or wrong here');
    return async (image) => engine.run(image);
  };

export const open = opener('');
