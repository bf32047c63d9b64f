// The files that come with Pleura, the engine and its weights: found, read and checked before use.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import Module from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PleuraError } from '../errors.mjs';
import { findNative } from './native.mjs';

/** In the package. */
const WASM = 'build/pleura.wasm';
const DOT = 'build/pleura.dot.wasm';
const NATIVE = 'build/pleura.node';
const WEIGHTS = 'model/pleura.gguf';
const THREAD = 'src/node/thread.mjs';
const FILMS = 'model/pleura.films';
const REINSTALL =
  'Install the package pleura again. In a bundle, copy pleura.wasm, pleura.dot.wasm, pleura.gguf and their .sha256 files from the package to the folder of the program, or hand wasm and weights to createEngine.';

/** The file of this module; in a bundle that of the bundle, or none. @type {string | undefined} */
const HERE = import.meta.url?.startsWith('file:') ? fileURLToPath(import.meta.url) : undefined;

/** The package that this module lies in; none in a bundle, or where a bundler has noted a path that is gone. */
const PACKAGE =
  HERE?.endsWith(join('src', 'node', 'assets.mjs')) && existsSync(HERE) ? join(dirname(HERE), '../..') : undefined;

/** The folders of the program, of the executable that contains it, and of the bundle. */
const programFolders = () =>
  [process.argv[1] ?? '', process.execPath, HERE ?? ''].filter(Boolean).map((path) => dirname(path));

/**
 * The file of a module as programs of a folder find it. A bundler would resolve createRequire imported by its name.
 * @param {string} folder @param {string} module @returns {string[]} none if it is not installed there
 */
function resolveFrom(folder, module) {
  try {
    return [Module.createRequire(join(folder, '_')).resolve(module)];
  } catch {
    return [];
  }
}

/** The package; for a bundled program those that are installed where it lies or runs. */
const packages = () =>
  PACKAGE
    ? [PACKAGE]
    : [...programFolders(), process.cwd()].flatMap((folder) => resolveFrom(folder, 'pleura/package.json')).map(dirname);

/** Where a file lies in a bundled program. @param {string} name */
const beside = (name) => programFolders().map((folder) => join(folder, basename(name)));

/**
 * The path of a file of the package. For a bundled program that is beside the program, or in an installed package that
 * the bundler has left behind.
 * @param {string} name in the package @returns {string} the first that exists, else the first
 */
export function locate(name) {
  const paths = [...(PACKAGE ? [] : beside(name)), ...packages().map((folder) => join(folder, name))];
  return paths.find((path) => existsSync(path)) ?? paths[0];
}

/**
 * What every thread needs to create an engine.
 * @typedef {{ wasm: WebAssembly.Module | import('./native.mjs').Native, dot: Uint8Array, weights: Uint8Array, sha256: string }} Parts
 * @typedef {'engine' | 'weights' | 'model' | 'adapter'} Asset  weights: those that come with Pleura; model: a user's
 *   own
 */

/** A file that cannot be used. `fact` is what happened; the message adds advice for users of the library. */
export class AssetError extends PleuraError {
  /** @param {string} code @param {Asset} asset @param {string} fact @param {string} [advice] */
  constructor(code, asset, fact, advice = asset === 'engine' || asset === 'weights' ? REINSTALL : 'Check its path.') {
    super(code, -1, `${fact} ${advice}`);
    this.asset = asset;
    this.fact = fact;
  }
}

/** @param {Uint8Array} bytes @returns {string} */
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {string} path @param {Asset} asset @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function read(path, asset) {
  try {
    return /** @type {Uint8Array<ArrayBuffer>} */ (await readFile(path));
  } catch (error) {
    if (error.code === 'ENOENT') throw new AssetError('asset-missing', asset, `${path} is missing.`);
    throw new AssetError('asset-unreadable', asset, `${path} cannot be read (${error.code ?? error.message}).`);
  }
}

/**
 * The SHA-256 in PATH.sha256.
 * @param {string} path @param {Asset} asset @returns {Promise<string | null>} null: a user's own weights need none
 */
async function readPromise(path, asset) {
  try {
    const line = await readFile(`${path}.sha256`, 'utf8');
    return line.trim().split(/\s/)[0].toLowerCase();
  } catch (error) {
    if (error.code === 'ENOENT' && asset === 'model') return null;
    const code = error.code === 'ENOENT' ? 'asset-missing' : 'asset-unreadable';
    throw new AssetError(code, asset, `${path}.sha256 cannot be read (${error.code}).`, REINSTALL);
  }
}

/** Reads a file and compares its SHA-256 with the promised one. @param {string} path @param {Asset} asset */
async function readChecked(path, asset) {
  const bytes = await read(path, asset);
  const hash = sha256(bytes);
  const promised = await readPromise(path, asset);
  if (promised && hash !== promised)
    throw new AssetError(
      'asset-damaged',
      asset,
      `${path} is not the file that ${path}.sha256 promises: it is damaged or altered.`,
    );
  return { bytes, hash };
}

/** pleura.wasm, compiled once for all engines and threads. @returns {Promise<WebAssembly.Module>} */
export async function loadWasm() {
  const path = locate(WASM),
    { bytes } = await readChecked(path, 'engine');
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw new AssetError(
      'asset-damaged',
      'engine',
      `${path} is damaged, or this Node is too old for WebAssembly SIMD.`,
      'Install the package pleura again, and use Node 20 or newer.',
    );
  }
}

/** What answers: machine code where it has been built, else pleura.wasm. @returns {Promise<Parts['wasm']>} */
export const loadEngine = async () => (await findNative(locate(NATIVE), locate(WASM))) ?? loadWasm();

/** pleura.dot.wasm. @returns {Promise<Uint8Array>} */
export const loadDot = async () => (await readChecked(locate(DOT), 'engine')).bytes;

/**
 * Weights in memory that threads share, with their hash.
 * @param {string} [model] path of other weights than those that come with Pleura @param {string} [adapter] path of an
 *   adapter for them
 * @returns {Promise<{ weights: Uint8Array, sha256: string }>} throws PleuraError
 */
export async function loadWeights(model, adapter) {
  const { bytes, hash } = await readChecked(model ?? locate(WEIGHTS), model ? 'model' : 'weights');
  if (!adapter) return { weights: share(bytes), sha256: hash };
  const { applyAdapter } = await import('../weights/adapter.mjs'); // loaded lazily: worker threads do not need it
  const adapted = await applyAdapter(bytes, await read(adapter, 'adapter'), sha256, hash);
  return { weights: share(adapted), sha256: sha256(adapted) };
}

/**
 * The texts that may say which films made weights: that beside the weights, then that of Pleura's own, of which they may
 * be a copy. @param {string} [model] path of the weights @returns {Promise<string[]>}
 */
export async function loadMakers(model) {
  const beside = model === undefined ? [] : [model.replace(/(\.gguf)?$/, '.films')];
  const texts = await Promise.all(
    [...beside, locate(FILMS)].map((path) =>
      readFile(path, 'utf8').catch((error) => {
        if (error.code === 'ENOENT') return null;
        throw new AssetError('asset-unreadable', 'model', `${path} cannot be read (${error.code ?? error.message}).`);
      }),
    ),
  );
  return texts.filter((text) => text !== null);
}

/** @param {string} [model] @param {string} [adapter] as for loadWeights @returns {Promise<Parts>} throws PleuraError */
export async function loadParts(model, adapter) {
  const [wasm, dot, weights] = await Promise.all([loadEngine(), loadDot(), loadWeights(model, adapter)]);
  return { wasm, dot, ...weights };
}

/**
 * The wasm of a DICOM codec: in its package, or beside a bundled program.
 * @param {import('../dicom/codecs.mjs').CodecName} name @returns {Promise<Uint8Array<ArrayBuffer>>} throws AssetError
 */
export function loadCodec(name) {
  const codec = `@cornerstonejs/codec-${name}`,
    file = `${name}wasm_decode.wasm`,
    installed = [...packages(), ...programFolders()].flatMap((folder) => resolveFrom(folder, `${codec}/decodewasm`));
  const path = [...beside(file).filter((one) => existsSync(one)), ...installed][0];
  if (path) return read(path, 'engine');
  const advice = `Install the package ${codec}, or copy ${file} from its folder dist to the folder of the program.`;
  throw new AssetError('asset-missing', 'engine', `${file} is missing, which decodes the pixels of this film.`, advice);
}

/** The program of the pool's threads. @returns {string} its path */
export function locateThread() {
  const path = locate(THREAD);
  if (existsSync(path)) return path;
  throw new AssetError(
    'asset-missing',
    'engine',
    `${path} is missing.`,
    'createPool needs it: bundle the module pleura/thread.mjs to this file, beside the program.',
  );
}

/** A copy in shared memory, so that all threads use one. @param {Uint8Array} bytes @returns {Uint8Array} */
function share(bytes) {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}
