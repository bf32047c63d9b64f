// The `merge` sub-command: the files of all shards in, the results of one machine out, byte for byte; or what is wrong.
import { parseLine, readLines } from './ledger.mjs';
import { csv, harmless, jsonLines, mixtureText } from './records.mjs';
import { CommandError } from './shipped.mjs';

/** Whether a first line is that of a shard, in all that is made use of. @param {any} value */
const isHead = (value) => /^[1-9]\d{0,5}\/[1-9]\d{0,5}$/.test(value?.shard) && Number.isSafeInteger(value.films) && value.films >= 0
  && Array.isArray(value.labels) && value.labels.every((label) => typeof label === 'string');

/**
 * Reads one file through; what it says of itself, or what is wrong with it.
 * @param {string} path @param {(place: number) => void} see each film that it holds
 */
async function survey(path, see) {
  let head = null, records = 0, ended = false, number = 0, last = -1;
  try {
    for await (const { line, end } of readLines(path)) {
      const value = end === null ? null : parseLine(line);
      if (++number === 1) {
        if (!isHead(value)) return { path, wrong: 'is not a shard. Make it with --shard.' };
        head = value;
      } else if (!value || ended) break;
      else if (value.records !== undefined) ended = value.records === records;
      else if (!(Number.isInteger(value.place) && value.place > last && value.place < head.films && value.status)) break;
      else {
        records++;
        see(last = value.place);
      }
    }
  } catch (error) {
    return { path, wrong: `cannot be read (${error.code}). Check the path.` };
  }
  if (!head) return { path, wrong: 'is empty. Make it with --shard.' };
  const [index, of] = head.shard.split('/').map(Number);
  return { path, head, index, of, wrong: ended ? null : `is not finished: run shard ${head.shard} again with --resume ${path}.` };
}

/** What keeps the shards from being one run, a sentence each. */
function contradictions(shards) {
  const [first] = shards;
  const problems = [], mixture = ({ prevalence }) => mixtureText(prevalence) || "the model's own";
  for (const { path, head, of } of shards.slice(1)) {
    if (of !== first.of) problems.push(`${path} is one of ${of} shards, ${first.path} one of ${first.of}.`);
    else if (head.model !== first.head.model) problems.push(`${path} is of another model (${head.model}) than ${first.path} (${first.head.model}).`);
    else if (mixture(head) !== mixture(first.head)) problems.push(`${path} is at another prevalence (${mixture(head)}) than ${first.path} (${mixture(first.head)}).`);
    else if (head.list !== first.head.list) problems.push(`${path} was made from other films than ${first.path}: give every shard the same paths.`);
  }
  if (problems.length) return problems;
  const byIndex = new Map();
  for (const { path, head, index } of shards) {
    if (byIndex.has(index)) problems.push(`${byIndex.get(index)} and ${path} are both shard ${head.shard}. Give one of them only.`);
    byIndex.set(index, path);
  }
  for (let index = 1; index <= first.of; index++) if (!byIndex.has(index)) problems.push(`Shard ${index}/${first.of} is missing.`);
  return problems;
}

/** @param {Map<number, number>} holders how many shards hold each film @param {number} films */
function gaps(holders, films) {
  let place = 0;
  while (place < films && holders.get(place) === 1) place++;
  if (place === films) return [];
  return [`Film ${place + 1} of ${films} is in ${holders.has(place) ? 'more than one shard' : 'no shard'}: it was changed, or unreadable on one of the machines. Run all shards again.`];
}

/** The records of one shard, in order. @param {string} path */
async function* recordsOf(path) {
  for await (const { line } of readLines(path)) {
    const value = parseLine(line);
    if (value.status) yield value;
  }
}

/**
 * @param {string[]} paths @param {{ csv?: boolean }} options @param {(text: string) => Promise<void>} print
 * @returns {Promise<void>} throws CommandError
 */
export async function merge(paths, options, print) {
  /** @type {Map<number, number>} */ const holders = new Map();
  const shards = [];
  for (const path of paths) shards.push(await survey(path, (place) => { holders.set(place, (holders.get(place) ?? 0) + 1); }));
  let problems = shards.filter(({ wrong }) => wrong).map(({ path, wrong }) => `${path} ${wrong}`);
  if (!problems.length) problems = contradictions(shards);
  const { films, labels } = shards[0].head ?? {};
  if (!problems.length) problems = gaps(holders, films);
  if (problems.length) {
    for (const problem of problems.slice(0, -1)) process.stderr.write(`pleura: ${harmless(problem)}\n`);
    throw new CommandError(problems.at(-1));
  }

  const format = options.csv ? csv(labels) : jsonLines();
  if (format.head) await print(format.head);
  const sources = paths.map(recordsOf);
  const heads = await Promise.all(sources.map(async (source) => (await source.next()).value));
  for (let place = 0; place < films; place++) {
    const at = heads.findIndex((record) => record?.place === place);
    const { place: _, ...record } = heads[at];
    if (record.status === 'error') process.exitCode = 1;
    await print(format.row(record));
    heads[at] = (await sources[at].next()).value;
  }
}
