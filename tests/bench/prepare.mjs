// Fills build/bench: every network in every format, and each runtime bundled as a page would ship it.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { quantise } from '../../src/weights/quantise.mjs';
import { flatten, imageFor, layersOf, parametersFor } from './graph.mjs';
import { gguf } from './gguf.mjs';
import { onnx } from './onnx.mjs';
import { folder, root, runtimes } from './runtimes.mjs';
import { tflite } from './tflite.mjs';

const wasm = readFile(`${root}build/pleura.wasm`);

/** Writes the same weights for Pleura, in float32 and in int8, and for onnxruntime. @param {string} path  without extension @param {string[]} lines */
export async function writeNetwork(path, lines) {
  const layers = layersOf(lines),
    parameters = parametersFor(layers),
    weights = gguf(lines, layers, parameters);
  await writeFile(`${path}.gguf`, weights);
  await writeFile(`${path}.int8.gguf`, await quantise(await wasm, weights, [imageFor(layers)]));
  await writeFile(`${path}.onnx`, onnx(layers, parameters));
  return { layers, parameters };
}

/** @param {Record<string, string[]>} networks */
async function writeNetworks(networks) {
  for (const [name, lines] of Object.entries(networks)) {
    const { layers, parameters } = await writeNetwork(folder + name, lines);
    await writeFile(`${folder}${name}.tflite`, tflite(layers, parameters));
    await writeFile(`${folder}${name}.bin`, flatten(parameters));
  }
  await writeFile(`${folder}networks.json`, JSON.stringify(networks));
}

async function bundle(...names) {
  await build({
    entryPoints: names.map((name) => `tests/bench/${name}.mjs`),
    outdir: folder,
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'error',
  });
}

/** The size in brotli at quality 11. The peers' files take a minute, so sizes are kept by hash.
 *  @param {Record<string, number>} known */
function packedSize(bytes, known) {
  const hash = createHash('sha256').update(bytes).digest('hex');
  return (known[hash] ??= brotliCompressSync(bytes).length);
}

/** @param {Record<string, string[]>} networks @returns {Promise<Record<string, number>>} download per runtime, in bytes of brotli */
export async function prepare(networks) {
  await mkdir(folder, { recursive: true });
  await writeNetworks(networks);
  await bundle('page', ...runtimes.map(({ name }) => name));
  const sizes = {},
    knownFile = `${folder}brotli.json`,
    known = JSON.parse(await readFile(knownFile, 'utf8').catch(() => '{}'));
  for (const { name, files } of runtimes) {
    await Promise.all(files.map((file) => copyFile(file, folder + basename(file))));
    const all = await Promise.all([`${folder}${name}.js`, ...files].map((file) => readFile(file)));
    sizes[name] = all.reduce((sum, bytes) => sum + packedSize(bytes, known), 0);
  }
  await writeFile(knownFile, JSON.stringify(known));
  return sizes;
}
