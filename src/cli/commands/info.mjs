// info.mjs - the `info` command: what the model is, and with --layers where the time goes.
import { createEngine } from '../../engine.mjs';
import { loadParts } from '../../node/assets.mjs';
import { harmless, mixtureText, rounded, toJson } from '../../result/record.mjs';
import { loadNamed } from '../assets.mjs';
import { print } from '../stdio.mjs';
import { layerTable } from '../table.mjs';

/** The minimum over so many rounds is the time of a layer that nothing else disturbs. */
const PROFILE_ROUNDS = 20;

/** @param {{ base: string, films: { [label: string]: number } }} adapted what an adapter was fitted to */
function adaptedText({ base, films }) {
  const counts = Object.entries(films).map(([label, n]) => `${label} ${n}`);
  return `from the weights ${base.slice(0, 12)} to your own films: ${counts.join(', ')}`;
}

/** @param {any} facts */
async function printFacts(facts) {
  const shown = {
    ...facts,
    labels: facts.labels.join(', '),
    prior: mixtureText(facts.prior) || 'unknown',
    ...(facts.adapted && { adapted: adaptedText(facts.adapted) }),
  };
  for (const [name, text] of Object.entries(shown)) await print(`${name.padEnd(9)}${harmless(text)}`);
}

/** @param {string[]} _ no paths @param {any} options */
export async function info(_, options) {
  const { wasm, dot, weights, sha256 } = await loadParts(options.model, options.adapter);
  const engine = await loadNamed(options.model, () => createEngine({ wasm, dot, weights }));
  const { name, version, labels, other, prior, license, adapted, summary, notice } = engine.model;
  const facts = {
    name,
    version,
    labels,
    ...(other && { other }),
    prior: prior && rounded(prior),
    license,
    sha256,
    ...(adapted && { adapted }),
    summary,
    notice,
  };
  const layers = options.layers ? engine.profile(PROFILE_ROUNDS) : null;
  if (options.json) return print(toJson(layers ? { ...facts, layers } : facts));
  await printFacts(facts);
  if (layers?.length) await print(layerTable(layers));
}
