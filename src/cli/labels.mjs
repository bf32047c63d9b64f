// The films of an evaluation and what is known of them: from a CSV, or from a folder with a sub-folder a label.
import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { films } from './paths.mjs';
import { CommandError, usage } from '../node/errors.mjs';

/** @typedef {Record<string, string>} Row @typedef {import('./paths.mjs').Item & { row: Row }} Labelled */

/** @param {string} text RFC 4180 @returns {Row[]} */
export function parseCsv(text) {
  const rows = [[]];
  let cell = '',
    at = text.charCodeAt(0) === 0xfeff ? 1 : 0,
    quoted = false,
    line = 0;
  const end = () => {
    rows.at(-1).push(cell);
    cell = '';
  };
  for (; at < text.length; at++) {
    const c = text[at];
    if (quoted ? c !== '"' : !',\r\n'.includes(c) && (c !== '"' || cell)) cell += c;
    else if (c === '"' && quoted && text[at + 1] === '"') {
      cell += c;
      at++;
    } else if (c === '"') {
      quoted = !quoted;
      line = rows.length;
    } else if (c === ',') end();
    else if (c === '\n') {
      end();
      rows.push([]);
    }
  }
  if (quoted)
    throw usage(
      `A quotation mark in row ${line} of the CSV is never closed, so the rest of the file would be one cell.`,
    );
  if (cell || rows.at(-1).length) end();
  const [head, ...body] = rows.filter((row) => row.length > 1 || row[0]);
  return body.map((row) => Object.fromEntries((head ?? []).map((name, i) => [name, row[i] ?? ''])));
}

/** @param {string} age in years @returns {string} */
export function ageBand(age) {
  const years = age.trim() === '' ? NaN : Number(age);
  if (!(years >= 0)) return 'unknown';
  return years < 18 ? '0-17' : years < 40 ? '18-39' : years < 60 ? '40-59' : years < 80 ? '60-79' : '80+';
}

/** @param {string} column @param {Row} row @returns {string} the group that a film belongs to */
export const group = (column, row) => (column === 'age' ? ageBand(row.age) : row[column].trim() || 'unknown');

/**
 * Whose film it is: what the CSV says, else the film itself, as a hash; null where neither does, so that it is a patient of its own.
 * @param {{ row: Row, answer: { patient?: string | null } }} film
 */
export const patientOf = ({ row, answer }) => row.patient_id || answer.patient || null;

/** @param {string} folder @returns {Promise<Labelled[]>} */
async function fromFolder(folder) {
  const names = readdirSync(folder)
    .filter((name) => !name.startsWith('.') && statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory())
    .sort();
  if (!names.length) throw usage(`${folder} has no sub-folders. Put the films into one for each label, or give a CSV.`);
  const found = await Promise.all(
    names.map(async (label) =>
      (await films([join(folder, label)])).map((item) => ({ ...item, row: { file: item.file, label } })),
    ),
  );
  const items = found.flat(),
    empty = items.find(({ code }) => code === 'no-films');
  if (empty) throw usage(`${empty.file}: ${empty.message}`); // no film of that label
  return items;
}

/** @param {string} file @param {string} root @returns {Promise<Labelled[]>} */
async function fromCsv(file, root) {
  const rows = parseCsv(await readFile(file, 'utf8'));
  const place = (name) => (isAbsolute(name) ? name : join(root, name));
  return rows.map((row) => ({ file: place(row.file ?? ''), row }));
}

/** @param {{ labels: string, root?: string, split?: string, by?: string }} options @returns {Promise<{ items: Labelled[], columns: string[] }>} */
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
  if (!items.length) throw usage(`${labels} lists no film${split === undefined ? '' : ` of the split '${split}'`}.`);
  return { items, columns };
}
