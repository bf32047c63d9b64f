// parts.mjs: fetches engine, weights and codecs. Who uses the bytes checks their SHA-256.
//
// The page fetches engine and weights itself, because index.html preloads them: they arrive while script and worker
// still load. Codecs are fetched by the worker when a film needs one.
import { pageError } from '../state/errors.mjs';
import { evictFile } from '../storage/cache.mjs';

/** @typedef {import('../site/constants.d.ts').Part} Part */

/** The length comes from the build, as Content-Length is that of the compressed file.
 *  @param {'wasm' | 'weights' | 'codec'} name  @param {Part} part
 *  @param {boolean} retry  bypass everything cached on this device, which may be the bad answer
 *  @param {(bytes: number) => void} [count]  @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function fetchPart(name, part, retry, count = () => {}) {
  const url = new URL(part.file, import.meta.url);
  const bytes = new Uint8Array(part.bytes);
  let length = 0;
  try {
    if (retry) await evictFile(url);
    const response = await fetch(url, { cache: retry ? 'reload' : 'default' });
    if (!response.ok || !response.body) throw pageError(`${name}-missing`);
    const reader = response.body.getReader();
    for (let step; !(step = await reader.read()).done;) {
      if (step.value.length > bytes.length - length) throw pageError(`${name}-altered`);
      bytes.set(step.value, length);
      length += step.value.length;
      count(step.value.length);
    }
  } catch (error) {
    throw typeof (/** @type {any} */ (error).code) === 'string' ? error : pageError(`${name}-offline`, error);
  }
  if (length < bytes.length) throw pageError(`${name}-altered`);
  return bytes;
}
