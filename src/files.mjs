// Turns the paths that a person types into the ordered list of films to read.
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { glob } from 'tinyglobby';
import { isDicom, SNIFFED } from './sniff.mjs';

const FILM = /\.(png|jpe?g|bmp|dcm|dicom)$/i;
/** Hospitals' discs hold films without an extension, or named by numbers with points. */
const BARE = /^[^.]+$|\.\d*$/;
/** The index of such a disc. */
const INDEX = 'DICOMDIR';

/**
 * One film to read (`bytes`: that has been read), or a path that leads to none.
 * @typedef {{ file: string, bytes?: Uint8Array, code?: string, message?: string }} Item
 */

/** @param {string} pattern @param {string} [cwd] the matching files, hidden ones left out, links to folders not followed */
async function match(pattern, cwd) {
  const found = await glob(pattern, { cwd, followSymbolicLinks: false, expandDirectories: false });
  // By code units: the same order on every machine, unlike a locale's.
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** @param {string} path @returns {'file' | 'folder' | 'nothing'} */
function kind(path) {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return !stats ? 'nothing' : stats.isDirectory() ? 'folder' : 'file';
  } catch {
    return 'file'; // Not to be looked at: reading it gives the reason.
  }
}

/** Whether a file in a folder is a film: by its name, or where that says nothing by its content. @param {string} path */
function isFilm(path) {
  const name = basename(path);
  if (FILM.test(name) || !BARE.test(name) || name.toUpperCase() === INDEX) return FILM.test(name);
  const head = new Uint8Array(SNIFFED);
  let file;
  try {
    if (!statSync(path).isFile()) return false; // a pipe would wait for ever
    file = openSync(path, 'r');
    return isDicom(head.subarray(0, readSync(file, head)));
  } catch {
    return false; // Not to be opened: nothing says that it is a film.
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * The films behind one argument: a file as it is, whatever its name; the films of a folder and of its folders; the
 * matches of a glob that no shell has expanded; `-` for standard input.
 * @param {string} path @returns {Promise<Item[]>}
 */
async function expand(path) {
  const is = path === '-' ? 'file' : kind(path);
  if (is === 'file') return [{ file: path }];
  const pattern = /[*?[{]/.test(path);
  if (is === 'nothing' && !pattern) {
    return [{ file: path, code: 'no-such-file', message: 'There is no such file. Check the path.' }];
  }
  const found = is === 'folder'
    ? (await match('**', path)).map((name) => join(path, name)).filter(isFilm)
    : await match(path);
  if (found.length) return found.map((file) => ({ file }));
  const message = is === 'folder' ? 'This folder holds no PNG, JPEG, BMP or DICOM file.' : 'No file matches this pattern.';
  return [{ file: path, code: 'no-films', message }];
}

/**
 * The films behind all arguments, in their order.
 * @param {string[]} paths @returns {Promise<Item[]>}
 */
export async function films(paths) {
  return (await Promise.all(paths.map(expand))).flat();
}
