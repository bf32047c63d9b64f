// The `merge` sub-command: the files of all shards in, the results of one machine out, byte for byte; or what is wrong.
import { statSync } from 'node:fs';
import { parseLine, readLines } from '../resume.mjs';
import { pathOf } from '../../node/names.mjs';
import { csv, harmless, jsonLines, mixtureText } from '../../result/record.mjs';
import { CommandError } from '../../node/errors.mjs';

/** Of so many problems more would tell nothing. */
const MOST_PROBLEMS = 100;

/**
 * Reads one file through; what it says of itself, or what is wrong with it.
 * @param {string} path @param {(place: number) => void} see each film that it holds
 */
async function survey(path, see) {
  let head = null,
    records = 0,
    ended = false,
    number = 0,
    last = -1;
  try {
    if (!statSync(pathOf(path)).isFile())
      return { path, wrong: 'is no ordinary file, and shards are read twice. Save it first.' };
    for await (const { line, end } of readLines(path)) {
      const value = end === null ? null : parseLine(line);
      if (++number === 1) {
        if (!(value?.shard && Number.isInteger(value.films)))
          return { path, wrong: 'is not a shard. Make it with --shard.' };
        head = value;
      } else if (!value || ended) {
        ended = false;
        break;
      } else if (value.records !== undefined) ended = value.records === records;
      else if (!(value.place > last))
        return { path, wrong: 'does not hold its films in their order: it was changed. Run this shard again.' };
      else {
        records++;
        see((last = value.place));
      }
    }
  } catch (error) {
    return { path, wrong: `cannot be read (${error.code}). Check the path.` };
  }
  if (!head) return { path, wrong: 'is empty. Make it with --shard.' };
  const [index, of] = head.shard.split('/').map(Number);
  return {
    path,
    head,
    index,
    of,
    wrong: ended ? null : `is not finished: run shard ${head.shard} again with --resume ${path}.`,
  };
}

/** What keeps the shards from being one run, a sentence each. */
function contradictions(shards) {
  const [first] = shards;
  const problems = [],
    mixture = ({ prevalence }) => mixtureText(prevalence) || "the model's own";
  for (const { path, head, of } of shards.slice(1)) {
    if (of !== first.of) problems.push(`${path} is one of ${of} shards, ${first.path} one of ${first.of}.`);
    else if (head.model !== first.head.model)
      problems.push(`${path} is of another model (${head.model}) than ${first.path} (${first.head.model}).`);
    else if (mixture(head) !== mixture(first.head))
      problems.push(`${path} is at another prevalence (${mixture(head)}) than ${first.path} (${mixture(first.head)}).`);
    else if (head.list !== first.head.list)
      problems.push(`${path} was made from other films than ${first.path}: give every shard the same paths.`);
  }
  if (problems.length) return problems;
  const byIndex = new Map();
  for (const { path, head, index } of shards) {
    if (byIndex.has(index))
      problems.push(`${byIndex.get(index)} and ${path} are both shard ${head.shard}. Give one of them only.`);
    byIndex.set(index, path);
  }
  for (let index = 1; index <= first.of; index++) {
    if (byIndex.has(index)) continue;
    if (problems.length > MOST_PROBLEMS) return [...problems, `More of the ${first.of} shards are missing.`];
    problems.push(`Shard ${index}/${first.of} is missing.`);
  }
  return problems;
}

/** The first film that is not in one shard. @param {number} films @param {Map<number, number>} holders how many shards hold each of them */
function gaps(films, holders) {
  let lost = 0;
  while (lost < films && holders.get(lost) === 1) lost++;
  if (lost === films)
    return holders.size === films
      ? []
      : [
          `The shards hold ${holders.size} films, not the ${films} of their run: they were changed. Run all shards again.`,
        ];
  return [
    `Film ${lost + 1} of ${films} is in ${holders.has(lost) ? 'more than one shard' : 'no shard'}: it was changed, or unreadable on one of the machines. Run all shards again.`,
  ];
}

/** The records of one shard, in order. @param {string} path */
async function* recordsOf(path) {
  try {
    for await (const { line } of readLines(path)) {
      const value = parseLine(line);
      if (value.status) yield value;
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
 * @param {string[]} paths @param {{ csv?: boolean }} options @param {(text: string) => Promise<void>} print
 * @returns {Promise<void>} throws CommandError
 */
export async function merge(paths, options, print) {
  /** @type {Map<number, number>} */ const holders = new Map();
  const shards = [];
  for (const path of paths)
    shards.push(
      await survey(path, (place) => {
        holders.set(place, (holders.get(place) ?? 0) + 1);
      }),
    );
  let problems = shards.filter(({ wrong }) => wrong).map(({ path, wrong }) => `${path} ${wrong}`);
  if (!problems.length) problems = contradictions(shards);
  const { films, labels } = shards[0].head ?? {};
  if (!problems.length) problems = gaps(films, holders);
  if (problems.length) {
    for (const problem of problems.slice(0, -1)) process.stderr.write(`pleura: ${harmless(problem)}\n`);
    throw new CommandError(problems.at(-1));
  }

  const format = options.csv ? csv(labels) : jsonLines();
  const sources = paths.map(recordsOf);
  const heads = await Promise.all(sources.map(async (source) => (await source.next()).value));
  if (format.head) await print(format.head);
  for (let place = 0; place < films; place++) {
    const at = heads.findIndex((record) => record?.place === place);
    if (at < 0) throw new CommandError('A shard was changed while it was merged. Merge again.');
    const { place: _, ...record } = heads[at];
    if (record.status === 'error') process.exitCode = 1;
    await print(format.row(record));
    heads[at] = (await sources[at].next()).value;
  }
}
