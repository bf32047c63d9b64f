// The `adapt` sub-command: a person's own labelled films make an overlay, with what it is worth on films like these.
import { adapt } from '../../adapt/adapt.mjs';
import { MIN_FILMS, MIN_PATIENTS, selectFilms } from '../../adapt/crossval.mjs';
import { patientOf, readLabels } from '../labels.mjs';
import { checkOutput, writeOutput } from '../gguf_output.mjs';
import { harmless, toJson } from '../../result/record.mjs';
import { loadParts, sha256 } from '../../node/assets.mjs';
import { CommandError, usage } from '../../node/errors.mjs';
import { adaptation } from '../markdown.mjs';

/**
 * @param {{ labels: string, out: string, root?: string, split?: string, json?: boolean, jobs?: string, model?: string }} options
 * @param {Function} runFilms of the command @returns {Promise<string>} what to print; throws CommandError
 */
export async function refit({ out, json, ...options }, runFilms) {
  await checkOutput(out);
  const { items } = await readLabels(options),
    parts = await loadParts(options.model),
    found = [];
  let errors = 0;
  const { model, name } = await runFilms(
    items,
    { ...options, features: true, patients: true },
    ({ model: { labels } }) => {
      if (!items.some(({ row }) => labels.includes(row.label)))
        throw usage(`None of the films has a label of the model: ${labels.join(', ')}.`);
    },
    ({ row }, answer) => {
      if (answer.code) errors++;
      else
        found.push({
          label: row.label,
          hash: answer.sha256,
          patient: patientOf({ row, answer }),
          features: answer.gate.accepted ? answer.features : null,
        });
    },
  );
  const { films, leftOut } = selectFilms(found, model.labels);
  const { adapter, ...result } = await adapt({
    wasm: parts.wasm,
    weights: parts.weights,
    base: parts.sha256,
    model,
    films,
    sha256,
  });
  if (result.missing.length) {
    const lacking = result.missing
      .map(({ label, films: n, patients }) => `${label} has ${n} of ${patients}`)
      .join(', ');
    throw new CommandError(
      `Too few films: ${lacking}; every label needs ${MIN_FILMS} films of ${MIN_PATIENTS} patients. Nothing was written.`,
    );
  }
  await writeOutput(out, adapter);
  process.stderr.write(`${harmless(out)}: ${(adapter.length / 1000).toFixed(1)} KB. Use it: pleura --overlay FILE\n`);
  const all = { model: name, overlay: sha256(adapter), leftOut: { ...leftOut, errors }, ...result };
  return json ? toJson(all) : adaptation(all);
}
