// LiteRT.js with its wasm backend as a runtime of the benchmark. It loads only in browsers.
import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import { layersOf } from './graph.mjs';

/** @type {import('./race.mjs').Open} */
export async function open({ read, base, network, lines }) {
  const [model] = await Promise.all([read(`${network}.tflite`), loadLiteRt(base)]);
  const compiled = await loadAndCompile(model, { accelerator: 'wasm' });
  const [{ h, w, c }] = layersOf(lines);
  return async (image) => {
    const input = new Tensor(image, [1, h, w, c]);
    const [output] = await compiled.run(input);
    const logits = output.toTypedArray().slice();
    input.delete();
    output.delete();
    return logits;
  };
}
