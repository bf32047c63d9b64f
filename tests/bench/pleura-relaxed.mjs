// pleura-relaxed.mjs - Pleura on bytes, by relaxed dot products.
import { createEngine } from '../../src/engine.mjs';

/** @type {import('./race.mjs').Open} */
export async function open({ read, network }) {
  const [wasm, dot, weights] = await Promise.all(['pleura.wasm', 'pleura.dot.wasm', `${network}.int8.gguf`].map(read));
  const engine = await createEngine({ wasm, dot, weights });
  if (!engine.model.relaxed) throw new Error('relaxed dot products are missing or wrong here');
  return async (image) => engine.run(image);
}
