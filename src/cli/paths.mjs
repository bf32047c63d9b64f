// Turns the paths that a person types, and lists of paths, into the ordered list of films to read.
import { closeSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import picomatch from 'picomatch';
import { OVERLAY } from '../node/overlay_png.mjs';
import { inOrder, nameOf, pathOf, split } from '../node/names.mjs';
import { CommandError, ReadError, unreadable } from '../node/errors.mjs';
import { ARCHIVE, isFilm, SNIFFED } from '../sniff.mjs';

const FILMS = 'PNG, JPEG, BMP or DICOM file';
/**
 * One film to read (`bytes`: that has been read; `archive`, `member`: out of an archive), or a path that leads to none.
 * @typedef {{ file: string, place?: number, bytes?: Uint8Array, archive?: string, member?: number, code?: string, message?: string }} Item
 */

/** @type {Promise<Buffer> | undefined} standard input, which can be read only once */
let input;

const join = (folder, name) => (folder === '' ? name : folder.endsWith('/') ? folder + name : `${folder}/${name}`);

/** @param {string} file @param {any} error @returns {Item} */
const failure = (file, { code, message }) => ({ file, code, message });

/** What lies behind links. @param {string} path @returns {'file' | 'folder' | 'pipe' | 'nothing'} a device is as good as a pipe */
function kind(path) {
  try {
    const stats = statSync(pathOf(path), { throwIfNoEntry: false });
    return !stats ? 'nothing' : stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'pipe';
  } catch {
    return 'file'; // Not to be looked at: reading it gives the reason.
  }
}

/** Archives count as films here; a file that cannot be opened does not. @param {string} path @param {() => Uint8Array | Promise<Uint8Array>} head */
const isWanted = async (path, head) => ARCHIVE.test(path) || isFilm(path, head).catch(() => false);

/** @param {string} path @returns {Uint8Array} */
function headOf(path) {
  if (!statSync(pathOf(path)).isFile()) return new Uint8Array(); // A pipe would wait for ever.
  const file = openSync(pathOf(path), 'r'),
    head = new Uint8Array(SNIFFED);
  try {
    return head.subarray(0, readSync(file, head));
  } finally {
    closeSync(file);
  }
}

/** @template T @param {T[]} all @param {(one: T) => unknown} fits may be asynchronous @returns {Promise<T[]>} */
async function filter(all, fits) {
  const kept = [];
  for (const one of all) if (await fits(one)) kept.push(one);
  return kept;
}

/** The same for every path to a folder. @param {string} folder @returns {string} throws as statSync does */
function identity(folder) {
  const { dev, ino } = statSync(pathOf(folder || '.'));
  return `${dev} ${ino}`;
}

/**
 * Every file below a folder and its folders, and a failure for each that cannot be opened. No folder is entered twice, so
 * that links in circles end; those that hold the files themselves come before links to them.
 * @param {string} top @param {number} depth @param {boolean} hidden also what begins with a dot
 * @param {string | null} overlays identity of the folder of --heatmap
 * @returns {Item[]}
 */
function walk(top, depth, hidden, overlays) {
  const found = [],
    links = [],
    entered = new Set();
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
      else if (entry.isFile() || (linked && linked !== 'pipe'))
        found.push({ file: path }); // A pipe would be waited for; a person may name it.
      else if (entry.isDirectory() && left > 1) enter(path, left - 1);
    }
  }
  enter(top, depth);
  while (links.length) {
    links.sort(([a], [b]) => inOrder(b, a));
    const [path, left] = links.pop();
    if (left > 0) enter(path, left);
  }
  return found.sort((a, b) => inOrder(a.file, b.file));
}

/** @param {string} pattern @param {string | null} overlays @returns {Item[]} the files that it matches */
function match(pattern, overlays) {
  const { base, glob, prefix } = picomatch.scan(pattern, { nonegate: true });
  const depth = glob.includes('**') ? Infinity : glob.split('/').length;
  const fits = picomatch(glob, { nonegate: true, posix: true });
  const inside = base === '' || base.endsWith('/') ? base.length : base.length + 1;
  return walk(prefix + base, depth, /(^|\/)\./.test(glob), overlays).filter(
    ({ file, code }) => code || fits(file.slice(prefix.length + inside)),
  );
}

/** @param {string} path @returns {Promise<Item[]>} the films of a zip archive, archives within it among them, to be refused */
async function unpack(path) {
  try {
    const { openArchive } = await import('../node/archive.mjs');
    const { members, head, close } = await openArchive(path);
    const films = await filter(
      members,
      ({ name, index }) => !/(^|[/\\])\.(?!\.)/.test(name) && isWanted(name, () => head(index, SNIFFED)),
    );
    await close();
    if (films.length)
      return films.map(({ name, index }) => ({ file: `${path}/${name}`, archive: path, member: index }));
    return [{ file: path, code: 'no-films', message: `This archive holds no ${FILMS}.` }];
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    return [failure(path, error)];
  }
}

/** @param {Item[]} items @returns {Promise<Item[]>} with the films of an archive in its place */
async function unpackAll(items) {
  const all = [];
  for (const item of items)
    all.push(!item.code && ARCHIVE.test(item.file) && kind(item.file) === 'file' ? await unpack(item.file) : item);
  return all.flat();
}

/**
 * The films behind one argument: a file as it is, whatever its name; the films of an archive, of a folder and of its
 * folders; the matches of a glob that no shell has expanded; `-` for standard input.
 * @param {string} path @param {boolean} patterns whether it may be one @param {string | null} overlays @returns {Promise<Item[]>}
 */
async function expand(path, patterns, overlays) {
  if (path === '-') return [{ file: path, bytes: await (input ??= buffer(process.stdin)) }];
  const is = kind(path);
  if (is === 'file' || is === 'pipe') return unpackAll([{ file: path }]);
  const pattern = patterns && /[*?[{]/.test(path);
  if (is === 'nothing' && !pattern) return [failure(path, unreadable({ code: 'ENOENT' }))];
  const found =
    is === 'folder'
      ? await filter(
          walk(path, Infinity, false, overlays),
          ({ file, code }) => code || isWanted(file, () => headOf(file)),
        )
      : match(path, overlays);
  if (found.length) return unpackAll(found);
  return [
    {
      file: path,
      code: 'no-films',
      message: is === 'folder' ? `This folder holds no ${FILMS}.` : 'No file matches this pattern.',
    },
  ];
}

/**
 * Paths one a line, or, where a NUL is among them, ended by NULs as `find -print0` writes them.
 * @param {string} list a file, or `-` @returns {Promise<string[]>}
 */
async function readList(list) {
  const bytes = await (list === '-' ? buffer(process.stdin) : readFile(list)).catch((error) => {
    throw new CommandError(`The list ${list} cannot be read (${error.code}). Check the path given to --files.`);
  });
  const names = bytes.includes(0)
    ? split(bytes, 0).map(nameOf)
    : split(bytes, 10).map((line) => nameOf(line).replace(/\r$/, ''));
  if (names.length) names[0] = names[0].replace(/^\ufeff/, '');
  return names.filter((name) => name !== '');
}

/**
 * The films behind all arguments, in their order, then those of the list.
 * @param {string[]} paths @param {string} [list] @param {string} [heatmap] a folder whose overlays are no films @returns {Promise<Item[]>}
 */
export async function films(paths, list, heatmap) {
  const all = [],
    overlays = heatmap !== undefined && kind(heatmap) === 'folder' ? identity(heatmap) : null;
  for (const path of paths) all.push(await expand(path, true, overlays));
  for (const path of list === undefined ? [] : await readList(list)) all.push(await expand(path, false, overlays));
  return all.flat();
}
