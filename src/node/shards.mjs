// Parts of a run for several machines: which films are whose, and what a part says of itself so that all can be merged.
import { createHash } from 'node:crypto';
import { toJson } from '../result/record.mjs';
import { sha256 } from './assets.mjs';
import { usage } from './errors.mjs';

/** @typedef {{ index: number, of: number }} Shard  the first is 1 */

/** @param {string} text @returns {Shard} */
export function parseShard(text) {
  const [, index, of] = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text)?.map(Number) ?? [];
  if (!(index <= of)) throw usage(`--shard takes two numbers like 1/4 to 4/4, not '${text}'.`);
  return { index, of };
}

/** @param {Shard} shard */
export const labelOf = ({ index, of }) => `${index}/${of}`;

/** By content, so that neither names nor places matter. @param {Shard} shard @param {string} hash SHA-256 of a film */
export const owns = ({ index, of }, hash) => parseInt(hash.slice(0, 12), 16) % of === index - 1;

/** A film that cannot be read goes by its name. @param {Shard} shard @param {string} file */
export const ownsName = (shard, file) => owns(shard, sha256(Buffer.from(file)));

/** @param {import('../cli/paths.mjs').Item[]} items @returns {string} what two shards of the same run have in common */
function listHash(items) {
  const hash = createHash('sha256');
  for (const { file } of items) hash.update(`${toJson(file)}\n`);
  return hash.digest('hex');
}

/**
 * The first line of a shard: of which run it is a part. Its last line, `{"shard":"1/4","records":25}`, says that it is whole.
 * @param {Shard} shard @param {import('../cli/paths.mjs').Item[]} items of all shards @param {string} model @param {string[]} labels
 * @param {import('../engine.mjs').Mixture | null} prevalence
 */
export const heading = (shard, items, model, labels, prevalence) => ({
  shard: labelOf(shard),
  films: items.length,
  list: listHash(items),
  model,
  labels,
  ...(prevalence && { prevalence }),
});
