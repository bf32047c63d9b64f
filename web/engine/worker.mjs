// worker.mjs: the worker's side: checks engine and weights, then answers the calls of protocol.d.ts.
//
// It computes one call at a time and keeps nothing of a film once its answer is posted.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { adapt } from '../../src/adapt/adapt.mjs';
import { applyAdapter } from '../../src/weights/adapter.mjs';
import { createEngine } from '../../src/engine.mjs';
import { IDENTITY, occlusionMap } from '../../src/result/occlusion.mjs';
import { PleuraError } from '../../src/errors.mjs';
import { isDicom, MAX_FILE_BYTES, notFilm } from '../../src/sniff.mjs';
import { applySteps, isCameraJpeg, isTinted } from '../state/edits.mjs';
import { pageError, toErrorInfo } from '../state/errors.mjs';
import { watchRequests } from '../storage/requests.mjs';
import { MAX_FILM_SIDE } from '../state/viewport.mjs';
import { cacheFile, noteTested, wasTested } from '../storage/cache.mjs';
import { fetchPart } from './parts.mjs';

/** @typedef {import('./protocol.d.ts').Call} Call
 *  @typedef {import('./protocol.d.ts').Reply} Reply
 *  @typedef {import('./protocol.d.ts').CheckedParts} CheckedParts
 *  @typedef {import('../../src/engine.mjs').Engine} Engine
 *  @typedef {import('../state/state.mjs').FilmRecord} FilmRecord
 *  @typedef {import('../state/errors.mjs').ErrorInfo} ErrorInfo
 *  @typedef {import('../site/constants.d.ts').Site} Site
 *  @typedef {import('../site/constants.d.ts').Part} Part
 *  @typedef {import('../state/viewport.mjs').Picture} Picture
 *  @typedef {import('../state/viewport.mjs').Units} Units
 *  @typedef {import('./protocol.d.ts').PartName} PartName */
/** @template {import('./protocol.d.ts').CallType} T
 *  @typedef {import('./protocol.d.ts').Calls[T]['message']} Message */
/** @template {import('./protocol.d.ts').CallType} T
 *  @typedef {{result: import('./protocol.d.ts').Result<T>, transfer?: Transferable[]}} Answer */

const THUMB_SIDE = 128;
const MAX_SIDE = 16384; // of the greys that are corrected: all of them
const TINT_SIDE = 64;
/** @type {import('../state/edits.mjs').Step[]} */
const TINTED = [{ name: 'photo' }];
/** Of files with 8 bits a pixel, whose greys the engine spreads over 16. @type {Units} */
const BYTES = { offset: 0, slope: 1 / 257, windows: [] };
/** @type {Units} */
const WORDS = { offset: 0, slope: 1, windows: [] };

/** Weights without an adapter. @typedef {{weights: Uint8Array, sha256: string}} Base */

/** Set by `start`, the first call. @type {{engine: Engine, base: Base, parts: CheckedParts, site: Site}} */
let session;
/** @type {Awaited<ReturnType<typeof loadDicom>> | null} loaded with the first DICOM file */
let dicom = null;

const hash = (/** @type {Uint8Array} */ bytes) => bytesToHex(sha256(bytes));
/** The same by the browser, which is faster and takes another thread; over plain http it offers none.
 *  @param {Uint8Array<ArrayBuffer>} bytes */
const digest = async (bytes) =>
  self.isSecureContext ? bytesToHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))) : hash(bytes);

/** @param {Reply} message  @param {Transferable[]} [transfer] */
const post = (message, transfer = []) => self.postMessage(message, { transfer });

watchRequests('worker', (requests) => post({ type: 'requests', requests }));

/** @param {MessageEvent<import('./protocol.d.ts').Order>} event */
self.onmessage = async ({ data }) => {
  if (data.type === 'part') return receive[data.name](data.bytes);
  const { id } = data;
  try {
    const { result, transfer } = await answer(data);
    post({ type: 'result', id, result, memory: held() }, transfer);
  } catch (error) {
    post({ type: 'error', id, error: toErrorInfo(error), memory: held() });
  }
};

/** Bytes of the engine's memory. */
const held = () => session?.engine.memory ?? 0;

/** @param {Call} data */
function answer(data) {
  switch (data.type) {
    case 'start':
      return start(data);
    case 'diagnose':
      return diagnose(data);
    case 'occlude':
      return occlude(data);
    case 'judge':
      return judge(data);
    case 'tags':
      return tags(data);
    case 'open-dicom':
      return prepareDicom();
    case 'examine':
      return examine(data);
    case 'fit':
      return fit(data);
  }
}

/** Another model that the engine refuses, or an adapter that does not fit, is reported and left out.
 *  @param {Message<'start'>} message  @returns {Promise<Answer<'start'>>} */
async function start({ site, parts: checked, brought, adapter }) {
  const { parts, stored } = checked ? { parts: checked, stored: null } : await receiveParts(site);
  /** @type {Base} */
  const shipped = { weights: parts.weights, sha256: site.weights.sha256 };

  /** @param {Base} base  @param {Base} [used]  with the adapter applied */
  async function begin(base, used = base) {
    const proof = `${site.wasm.sha256} ${used.sha256} ${navigator.userAgent}`;
    const tested = await wasTested(proof);
    const engine = await createEngine({ wasm: parts.module, weights: used.weights, selfTest: !tested });
    if (!tested) await noteTested(proof);
    session = { engine, base, parts, site };
    return { model: engine.model, sha256: used.sha256 };
  }

  /** What it did instead if the first one fails, with the reason.
   *  @template T  @param {() => Promise<T>} first  @param {() => T | Promise<T>} second
   *  @returns {Promise<[T, ErrorInfo | null]>} */
  async function attempt(first, second) {
    try {
      return [await first(), null];
    } catch (error) {
      return [await second(), toErrorInfo(error)];
    }
  }

  async function adapted(/** @type {Uint8Array} */ file) {
    const { base } = session;
    const weights = await applyAdapter(base.weights, file, hash, base.sha256);
    return begin(base, { weights, sha256: hash(weights) });
  }

  const useShipped = () => begin(shipped);
  const [opened, broughtError] = brought
    ? await attempt(() => begin({ weights: brought, sha256: hash(brought) }), useShipped)
    : [await useShipped(), null];
  const [used, adapterError] = adapter
    ? await attempt(
        () => adapted(adapter),
        () => opened,
      )
    : [opened, null];
  await stored;
  return { result: { ...used, broughtError, adapterError, parts } };
}

/** @param {Message<'diagnose'>} message  @returns {Promise<Answer<'diagnose'>>} */
async function diagnose({ file, withPicture, prevalence, steps }) {
  const { engine } = session;
  engine.setPrevalence(prevalence);
  const bytes = file && (await readFile(file));
  const sum = bytes && digest(bytes);
  let answer = await diagnoseOriginal(bytes, steps);
  let applied = steps;
  if (steps.length === 0 && bytes && (await isTintedPhoto(answer, bytes))) {
    const grey = diagnoseEdited(answer, TINTED);
    if (grey.gate.accepted) [answer, applied] = [grey, TINTED];
    else answer = await diagnoseFile(bytes); // a colour picture all the same: the engine holds it again
  }
  const { heatmap, lungs, tagReason: _, source, ...record } = answer;
  const camera = Boolean(bytes && isCameraJpeg(bytes)) || applied.some(({ name }) => name === 'photo');
  const thumb = { ...engine.film(THUMB_SIDE), low: 0, high: 255 };
  const maps = withPicture ? takeMaps() : {}; // first: takePicture gives the engine another film
  const picture = withPicture ? { ...takePicture(source), heatmap, maps, occluded: false, lungs } : null;
  const images = picture ? [thumb, picture.film, heatmap, lungs, ...Object.values(maps)] : [thumb];
  return {
    result: {
      record: sum ? { ...record, sha256: await sum } : record,
      picture,
      thumb,
      steps: applied,
      exposure: source.display?.exposure ?? null,
      ...(camera && { camera }),
    },
    transfer: images.map(({ data }) => data.buffer),
  };
}

/** The class activation maps of the film diagnosed last, where the network allows them.
 *  @returns {Picture['maps']} */
function takeMaps() {
  const { engine } = session;
  try {
    return Object.fromEntries(engine.model.labels.map((label) => [label, engine.classMap(label)]));
  } catch {
    return {};
  }
}

/** What the viewer shows of the film diagnosed last. A DICOM film is given to the engine once more with the whole range
 *  of its values, because people may want to see what its own window cuts off.
 *  @param {Source} source  @returns {Pick<Picture, 'film' | 'units' | 'spacing'>} */
function takePicture({ samples, units, display }) {
  const { engine } = session;
  const spacing = display?.spacing ?? null;
  const own = samples && display ? display.units() : null;
  if (!samples || !own) return { film: engine.greys(MAX_FILM_SIDE), units: units ?? null, spacing };
  const { table, offset, slope, shown, windows } = own;
  const { low, high } = engine.greys(MAX_FILM_SIDE);
  const level = (/** @type {number} */ grey) =>
    (shown.low + (grey / 65535) * (shown.high - shown.low) - offset) / slope;
  engine.diagnose({ ...samples, table });
  const film = { ...engine.greys(MAX_FILM_SIDE), low: level(low), high: level(high) };
  return { film, units: { offset, slope, windows }, spacing };
}

/** @param {Message<'occlude'>} message  @returns {Promise<Answer<'occlude'>>} */
async function occlude({ file, steps, label }) {
  await diagnoseOriginal(file && (await readFile(file)), steps);
  const map = occlusionMap(session.engine, label);
  return { result: map, transfer: [map.data.buffer] };
}

/** A photo in the light of a lamp, which the gate refuses as a colour picture.
 *  @param {Original} original  @param {Uint8Array<ArrayBuffer>} bytes */
async function isTintedPhoto({ gate }, bytes) {
  if (gate.reason !== 'colour') return false;
  const small = await decodeInBrowser(bytes, { resizeWidth: TINT_SIDE, resizeHeight: TINT_SIDE });
  return small !== null && isTinted(small.rgba);
}

/** Diagnoses a file, or the phantom where there is none, after corrections.
 *  @param {Uint8Array<ArrayBuffer> | null} bytes  @param {import('../state/edits.mjs').Step[]} steps */
async function diagnoseOriginal(bytes, steps) {
  /** @type {Original} */
  const answer = bytes ? await diagnoseFile(bytes) : { ...session.engine.phantom(), source: { units: BYTES } };
  return steps.length > 0 ? diagnoseEdited(answer, steps) : answer;
}

/** Diagnoses the greys of the film that was diagnosed last, after corrections.
 *  @param {Original} original  @param {import('../state/edits.mjs').Step[]} steps  @returns {Original} */
function diagnoseEdited({ tagReason, dicom, source }, steps) {
  const { data: pixels, width, height } = applySteps(session.engine.greys(MAX_SIDE), steps);
  const answer = session.engine.diagnose({ pixels, width, height, channels: 1, table: IDENTITY, tagReason });
  return { ...answer, decoder: 'edited', dicom, tagReason, source: { display: source.display } };
}

/** @param {Message<'judge'>} message  @returns {Answer<'judge'>} */
function judge({ prevalence, films }) {
  const { engine } = session;
  engine.setPrevalence(prevalence);
  return { result: films.map((film) => engine.reclassify(film)) };
}

/** @param {Message<'tags'>} message  @returns {Promise<Answer<'tags'>>} */
async function tags({ file }) {
  const bytes = await readFile(file);
  return { result: isDicom(bytes) ? (await openDicom()).listTags(bytes) : [] };
}

/** @returns {Promise<Answer<'open-dicom'>>} */
async function prepareDicom() {
  await openDicom();
  return { result: null };
}

/** @param {Message<'examine'>} message  @returns {Promise<Answer<'examine'>>} */
async function examine({ file }) {
  const bytes = await readFile(file);
  const { gate } = await diagnoseFile(bytes);
  const features = gate.accepted ? session.engine.features() : null;
  const patient = isDicom(bytes) ? (await openDicom()).hashPatient(bytes, hash) : null;
  return { result: { hash: await digest(bytes), features, patient } };
}

/** @param {Message<'fit'>} message  @returns {Promise<Answer<'fit'>>} */
async function fit({ films }) {
  const { base, parts } = session;
  const original = { wasm: parts.module, weights: base.weights };
  const { model } = await createEngine(original);
  const report = (/** @type {number} */ share) => post({ type: 'fitting', share });
  return { result: await adapt({ ...original, base: base.sha256, model, films, sha256: hash }, report) };
}

/** Bytes that the page sends while `start` waits for them, by the name of the part.
 *  @type {Record<PartName, (bytes: Uint8Array<ArrayBuffer>) => void>} */
const receive = { wasm: () => {}, weights: () => {} };
const arriving = {
  wasm: new Promise((resolve) => (receive.wasm = resolve)),
  weights: new Promise((resolve) => (receive.weights = resolve)),
};

/** Compiles the engine while the weights are still on their way. stored: once both are stored on this device, which
 *  may take longer than the start.
 *  @param {Site} site  @returns {Promise<{parts: CheckedParts, stored: Promise<unknown>}>} */
async function receiveParts(site) {
  const wasm = await checkPart('wasm', site.wasm, await arriving.wasm);
  const module = await compile(wasm);
  const weights = await checkPart('weights', site.weights, await arriving.weights);
  return { parts: { module, weights }, stored: Promise.all([store(site.wasm, wasm), store(site.weights, weights)]) };
}

/** Keeps a part for use without a network. @param {Part} part  @param {Uint8Array<ArrayBuffer>} bytes */
const store = (part, bytes) => cacheFile(new URL(part.file, import.meta.url), bytes);

/** The bytes were checked, so a browser that refuses to compile them lacks SIMD or WebAssembly.
 *  @param {Uint8Array<ArrayBuffer>} wasm */
async function compile(wasm) {
  try {
    return await WebAssembly.compile(wasm);
  } catch (error) {
    throw pageError('no-simd', error);
  }
}

/** Compares a part with its SHA-256.
 *  @param {PartName | 'codec'} name  @param {Part} part  @param {Uint8Array<ArrayBuffer>} bytes */
async function checkPart(name, part, bytes) {
  if ((await digest(bytes)) !== part.sha256) throw pageError(`${name}-altered`);
  return bytes;
}

/** @param {File} file */
async function readFile(file) {
  if (file.size > MAX_FILE_BYTES) throw pageError('file-too-large');
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw pageError('file-unreadable', error);
  }
}

/** The DICOM reader is a file of its own, because most people never need it. */
async function loadDicom() {
  const { engine, site } = session;
  let module;
  try {
    module = /** @type {typeof import('../../src/dicom/reader.mjs')} */ (
      await import(new URL(site.dicom.module, import.meta.url).href)
    );
  } catch (error) {
    throw pageError('dicom-missing', error);
  }
  const { createDicomReader, listTags, hashPatient } = module;
  const loadCodec = async (/** @type {'charls' | 'openjpeg'} */ codec) => {
    const part = site.dicom[codec];
    const bytes = await checkPart('codec', part, await fetchPart('codec', part, false));
    await store(part, bytes);
    return bytes;
  };
  const readDicom = createDicomReader({ engine, loadCodec });
  return { readDicom, listTags, hashPatient };
}

const openDicom = async () => (dicom ??= await loadDicom());

/** @typedef {Omit<import('../../src/engine.mjs').Diagnosis, 'decoder'> & {decoder: FilmRecord['decoder'],
 *     dicom?: import('../../src/dicom/reader.mjs').Facts, tagReason?: string | null, source: Source}} Original
 *  @typedef {object} Source  what the viewer needs of it
 *  @property {import('../../src/engine.mjs').Samples} [samples]  of a DICOM file
 *  @property {import('../../src/dicom/reader.mjs').Display} [display]
 *  @property {Units} [units]  of other files */

/** Diagnoses a file. What the engine cannot decode, the browser may: WebP, AVIF, on some systems HEIC and TIFF.
 *  @param {Uint8Array<ArrayBuffer>} bytes  @returns {Promise<Original>} */
async function diagnoseFile(bytes) {
  const { engine } = session;
  if (isDicom(bytes)) {
    const { film, dicom: facts, display } = await (await openDicom()).readDicom(bytes);
    const source = { samples: film, display };
    return { ...engine.diagnose(film), dicom: facts, tagReason: film.tagReason, source };
  }
  try {
    return { ...engine.diagnose(bytes), source: { units: isDeepPng(bytes) ? WORDS : BYTES } };
  } catch (error) {
    const { code, status } = /** @type {PleuraError} */ (error);
    if (code !== 'not-an-image' && code !== 'image-unsupported') throw error;
    const pixels = await decodeInBrowser(bytes);
    if (!pixels) throw code === 'not-an-image' ? new PleuraError(code, status, notFilm(bytes)) : error;
    return { ...engine.diagnose(pixels), source: { units: BYTES } };
  }
}

/** Whether a PNG has 16 bits a sample. @param {Uint8Array} bytes */
const isDeepPng = (bytes) => bytes[0] === 0x89 && bytes[24] === 16;

/** @param {Uint8Array<ArrayBuffer>} bytes  @param {ImageBitmapOptions} [options] */
async function decodeInBrowser(bytes, options) {
  try {
    const bitmap = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: 'none', ...options });
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    if (!context) return null;
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return { rgba: context.getImageData(0, 0, width, height).data, width, height };
  } catch {
    return null; // the browser cannot decode it either; the caller reports the engine's error
  }
}
