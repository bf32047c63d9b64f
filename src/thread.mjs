// One worker thread of the command: an engine of its own that reads and diagnoses one film after the other.
import { readFile, stat } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { createEngine, PleuraError } from './engine.mjs';
import { loadCodec, sha256 } from './shipped.mjs';
import { isDicom } from './sniff.mjs';

/** No film comes near this; a disk image given by mistake would fill the memory. */
const MAX_BYTES = 512 << 20;

/** A file that cannot be read: told in the same form as a film that cannot be diagnosed. */
class ReadError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** @param {string} file @returns {Promise<Uint8Array>} */
async function read(file) {
  try {
    const stats = await stat(file);
    if (stats.isCharacterDevice()) throw new ReadError('unreadable', 'This is a device. Give the path of an image file.');
    if (stats.size > MAX_BYTES) throw new ReadError('file-too-large', 'The file is larger than 512 MB: too large for a film.');
    return await readFile(file);
  } catch (error) {
    if (error instanceof ReadError) throw error;
    if (error.code === 'ENOENT') throw new ReadError('no-such-file', 'There is no such file. Check the path.');
    if (error.code === 'EACCES') throw new ReadError('unreadable', 'This file may not be read. Check its permissions.');
    throw new ReadError('unreadable', `This file cannot be read (${error.code ?? error.message}).`);
  }
}

/** Of a thread that meets a DICOM file. */
let readDicom = null;

/** @param {any} engine @param {Uint8Array} bytes */
async function examine(engine, bytes) {
  if (!isDicom(bytes)) return engine.diagnose(bytes);
  readDicom ??= (await import('./dicom.mjs')).createDicomReader({ engine, loadCodec });
  const { film, dicom } = await readDicom(bytes);
  return { ...engine.diagnose(film), dicom };
}

/** @param {import('./files.mjs').Item} item */
async function diagnose(engine, { file, bytes }) {
  try {
    const film = bytes ?? (await read(file));
    const { verdict, probability, gate, decoder, dicom, bits } = await examine(engine, film);
    return { verdict, probability, gate, decoder, dicom, sha256: sha256(film), bits };
  } catch (error) {
    // Anything else is a fault of the engine: it ends this thread, and the pool starts another.
    if (!(error instanceof PleuraError || error instanceof ReadError)) throw error;
    return { code: error.code, message: error.message };
  }
}

try {
  const engine = await createEngine(workerData);
  parentPort.on('message', async (item) => parentPort.postMessage({ answer: await diagnose(engine, item) }));
  parentPort.postMessage({ model: engine.model });
} catch (error) {
  if (!(error instanceof PleuraError)) throw error;
  parentPort.postMessage({ failure: error.message });
}
