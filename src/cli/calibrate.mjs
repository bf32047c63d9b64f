// calibrate.mjs - `pleura convert --calibrate`: temperature, intercepts, class mix and gate of converted weights.
import { writeFileSync } from 'node:fs';
import { calibrateWeights, MIN_FOR_GATE, MIN_PER_LABEL } from '../adapt/calibrate.mjs';
import { selectFilms } from '../adapt/crossval.mjs';
import { CommandError } from '../node/errors.mjs';
import { patientOf } from '../stats/evaluation.mjs';
import { tally } from '../stats/groups.mjs';
import { pooledLayer } from '../weights/adapter.mjs';
import { readGguf } from '../weights/gguf.mjs';
import { fitLabels, readLabels } from './labels.mjs';
import { loadParts } from '../node/assets.mjs';
import { openRun } from './run.mjs';
import { warn } from './stdio.mjs';

/**
 * What the network says of each film.
 * @param {string} model @param {{ labels: string, root?: string, map?: string }} options
 */
async function readFilms(model, { labels: path, root, map }) {
  const { weights } = await loadParts(model);
  const features = pooledLayer(readGguf(weights)) !== null;
  const { items } = await readLabels({ labels: path, option: '--calibrate', ...(root && { root }) });
  const run = await openRun({ model, features, logits: true, patients: true, quiet: true }, items.length);
  try {
    /** @type {(import('../adapt/crossval.mjs').Candidate & { logits: number[] })[]} */
    const found = [];
    for await (const { item, answer } of run.answers(fitLabels(items, run.labels, map))) {
      const { sha256: hash, gate, logits } = answer;
      if (!hash || !logits) continue; // an error, which is reported
      const own = answer.features ?? Float32Array.from(logits);
      const patient = patientOf({ row: item.row, answer });
      found.push({ label: item.row.label, hash, patient, features: gate?.accepted ? own : null, logits });
    }
    return { films: selectFilms(found, run.labels).films, labels: run.labels, parts: run.parts, features };
  } finally {
    await run.close();
  }
}

/**
 * Replaces the weights that were just converted by calibrated ones.
 * @param {import('./verify.mjs').Facts} facts @param {{ labels: string, root?: string, map?: string }} options
 */
export async function calibrate({ out, weights }, options) {
  const { films, labels, parts, features } = await readFilms(weights, options);
  const counts = tally(films.map(({ label }) => label));
  const few = labels.filter((label) => (counts.get(label) ?? 0) < MIN_PER_LABEL);
  if (few.length)
    throw new CommandError(
      `Too few films to calibrate: ${few.map((label) => `${label} has ${counts.get(label) ?? 0}`).join(', ')}; every label needs ${MIN_PER_LABEL}. Nothing was written.`,
    );
  const usable = /** @type {import('../adapt/calibrate.mjs').CalibrationFilm[]} */ (/** @type {unknown} */ (films));
  const result = await calibrateWeights({ wasm: parts.wasm, weights: parts.weights, films: usable });
  writeFileSync(weights, result.weights);
  const { temperature, before, after, gated } = result;
  const change = `log loss ${before.toFixed(3)} before, ${after.toFixed(3)} after (cross-validated)`;
  warn(`${out}: calibrated on ${films.length} films: temperature ${temperature.toFixed(2)}; ${change}`);
  if (gated) return;
  const why = features ? `that takes ${MIN_FOR_GATE} films` : 'its last layer does not read the mean of a feature map';
  warn(`${out}: no gate, because ${why}; the model answers any picture`);
}
