// The job of `pleura` as people write it with onnxruntime, decoding with sharp: films in, JSON Lines out, in order.
//   node peer.mjs PACKAGE NETWORK.onnx LIST THREADS ABREAST      LIST: one path per line; threads per film, films at once
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { GREYS } from './graph.mjs';

const [, , library, network, list, threads, abreast] = process.argv;
const { env, InferenceSession, Tensor } = await import(library);
env.wasm.numThreads = Number(threads); // onnxruntime-web reads this, onnxruntime-node the option
const session = await InferenceSession.create(network, {
  intraOpNumThreads: Number(threads),
  graphOptimizationLevel: 'all',
});
const [{ name: input, shape }] = session.inputMetadata,
  [output] = session.outputNames,
  [, channels, height, width] = shape;
sharp.concurrency(Number(threads));

/** Reads the whole film upright, as stretched grayscale. Of sharp's kernels this one is nearest to Pleura's area average. */
async function read(file) {
  const greys = await sharp(file)
    .autoOrient()
    .greyscale()
    .resize(width, height, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer();
  const image = new Float32Array(channels * greys.length);
  for (let i = 0; i < greys.length; i++) image[i] = greys[i] * GREYS.scale + GREYS.offset;
  for (let c = 1; c < channels; c++) image.copyWithin(c * greys.length, 0, greys.length);
  return image;
}

function softmax(logits) {
  const most = Math.max(...logits),
    shares = Array.from(logits, (logit) => Math.exp(logit - most)),
    sum = shares.reduce((all, share) => all + share);
  return shares.map((share) => share / sum);
}

async function classify(file) {
  const results = await session.run({ [input]: new Tensor('float32', await read(file), shape) });
  const probability = softmax(results[output].data);
  return JSON.stringify({
    file,
    verdict: `label${probability.indexOf(Math.max(...probability))}`,
    probability: Object.fromEntries(probability.map((share, i) => [`label${i}`, share])),
  });
}

const ahead = [];
for (const file of readFileSync(list, 'utf8').trimEnd().split('\n')) {
  if (ahead.push(classify(file)) >= Number(abreast)) console.log(await ahead.shift());
}
for (const line of ahead) console.log(await line);
process.exit(); // the threads of onnxruntime-web would keep the process alive
