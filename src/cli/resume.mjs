// resume.mjs - the file of --resume: keeps earlier results, cuts off a half-written last line, appends new lines.
//
// A run can be killed at any moment. Its file then holds whole lines and perhaps the beginning of one more. The same
// command reads the file first, skips the films that it answers, and in the end the file is byte for byte what a run
// without interruption would have written. A file with anything else in it is left untouched.
import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  writeSync,
} from 'node:fs';
import { CommandError, usage } from '../node/errors.mjs';
import { pathOf } from '../node/names.mjs';
import { isShardLine } from '../node/shards.mjs';
import { isRecord, mixtureText } from '../result/record.mjs';

/** @typedef {import('../node/read.mjs').Item} Item */

const NEWLINE = 10;
/** In place of the descriptor of a file that is not open. */
const NONE = -1;
/** No line that Pleura writes is longer. */
const MAX_LINE = 1 << 20;
/** How the lines of Pleura begin, used to recognise a half-written last line. */
const PREFIXES = ['{"file":"', '{"place":', '{"shard":"'];

/**
 * The lines of a file, each with the offset of its end. The last line has no end if its newline is missing. A line that
 * is too long to be Pleura's is cut, and nothing follows it.
 * @param {string} path @returns {AsyncGenerator<{ line: Buffer, end: number | null }>}
 */
export async function* readLines(path) {
  let rest = Buffer.alloc(0),
    end = 0;
  for await (const chunk of createReadStream(pathOf(path), { highWaterMark: 1 << 20 })) {
    rest = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let to; (to = rest.indexOf(NEWLINE, from)) >= 0; from = to + 1) {
      end += to + 1 - from;
      yield { line: rest.subarray(from, to), end };
    }
    rest = rest.subarray(from);
    if (rest.length > MAX_LINE) return yield { line: rest, end: end + rest.length };
  }
  if (rest.length) yield { line: rest, end: null };
}

const isFlat = (/** @type {unknown} */ value) => value === null || typeof value !== 'object';

/** Whether objects are nested at most once, so that every field can be shown as text. @param {object} value */
const isShallow = (value) => Object.values(value).every((field) => isFlat(field) || Object.values(field).every(isFlat));

/** @param {Buffer} line @returns {any} a record, the first or last line of a shard, or null for anything else */
export function parseLine(line) {
  let value;
  try {
    value = JSON.parse(line.toString());
  } catch {
    return null;
  }
  if (isFlat(value) || !isShallow(value)) return null;
  return (value.shard === undefined ? isRecord(value) : isShardLine(value)) ? value : null;
}

/** @param {Buffer} line */
const isHalf = (line) => PREFIXES.some((prefix) => prefix.startsWith(line.toString('latin1', 0, prefix.length)));

/**
 * What earlier runs wrote.
 * @param {ReturnType<typeof readLines> | []} lines @param {boolean} sharded @param {(reason: string) => Error} foreign
 */
async function readPast(lines, sharded, foreign) {
  const past = {
    /** @type {string | null} the first line of a shard */ head: null,
    /** @type {Map<string, number>} how many records each file has */ done: new Map(),
    /** @type {Set<string>} */ models: new Set(),
    /** @type {Set<string>} */ mixtures: new Set(),
    records: 0,
    failed: false,
    /** the shard is complete */ ended: false,
    /** up to the end of the last whole line */ size: 0,
  };
  let number = 0;
  for await (const { line, end } of lines) {
    number++;
    const value = end === null ? null : parseLine(line);
    if (end === null ? !isHalf(line) : !value)
      throw foreign(`contains lines that Pleura did not write (line ${number})`);
    if (end === null) break;
    past.size = end;
    if (number === 1 && value.shard) past.head = line.toString();
    if (sharded !== (past.head !== null))
      throw foreign(sharded ? 'contains whole results, not a shard' : 'contains a shard, not whole results');
    if (value.records !== undefined) past.ended = true;
    if (!value.status) continue;
    past.records++;
    past.done.set(value.file, (past.done.get(value.file) ?? 0) + 1);
    past.failed ||= value.status === 'error';
    if (!value.model) continue;
    past.models.add(value.model);
    past.mixtures.add(mixtureText(value.prevalence));
  }
  return past;
}

/**
 * The items without those that are done; a file that is listed twice is done when it has two records.
 * @param {Item[]} items @param {Map<string, number>} done
 */
function withoutDone(items, done) {
  const left = new Map(done);
  return items.filter(({ file }) => {
    const records = left.get(file);
    if (records) left.set(file, records - 1);
    return !records;
  });
}

/**
 * @param {string} path @param {Item[]} items all films of this run @param {boolean} sharded
 * @returns {Promise<{ left: Item[], records: number, failed: boolean, ended: boolean,
 *   begin: (head: string, model: string, mixture: string) => void, append: (line: string) => void, close: () => void }>}
 *   left: the films that earlier runs have not answered; throws CommandError
 */
export async function openResume(path, items, sharded) {
  if (items.some(({ file }) => file === '-'))
    throw usage('--resume recognises films by their names, and standard input has none. Save the film first.');
  const foreign = (/** @type {string} */ reason) =>
    usage(`${path} ${reason}, so it was not changed. Pass another file to --resume.`);
  /** @template T @param {() => T} action @returns {T} */
  const attempt = (action) => {
    try {
      return action();
    } catch (error) {
      throw new CommandError(
        `${path} cannot be written (${error.code}). Its contents are kept. Fix the problem and run the command again.`,
      );
    }
  };
  const open = () => attempt(() => openSync(pathOf(path), 'a+'));
  // Do not create or truncate the file until the run is sure to proceed: that happens in begin().
  let fd = existsSync(pathOf(path)) ? open() : NONE;
  const found = fd === NONE ? null : fstatSync(fd);
  if (found && !found.isFile()) throw foreign('is not a regular file');
  const past = await readPast(found ? readLines(path) : [], sharded, foreign);
  let { size } = past;

  /** @param {number} expected size of the file if nobody else writes to it */
  function checkAlone(expected) {
    if (fstatSync(fd).size !== expected)
      throw new CommandError(
        `${path} is also being written by another process. Wait for it to finish, then try again.`,
      );
  }

  /** @param {string} line */
  function append(line) {
    checkAlone(size);
    const bytes = Buffer.from(`${line}\n`);
    attempt(() => {
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    });
    size += bytes.length;
  }

  /** @param {string} head @param {string} model @param {string} mixture */
  function begin(head, model, mixture) {
    const otherModel = [...past.models].find((name) => name !== model);
    if (otherModel) throw foreign(`contains results of another model (${otherModel})`);
    const otherMixture = [...past.mixtures].find((text) => text !== mixture);
    if (otherMixture !== undefined)
      throw foreign(`contains results at another prevalence (${otherMixture || "the model's own"})`);
    if (past.head !== null && past.head !== head)
      throw foreign('was started as another shard, with other films, another model or another prevalence');
    if (fd === NONE) fd = open();
    checkAlone(found?.size ?? 0);
    if (found && found.size > size) attempt(() => ftruncateSync(fd, size));
    if (head && past.head === null) append(head);
  }

  // Some network file systems report a full disk only at fsync.
  const close = () =>
    attempt(() => {
      fsyncSync(fd);
      closeSync(fd);
    });
  const left = past.ended ? [] : withoutDone(items, past.done);
  return { left, records: past.records, failed: past.failed, ended: past.ended, begin, append, close };
}
