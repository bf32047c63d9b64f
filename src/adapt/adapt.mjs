// adapt.mjs - makes an adapter from a user's own labelled films, and reports by cross-validation what it is worth on
// them.
import { createEngine } from '../engine.mjs';
import { applyAdapter, readLastLayer, writeAdapter } from '../weights/adapter.mjs';
import { advise, compareFits, crossValidate, tooFew } from './crossval.mjs';
import { startLayer } from './logistic.mjs';

/**
 * @typedef {{ features: Float32Array, label: string, patient: string, hash?: string, known?: boolean }} Labelled  hash:
 *   SHA-256 of the file; known: whether `patient` is one rather than the hash in place of it
 * @typedef {{ label: string, films: number, patients: number }} Shortage  a label with too few of either
 * @typedef {object} Adapted
 * @property {Shortage[]} missing  empty
 * @property {{ [label: string]: number }} films
 * @property {number} patients
 * @property {import('./crossval.mjs').Comparison[]} comparisons
 * @property {import('./crossval.mjs').Advice} advice
 * @property {Uint8Array} adapter  the file
 * @typedef {Adapted | { missing: Shortage[], adapter?: undefined }} Adaptation  without an adapter if films are missing
 *
 * @typedef {object} AdaptOptions
 * @property {Uint8Array|ArrayBuffer|WebAssembly.Module} wasm
 * @property {Uint8Array} weights
 * @property {string} base  SHA-256 of the weights
 * @property {import('../engine.mjs').Model} model  of an engine with these weights
 * @property {Labelled[]} films
 * @property {import('../weights/adapter.mjs').Hash} sha256
 */

/** @param {AdaptOptions} options @param {(share: number) => void} [progress] 0..1 @returns {Promise<Adaptation>} */
export async function adapt({ wasm, weights, base, model, films, sha256 }, progress) {
  const { labels, temperature, prior } = model;
  const numbered = films.map((film) => ({ ...film, label: labels.indexOf(film.label) }));
  const missing = tooFew(numbered, labels);
  if (missing.length) return { missing };

  const counts = labels.map((_, label) => numbered.filter((film) => film.label === label).length);
  const mix = counts.map((count) => count / films.length);
  const shippedPrior = prior && labels.map((label) => prior[label]);
  const start = startLayer(readLastLayer(weights, labels), temperature, shippedPrior, mix);
  const fitted = crossValidate(numbered, start, progress);
  const comparisons = compareFits(numbered, fitted, labels);

  const patients = new Set(films.map(({ patient }) => patient)).size;
  const made = {
    hashes: films.flatMap(({ hash }) => hash ?? []),
    patients: films.filter(({ known }) => known).map(({ patient }) => patient),
  };
  const fit = { base, model, layer: fitted.layer, temperature: fitted.temperature, counts, patients, made };
  const untested = await applyAdapter(weights, await writeAdapter(fit, sha256), sha256, base);
  const { bits } = (await createEngine({ wasm, weights: untested })).phantom();
  return {
    missing: [],
    films: Object.fromEntries(labels.map((label, i) => [label, counts[i]])),
    patients,
    comparisons,
    advice: advise(comparisons),
    adapter: await writeAdapter({ ...fit, bits }, sha256),
  };
}
