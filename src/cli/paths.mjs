// paths.mjs - turns the paths that a person types, and lists of paths, into the ordered list of films to read.
//
// A path is a file, a folder, a zip archive, a pattern that no shell has expanded, or `-` for standard input. A path
// that leads to no film becomes an item with an error code, so that it appears in the results like a film that cannot
// be read.
/// <reference path="./modules.d.ts" />
import { closeSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { CommandError, ReadError, unreadable } from '../node/errors.mjs';
import { inOrder, nameOf, OVERLAY, pathOf, splitAt } from '../node/names.mjs';
import { ARCHIVE, FILM, isFilm, isHidden, isIndex, SNIFFED } from '../sniff.mjs';

/** @typedef {import('../node/read.mjs').Item} Item */

const FORMATS = 'PNG, JPEG, BMP or DICOM files';

/** @type {Promise<Buffer> | undefined} standard input, which can be read only once */
let input;

/** @param {string} folder @param {string} name */
const join = (folder, name) => (folder === '' ? name : folder.endsWith('/') ? folder + name : `${folder}/${name}`);

/** @param {string} file @param {any} error @returns {Item} */
const failure = (file, { code, message }) => ({ file, code, message });

/**
 * What a path leads to, links followed. A device counts as a pipe.
 * @param {string} path @returns {'file' | 'folder' | 'pipe' | 'nothing'}
 */
function kind(path) {
  try {
    const stats = statSync(pathOf(path), { throwIfNoEntry: false });
    return !stats ? 'nothing' : stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'pipe';
  } catch {
    return 'file'; // It cannot be examined: reading it will give the reason.
  }
}

/**
 * Whether a file in a folder or an archive is to be read: a film or an archive. A file that cannot be opened is not.
 * @param {string} path @param {() => Uint8Array | Promise<Uint8Array>} head
 */
const isWanted = async (path, head) => ARCHIVE.test(path) || isFilm(path, head).catch(() => false);

/**
 * The first bytes of a file. It may change between the check and the reading, which does no harm.
 * @param {string} path @returns {Uint8Array}
 */
function headOf(path) {
  if (!statSync(pathOf(path)).isFile()) return new Uint8Array(); // A pipe would block forever.
  const file = openSync(pathOf(path), 'r'),
    head = new Uint8Array(SNIFFED);
  try {
    return head.subarray(0, readSync(file, head));
  } finally {
    closeSync(file);
  }
}

/** @typedef {{ items: Item[], leftOut: string[] }} Found films, and the names of other files beside them */

/**
 * @template T @param {T[]} items @param {(item: T) => unknown} accepts may be asynchronous
 * @returns {Promise<[kept: T[], others: T[]]>}
 */
async function part(items, accepts) {
  /** @type {[T[], T[]]} */
  const parts = [[], []];
  for (const item of items) parts[(await accepts(item)) ? 0 : 1].push(item);
  return parts;
}

/** @param {...Item} items @returns {Found} */
const only = (...items) => ({ items, leftOut: [] });

/** @param {Found[]} all @returns {Found} */
const joined = (all) => ({ items: all.flatMap(({ items }) => items), leftOut: all.flatMap(({ leftOut }) => leftOut) });

/** The same text for every path to one folder. @param {string} folder @returns {string} throws as statSync does */
function identity(folder) {
  const { dev, ino } = statSync(pathOf(folder || '.'));
  return `${dev} ${ino}`;
}

/**
 * Every file below a folder, and a failure for each folder that cannot be opened. No folder is entered twice, so
 * circular links end; real folders are entered before links to them.
 * @param {string} top @param {number} depth @param {boolean} hidden whether names that begin with a dot count
 * @param {string | null} overlays identity of the folder of --heatmap
 * @returns {(Item & { pipe?: boolean })[]} pipe: it has a film's name, but reading it may block; a person may still name it
 */
function walk(top, depth, hidden, overlays) {
  /** @type {(Item & { pipe?: boolean })[]} */
  const found = [];
  /** @type {[folder: string, depth: number][]} */
  const links = [];
  const entered = new Set();
  /** @param {string} folder @param {number} left */
  function enter(folder, left) {
    let entries, own;
    try {
      own = identity(folder);
      if (entered.has(own)) return;
      entered.add(own);
      entries = readdirSync(pathOf(folder || '.'), { withFileTypes: true, encoding: 'buffer' });
    } catch (error) {
      found.push(failure(folder || '.', unreadable(error, 'folder')));
      return;
    }
    for (const entry of entries) {
      const name = nameOf(/** @type {any} */ (entry.name));
      const path = join(folder, name);
      if (!hidden && name.startsWith('.')) continue;
      if (own === overlays && OVERLAY.test(name)) continue;
      const linked = entry.isSymbolicLink() ? kind(path) : null;
      if (linked === 'folder') links.push([path, left - 1]);
      else if (entry.isFile() || (linked && linked !== 'pipe')) found.push({ file: path });
      else if (entry.isDirectory()) {
        if (left > 1) enter(path, left - 1);
      } else if (FILM.test(name)) found.push({ file: path, pipe: true });
    }
  }
  enter(top, depth);
  while (links.length) {
    links.sort(([a], [b]) => inOrder(a, b));
    const [[path, left]] = links.splice(0, 1);
    if (left > 0) enter(path, left);
  }
  return found.sort((a, b) => inOrder(a.file, b.file));
}

/**
 * The files that match a glob pattern.
 * @param {string} pattern @param {string | null} overlays @returns {Promise<Item[]>}
 */
async function match(pattern, overlays) {
  const { default: picomatch } = await import('picomatch'); // loading it takes as long as a film
  const { base, glob, prefix } = picomatch.scan(pattern, { nonegate: true });
  const depth = glob.includes('**') ? Infinity : glob.split('/').length;
  const matches = picomatch(glob, { nonegate: true, posix: true });
  const inside = base === '' || base.endsWith('/') ? base.length : base.length + 1;
  return walk(prefix + base, depth, /(^|\/)\./.test(glob), overlays).filter(
    ({ file, code, pipe }) => code || (!pipe && matches(file.slice(prefix.length + inside))),
  );
}

/**
 * The films of a zip archive. Archives inside it are among them and will be refused when they are read.
 * @param {string} path @returns {Promise<Found>}
 */
async function unpack(path) {
  try {
    const { openArchive } = await import('../node/archive.mjs');
    const { members, head, close } = await openArchive(path);
    const [films, others] = await part(
      members.filter(({ name }) => !isHidden(name)),
      ({ name, index }) => isWanted(name, () => head(index, SNIFFED)),
    );
    await close();
    const items = films.length
      ? films.map(({ name, index }) => ({ file: `${path}/${name}`, archive: path, member: index }))
      : [{ file: path, code: 'no-films', message: `This archive contains no ${FORMATS}.` }];
    return { items, leftOut: others.map(({ name }) => `${path}/${name}`) };
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    return only(failure(path, error));
  }
}

/** @param {Item[]} items @returns {Promise<Found>} with each archive replaced by its films */
async function unpackAll(items) {
  const all = [];
  for (const item of items)
    all.push(
      !item.code && ARCHIVE.test(item.file) && kind(item.file) === 'file' ? await unpack(item.file) : only(item),
    );
  return joined(all);
}

/**
 * The films behind one path. A file counts whatever its name.
 * @param {string} path @param {boolean} patterns whether the path may be a pattern @param {string | null} overlays
 * @returns {Promise<Found>}
 */
async function expand(path, patterns, overlays) {
  if (path === '-') return only({ file: path, bytes: await (input ??= buffer(process.stdin)) });
  const is = kind(path);
  if (is === 'file' || is === 'pipe') return unpackAll([{ file: path }]);
  const isPattern = patterns && /[*?[{]/.test(path);
  if (is === 'nothing' && !isPattern) return only(failure(path, unreadable({ code: 'ENOENT' })));
  const [found, others] =
    is === 'folder'
      ? await part(
          walk(path, Infinity, false, overlays),
          ({ file, code, pipe }) => code || (!pipe && isWanted(file, () => headOf(file))),
        )
      : [await match(path, overlays), []];
  const message = is === 'folder' ? `This folder contains no ${FORMATS}.` : 'No file matches this pattern.';
  const { items, leftOut } = found.length ? await unpackAll(found) : only({ file: path, code: 'no-films', message });
  return { items, leftOut: [...others.map(({ file }) => file), ...leftOut].filter((file) => !isIndex(file)) };
}

/**
 * The paths in a list: one per line, or NUL-terminated, as `find -print0` writes them, if the list contains a NUL.
 * @param {string} list a file, or `-` @returns {Promise<string[]>}
 */
async function readList(list) {
  const bytes = await (list === '-' ? buffer(process.stdin) : readFile(list)).catch((error) => {
    throw new CommandError(`The list ${list} cannot be read (${error.code}). Check the path given to --files.`);
  });
  const names = bytes.includes(0)
    ? splitAt(bytes, 0).map(nameOf)
    : splitAt(bytes, 10).map((line) => nameOf(line).replace(/\r$/, ''));
  if (names.length) names[0] = names[0].replace(/^\ufeff/, '');
  return names.filter((name) => name !== '');
}

/**
 * The films behind all paths in their order, then those of the list.
 * @param {string[]} paths @param {string} [list] a file, or `-`
 * @param {string} [heatmap] a folder whose heatmap files do not count as films
 * @returns {Promise<Found>} leftOut: the files of folders and archives that are not films
 */
export async function films(paths, list, heatmap) {
  const all = [],
    overlays = heatmap !== undefined && kind(heatmap) === 'folder' ? identity(heatmap) : null;
  for (const path of paths) all.push(await expand(path, true, overlays));
  for (const path of list === undefined ? [] : await readList(list)) all.push(await expand(path, false, overlays));
  return joined(all);
}
