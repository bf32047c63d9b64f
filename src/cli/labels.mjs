// labels.mjs - the labelled films of `evaluate` and `adapt`: a CSV, or a folder with one sub-folder per label; and how
// their labels become those of the model.
import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { CommandError, usage } from '../node/errors.mjs';
import { tally } from '../stats/groups.mjs';
import { decodeText, readCsv } from './csv.mjs';
import { nameList } from './evaluation/checks.mjs';
import { films } from './paths.mjs';
import { warn, warnLeftOut } from './stdio.mjs';

/**
 * @typedef {import('../stats/evaluation.mjs').Row} Row
 * @typedef {import('../node/read.mjs').Item & { row: Row }} Labelled
 * @typedef {{ labels: string, root?: string, split?: string, by?: string, option?: string, verbose?: boolean, quiet?: boolean }} Options
 */

/** The columns that have a meaning, in lower case, as spreadsheets may not write them. */
const KNOWN = ['file', 'label', 'split', 'patient_id'];

/** How the separators of a CSV are called. @type {Record<string, string>} */
const SEPARATED = { ',': 'commas', ';': 'semicolons', '\t': 'tabs' };

/** @param {string} folder @param {Options} options @returns {Promise<Labelled[]>} */
async function fromFolder(folder, options) {
  const labels = readdirSync(folder)
    .filter((name) => !name.startsWith('.') && statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory())
    .sort();
  if (!labels.length)
    throw usage(`${folder} has no sub-folders. Put the films into one sub-folder per label, or pass a CSV.`);
  const byLabel = await Promise.all(
    labels.map(async (label) => {
      const { items, leftOut } = await films([join(folder, label)]);
      return { items: items.map((item) => ({ ...item, row: { file: item.file, label } })), leftOut };
    }),
  );
  warnLeftOut(
    byLabel.flatMap(({ leftOut }) => leftOut),
    options,
  );
  const items = byLabel.flatMap((one) => one.items),
    empty = items.find(({ code }) => code === 'no-films'); // a label without films
  if (empty) throw usage(`${empty.file}: ${empty.message}`);
  return items;
}

/**
 * @param {string} file @param {string} root @param {string[]} needed columns
 * @returns {Promise<Labelled[]>} throws CommandError if a column is missing
 */
async function fromCsv(file, root, needed) {
  const { columns, rows, separator } = readCsv(decodeText(await readFile(file)));
  /** The names of the columns in the file, by how Pleura calls them. */
  const names = new Map(columns.map((name) => [KNOWN.find((known) => known === name.toLowerCase()) ?? name, name]));
  const missing = needed.find((name) => !names.has(name));
  if (missing && rows.length)
    throw usage(
      `${file} has no column '${missing}'. Its columns, separated by ${SEPARATED[separator]}, are: ${columns.join(', ')}.`,
    );
  const resolve = (/** @type {string} */ name) => (isAbsolute(name) ? name : join(root, name));
  return rows.map((cells) => {
    const row = Object.fromEntries([...names].map(([known, name]) => [known, cells[name]]));
    return { file: resolve(row.file ?? ''), row: /** @type {Row} */ (row) };
  });
}

/**
 * @param {Options} options
 * @returns {Promise<{ items: Labelled[], columns: string[], all: Labelled[] }>} items: those of the split; columns:
 *   those of --by; all: whatever their split; throws CommandError
 */
export async function readLabels(options) {
  const { labels, root, split, by, option = '--labels' } = options,
    columns = by ? by.split(',').map((name) => name.trim()) : [],
    needed = ['file', 'label', ...(split ? ['split'] : []), ...columns];
  let all;
  try {
    all = await (statSync(labels).isDirectory()
      ? fromFolder(labels, options)
      : fromCsv(labels, root ?? dirname(labels), needed));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      `${labels} cannot be read (${error.code ?? error.message}). Check the path given to ${option}.`,
    );
  }
  const missing = all.length ? needed.find((column) => !Object.hasOwn(all[0].row, column)) : undefined;
  if (missing) throw usage(`${labels} has no column '${missing}': it is a folder.`);
  const items = all.filter(({ row }) => split === undefined || row.split === split);
  if (!items.length) throw usage(`${labels} lists no films${split === undefined ? '' : ` of the split '${split}'`}.`);
  return { items, columns, all };
}

/** Labels without case, and without blanks around them. @param {string} label */
const folded = (label) => label.trim().toLowerCase();

/**
 * The labels of --map. @param {string | undefined} list such as CAP=pneumonia,COVID-19=covid
 * @param {string[]} labels of the model @returns {Map<string, string>} labels of the model by folded labels
 */
function readMap(list, labels) {
  const map = new Map();
  for (const entry of list?.split(',') ?? []) {
    const at = entry.lastIndexOf('='),
      label = labels.find((one) => folded(one) === folded(entry.slice(at + 1)));
    if (at < 1 || label === undefined)
      throw usage(`--map needs WORD=LABEL,... with the labels ${labels.join(', ')}; not '${entry}'.`);
    map.set(folded(entry.slice(0, at)), label);
  }
  return map;
}

/** How many films have each label. @param {string[]} labels */
const counted = (labels) => [...tally(labels)].map(([label, n]) => `${label || '(empty)'} ${n}`).join(', ');

/**
 * The films with their labels written as the model writes them. Labels that it lacks stay, and are named.
 * @param {Labelled[]} items @param {string[]} labels of the model @param {string} [map] the text of --map
 * @returns {Labelled[]} throws CommandError if no label is one of the model's
 */
export function fitLabels(items, labels, map) {
  const known = readMap(map, labels);
  for (const label of labels) if (!known.has(folded(label))) known.set(folded(label), label);
  const fitted = items.map((item) => {
    const label = known.get(folded(item.row.label ?? ''));
    return label === undefined ? item : { ...item, row: { ...item.row, label } };
  });
  const strange = fitted.filter(({ row }) => !labels.includes(row.label));
  const found = counted(strange.map(({ row }) => row.label));
  if (strange.length === fitted.length)
    throw usage(
      `None of the films has a label of the model (${labels.join(', ')}). Found: ${found}. Name what they mean with --map, e.g. --map '${strange[0].row.label}=${labels[0]}'.`,
    );
  if (strange.length)
    warn(
      `Not scored, because the model lacks these labels: ${found} (${nameList(strange.map(({ file, row }) => row.file ?? file))}). --map can name what they mean.`,
    );
  return fitted;
}
