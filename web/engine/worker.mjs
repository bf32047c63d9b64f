// worker.mjs: fetches and checks engine and weights, then diagnoses one film after another
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { adapt } from '../../src/adapt/adapt.mjs';
import { applyAdapter } from '../../src/weights/adapter.mjs';
import { createEngine } from '../../src/engine.mjs';
import { isDicom, MAX_FILE_BYTES } from '../../src/sniff.mjs';
import { problem, toProblem } from '../state/errors.mjs';
import { watchRequests } from '../storage/requests.mjs';
import { forget, keep } from '../storage/cache.mjs';

const FILM_SIDE = 2048; // for the viewer, at up to eight megabytes
const THUMB_SIDE = 128;

let engine = null;
let parts = null; // the checked module and weights, and what they are called
let dicomSite = null;
let dicom = null; // the module for DICOM, from the first such file on
watchRequests('worker', (requests) => self.postMessage({ requests }));

const hash = (bytes) => bytesToHex(sha256(bytes));
const tasks = { start, diagnose, judge, tags, examineForFit, fit };

self.onmessage = async ({ data: { id, type, ...message } }) => {
  try {
    const { result, transfer = [] } = await tasks[type](message);
    self.postMessage({ id, result }, transfer);
  } catch (error) {
    self.postMessage({ id, error: toProblem(error) });
  }
};

/** An adapter that does not fit the weights is told of, and the weights are used as they are. */
async function start({ site, kept, again, adapter }) {
  kept ??= await fetchParts(site, again);
  parts = { wasm: kept.module, weights: kept.weights, base: site.weights.sha256 };
  let { weights, base: used } = parts,
    refused = null;
  try {
    if (adapter) {
      weights = await applyAdapter(parts.weights, adapter, hash, parts.base);
      engine = await createEngine({ wasm: parts.wasm, weights });
      used = hash(weights);
    }
  } catch (error) {
    refused = toProblem(error);
  }
  if (!adapter || refused) engine = await createEngine({ wasm: parts.wasm, weights: parts.weights });
  dicomSite = site.dicom;
  return { result: { model: engine.model, sha256: refused ? parts.base : used, refused, ...kept } };
}

/** What a fit needs of a film: no record, no picture. */
async function examineForFit({ file }) {
  const bytes = await readFile(file),
    { gate } = await examine(bytes);
  const features = gate.accepted ? engine.features() : null;
  return {
    result: {
      hash: hash(bytes),
      features,
      patient: isDicom(bytes) ? (await openDicom()).hashPatient(bytes, hash) : null,
    },
  };
}

/** An adapter for the weights as they came, whatever is in force. */
async function fit({ films }) {
  const { wasm, weights } = parts;
  const { model } = await createEngine({ wasm, weights });
  return {
    result: await adapt({ ...parts, model, films, sha256: hash }, (share) => self.postMessage({ fitted: share })),
  };
}

async function fetchParts(site, again) {
  const total = site.wasm.bytes + site.weights.bytes;
  let received = 0;
  const count = (bytes) => self.postMessage({ progress: [(received += bytes), total] });
  count(0);
  const wasm = await fetchPart('wasm', site.wasm, again, count);
  const module = await compile(wasm); // before the weights: a browser that cannot run them need not fetch them
  return { module, weights: await fetchPart('weights', site.weights, again, count) };
}

/* The bytes are known to be right, so a refusal to compile can only mean a browser without SIMD or without WebAssembly. */
async function compile(wasm) {
  try {
    return await WebAssembly.compile(wasm);
  } catch (error) {
    throw problem('no-simd', error);
  }
}

/** Lengths come from the build, not from Content-Length, which is the packed size under compression. A second attempt
 *  passes by all that is kept on this device, which may hold the bad answer.
 *  @param {string} name  @param {import('./client.mjs').Part} part  @param {boolean} again  @param {(bytes: number) => void} [count] */
async function fetchPart(name, part, again, count = () => {}) {
  const url = new URL(part.file, import.meta.url);
  const bytes = new Uint8Array(part.bytes);
  let at = 0;
  try {
    if (again) await forget(url);
    const response = await fetch(url, { cache: again ? 'reload' : 'default' });
    if (!response.ok) throw problem(`${name}-missing`);
    for (let reader = response.body.getReader(), step; !(step = await reader.read()).done;) {
      if (step.value.length > bytes.length - at) throw problem(`${name}-altered`);
      bytes.set(step.value, at);
      at += step.value.length;
      count(step.value.length);
    }
  } catch (error) {
    throw typeof error.code === 'string' ? error : problem(`${name}-offline`, error);
  }
  if (at < bytes.length || bytesToHex(sha256(bytes)) !== part.sha256) throw problem(`${name}-altered`);
  await keep(url, bytes);
  return bytes;
}

/** @param {{file?: File, phantom?: boolean, pictured: boolean, prevalence: import('../../src/engine.mjs').Mixture | null}} task
 *    pictured: with what the viewer needs */
async function diagnose({ file, phantom, pictured, prevalence }) {
  engine.setPrevalence(prevalence);
  const bytes = phantom ? null : await readFile(file);
  const { heatmap, lungs, ...record } = phantom ? engine.phantom() : await examine(bytes);
  if (bytes) record.sha256 = bytesToHex(sha256(bytes));
  const thumb = { ...engine.film(THUMB_SIDE), low: 0, high: 255 };
  const picture = pictured ? { film: engine.greys(FILM_SIDE), heatmap, lungs } : null;
  return {
    result: { record, picture, thumb },
    transfer: [thumb, picture?.film, heatmap, lungs].filter(Boolean).map((grid) => grid.data.buffer),
  };
}

/** What films that were diagnosed before are at another prevalence. */
function judge({ prevalence, films }) {
  engine.setPrevalence(prevalence);
  return { result: films.map((film) => engine.judge(film)) };
}

/** The tags of a DICOM file, to be shown and then forgotten; none for other files. */
async function tags({ file }) {
  const bytes = await readFile(file);
  return { result: isDicom(bytes) ? (await openDicom()).listTags(bytes) : [] };
}

async function readFile(file) {
  if (file.size > MAX_FILE_BYTES) throw problem('file-too-large');
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw problem('file-unreadable', error);
  }
}

/** The reader of DICOM files: most people never need it, so it is not part of this script. */
async function openDicom() {
  if (dicom) return dicom;
  let module;
  try {
    module = await import(new URL(dicomSite.module, import.meta.url).href);
  } catch (error) {
    throw problem('dicom-missing', error);
  }
  const readDicom = module.createDicomReader({
    engine,
    loadCodec: (name) => fetchPart('codec', dicomSite[name], false),
  });
  return (dicom = { ...module, readDicom });
}

/** What the engine cannot decode, the browser may: WebP, AVIF, on some systems HEIC and TIFF. */
async function examine(bytes) {
  if (isDicom(bytes)) {
    const { film, dicom: facts } = await (await openDicom()).readDicom(bytes);
    return { ...engine.diagnose(film), dicom: facts };
  }
  try {
    return engine.diagnose(bytes);
  } catch (error) {
    if (error.code !== 'not-an-image' && error.code !== 'image-unsupported') throw error;
    const pixels = await decodeInBrowser(bytes);
    if (!pixels) throw error;
    return engine.diagnose(pixels);
  }
}

async function decodeInBrowser(bytes) {
  try {
    const bitmap = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: 'none' });
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return { rgba: context.getImageData(0, 0, width, height).data, width, height };
  } catch {
    return null; // the browser cannot decode it either: the engine's own sentence stands
  }
}
