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
