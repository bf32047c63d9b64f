// merge.mjs - the `merge` command: joins the files of all shards, byte-identical to a single-machine run, or prints the
// results of a whole run in another form.
//
// Every file is read twice. The first pass checks that the shards are complete, belong to one run and hold each film
// once, so that nothing is printed if anything is wrong. The second pass prints the records in the order of the films.
import { statSync } from 'node:fs';
import { CommandError } from '../../node/errors.mjs';
import { pathOf } from '../../node/names.mjs';
import { csv, jsonLines, mixtureText } from '../../result/record.mjs';
import { parseLine, readLines } from '../resume.mjs';
import { print, warn } from '../stdio.mjs';

/** Stop listing problems here; more would only scroll. */
const MAX_PROBLEMS = 100;

/** What is wrong with one file: the rest of a sentence that begins with its path. */
class Problem extends Error {}

/**
 * The first pass over one file.
 * @param {string} path @param {(place: number) => void} onFilm called for each film in it
 * @returns {Promise<{ head: any, complete: boolean }>} throws Problem
 */
async function survey(path, onFilm) {
  if (!statSync(pathOf(path)).isFile())
    throw new Problem('is not a regular file. Shards are read twice: save it to disk first.');
  let head = null,
    records = 0,
    complete = false,
    last = -1;
  for await (const { line, end } of readLines(path)) {
    const value = end === null ? null : parseLine(line);
    if (!head) {
      if (value?.status && value.place === undefined)
        throw new Problem('is a whole run, not a shard. Merge shards, or pass a whole run alone.');
      if (!(value?.shard && Number.isInteger(value.films)))
        throw new Problem('is not a shard. Create it with --shard.');
      head = value;
    } else if (!value || complete) {
      return { head, complete: false }; // A line that is not Pleura's, or one after the end.
    } else if (value.records !== undefined) {
      complete = value.records === records;
    } else if (!(value.place > last)) {
      throw new Problem('does not list its films in order, so it was changed. Run this shard again.');
    } else {
      records++;
      last = value.place;
      onFilm(last);
    }
  }
  if (!head) throw new Problem('is empty. Create it with --shard.');
  return { head, complete };
}

/**
 * @typedef {{ path: string, head: any, index: number, of: number }} Shard
 * @param {string} path @param {(place: number) => void} onFilm
 * @returns {Promise<{ shard?: Shard, problem?: string }>}
 */
async function inspect(path, onFilm) {
  try {
    const { head, complete } = await survey(path, onFilm);
    if (!complete) return { problem: `${path} is not finished: run shard ${head.shard} again with --resume ${path}.` };
    const [index, of] = head.shard.split('/').map(Number);
    return { shard: { path, head, index, of } };
  } catch (error) {
    if (error instanceof Problem) return { problem: `${path} ${error.message}` };
    if (!error.code) throw error;
    return { problem: `${path} cannot be read (${error.code}). Check the path.` };
  }
}

/**
 * What keeps two shards from being parts of one run.
 * @param {Shard} shard @param {Shard} first @returns {string | null}
 */
function mismatch({ path, head, of }, first) {
  const mixture = (/** @type {{ prevalence?: { [label: string]: number } }} */ { prevalence }) =>
    mixtureText(prevalence) || "the model's own";
  if (of !== first.of) return `${path} is one of ${of} shards, ${first.path} one of ${first.of}.`;
  if (head.model !== first.head.model)
    return `${path} is of another model (${head.model}) than ${first.path} (${first.head.model}).`;
  if (mixture(head) !== mixture(first.head))
    return `${path} is at another prevalence (${mixture(head)}) than ${first.path} (${mixture(first.head)}).`;
  if (head.list !== first.head.list)
    return `${path} was made from other films than ${first.path}: pass the same paths to every shard.`;
  return null;
}

/** Shards that were passed twice or not at all. @param {Shard[]} shards @returns {string[]} */
function miscounted(shards) {
  const problems = [],
    byIndex = new Map(),
    [{ of }] = shards;
  for (const { path, head, index } of shards) {
    if (byIndex.has(index))
      problems.push(`${byIndex.get(index)} and ${path} are both shard ${head.shard}. Pass only one of them.`);
    byIndex.set(index, path);
  }
  for (let index = 1; index <= of; index++) {
    if (byIndex.has(index)) continue;
    if (problems.length > MAX_PROBLEMS) return [...problems, `…and more of the ${of} shards are missing.`];
    problems.push(`Shard ${index}/${of} is missing.`);
  }
  return problems;
}

/**
 * The first film that is not in exactly one shard.
 * @param {number} films @param {Map<number, number>} holders how many shards hold each film
 */
function gaps(films, holders) {
  let place = 0;
  while (place < films && holders.get(place) === 1) place++;
  if (place < films) {
    const where = holders.has(place) ? 'more than one shard' : 'no shard';
    return [
      `Film ${place + 1} of ${films} is in ${where}: it was changed, or unreadable on one of the machines. Run all shards again.`,
    ];
  }
  if (holders.size === films) return [];
  return [
    `The shards hold ${holders.size} films, not the ${films} of their run: they were changed. Run all shards again.`,
  ];
}

/**
 * The first pass over all files.
 * @param {string[]} paths @returns {Promise<{ films: number, labels: string[], problems: string[] }>}
 */
async function check(paths) {
  /** @type {Map<number, number>} */ const holders = new Map();
  const count = (/** @type {number} */ place) => holders.set(place, (holders.get(place) ?? 0) + 1);
  const inspected = [];
  for (const path of paths) inspected.push(await inspect(path, count));
  const problems = inspected.flatMap(({ problem }) => problem ?? []);
  if (problems.length) return { films: 0, labels: [], problems };
  const shards = inspected.flatMap(({ shard }) => shard ?? []),
    [first] = shards,
    { films, labels } = first.head;
  const mismatches = shards.slice(1).flatMap((shard) => mismatch(shard, first) ?? []);
  if (mismatches.length) return { films, labels, problems: mismatches };
  const miscounts = miscounted(shards);
  return { films, labels, problems: miscounts.length ? miscounts : gaps(films, holders) };
}

/** The records of one shard, in order. @param {string} path */
async function* recordsOf(path) {
  try {
    for await (const { line } of readLines(path)) {
      const value = parseLine(line);
      if (value?.status) yield value;
    }
  } catch (error) {
    if (!error.code) throw error;
    const advice =
      error.code === 'EMFILE' || error.code === 'ENFILE'
        ? 'All shards are open at once: allow more open files (ulimit -n).'
        : 'Merge again.';
    throw new CommandError(`${path} cannot be read (${error.code}). ${advice}`);
  }
}

/**
 * The lines of the merged run. Sets the exit code if a film has an error.
 * @param {string[]} paths @param {{ csv?: boolean }} options
 * @returns {AsyncGenerator<string>} throws CommandError, before the first line if the shards do not fit together
 */
export async function* mergedLines(paths, options) {
  const { films, labels, problems } = await check(paths);
  const last = problems.pop();
  for (const problem of problems) warn(`pleura: ${problem}`);
  if (last) throw new CommandError(last);

  const format = options.csv ? csv(labels) : jsonLines();
  const sources = paths.map(recordsOf);
  const heads = await Promise.all(sources.map(async (source) => (await source.next()).value));
  if (format.head) yield format.head;
  for (let place = 0; place < films; place++) {
    const next = heads.findIndex((record) => record?.place === place);
    if (next < 0) throw new CommandError('A shard was changed while it was being merged. Merge again.');
    const { place: _, ...record } = heads[next];
    if (record.status === 'error') process.exitCode = 1;
    yield format.row(record);
    heads[next] = (await sources[next].next()).value;
  }
}

/** Whether a file begins with a record that belongs to no shard. @param {string} path */
async function isWholeRun(path) {
  for await (const { line } of readLines(path)) {
    const value = parseLine(line);
    return Boolean(value?.status) && value.place === undefined;
  }
  return false;
}

/**
 * The lines of a whole run's results. Their labels are those of the first diagnosis.
 * @param {string} path @param {{ csv?: boolean }} options
 */
async function* wholeLines(path, options) {
  const records = [];
  for await (const record of recordsOf(path)) records.push(record);
  const labels = Object.keys(records.find(({ probability }) => probability)?.probability ?? {});
  const format = options.csv ? csv(labels) : jsonLines();
  if (format.head) yield format.head;
  for (const record of records) {
    if (record.status === 'error') process.exitCode = 1;
    yield format.row(record);
  }
}

/** @param {string[]} paths @param {{ csv?: boolean }} options @returns {Promise<void>} throws CommandError */
export async function merge(paths, options) {
  const whole = paths.length === 1 && (await isWholeRun(paths[0]).catch(() => false)); // check() names what is unreadable
  for await (const line of whole ? wholeLines(paths[0], options) : mergedLines(paths, options)) await print(line);
}
