// results.mjs - answers that exist already: results and shards of `pleura`, or any model's predictions as a CSV.
//
// Neither the model nor a film is needed. Films are recognised by their path, or by the column sha256 where the list of
// labels has it.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sha256 } from '../../node/assets.mjs';
import { CommandError, usage } from '../../node/errors.mjs';
import { pathOf } from '../../node/names.mjs';
import { mixtureText, rounded } from '../../result/record.mjs';
import { parseCsv } from '../csv.mjs';
import { parseLine } from '../resume.mjs';
import { nameList } from './checks.mjs';

/**
 * @typedef {import('../../result/record.mjs').Answer} Answer
 * @typedef {import('../labels.mjs').Labelled} Labelled
 * @typedef {{ where: string, file: string, answer: Answer, model: string | null }} Prediction  where: file and row
 * @typedef {{ name: string, labels: string[], answers: Answer[], unlisted: number, mixture: string,
 *   files: { file: string, sha256: string }[] }} Results  answers: one per labelled film
 */

/** How far from 1 the probabilities of a film may add up. */
const TOLERANCE = 1e-3;

/** @param {string} path @returns {Promise<Buffer>} throws CommandError */
async function read(path) {
  try {
    return await readFile(pathOf(path));
  } catch (error) {
    throw new CommandError(`${path} cannot be read (${error.code ?? error.message}). Check the path.`);
  }
}

/** Whether a file holds results or predictions rather than weights (GGUF). @param {string} path @returns {Promise<boolean>} */
export const isResults = async (path) =>
  /\.(jsonl?|csv|tsv|txt)$/i.test(path) && (await read(path)).toString('latin1', 0, 4) !== 'GGUF';

/** Whether a file holds JSON Lines rather than a CSV. @param {Buffer} bytes */
const isJson = (bytes) => /^\s*\{/.test(bytes.toString('latin1', 0, 256));

/**
 * The records of a results file, of whole runs and of complete shards.
 * @param {string} path @param {Buffer} bytes @returns {{ predictions: Prediction[], labels: string[], mixtures: Set<string> }}
 */
function fromJsonLines(path, bytes) {
  /** @type {Prediction[]} */ const predictions = [];
  /** @type {Set<string>} */ const labels = new Set(),
    mixtures = new Set();
  let open = null;
  for (const [i, line] of bytes.toString('utf8').split('\n').entries()) {
    if (!line.trim()) continue;
    const value = parseLine(Buffer.from(line));
    if (!value) throw usage(`${path} contains lines that Pleura did not write (line ${i + 1}).`);
    if (value.shard) open = value.records === undefined ? value.shard : null;
    if (!value.status) continue;
    const where = `${path}, line ${i + 1}`;
    if (value.status === 'error') {
      predictions.push({ where, file: value.file, answer: { code: value.code, message: value.message }, model: null });
      continue;
    }
    for (const label of Object.keys(value.probability ?? {})) labels.add(label);
    mixtures.add(mixtureText(value.prevalence));
    predictions.push({ where, file: value.file, answer: value, model: value.model });
  }
  if (open)
    throw usage(`${path} is not finished: run shard ${open} again with --resume ${path}, then evaluate all shards.`);
  return { predictions, labels: [...labels], mixtures };
}

/**
 * The probability columns of a CSV: probability_LABEL, or else columns that are called like labels of the films.
 * @param {string} path @param {string[]} columns @param {string[]} known labels of the films
 * @returns {{ column: string, label: string }[]}
 */
function probabilityColumns(path, columns, known) {
  const prefixed = columns.filter((column) => column.startsWith('probability_'));
  const found = prefixed.length
    ? prefixed.map((column) => ({ column, label: column.slice('probability_'.length) }))
    : columns.filter((column) => known.includes(column)).map((column) => ({ column, label: column }));
  if (!found.length)
    throw usage(
      `${path} has no column of probabilities: call them probability_LABEL, or like the labels ${known.join(', ')}. Its columns are ${columns.join(', ')}.`,
    );
  return found;
}

/**
 * Predictions of any model: a row per film, with its file and one probability per label. A single column is the
 * probability of its label against the one other label of the films.
 * @param {string} path @param {Buffer} bytes @param {string[]} known labels of the films
 * @returns {{ predictions: Prediction[], labels: string[], mixtures: Set<string> }}
 */
function fromCsv(path, bytes, known) {
  const rows = parseCsv(bytes.toString('utf8'));
  if (!rows.length) throw usage(`${path} holds no predictions.`);
  const columns = Object.keys(rows[0]);
  if (!columns.includes('file')) throw usage(`${path} has no column 'file'. Its columns are ${columns.join(', ')}.`);
  const found = probabilityColumns(path, columns, known);
  const labels = found.map(({ label }) => label);
  if (found.length === 1) {
    const others = known.filter((label) => label !== labels[0]);
    if (others.length !== 1)
      throw usage(
        `${path} has one column of probabilities, ${found[0].column}, but the films have the labels ${known.join(', ')}. Add a column for each.`,
      );
    labels.push(others[0]);
  }
  const predictions = rows.map((row, i) => {
    const where = `${path}, row ${i + 2}`;
    if (row.status === 'error')
      return { where, file: row.file, answer: { code: row.code || 'error', message: row.message ?? '' }, model: null };
    const shares = found.map(({ column }) => (row[column]?.trim() ? Number(row[column]) : NaN));
    if (found.length === 1) shares.push(1 - shares[0]);
    const probability = Object.fromEntries(labels.map((label, j) => [label, shares[j]]));
    const verdict = row.verdict || labels[shares.indexOf(Math.max(...shares))];
    const gate = { accepted: verdict !== 'refused', score: 0, reason: row.reason || null };
    return {
      where,
      file: row.file,
      answer: { verdict, probability, gate, sha256: row.sha256 || undefined },
      model: row.model || null,
    };
  });
  const mixtures = new Set(rows.map((row) => row.prevalence ?? ''));
  return { predictions, labels, mixtures };
}

/** Refuses probabilities that are none. @param {Prediction[]} predictions @returns {void} throws CommandError */
function checkProbabilities(predictions) {
  const places = (/** @type {(shares: number[]) => boolean} */ wrong) =>
    predictions
      .filter(({ answer }) => answer.probability && wrong(Object.values(answer.probability)))
      .map(({ where }) => where);
  const unread = places((shares) => !shares.every((share) => share >= 0 && share <= 1));
  if (unread.length) throw usage(`A probability must be a number from 0 to 1. It is not in ${nameList(unread)}.`);
  const unlike = places((shares) => Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) > TOLERANCE);
  if (unlike.length) throw usage(`The probabilities of a film must add up to 1. They do not in ${nameList(unlike)}.`);
}

/** Names under which a film is found, best first. @param {string} file */
const keysOf = (file) => [`path ${resolve(file)}`, `name ${file}`];

/**
 * The prediction of each labelled film: by its path, by its hash, or by the one prediction whose path ends with the
 * film's name in the list.
 * @param {Prediction[]} predictions @param {Labelled[]} items @returns {(Prediction | undefined)[]} throws CommandError
 */
function match(predictions, items) {
  /** @type {Map<string, Prediction>} */ const byKey = new Map(),
    /** @type {Map<string, Prediction[]>} */ byEnd = new Map();
  /** @type {string[]} */ const twice = [];
  for (const prediction of predictions) {
    const [path, name] = keysOf(prediction.file);
    if (byKey.has(name)) twice.push(prediction.where);
    for (const key of [path, name]) byKey.set(key, prediction);
    const { sha256: hash } = prediction.answer;
    if (hash) byKey.set(`hash ${hash}`, prediction);
    const end = prediction.file.split(/[\\/]/).at(-1) ?? '';
    byEnd.set(end, [...(byEnd.get(end) ?? []), prediction]);
  }
  if (twice.length) throw usage(`A film has more than one prediction: ${nameList(twice)}. Remove all but one.`);
  return items.map(({ file, row }) => {
    const name = row.file ?? file;
    const direct =
      byKey.get(`path ${resolve(file)}`) ??
      byKey.get(`name ${name}`) ??
      (row.sha256 && byKey.get(`hash ${row.sha256}`));
    if (direct) return direct;
    const parts = name.split(/[\\/]/);
    const same = (byEnd.get(parts.at(-1) ?? '') ?? []).filter((one) => {
      const others = one.file.split(/[\\/]/);
      const [shorter, longer] = others.length < parts.length ? [others, parts] : [parts, others];
      return shorter.every((part, i) => part === longer[longer.length - shorter.length + i]);
    });
    if (same.length > 1)
      throw usage(
        `${name} could be ${nameList(same.map(({ where }) => where))}. Write its whole path, or a column sha256.`,
      );
    return same[0];
  });
}

/**
 * Reads results and gives each labelled film its answer; a film without one is an error `no-result`.
 * @param {string[]} paths @param {Labelled[]} items @returns {Promise<Results>} throws CommandError
 */
export async function readResults(paths, items) {
  const known = [...new Set(items.map(({ row }) => row.label))].sort();
  const files = [],
    sources = [];
  for (const path of paths) {
    const bytes = await read(path);
    files.push({ file: path, sha256: sha256(bytes) });
    sources.push(isJson(bytes) ? fromJsonLines(path, bytes) : fromCsv(path, bytes, known));
  }
  const predictions = sources.flatMap((one) => one.predictions);
  const labels = [...new Set(sources.flatMap((one) => one.labels))];
  const models = [...new Set(predictions.flatMap(({ model }) => model ?? []))];
  if (models.length > 1)
    throw usage(`The results are of several models: ${models.join('; ')}. Evaluate one at a time.`);
  const mixtures = [...new Set(sources.flatMap((one) => [...one.mixtures]))];
  if (mixtures.length > 1)
    throw usage(
      `The results are at several prevalences: ${mixtures.map((text) => text || "the model's own").join('; ')}.`,
    );
  const wrong = predictions.filter(
    ({ answer }) => answer.probability && labels.some((label) => !(label in (answer.probability ?? {}))),
  );
  if (wrong.length)
    throw usage(
      `Every film needs a probability of ${labels.join(', ')}. One is missing in ${nameList(wrong.map(({ where }) => where))}.`,
    );
  checkProbabilities(predictions);
  const matched = match(predictions, items);
  const used = new Set(matched);
  if (!matched.some(Boolean))
    throw usage(
      `None of the ${items.length} labelled films is in the results: ${items[0].row.file ?? items[0].file}, for example, while the results begin with ${predictions[0]?.file ?? 'nothing'}. Check --labels and --root.`,
    );
  return {
    name: models[0] ?? `predictions in ${paths.join(', ')}`,
    labels,
    answers: matched.map((prediction) =>
      prediction
        ? {
            ...prediction.answer,
            ...(prediction.answer.probability && { probability: rounded(prediction.answer.probability) }),
          }
        : { code: 'no-result', message: 'The results hold no such film.' },
    ),
    unlisted: predictions.filter((prediction) => !used.has(prediction)).length,
    mixture: mixtures[0] ?? '',
    files,
  };
}
