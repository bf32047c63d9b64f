// pleura.mjs - Pleura as one of the benchmark's runtimes.
import { createEngine } from '../../src/engine.mjs';

/** @type {import('./race.mjs').Open} */
export async function open({ read, network }) {
  const [wasm, weights] = await Promise.all([read('pleura.wasm'), read(`${network}.gguf`)]);
  const engine = await createEngine({ wasm, weights });
  return async (image) => engine.run(image);
}
