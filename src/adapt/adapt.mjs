// adapt.mjs - makes an adapter from a user's own labelled films, and reports by cross-validation what it is worth on
// them.
import { createEngine } from '../engine.mjs';
import { completeMixture } from '../mixture.mjs';
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

/**
 * The labels that are fitted. Whoever has no films of other findings keeps the shipped row and share of that label.
 * @param {import('../engine.mjs').Model} model @param {Labelled[]} films
 */
const fittedLabels = ({ labels, other, prior }, films) =>
  prior && !films.some(({ label }) => label === other) ? labels.filter((label) => label !== other) : labels;

/** @param {AdaptOptions} options @param {(share: number) => void} [progress] 0..1 @returns {Promise<Adaptation>} */
export async function adapt({ wasm, weights, base, model, films, sha256 }, progress) {
  const { labels, temperature, prior } = model;
  const fitted = fittedLabels(model, films);
  const numbered = films.map((film) => ({ ...film, label: fitted.indexOf(film.label) }));
  const missing = tooFew(numbered, fitted);
  if (missing.length) return { missing };

  const counts = labels.map((label) => films.filter((film) => film.label === label).length);
  const shares = fitted.map((label) => [label, counts[labels.indexOf(label)] / films.length]);
  const mixture = completeMixture(Object.fromEntries(shares), model);
  const mix = labels.map((label) => mixture[label]);
  const shippedPrior = prior && labels.map((label) => prior[label]);
  const layer = startLayer(readLastLayer(weights, labels), temperature, shippedPrior, mix);
  const rows = fitted.map((label) => labels.indexOf(label));
  const fit = crossValidate(
    numbered,
    { weight: rows.map((i) => layer.weight[i]), bias: rows.map((i) => layer.bias[i]) },
    progress,
  );
  rows.forEach((row, i) => {
    layer.weight[row] = fit.layer.weight[i];
    layer.bias[row] = fit.layer.bias[i];
  });
  const comparisons = compareFits(numbered, fit, fitted);

  const patients = new Set(films.map(({ patient }) => patient)).size;
  const made = {
    hashes: films.flatMap(({ hash }) => hash ?? []),
    patients: films.filter(({ known }) => known).map(({ patient }) => patient),
  };
  const content = { base, model, layer, temperature: fit.temperature, counts, mix, patients, made };
  const untested = await applyAdapter(weights, await writeAdapter(content, sha256), sha256, base);
  const { bits } = (await createEngine({ wasm, weights: untested })).phantom();
  return {
    missing: [],
    films: Object.fromEntries(labels.map((label, i) => [label, counts[i]])),
    patients,
    comparisons,
    advice: advise(comparisons),
    adapter: await writeAdapter({ ...content, bits }, sha256),
  };
}
