// What --prevalence says: the share of each label among the people whose films are read.
import { usage } from '../node/errors.mjs';

/** Shares are as fine as probabilities in records, so that a record says exactly what was asked for. */
const WHOLE = 1e6;

/**
 * @param {string} text such as covid=0.05,pneumonia=0.1: what is left belongs to the one label that is not named
 * @param {string[]} labels of the model @returns {import('../engine.mjs').Mixture} in their order
 */
export function parsePrevalence(text, labels) {
  const parts = text.split(','),
    given = new Map(
      parts.map((part) => {
        const [, label, share] = part.match(/^(.+)=(0?\.\d{1,6}|0|1)$/) ?? [];
        if (!labels.includes(label))
          throw usage(
            `--prevalence takes LABEL=SHARE,... with shares from 0 to 1, of six digits at most, and the labels ${labels.join(', ')}; not '${part}'.`,
          );
        return /** @type {[string, number]} */ ([label, Math.round(Number(share) * WHOLE)]);
      }),
    );
  if (given.size < parts.length) throw usage('--prevalence names a label twice.');
  const rest = WHOLE - [...given.values()].reduce((sum, share) => sum + share, 0);
  if (given.size < labels.length - 1) throw usage(`--prevalence has to name all labels but one: ${labels.join(', ')}.`);
  if (rest < 0 || (given.size === labels.length && rest > 0))
    throw usage('The shares of --prevalence have to add up to 1.');
  return Object.fromEntries(labels.map((label) => [label, (given.get(label) ?? rest) / WHOLE]));
}
