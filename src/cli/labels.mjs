// labels.mjs - the labelled films of `evaluate` and `adapt`: a CSV, or a folder with one sub-folder per label.
import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { CommandError, usage } from '../node/errors.mjs';
import { parseCsv } from './csv.mjs';
import { films } from './paths.mjs';

/**
 * @typedef {import('../stats/evaluation.mjs').Row} Row
 * @typedef {import('../node/read.mjs').Item & { row: Row }} Labelled
 */

/** @param {string} folder @returns {Promise<Labelled[]>} */
async function fromFolder(folder) {
  const labels = readdirSync(folder)
    .filter((name) => !name.startsWith('.') && statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory())
    .sort();
  if (!labels.length)
    throw usage(`${folder} has no sub-folders. Put the films into one sub-folder per label, or pass a CSV.`);
  const byLabel = await Promise.all(
    labels.map(async (label) =>
      (await films([join(folder, label)])).map((item) => ({ ...item, row: { file: item.file, label } })),
    ),
  );
  const items = byLabel.flat(),
    empty = items.find(({ code }) => code === 'no-films'); // a label without films
  if (empty) throw usage(`${empty.file}: ${empty.message}`);
  return items;
}

/** @param {string} file @param {string} root @returns {Promise<Labelled[]>} */
async function fromCsv(file, root) {
  const rows = parseCsv(await readFile(file, 'utf8'));
  const resolve = (/** @type {string} */ name) => (isAbsolute(name) ? name : join(root, name));
  return rows.map((row) => ({ file: resolve(row.file ?? ''), row }));
}

/**
 * @param {{ labels: string, root?: string, split?: string, by?: string }} options
 * @returns {Promise<{ items: Labelled[], columns: string[], all: Labelled[] }>} items: those of the split; columns:
 *   those of --by; all: whatever their split; throws CommandError
 */
export async function readLabels({ labels, root, split, by }) {
  let all;
  try {
    all = await (statSync(labels).isDirectory() ? fromFolder(labels) : fromCsv(labels, root ?? dirname(labels)));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      `${labels} cannot be read (${error.code ?? error.message}). Check the path given to --labels.`,
    );
  }
  const columns = by ? by.split(',') : [];
  for (const column of ['file', 'label', ...(split ? ['split'] : []), ...columns]) {
    if (all.length && !Object.hasOwn(all[0].row, column)) throw usage(`${labels} has no column '${column}'.`);
  }
  const items = all.filter(({ row }) => split === undefined || row.split === split);
  if (!items.length) throw usage(`${labels} lists no films${split === undefined ? '' : ` of the split '${split}'`}.`);
  return { items, columns, all };
}
