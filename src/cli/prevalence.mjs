// prevalence.mjs - parses --prevalence: the share of each label among the people whose films are classified.
import { completeMixture, neededLabels } from '../mixture.mjs';
import { usage } from '../node/errors.mjs';

/** Shares have six decimals, like probabilities in records, so a record repeats exactly what was typed. */
const ONE = 1e6;

/**
 * @param {string} text such as covid=0.05,pneumonia=0.1; the one label that is missing gets the remainder, and the
 *   label for other findings may be missing too (`completeMixture`)
 * @param {Parameters<typeof completeMixture>[1]} model
 * @returns {import('../engine.mjs').Mixture} in the order of the labels; throws CommandError
 */
export function parsePrevalence(text, model) {
  const { labels } = model;
  /** @type {Map<string, number>} millionths by label */
  const shares = new Map();
  for (const part of text.split(',')) {
    const [, label, share] = part.match(/^(.+)=(0?\.\d{1,6}|0|1)$/) ?? [];
    if (!labels.includes(label))
      throw usage(
        `--prevalence needs LABEL=SHARE,... with shares from 0 to 1, at most six decimals, and the labels ${labels.join(', ')}; not '${part}'.`,
      );
    if (shares.has(label)) throw usage(`--prevalence names ${label} twice.`);
    shares.set(label, Math.round(Number(share) * ONE));
  }
  const needed = neededLabels(shares.keys(), model);
  const rest = ONE - [...shares.values()].reduce((sum, share) => sum + share, 0);
  if (shares.size < needed.length - 1) throw usage(`--prevalence must name all labels but one: ${needed.join(', ')}.`);
  if (rest < 0 || (shares.size === needed.length && rest > 0))
    throw usage('The shares of --prevalence must add up to 1.');
  return completeMixture(Object.fromEntries(needed.map((label) => [label, (shares.get(label) ?? rest) / ONE])), model);
}
