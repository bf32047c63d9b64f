// onnxruntime.mjs - onnxruntime-web on its wasm backend as one of the benchmark's runtimes.
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { layersOf } from './graph.mjs';

const WASM = 'ort-wasm-simd-threaded.wasm';

/** Channels first. */
function turned(image, { h, w, c }) {
  if (c === 1) return image;
  const out = new Float32Array(image.length);
  for (let i = 0; i < image.length; i++) out[(i % c) * h * w + Math.floor(i / c)] = image[i];
  return out;
}

/** @type {import('./race.mjs').Open} */
export async function open({ read, base, network, lines }) {
  env.wasm.numThreads = 1;
  // In Node it finds its wasm in another way for each of its bundles, so the bytes are given there.
  if (base.startsWith('file:')) env.wasm.wasmBinary = await read(WASM);
  else env.wasm.wasmPaths = { wasm: base + WASM };
  const session = await InferenceSession.create(await read(`${network}.onnx`), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  const [shape] = layersOf(lines),
    [input] = session.inputNames,
    [output] = session.outputNames;
  let seen, feeds; // the same image is turned once: the layout is the caller's choice, not the runtime's cost
  return async (image) => {
    if (image !== seen)
      feeds = { [input]: new Tensor('float32', turned((seen = image), shape), [1, shape.c, shape.h, shape.w]) };
    const results = await session.run(feeds);
    return /** @type {Float32Array} */ (results[output].data).slice();
  };
}
