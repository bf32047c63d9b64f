// thread.mjs - one worker thread of the pool: an engine that diagnoses one film while the bytes of the next are read.
import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { createEngine } from '../engine.mjs';
import { PleuraError } from '../errors.mjs';
import { isDicom, notFilm } from '../sniff.mjs';
import { loadCodec, sha256 } from './assets.mjs';
import { CommandError, ReadError } from './errors.mjs';
import { nativeAt } from './native.mjs';
import { pictureHash, SIDE } from './picture_hash.mjs';
import { createReader } from './read.mjs';
import { owns, ownsName } from './shards.mjs';

const { wasm, dot, weights, ...options } = /** @type {import('./protocol.d.ts').ThreadData} */ (workerData);
const { prevalence, reclassify, shard, heatmap, occlusion = false, features, logits, patients, pictures } = options;
const { background = false } = options;

/** @param {import('./protocol.d.ts').FromThread} message */
const post = (message) => parentPort?.postMessage(message);

/** Added to the nice value of a thread in the background, which then gets a ninth of what others get. */
const NICER = 10;

/** Lets the other threads of the program run first. Only Linux has priorities of threads. */
function stepBack() {
  if (process.platform === 'linux') setPriority(0, Math.min(19, getPriority(0) + NICER)); // 0: this thread
}

/** Loaded when the first DICOM file arrives. */
let readDicom = null;

/** @param {any} engine @param {Uint8Array} bytes @returns {Promise<any>} a diagnosis; of a DICOM file also its facts */
async function examine(engine, bytes) {
  if (!isDicom(bytes)) return engine.diagnose(bytes);
  const { createDicomReader, hashPatient } = await import('../dicom/reader.mjs');
  readDicom ??= createDicomReader({ engine, loadCodec });
  const { film, dicom } = await readDicom(bytes);
  return { ...engine.diagnose(film), dicom, ...(patients && { patient: hashPatient(bytes, sha256) }) };
}

/** How the film would be classified at the other class mix. @param {any} engine @param {any} diagnosis */
function reclassified(engine, diagnosis) {
  engine.setPrevalence(reclassify);
  const { verdict, probability } = engine.reclassify(diagnosis);
  engine.setPrevalence(prevalence ?? null);
  return { verdict, probability };
}

/**
 * @param {any} engine @param {import('./read.mjs').Item} item @param {Uint8Array} bytes
 * @returns {Promise<import('../result/record.mjs').Answer>}
 */
async function diagnose(engine, { file, retried }, bytes) {
  const hash = sha256(bytes);
  if (shard && !retried && !owns(shard, hash)) return { elsewhere: true };
  const diagnosis = await examine(engine, bytes);
  const { verdict, doubt, probability, prevalence, gate, extent, decoder, dicom, bits, patient } = diagnosis;
  /** @type {import('../result/record.mjs').Answer} */
  const answer = { verdict, doubt, probability, prevalence, gate, extent, decoder, dicom, sha256: hash, bits, patient };
  if (features) answer.features = engine.features();
  if (pictures) answer.picture = pictureHash(engine.film(SIDE));
  if (logits) answer.logits = diagnosis.logits;
  if (reclassify) answer.reclassified = reclassified(engine, diagnosis);
  if (heatmap) {
    const { writeHeatmap } = await import('./overlay_png.mjs');
    await writeHeatmap(engine, diagnosis, { folder: heatmap, file, hash, occlusion });
  }
  return answer;
}

/** The class mix that the engine of this thread is set to. */
let current = prevalence ?? null;

/**
 * The diagnosis that a program has asked for, without maps that it does not want.
 * @param {any} engine @param {import('./protocol.d.ts').Want} want @param {Uint8Array} bytes @returns {Promise<any>}
 */
async function diagnoseFor(engine, want, bytes) {
  if (want.prevalence || current) engine.setPrevalence(want.prevalence);
  current = want.prevalence;
  const { heatmap, lungs, evidence, ...result } = await examine(engine, bytes);
  return {
    ...result,
    sha256: sha256(bytes),
    ...(want.heatmap && { heatmap, lungs }),
    ...(want.view && { view: engine.film(want.view) }),
  };
}

/**
 * @param {any} engine @param {import('./protocol.d.ts').ToThread} message @param {Promise<Uint8Array>} reading
 * @returns {Promise<import('./protocol.d.ts').FromThread>}
 */
async function reply(engine, { item, want }, reading) {
  try {
    if (want) return { type: 'answer', answer: await diagnoseFor(engine, want, await reading) };
    return { type: 'answer', answer: await diagnose(engine, item, await reading) };
  } catch (error) {
    if (error instanceof CommandError) return { type: 'abort', message: error.message };
    // Anything else is a fault of the engine: it ends this thread, and the pool starts another.
    if (!(error instanceof PleuraError)) throw error;
    if (error instanceof ReadError && shard && !item.retried && !ownsName(shard, item.file))
      return { type: 'answer', answer: { elsewhere: true } };
    const message = error.code === 'not-an-image' ? notFilm(await reading) : error.message;
    return { type: 'answer', answer: { code: error.code, message } };
  }
}

async function main() {
  if (background) stepBack();
  const engine = await createEngine({ wasm: typeof wasm === 'string' ? nativeAt(wasm) : wasm, dot, weights });
  // Both fail at once if the weights record no prior, so that no film is diagnosed in vain.
  if (reclassify) engine.setPrevalence(reclassify);
  if (prevalence || reclassify) engine.setPrevalence(prevalence ?? null);
  const read = createReader();
  let last = Promise.resolve();
  parentPort?.on('message', (/** @type {import('./protocol.d.ts').ToThread} */ message) => {
    const reading = read(message.item);
    reading.catch(() => {}); // reply() reports the failure when it is this film's turn.
    last = last.then(async () => post(await reply(engine, message, reading)));
  });
  post({ type: 'ready', model: engine.model });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof PleuraError)) throw error;
  post({ type: 'failed', code: error.code, status: error.status, message: error.message });
}
