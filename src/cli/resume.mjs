// resume.mjs - the file of --resume: keeps earlier results, cuts off a half-written last line, appends new lines.
//
// A run can be killed at any moment. Its file then holds whole lines and perhaps the beginning of one more. The same
// command reads the file first and skips the films that it answers; films with an error, and films whose file has
// changed, are tried again. Lines are only appended while films are read. In the end the lines that were replaced are
// dropped, and the file is byte for byte what a run without interruption would have written. A file with anything else
// in it is left untouched.
import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { sha256 } from '../node/assets.mjs';
import { CommandError, ReadError, usage } from '../node/errors.mjs';
import { pathOf } from '../node/names.mjs';
import { createReader } from '../node/read.mjs';
import { isShardLine } from '../node/shards.mjs';
import { isRecord, mixtureText } from '../result/record.mjs';
import { groupBy } from '../stats/groups.mjs';

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
 * One line of the file.
 * @typedef {{ start: number, end: number, file?: string, place?: number, failed?: boolean, sha256?: string,
 *   isLast?: boolean }} Line  isLast: the last line of a shard
 */

/** @param {any} value of parseLine @param {number} start @param {number} end @returns {Line} */
const lineOf = ({ file, place, status, sha256, records }, start, end) => ({
  start,
  end,
  ...(status ? { file, place, failed: status === 'error', sha256 } : { isLast: records !== undefined }),
});

/**
 * What earlier runs wrote.
 * @param {ReturnType<typeof readLines> | []} lines @param {boolean} sharded @param {(reason: string) => Error} foreign
 */
async function readPast(lines, sharded, foreign) {
  const past = {
    /** @type {string | null} the first line of a shard */ head: null,
    /** @type {Line[]} */ lines: [],
    /** @type {Set<string>} */ models: new Set(),
    /** @type {Set<string>} */ mixtures: new Set(),
    /** up to the end of the last whole line */ size: 0,
  };
  let number = 0;
  for await (const { line, end } of lines) {
    number++;
    const value = end === null ? null : parseLine(line);
    if (end === null ? !isHalf(line) : !value)
      throw foreign(`contains lines that Pleura did not write (line ${number})`);
    if (end === null) break;
    past.lines.push(lineOf(value, past.size, end));
    past.size = end;
    if (number === 1 && value.shard) past.head = line.toString();
    if (sharded !== (past.head !== null))
      throw foreign(sharded ? 'contains whole results, not a shard' : 'contains a shard, not whole results');
    if (!value.model || !value.status) continue;
    past.models.add(value.model);
    past.mixtures.add(mixtureText(value.prevalence));
  }
  return past;
}

/**
 * The lines that count, without those that a later run has replaced: of a film with more records than places in the
 * list, the errors go first, then the oldest. Films that are no longer in the list keep all theirs.
 * @param {Line[]} lines @param {Map<string, Item[]>} items by file @returns {Line[]}
 */
function withoutReplaced(lines, items) {
  const replaced = new Set(lines.filter(({ isLast }) => isLast).slice(0, -1));
  for (const [file, own] of groupBy(
    lines.filter((line) => line.file !== undefined),
    (line) => line.file ?? '',
  )) {
    const surplus = own.length - (items.get(file)?.length ?? own.length);
    if (surplus <= 0) continue;
    for (const line of [...own.filter(({ failed }) => failed), ...own.filter(({ failed }) => !failed)].slice(
      0,
      surplus,
    ))
      replaced.add(line);
  }
  return lines.filter((line) => !replaced.has(line));
}

/**
 * The lines in the order of the films; a line about none of them follows the one before it.
 * @param {Line[]} lines @param {Map<string, Item[]>} items by file @returns {Line[]}
 */
function inOrderOfFilms(lines, items) {
  const seen = new Map();
  let rank = -1;
  const ranked = lines.map((line) => {
    const times = seen.get(line.file) ?? 0,
      place = line.place ?? items.get(line.file ?? '')?.[times]?.place;
    seen.set(line.file, times + 1);
    rank = line.isLast ? Infinity : (place ?? rank);
    return { line, rank };
  });
  return ranked.sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank)).map(({ line }) => line);
}

/**
 * Whether a film is another one than when its result was written. Only files that were touched after the results were
 * begun are read again; where a file system does not know when that was, all are.
 * @param {Item} item @param {Line} line @param {import('node:fs').Stats} results
 * @param {ReturnType<typeof createReader>} read
 */
async function hasChanged(item, { sha256: hash }, results, read) {
  if (!hash || item.code) return false; // A film that is gone keeps its result.
  const { birthtimeMs, ctimeMs } = results,
    touched = statSync(pathOf(item.archive ?? item.file), { throwIfNoEntry: false })?.ctimeMs ?? Infinity;
  if (birthtimeMs && birthtimeMs < ctimeMs && touched < birthtimeMs) return false;
  try {
    return sha256(await read(item)) !== hash;
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    return false;
  }
}

/**
 * The films without a result that counts: new ones, those with an error, and those whose file has changed.
 * @param {Item[]} items @param {Line[]} lines @param {import('node:fs').Stats} results
 */
async function filmsToDo(items, lines, results) {
  const read = createReader(),
    byFile = groupBy(lines, (line) => line.file ?? ''),
    left = [];
  let retried = 0,
    changed = 0;
  for (const item of items) {
    const line = byFile.get(item.file)?.shift();
    if (!line) left.push(item);
    else if (line.failed) {
      retried++;
      left.push({ ...item, retried: true });
    } else if (await hasChanged(item, line, results, read)) {
      changed++;
      left.push({ ...item, retried: true });
    }
  }
  return { left, retried, changed };
}

/**
 * @param {string} path @param {Item[]} items all films of this run @param {boolean} sharded
 * @returns {Promise<{ left: Item[], retried: number, changed: number, records: number, failed: boolean, ended: boolean,
 *   begin: (head: string, model: string, mixture: string) => void, append: (line: string) => void, close: () => void }>}
 *   left: the films that have no result or are to be tried again; failed: a film that is no longer in the list has an
 *   error; throws CommandError
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

  const byFile = groupBy(items, ({ file }) => file),
    counting = withoutReplaced(past.lines, byFile),
    results = counting.filter(({ file }) => file !== undefined),
    todo = found ? await filmsToDo(items, results, found) : { left: items, retried: 0, changed: 0 };
  const tryAgain = todo.retried + todo.changed;
  const ended = counting.some(({ isLast }) => isLast) && !tryAgain;

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
    past.lines.push(lineOf(JSON.parse(line), size, size + bytes.length));
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

  /** Replaces the file by these of its lines, all at once. @param {Line[]} lines */
  function rewrite(lines) {
    const target = realpathSync(pathOf(path), 'buffer'),
      temporary = Buffer.concat([target, Buffer.from('.tmp')]),
      out = openSync(temporary, 'w', fstatSync(fd).mode);
    for (const { start, end } of lines) {
      const bytes = Buffer.alloc(end - start);
      for (let at = 0; at < bytes.length;) at += readSync(fd, bytes, at, bytes.length - at, start + at);
      for (let at = 0; at < bytes.length;) at += writeSync(out, bytes, at);
    }
    fsyncSync(out);
    closeSync(out);
    renameSync(temporary, target);
  }

  /** Drops the lines that this run has replaced, and brings the others into the order of the films. */
  const close = () =>
    attempt(() => {
      fsyncSync(fd); // Some network file systems report a full disk only here.
      const lines = inOrderOfFilms(withoutReplaced(past.lines, byFile), byFile);
      if (lines.some((line, i) => line !== past.lines[i]) || lines.length < past.lines.length) rewrite(lines);
      closeSync(fd);
    });

  const failed = results.some(({ file, failed }) => failed && !byFile.has(file ?? ''));
  return {
    ...todo,
    left: ended ? [] : todo.left,
    records: results.length - tryAgain,
    failed,
    ended,
    begin,
    append,
    close,
  };
}
