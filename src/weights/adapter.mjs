// adapter.mjs - overlays: a last layer and a temperature fitted to a person's own films, as a small GGUF file that belongs to one file of weights.
import { advise, compareFits, missing, refit } from '../adapt/crossval.mjs';
import { createEngine } from '../engine.mjs';
import { PleuraError } from '../errors.mjs';
import {
  floatsIn,
  floatsOf,
  floatTensor,
  floatValue,
  floatValues,
  readGguf,
  textOf,
  textsOf,
  textValue,
  textValues,
  writeGguf,
} from './gguf.mjs';
import { begin } from '../adapt/logistic.mjs';

/** @typedef {(bytes: Uint8Array) => string} Hash  SHA-256 in hex: Node and browsers without https have it from different places */

/** An overlay of 64 labels and 4096 features has a megabyte. */
export const MOST_BYTES = 4 << 20;
const ARCHITECTURE = 'pleura-overlay',
  WEIGHT = 'diagnosis.logits.weight',
  BIAS = 'diagnosis.logits.bias',
  SEAL = 'pleura.overlay.sha256';
const LANES = 4; // of kernels.h
/** What the weights take over from an overlay; their checks are those of pleura.c. */
const TAKEN = [
  'pleura.temperature',
  'pleura.prior',
  'pleura.selftest.bits',
  'pleura.adapted.base',
  'pleura.adapted.films',
];

const damaged = () =>
  new PleuraError(
    'overlay-damaged',
    -1,
    'This is no overlay of Pleura, or it is damaged. Export it again from where it was made.',
  );
const foreign = () =>
  new PleuraError(
    'overlay-foreign',
    -1,
    'This overlay belongs to other weights than those that are loaded, so it was not used. Adapt these weights anew, or load those that it was made for.',
  );

/** @param {Uint8Array} weights @returns {import('../adapt/logistic.mjs').Layer} of all labels; rows are as long as engine.features() */
function lastLayer(weights, labels) {
  const { tensors } = readGguf(weights),
    packed = floatsOf(tensors.get(WEIGHT)),
    bias = floatsOf(tensors.get(BIAS));
  const width = packed.length / bias.length;
  return {
    weight: labels.map((_, o) =>
      Float64Array.from({ length: width }, (_, i) => packed[(Math.floor(o / LANES) * width + i) * LANES + (o % LANES)]),
    ),
    bias: labels.map((_, o) => bias[o]),
  };
}

/** The same as tensors, packed as kernels.h wants them. @param {import('../adapt/logistic.mjs').Layer} layer */
function pack({ weight, bias }) {
  const blocks = Math.ceil(bias.length / LANES),
    width = weight[0].length;
  const packed = new Float32Array(blocks * width * LANES),
    padded = new Float32Array(blocks * LANES);
  weight.forEach((row, o) => {
    for (let i = 0; i < width; i++) packed[(Math.floor(o / LANES) * width + i) * LANES + (o % LANES)] = row[i];
  });
  padded.set(bias);
  return new Map([
    [WEIGHT, floatTensor(packed, [LANES, width, 1, 1, blocks])],
    [BIAS, floatTensor(padded)],
  ]);
}

/** @param {import('./gguf.mjs').Gguf} overlay @param {Hash} sha256 @returns {Uint8Array} */
function seal({ values, tensors }, sha256) {
  const own = new Map([...values].filter(([key]) => key !== SEAL));
  return writeGguf({ values: own.set(SEAL, textValue(sha256(writeGguf({ values: own, tensors })))), tensors });
}

/** @param {Uint8Array} bytes of anyone @param {Hash} sha256 @returns {import('./gguf.mjs').Gguf} */
function open(bytes, sha256) {
  if (bytes.length > MOST_BYTES) throw damaged();
  try {
    const overlay = readGguf(bytes),
      again = seal(overlay, sha256);
    if (
      textOf(overlay.values.get('general.architecture')) === ARCHITECTURE &&
      again.length === bytes.length &&
      again.every((byte, i) => byte === bytes[i])
    )
      return overlay;
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error; // what reading beyond the end, or of nothing, gives
  }
  throw damaged();
}

/**
 * The weights with an overlay's last layer: the same bytes everywhere, so that their hash stands for both.
 * @param {Uint8Array} weights @param {string} base their SHA-256 @param {Uint8Array} bytes of the overlay @param {Hash} sha256
 * @returns {Uint8Array} throws PleuraError unless the overlay is whole and belongs to the weights
 */
export function applyOverlay(weights, base, bytes, sha256) {
  const overlay = open(bytes, sha256);
  if (textOf(overlay.values.get('pleura.adapted.base')) !== base) throw foreign();
  const { values, tensors } = readGguf(weights),
    labels = textsOf(values.get('pleura.labels'));
  const sizes = new Map([
    ['pleura.temperature', 1],
    ['pleura.prior', labels.length],
    ['pleura.adapted.films', labels.length],
  ]);
  for (const [key, size] of sizes) if (floatsIn(overlay.values.get(key))?.length !== size) throw damaged();
  for (const name of [WEIGHT, BIAS]) {
    const count = ({ dims }) => dims.reduce((product, n) => product * n, 1);
    if (!overlay.tensors.has(name) || count(overlay.tensors.get(name)) !== count(tensors.get(name))) throw damaged();
    tensors.set(name, overlay.tensors.get(name));
  }
  values.delete('pleura.selftest.bits'); // those of the weights as they were
  for (const key of TAKEN) if (overlay.values.has(key)) values.set(key, overlay.values.get(key));
  values.set('general.version', textValue(`${textOf(values.get('general.version')) ?? '0'}+adapted`));
  return writeGguf({ values, tensors });
}

/**
 * @typedef {{ features: Float32Array, label: string, patient: string }} Labelled
 * @typedef {object} Adaptation
 * @property {{ label: string, films: number, patients: number }[]} missing  labels with too few of either; then there is nothing more
 * @property {{ [label: string]: number }} [films] @property {number} [patients]
 * @property {import('../adapt/crossval.mjs').Comparison[]} [comparisons] @property {import('../adapt/crossval.mjs').Advice} [advice]
 * @property {Uint8Array} [overlay]
 */

/**
 * An overlay from a person's own films, and what it is worth by cross-validation on them.
 * @param {object} given
 * @param {Uint8Array|ArrayBuffer|WebAssembly.Module} given.wasm @param {Uint8Array} given.weights @param {string} given.base SHA-256 of the weights
 * @param {any} given.model of an engine with these weights @param {Labelled[]} given.films @param {Hash} given.sha256
 * @param {(share: number) => void} [progress] 0..1 @returns {Promise<Adaptation>}
 */
export async function adapt({ wasm, weights, base, model, films, sha256 }, progress) {
  const { labels, temperature, prior } = model;
  const known = films.map(({ features, label, patient }) => ({ features, label: labels.indexOf(label), patient }));
  const lacking = missing(known, labels);
  if (lacking.length) return { missing: lacking };
  const counts = labels.map((_, label) => known.filter((film) => film.label === label).length),
    mixture = counts.map((n) => n / known.length);
  const start = begin(lastLayer(weights, labels), temperature, prior && labels.map((label) => prior[label]), mixture);
  const fitted = refit(known, start, progress),
    comparisons = compareFits(known, fitted, labels);
  const patients = new Set(known.map(({ patient }) => patient)).size;
  const told = labels.map((label, i) => `${label} ${counts[i]}`).join(', ');
  const values = new Map([
    ['general.architecture', textValue(ARCHITECTURE)],
    ['general.type', textValue('adapter')],
    ['general.name', textValue(`${model.name} adapted`)],
    [
      'general.description',
      textValue(
        `Last layer and temperature of ${model.name}-${model.version}, fitted to ${known.length} labelled films of ${patients} patients: ${told}.`,
      ),
    ],
    ['general.license', textValue(model.license)],
    ['pleura.labels', textValues(labels)],
    ['pleura.temperature', floatValue(fitted.temperature)],
    ['pleura.prior', floatValues(mixture)],
    ['pleura.adapted.base', textValue(base)],
    ['pleura.adapted.films', floatValues(counts)],
  ]);
  const overlay = { values, tensors: pack(fitted.layer) };
  const tried = await createEngine({ wasm, weights: applyOverlay(weights, base, seal(overlay, sha256), sha256) });
  values.set('pleura.selftest.bits', textValue(tried.phantom().bits));
  return {
    missing: [],
    films: Object.fromEntries(labels.map((label, i) => [label, counts[i]])),
    patients,
    comparisons,
    advice: advise(comparisons),
    overlay: seal(overlay, sha256),
  };
}
