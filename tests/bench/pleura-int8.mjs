// pleura-int8.mjs - Pleura on bytes, by the 16-bit dot products that every browser has.
import { createEngine } from '../../src/engine.mjs';

/** @type {import('./race.mjs').Open} */
export async function open({ read, network }) {
  const [wasm, weights] = await Promise.all([read('pleura.wasm'), read(`${network}.int8.gguf`)]);
  const engine = await createEngine({ wasm, weights });
  return async (image) => engine.run(image);
}
