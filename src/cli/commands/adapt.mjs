// adapt.mjs - the `adapt` command: fits an adapter to your own labelled films and reports what it is worth on them.
import { adapt as fitAdapter } from '../../adapt/adapt.mjs';
import { MIN_FILMS, MIN_PATIENTS, selectFilms } from '../../adapt/crossval.mjs';
import { sha256 } from '../../node/assets.mjs';
import { CommandError } from '../../node/errors.mjs';
import { toJson } from '../../result/record.mjs';
import { patientOf } from '../../stats/evaluation.mjs';
import { adaptationMarkdown } from '../adaptation_markdown.mjs';
import { checkOutput, writeOutput } from '../gguf_output.mjs';
import { fitLabels, readLabels } from '../labels.mjs';
import { openRun } from '../run.mjs';
import { print, warn } from '../stdio.mjs';

/**
 * The films with what the last layer reads of them; films that the gate refuses have no features.
 * @param {import('../run.mjs').Run} run @param {import('../labels.mjs').Labelled[]} items
 */
async function readFeatures(run, items) {
  /** @type {import('../../adapt/crossval.mjs').Candidate[]} */
  const found = [];
  let errors = 0;
  for await (const { item, answer } of run.answers(items)) {
    const { row } = item;
    const { code, sha256: hash, gate, features } = answer;
    if (code || !hash) errors++;
    else
      found.push({
        label: row.label,
        hash,
        patient: patientOf({ row, answer }),
        features: (gate?.accepted && features) || null,
      });
  }
  return { found, errors };
}

/** @param {import('../../adapt/adapt.mjs').Shortage[]} missing */
function tooFew(missing) {
  const counts = missing.map(({ label, films, patients }) => `${label} has ${films} of ${patients}`).join(', ');
  return new CommandError(
    `Too few films: ${counts}; every label needs ${MIN_FILMS} films of ${MIN_PATIENTS} patients. Nothing was written.`,
  );
}

/** @param {string[]} _ no paths @param {any} options @returns {Promise<void>} throws CommandError */
export async function adapt(_, { out, json, map, ...options }) {
  await checkOutput(out);
  const { items } = await readLabels(options);
  const run = await openRun({ ...options, features: true, patients: true }, items.length);
  try {
    const { labels, model, name, parts } = run;
    const { found, errors } = await readFeatures(run, fitLabels(items, labels, map));
    const { films, leftOut } = selectFilms(found, labels);
    const { wasm, weights, sha256: base } = parts;
    const adapted = await fitAdapter({ wasm, weights, base, model, films, sha256 });
    if (!adapted.adapter) throw tooFew(adapted.missing);
    const { adapter, ...result } = adapted;
    await writeOutput(out, adapter);
    warn(`${out}: ${(adapter.length / 1000).toFixed(1)} KB. Use it with: pleura --adapter FILE`);
    const all = { model: name, overlay: sha256(adapter), leftOut: { ...leftOut, errors }, ...result };
    await print(json ? toJson(all) : adaptationMarkdown(all));
  } finally {
    await run.close();
  }
}
