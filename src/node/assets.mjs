// The engine and the weights that come with Pleura: found, read and checked before use.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { CommandError } from './errors.mjs';

const place = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const WASM = place('build/pleura.wasm');
const DOT = place('build/pleura.dot.wasm');
const WEIGHTS = place('model/pleura.gguf');

/**
 * What every thread needs to make an engine.
 * @typedef {{ wasm: WebAssembly.Module, dot: Uint8Array, weights: Uint8Array, sha256: string }} Parts
 */

/** @param {Uint8Array} bytes @returns {string} */
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {string} path @param {string} advice @returns {Promise<Buffer<ArrayBuffer>>} */
async function read(path, advice) {
  try {
    return /** @type {Buffer<ArrayBuffer>} */ (await readFile(path));
  } catch (error) {
    const why = error.code === 'ENOENT' ? 'is missing' : `cannot be read (${error.code ?? error.message})`;
    throw new CommandError(`${path} ${why}. ${advice}`);
  }
}

/**
 * A file that is what `path`.sha256 promises; a person's own weights need no such promise.
 * @param {string} path @param {string} advice @param {boolean} [own] @returns {Promise<{ bytes: Buffer<ArrayBuffer>, hash: string }>}
 */
async function checked(path, advice, own = false) {
  const bytes = await read(path, advice),
    hash = sha256(bytes);
  const promise = await readFile(`${path}.sha256`, 'utf8').catch((error) => {
    if (error.code === 'ENOENT' && own) return null;
    throw new CommandError(`${path}.sha256 cannot be read (${error.code}). Fetch Pleura again.`);
  });
  if (promise && hash !== promise.trim().split(/\s/)[0].toLowerCase()) {
    throw new CommandError(
      `${path} is not the file that ${path}.sha256 promises: it is damaged or altered. Fetch it again.`,
    );
  }
  return { bytes, hash };
}

/** The weights with the overlay of a file. @param {Uint8Array} weights @param {string} hash of them @param {string} path @returns {Promise<Uint8Array>} */
async function overlaid(weights, hash, path) {
  const { applyOverlay } = await import('../weights/adapter.mjs'); // its engine has no business in every thread
  return applyOverlay(weights, hash, await read(path, 'Check the path given to --overlay.'), sha256);
}

/**
 * @param {string} [model] weights other than the shipped ones @param {string} [overlay] to be applied to them
 * @returns {Promise<Parts>} throws CommandError
 */
export async function loadParts(model = WEIGHTS, overlay = undefined) {
  const shipped = model === WEIGHTS;
  const [{ bytes: code }, { bytes: dot }, { bytes: bare, hash }] = await Promise.all([
    checked(WASM, 'Build it with `make wasm`.'),
    checked(DOT, 'Build it with `make wasm`.'),
    checked(model, shipped ? 'Fetch Pleura again.' : 'Check the path given to --model.', !shipped),
  ]);
  const weights = overlay ? await overlaid(bare, hash, overlay) : bare;
  try {
    return {
      wasm: await WebAssembly.compile(code),
      dot,
      weights: share(weights),
      sha256: overlay ? sha256(weights) : hash,
    };
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw new CommandError(
      `${WASM} is damaged, or this Node is too old for WebAssembly SIMD. Build it with \`make wasm\`; use Node 20 or newer.`,
    );
  }
}

/** The wasm of a codec of dicom.mjs. @param {import('../dicom/codecs.mjs').CodecName} name @returns {Promise<Uint8Array<ArrayBuffer>>} */
export const loadCodec = (name) =>
  readFile(createRequire(import.meta.url).resolve(`@cornerstonejs/codec-${name}/decodewasm`));

/** Threads see one copy. @param {Uint8Array} bytes @returns {Uint8Array} */
function share(bytes) {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}
