// The engine with the shipped weights, and the reader of DICOM files on it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDicomReader } from '../../src/dicom/reader.mjs';
import { createEngine } from '../../src/engine.mjs';
import { loadCodec } from '../../src/node/assets.mjs';
import { root } from '../cli/command.mjs';

const part = (name) => readFileSync(join(root, name));
export const engine = await createEngine({ wasm: part('build/pleura.wasm'), weights: part('model/pleura.gguf') });
export const readDicom = createDicomReader({ engine, loadCodec });

/** The greys that the engine is given: 0 to 65535. @param {Uint8Array} file */
export async function greys(file) {
  const {
    film: { pixels, table },
  } = await readDicom(file);
  return pixels.map((word) => table[word]);
}

/** The reason to refuse the film that its tags give, or null. @param {Uint8Array} file */
export const tagReason = async (file) => (await readDicom(file)).film.tagReason;
