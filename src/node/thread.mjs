// One worker thread of the command: an engine of its own that diagnoses one film while it reads the next.
import { parentPort, workerData } from 'node:worker_threads';
import { createEngine } from '../engine.mjs';
import { PleuraError } from '../errors.mjs';
import { CommandError, ReadError } from './errors.mjs';
import { createReader } from './read.mjs';
import { owns, ownsName } from './shards.mjs';
import { loadCodec, sha256 } from './assets.mjs';
import { isDicom } from '../sniff.mjs';

const { wasm, dot, weights, prevalence: typed, shard, heatmap, features, patients } = workerData;
const read = createReader();

/** Of a thread that meets a DICOM file. */
let readDicom = null;

/** @param {any} engine @param {Uint8Array} bytes @returns {Promise<any>} a diagnosis, with what a DICOM file tells */
async function examine(engine, bytes) {
  if (!isDicom(bytes)) return engine.diagnose(bytes);
  const { createDicomReader, hashPatient } = await import('../dicom/reader.mjs');
  readDicom ??= createDicomReader({ engine, loadCodec });
  const { film, dicom } = await readDicom(bytes);
  return { ...engine.diagnose(film), dicom, ...(patients && { patient: hashPatient(bytes, sha256) }) };
}

/**
 * @param {any} engine @param {import('../cli/paths.mjs').Item} item @param {Promise<Uint8Array>} reading
 * @returns {Promise<{ answer: import('./pool.mjs').Answer } | { stop: string }>}
 */
async function diagnose(engine, { file }, reading) {
  try {
    const bytes = await reading;
    const hash = sha256(bytes);
    if (shard && !owns(shard, hash)) return { answer: { elsewhere: true } };
    const diagnosis = await examine(engine, bytes);
    const { verdict, probability, prevalence, logits, gate, decoder, dicom, bits, patient } = diagnosis;
    const asked = features && { features: engine.features() };
    if (heatmap) await (await import('./overlay_png.mjs')).writeHeatmap(heatmap, file, hash, engine, diagnosis);
    return {
      answer: { verdict, probability, prevalence, logits, gate, decoder, dicom, sha256: hash, bits, patient, ...asked },
    };
  } catch (error) {
    if (error instanceof CommandError) return { stop: error.message };
    // Anything else is a fault of the engine: it ends this thread, and the pool starts another.
    if (!(error instanceof PleuraError || error instanceof ReadError)) throw error;
    if (error instanceof ReadError && shard && !ownsName(shard, file)) return { answer: { elsewhere: true } };
    return { answer: { code: error.code, message: error.message } };
  }
}

try {
  const engine = await createEngine({ wasm, dot, weights });
  if (typed) engine.setPrevalence((await import('../cli/prevalence.mjs')).parsePrevalence(typed, engine.model.labels));
  let last = Promise.resolve();
  parentPort.on('message', (item) => {
    const reading = read(item);
    reading.catch(() => {}); // Told where it is awaited, in its turn.
    last = last.then(async () => parentPort.postMessage(await diagnose(engine, item, reading)));
  });
  parentPort.postMessage({ model: engine.model });
} catch (error) {
  if (!(error instanceof PleuraError || error instanceof CommandError)) throw error;
  parentPort.postMessage({
    failure: { message: error.message, status: error instanceof CommandError ? error.status : 1 },
  });
}
