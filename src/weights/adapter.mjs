// adapter.mjs - adapters: a last layer and a temperature fitted to a user's own films, in a small GGUF file.
//
// An adapter records the SHA-256 of the weights it was fitted to and applies to no others. It is sealed with the
// SHA-256 of its own content, and a reader accepts only the very bytes that this module would write, so nothing in it
// goes unchecked. Applying one replaces the last layer and a few values; the result is a weights file like any other.
import { findPooledLayer, parseGraph } from '../engine/graph.mjs';
import { PleuraError } from '../errors.mjs';
import {
  floatsIn,
  floatsOf,
  floatTensor,
  floatValue,
  floatValues,
  inGgmlDimensions,
  readGguf,
  tensorOf,
  textOf,
  textsOf,
  textValue,
  textValues,
  writeGguf,
} from './gguf.mjs';
import { LANES, packConv, unpackConv } from './layout.mjs';
import { FITTED, packFilms, packPatients, PATIENTS } from './seen.mjs';

/**
 * @typedef {(bytes: Uint8Array) => string | Promise<string>} Hash  SHA-256 in hex
 * @typedef {{ weight: ArrayLike<number>[], bias: number[] }} Layer  features to logits: one row of weights and one bias
 *   per label
 */

/** An adapter with 64 labels and 4096 features takes a megabyte. */
export const MAX_ADAPTER_BYTES = 4 << 20;
const ARCHITECTURE = 'pleura-overlay';
const WEIGHT = 'diagnosis.logits.weight';
const BIAS = 'diagnosis.logits.bias';
const SEAL = 'pleura.overlay.sha256';
/** Values that an adapter replaces in the weights; the engine checks them when it loads the result. */
const REPLACED = [
  'pleura.temperature',
  'pleura.prior',
  'pleura.selftest.bits',
  'pleura.adapted.base',
  'pleura.adapted.films',
  FITTED,
  PATIENTS,
];

const damaged = () =>
  new PleuraError(
    'overlay-damaged',
    -1,
    'This is not an adapter made by Pleura, or it is damaged. Export it again from where it was made.',
  );
const foreign = () =>
  new PleuraError(
    'overlay-foreign',
    -1,
    'This adapter belongs to other weights than those that are loaded, so it was not used. Adapt these weights, or load the weights it was made for.',
  );

/**
 * The hash that every browser with https and every Node have.
 * @param {Uint8Array} bytes @returns {Promise<string>} in hex
 */
export async function sha256(bytes) {
  if (!globalThis.crypto?.subtle)
    throw new PleuraError('insecure-page', -1, 'A browser computes SHA-256 only for pages served over https.');
  // A copy, because Web Crypto does not read shared memory.
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The last layer of the weights. @param {Uint8Array} weights @param {string[]} labels @returns {Layer} */
export function readLastLayer(weights, labels) {
  const gguf = readGguf(weights);
  const bias = floatsOf(tensorOf(gguf, BIAS));
  const rows = unpackConv(floatsOf(tensorOf(gguf, WEIGHT)), bias.length);
  return { weight: rows.slice(0, labels.length), bias: Array.from(bias.subarray(0, labels.length)) };
}

/**
 * The name of the layer that the last layer reads, if that is the mean of `features`; otherwise null.
 * @param {import('./gguf.mjs').Gguf} gguf
 */
export function pooledLayer({ values }) {
  const lines = textsOf(values.get('pleura.diagnosis.graph')) ?? [];
  return parseGraph(lines)[findPooledLayer(lines)]?.name ?? null;
}

/** @param {Layer} layer @returns {Map<string, import('./gguf.mjs').Tensor>} */
function layerTensors({ weight, bias }) {
  const blocks = Math.ceil(bias.length / LANES);
  const padded = new Float32Array(blocks * LANES);
  padded.set(bias);
  return new Map([
    [WEIGHT, floatTensor(packConv(weight, Float32Array), [LANES * weight[0].length, 1, 1, blocks])],
    [BIAS, floatTensor(padded)],
  ]);
}

/** @param {import('./gguf.mjs').Gguf} adapter @param {Hash} hash @returns {Promise<Uint8Array>} */
async function seal({ values, tensors }, hash) {
  const unsealed = new Map([...values].filter(([key]) => key !== SEAL));
  const digest = await hash(writeGguf({ values: unsealed, tensors }));
  return writeGguf({ values: new Map(unsealed).set(SEAL, textValue(digest)), tensors });
}

/**
 * @typedef {object} Fit  what an adapter holds
 * @property {string} base  SHA-256 of the weights
 * @property {{ name: string, version: string, license: string, labels: string[] }} model  of the weights
 * @property {Layer} layer
 * @property {number} temperature
 * @property {number[]} counts  films of each label that the layer was fitted to
 * @property {number[]} mix  the share of each label that the layer assumes: the new prior
 * @property {number} patients
 * @property {{ hashes: string[], patients: string[] }} [made]  SHA-256 of these films in hex, and their patients where
 *   they are known
 * @property {string} [bits]  of the self-test with the adapter applied
 */

/** @param {Fit} fit @param {Hash} hash @returns {Promise<Uint8Array>} the adapter file */
export async function writeAdapter({ base, model, layer, temperature, counts, mix, patients, made, bits }, hash) {
  const films = counts.reduce((sum, count) => sum + count, 0);
  const perLabel = model.labels.map((label, i) => `${label} ${counts[i]}`).join(', ');
  const values = new Map([
    ['general.architecture', textValue(ARCHITECTURE)],
    ['general.type', textValue('adapter')],
    ['general.name', textValue(`${model.name} adapted`)],
    [
      'general.description',
      textValue(
        `Last layer and temperature of ${model.name}-${model.version}, fitted to ${films} labelled films of ${patients} patients: ${perLabel}.`,
      ),
    ],
    ['general.license', textValue(model.license)],
    ['pleura.labels', textValues(model.labels)],
    ['pleura.temperature', floatValue(temperature)],
    ['pleura.prior', floatValues(mix)],
    ['pleura.adapted.base', textValue(base)],
    ['pleura.adapted.films', floatValues(counts)],
  ]);
  if (made) {
    values.set(FITTED, textValue(packFilms(made.hashes)));
    values.set(PATIENTS, textValue(await packPatients(made.patients, base, hash)));
  }
  if (bits) values.set('pleura.selftest.bits', textValue(bits));
  return seal({ values, tensors: layerTensors(layer) }, hash);
}

/** @param {Uint8Array} bytes  from anyone @param {Hash} hash @returns {Promise<import('./gguf.mjs').Gguf>} */
async function readAdapter(bytes, hash) {
  if (bytes.length > MAX_ADAPTER_BYTES) throw damaged();
  try {
    const adapter = readGguf(bytes);
    const expected = await seal(adapter, hash);
    const same = expected.length === bytes.length && expected.every((byte, i) => byte === bytes[i]);
    if (same && textOf(adapter.values.get('general.architecture')) === ARCHITECTURE) return adapter;
  } catch (error) {
    // readGguf throws these two when a file ends early or lacks a part.
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
  }
  throw damaged();
}

/** @param {import('./gguf.mjs').Tensor} tensor */
const sizeOf = ({ dims }) => dims.reduce((product, n) => product * n, 1);

/**
 * Throws unless every value and tensor of the adapter is as large as the weights need it.
 * @param {import('./gguf.mjs').Gguf} adapter @param {import('./gguf.mjs').Gguf} weights
 */
function checkSizes(adapter, weights) {
  const labels = textsOf(weights.values.get('pleura.labels')) ?? [];
  const sizes = { 'pleura.temperature': 1, 'pleura.prior': labels.length, 'pleura.adapted.films': labels.length };
  for (const [key, size] of Object.entries(sizes))
    if (floatsIn(adapter.values.get(key))?.length !== size) throw damaged();
  // Only the sizes are compared: the engine refuses wrong dimensions when it loads the result.
  for (const name of [WEIGHT, BIAS])
    if (!adapter.tensors.has(name) || sizeOf(tensorOf(adapter, name)) !== sizeOf(tensorOf(weights, name)))
      throw damaged();
}

/**
 * The weights with an adapter applied: the same bytes everywhere, so that their hash stands for both.
 * Throws PleuraError if the adapter is damaged or belongs to other weights.
 * @param {Uint8Array} weights @param {Uint8Array} bytes  the adapter @param {Hash} [hash] @param {string} [base]
 *   SHA-256 of the weights, if known
 * @returns {Promise<Uint8Array>}
 */
export async function applyAdapter(weights, bytes, hash = sha256, base) {
  const adapter = await readAdapter(bytes, hash);
  if (textOf(adapter.values.get('pleura.adapted.base')) !== (base ?? (await hash(weights)))) throw foreign();
  const { values, tensors } = readGguf(weights);
  checkSizes(adapter, { values, tensors });
  for (const name of [WEIGHT, BIAS]) tensors.set(name, tensorOf(adapter, name));
  values.delete('pleura.selftest.bits'); // those of the unadapted weights
  for (const key of REPLACED) {
    const value = adapter.values.get(key);
    if (value) values.set(key, value);
  }
  values.set('general.version', textValue(`${textOf(values.get('general.version')) ?? '0'}+adapted`));
  return writeGguf({ values, tensors: inGgmlDimensions(tensors) });
}
