// shards.mjs - splits a run over several machines: the shard of a film, and the lines that frame a shard's results.
//
// Every machine is given all films and diagnoses those that it owns. A film's owner follows from its content, so
// neither names nor places matter. The first line of a shard's file describes the run, `{"shard":"1/4","films":100}`,
// and its last line says that it is complete, `{"shard":"1/4","records":25}`; `pleura merge` checks both.
import { createHash } from 'node:crypto';
import { toJson } from '../result/record.mjs';
import { sha256 } from './assets.mjs';

/** @typedef {{ index: number, of: number }} Shard  index: from 1 */

/** @param {Shard} shard */
export const labelOf = ({ index, of }) => `${index}/${of}`;

/** @param {Shard} shard @param {string} hash SHA-256 of a film */
export const owns = ({ index, of }, hash) => parseInt(hash.slice(0, 12), 16) % of === index - 1;

/** The owner of a film that cannot be read follows from its name. @param {Shard} shard @param {string} file */
export const ownsName = (shard, file) => owns(shard, sha256(Buffer.from(file)));

/** A hash of the names of all films: shards of one run have it in common. @param {{ file: string }[]} items */
function listHash(items) {
  const hash = createHash('sha256');
  for (const { file } of items) hash.update(`${toJson(file)}\n`);
  return hash.digest('hex');
}

/**
 * The first line of a shard.
 * @param {Shard} shard @param {{ file: string }[]} items of all shards @param {string} model @param {string[]} labels
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

/** The last line of a shard. @param {Shard} shard @param {number} records */
export const ending = (shard, records) => ({ shard: labelOf(shard), records });

const isCount = (/** @type {any} */ value) => Number.isSafeInteger(value) && value >= 0;

/**
 * Whether a value can be the first or the last line of a shard.
 * @param {any} value parsed from JSON, not null @returns {boolean}
 */
export function isShardLine({ shard, films, list, model, labels, records }) {
  if (typeof shard !== 'string' || !/^[1-9]\d{0,5}\/[1-9]\d{0,5}$/.test(shard)) return false;
  if (isCount(records)) return true;
  return (
    isCount(films) &&
    typeof list === 'string' &&
    typeof model === 'string' &&
    Array.isArray(labels) &&
    labels.every((label) => typeof label === 'string')
  );
}
