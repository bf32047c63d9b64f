// The file of --resume: what earlier runs have written is kept, a half-written last line is cut off, new lines are appended.
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
import { pathOf } from '../node/names.mjs';
import { mixtureText } from '../result/record.mjs';
import { CommandError, usage } from '../node/errors.mjs';

const NEWLINE = 10;
/** Longer than any line of ours. */
const LONGEST = 1 << 20;
/** How a line of ours begins, by which one that is half-written is known. */
const BEGINNINGS = ['{"file":"', '{"place":', '{"shard":"'];

/**
 * The lines of a file, each with the place of its end; the last has none where it is half-written. One that is longer than
 * any of ours is cut there, and the last.
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
    if (rest.length > LONGEST) return yield { line: rest, end: end + rest.length };
  }
  if (rest.length) yield { line: rest, end: null };
}

const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isFlat = (value) => value === null || typeof value !== 'object';

/** A record, or what a shard says of itself at its beginning and its end: whoever is given one need not ask again. @param {any} value */
function isOurs(value) {
  const { file, status, model, place, shard, records, films, list, labels } = value;
  if (!Object.values(value).every((part) => isFlat(part) || Object.values(part).every(isFlat))) return false;
  if (shard === undefined)
    return (
      typeof file === 'string' &&
      (status === 'error' ? model === undefined : status === 'ok' && typeof model === 'string') &&
      (place === undefined || isCount(place))
    );
  if (!/^[1-9]\d{0,5}\/[1-9]\d{0,5}$/.test(shard)) return false;
  return (
    isCount(records) ||
    (isCount(films) &&
      typeof list === 'string' &&
      typeof model === 'string' &&
      Array.isArray(labels) &&
      labels.every((label) => typeof label === 'string'))
  );
}

/** @param {Buffer} line @returns {any} null where it is no line of Pleura's */
export function parseLine(line) {
  try {
    const value = JSON.parse(line.toString());
    return isOurs(value) ? value : null;
  } catch {
    return null;
  }
}

/** @param {Buffer} line */
const isHalf = (line) =>
  BEGINNINGS.some((beginning) => beginning.startsWith(line.toString('latin1', 0, beginning.length)));

/** What earlier runs have left. @param {ReturnType<typeof readLines> | []} all lines @param {boolean} sharded @param {(what: string) => Error} foreign */
async function readPast(all, sharded, foreign) {
  const past = {
    head: null,
    done: new Map(),
    models: new Set(),
    mixtures: new Set(),
    records: 0,
    failed: false,
    ended: false,
    size: 0,
  };
  let number = 0;
  for await (const { line, end } of all) {
    number++;
    const value = end === null ? null : parseLine(line);
    if (end === null ? !isHalf(line) : !value)
      throw foreign(`holds something else than Pleura's JSON lines (line ${number})`);
    if (end === null) break;
    past.size = end;
    if (number === 1 && value.shard) past.head = line.toString();
    if (sharded !== (past.head !== null))
      throw foreign(sharded ? 'holds whole results, not a shard' : 'holds a shard, not whole results');
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
 * @param {string} path @param {import('./paths.mjs').Item[]} items all films of this run @param {boolean} sharded
 * @returns {Promise<{ left: import('./paths.mjs').Item[], records: number, failed: boolean, ended: boolean,
 *   begin: (head: string, model: string, mixture: string) => void, append: (line: string) => void, close: () => void }>}
 *   left: the films that no earlier run has answered. Throws CommandError.
 */
export async function openLedger(path, items, sharded) {
  if (items.some(({ file }) => file === '-'))
    throw usage('--resume knows films by their names, and standard input has none. Save the film first.');
  const foreign = (what) => usage(`${path} ${what}, so it was left as it is. Give another file to --resume.`);
  /** @template T @param {() => T} action @returns {T} */
  const attempt = (action) => {
    try {
      return action();
    } catch (error) {
      throw new CommandError(
        `${path} cannot be written (${error.code}). What it holds stays; mend that and run the same command again.`,
      );
    }
  };
  const open = () => attempt(() => openSync(pathOf(path), 'a+'));
  // Until it is certain that the run goes on, a file is neither made nor cut.
  let fd = existsSync(pathOf(path)) ? open() : null;
  const found = fd === null ? null : fstatSync(fd);
  if (found && !found.isFile()) throw foreign('is not an ordinary file');
  const past = await readPast(found ? readLines(path) : [], sharded, foreign);
  let { size } = past;

  /** @param {number} expected size of the file, where nobody else writes to it */
  function checkAlone(expected) {
    if (fstatSync(fd).size !== expected)
      throw new CommandError(`${path} is being written by another process, too. Let it finish, then run this again.`);
  }

  function append(line) {
    checkAlone(size);
    const bytes = Buffer.from(`${line}\n`);
    attempt(() => {
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    });
    size += bytes.length;
  }

  function begin(head, model, mixture) {
    const other = [...past.models].find((name) => name !== model);
    if (other) throw foreign(`holds results of another model (${other})`);
    const elsewhere = [...past.mixtures].find((text) => text !== mixture);
    if (elsewhere !== undefined)
      throw foreign(`holds results at another prevalence (${elsewhere || "the model's own"})`);
    if (past.head !== null && past.head !== head)
      throw foreign('was begun as another shard, with other films, another model or another prevalence');
    fd ??= open();
    checkAlone(found?.size ?? 0);
    if (found?.size > size) attempt(() => ftruncateSync(fd, size));
    if (head && past.head === null) append(head);
  }

  const left = past.ended
    ? []
    : items.filter(({ file }) => {
        const times = past.done.get(file);
        if (times) past.done.set(file, times - 1);
        return !times;
      });
  // Some network file systems tell only when asked that the disk is full.
  const close = () =>
    attempt(() => {
      fsyncSync(fd);
      closeSync(fd);
    });
  return { left, records: past.records, failed: past.failed, ended: past.ended, begin, append, close };
}
