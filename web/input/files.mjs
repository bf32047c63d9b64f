// files.mjs: the films among the files that were chosen, dropped or pasted. A folder is searched for films; files that
// were picked one by one are all tried.
import { isFilm, SNIFFED } from '../../src/sniff.mjs';

/** @typedef {{sources: {name: string, file: File}[], skipped: number}} FileIntake
 *  @typedef {{path: string, file: File | null}} Found  null: it cannot be read */

/** Names of films, including what only browsers decode. */
const FILM = /\.(png|jpe?g|bmp|webp|avif|hei[cf]|tiff?|dcm|dicom)$/i;

/** Whether a file of a folder is to be opened. An unreadable file is, so that the page reports it.
 *  @param {File} file */
const isWanted = (file) =>
  isFilm(file.name, async () => new Uint8Array(await file.slice(0, SNIFFED).arrayBuffer()), FILM).catch(() => true);

/** @param {Found[]} found  @returns {Promise<FileIntake>} */
async function selectFilms(found) {
  const films = [];
  const wanted = await Promise.all(found.map(({ file }) => file && isWanted(file)));
  for (const [i, { path, file }] of found.entries()) if (file && wanted[i]) films.push({ name: path, file });
  films.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { sources: films, skipped: found.length - films.length };
}

/** Files that were picked one by one, or the films in a chosen folder.
 *  @param {Iterable<File>} files  @returns {Promise<FileIntake>} */
export async function fromFiles(files) {
  const all = [...files];
  if (all.some((file) => file.webkitRelativePath))
    return selectFilms(all.map((file) => ({ path: file.webkitRelativePath, file })));
  return { sources: all.map((file) => ({ name: file.name, file })), skipped: 0 };
}

/** @param {FileSystemFileEntry} entry  @returns {Promise<File>} */
const openFile = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/** @param {FileSystemDirectoryEntry} entry  @returns {AsyncGenerator<FileSystemEntry>} */
async function* list(entry) {
  const reader = entry.createReader();
  /** @returns {Promise<FileSystemEntry[]>} some more of the entries, and none at the end */
  const next = () => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  for (let entries; (entries = await next()).length > 0;) yield* entries;
}

/** The files in a file or folder. One that cannot be read does not affect the others.
 *  @param {FileSystemEntry} entry  @returns {Promise<Found[]>} */
async function walk(entry) {
  const path = entry.fullPath.slice(1);
  /** @type {Found[]} */
  const found = [];
  try {
    if (entry.isDirectory) {
      const folder = /** @type {FileSystemDirectoryEntry} */ (entry);
      for await (const inner of list(folder)) found.push(...(await walk(inner)));
    } else found.push({ path, file: await openFile(/** @type {FileSystemFileEntry} */ (entry)) });
  } catch {
    found.push({ path, file: null });
  }
  return found;
}

/** Files and folders that were dropped or pasted. Call it while the event lasts: the browser empties `data` afterwards.
 *  @param {DataTransfer} data  @returns {Promise<FileIntake>} */
export async function fromTransfer(data) {
  const entries = [...data.items].filter(({ kind }) => kind === 'file').map((item) => item.webkitGetAsEntry?.());
  const files = [...data.files].filter((_, i) => !entries[i]?.isDirectory);
  const folders = entries.filter((entry) => entry?.isDirectory);
  const single = await fromFiles(files);
  const found = await Promise.all(folders.map((folder) => walk(/** @type {FileSystemEntry} */ (folder))));
  const { sources, skipped } = await selectFilms(found.flat());
  return { sources: [...single.sources, ...sources], skipped };
}
