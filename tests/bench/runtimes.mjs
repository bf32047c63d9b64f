// The runtimes that take part: name, version, where each runs and what a browser fetches besides its bundle.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const folder = `${root}build/bench/`;
export const modules = `${root}tests/bench/node_modules/`;
export const versionOf = (path) => JSON.parse(readFileSync(`${path}/package.json`, 'utf8')).version;

// own: Pleura itself; small: int8, so its outputs differ. Relaxed SIMD needs Chromium or Node 22.
/** @type {{name: string, version: string, wheres: string[], files: string[], own?: boolean, small?: boolean}[]} */
export const runtimes = [
  {
    name: 'pleura',
    version: versionOf(root),
    wheres: ['node', 'chromium'],
    files: [`${root}build/pleura.wasm`],
    own: true,
  },
  {
    name: 'pleura-int8',
    version: versionOf(root),
    wheres: ['node', 'chromium'],
    files: [`${root}build/pleura.wasm`],
    own: true,
    small: true,
  },
  {
    name: 'pleura-relaxed',
    version: versionOf(root),
    wheres: ['chromium'],
    files: [`${root}build/pleura.wasm`, `${root}build/pleura.dot.wasm`],
    own: true,
    small: true,
  },
  {
    name: 'onnxruntime',
    version: versionOf(`${modules}onnxruntime-web`),
    wheres: ['node', 'chromium'],
    files: [`${modules}onnxruntime-web/dist/ort-wasm-simd-threaded.wasm`],
  },
  {
    name: 'tfjs',
    version: versionOf(`${modules}@tensorflow/tfjs-backend-wasm`),
    wheres: ['node', 'chromium'],
    files: [`${modules}@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm`],
  },
  {
    name: 'litert',
    version: versionOf(`${modules}@litertjs/core`),
    wheres: ['chromium'],
    files: ['js', 'wasm'].map((kind) => `${modules}@litertjs/core/wasm/litert_wasm_internal.${kind}`),
  },
];
