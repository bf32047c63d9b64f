// native.mjs - pleura.node, the engine as machine code where `make native` has built it: the same bits, sooner, but
// outside WebAssembly's sandbox. Anything wrong with it is no error: pleura.wasm then answers.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import Module from 'node:module';
import { createBridge } from '../engine/wasm.mjs';

/** Stands for pleura.wasm in the options of an engine; `path` makes one for another thread. */
/** @typedef {(() => import('../engine/wasm.mjs').Bridge) & { path: string }} Native */

/** @param {string} path @returns {{ wasm: string, Instance: new () => any }} */
const load = (path) => Module.createRequire(path)(path);

/** @param {string} path @returns {import('../engine/wasm.mjs').Bridge} */
function open(path) {
  const instance = new (load(path).Instance)();
  return createBridge(instance, {
    at: (Type, address, length) => new Type(instance.read(address, length * Type.BYTES_PER_ELEMENT)),
    put: (address, bytes) => instance.write(address, bytes),
  });
}

/** @param {string} path that findNative has checked, perhaps on another thread @returns {Native} */
export const nativeAt = (path) => Object.assign(() => open(path), { path });

/**
 * pleura.node if it may be used: whole, since one that is cut off would end the process, of this machine, and of the
 * source of pleura.wasm. PLEURA_ENGINE=wasm in the environment passes it by.
 * @param {string} path @param {string} wasm  the path of pleura.wasm @returns {Promise<Native | null>}
 */
export async function findNative(path, wasm) {
  if (process.env.PLEURA_ENGINE === 'wasm') return null;
  /** @param {string} of */
  const promised = async (of) => (await readFile(`${of}.sha256`, 'utf8')).split(/\s/)[0];
  try {
    const hash = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    return hash === (await promised(path)) && load(path).wasm === (await promised(wasm)) ? nativeAt(path) : null;
  } catch {
    return null;
  }
}
