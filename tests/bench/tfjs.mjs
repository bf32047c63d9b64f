// TensorFlow.js with its wasm backend (XNNPACK) as a runtime of the benchmark.
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import {
  add,
  concat,
  fused,
  image as images,
  matMul,
  maxPool,
  mean,
  ready,
  relu,
  reshape,
  setBackend,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { field, layersOf, unflatten, weighted } from './graph.mjs';

/** The weights in the layout of the ops. */
function upload(layers, parameters) {
  const shape = (layer) => {
    const [k, , cin] = field(layer);
    return layer.op === 'dense' ? [cin, layer.c] : layer.op === 'depthwise' ? [k, k, layer.c, 1] : [k, k, cin, layer.c];
  };
  return new Map(
    layers.filter(weighted).map((layer) => {
      const { weight, bias } = parameters.get(layer);
      return [layer, { filter: tensor(weight, shape(layer)), bias: tensor(bias) }];
    }),
  );
}

const border = ({ pad, after }) =>
  pad || after
    ? [
        [0, 0],
        [pad, after],
        [pad, after],
        [0, 0],
      ]
    : 'valid';

/** The output of one layer. @param {import('./graph.mjs').Layer} layer */
function step(layer, [x, y], weights) {
  const {
      op,
      k,
      stride: strides,
      act,
      inputs: [from],
      h,
      w,
      c,
    } = layer,
    { filter, bias } = weights ?? {};
  const activation = act === 'none' ? 'linear' : act,
    pad = border(layer);
  if (op === 'conv') return fused.conv2d({ x, filter, strides, pad, bias, activation });
  if (op === 'depthwise') return fused.depthwiseConv2d({ x, filter, strides, pad, bias, activation });
  if (op === 'maxpool') return maxPool(x, k, strides, pad);
  if (op === 'mean') return reshape(mean(x, [1, 2]), [1, 1, 1, c]);
  if (op === 'resize') return images.resizeNearestNeighbor(x, [h, w]);
  if (op === 'concat') return concat([x, y], 3);
  if (op === 'add') return act === 'relu' ? relu(add(x, y)) : add(x, y);
  return add(matMul(reshape(x, [1, from.h * from.w * from.c]), filter), bias);
}

/** @type {import('./race.mjs').Open} */
export async function open({ read, base, network, lines }) {
  setThreadsCount(1);
  setWasmPaths(base);
  await setBackend('wasm');
  await ready();
  const layers = layersOf(lines),
    [input] = layers,
    weights = upload(layers, unflatten(layers, await read(`${network}.bin`)));
  return async (image) => {
    const out = tidy(() => {
      const results = new Map([[input, tensor(image, [1, input.h, input.w, input.c])]]);
      for (const layer of layers.slice(1))
        results.set(
          layer,
          step(
            layer,
            layer.inputs.map((from) => results.get(from)),
            weights.get(layer),
          ),
        );
      return results.get(layers.at(-1));
    });
    const logits = out.dataSync().slice();
    out.dispose();
    return logits;
  };
}
