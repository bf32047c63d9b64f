// files.mjs: the films among the files that were chosen, dropped or pasted. Folders and zip archives are searched for
// films; files that were picked one by one are all tried.
import { Unzip, UnzipInflate } from 'fflate';
import { ARCHIVE, isFilm, isHidden, MAX_FILE_BYTES, SNIFFED } from '../../src/sniff.mjs';

/** @typedef {{sources: {name: string, file: File}[], skipped: string[]}} FileIntake
 *     skipped: the paths of files that are not films, or that cannot be read
 *  @typedef {{path: string, file: File | null}} Found  null: it cannot be read */

/** Names of films, including what only browsers decode. */
const FILM = /\.(png|jpe?g|bmp|webp|avif|hei[cf]|tiff?|dcm|dicom)$/i;

/** Whether a file of a folder is to be opened. An unreadable file is, so that the page reports it.
 *  @param {File} file */
const isWanted = (file) =>
  isFilm(file.name, async () => new Uint8Array(await file.slice(0, SNIFFED).arrayBuffer()), FILM).catch(() => true);

/** Of all files in an archive together: larger archives must be unpacked first. */
const MAX_UNPACKED = 2 ** 31;

/** The files in a zip archive. Archives inside it are not opened. An archive that is damaged or too large ends with the
 *  file that is.
 *  @param {string} path  @param {File} archive  @returns {Promise<Found[]>} */
async function unpack(path, archive) {
  /** @type {Found[]} */
  const found = [];
  let unpacked = 0;
  const unzip = new Unzip((member) => {
    if (member.name.endsWith('/')) return;
    /** @type {Found} */
    const own = { path: `${path}/${member.name}`, file: null };
    found.push(own);
    if (ARCHIVE.test(member.name)) return;
    /** @type {BlobPart[]} */
    const chunks = [];
    let length = 0;
    member.ondata = (error, chunk, final) => {
      if (error) throw error;
      length += chunk.length;
      unpacked += chunk.length;
      if (length > MAX_FILE_BYTES || unpacked > MAX_UNPACKED) throw new RangeError('The archive is too large');
      chunks.push(/** @type {Uint8Array<ArrayBuffer>} */ (chunk));
      if (final) own.file = new File(chunks, member.name.slice(member.name.lastIndexOf('/') + 1));
    };
    member.start();
  });
  unzip.register(UnzipInflate);
  try {
    const reader = archive.stream().getReader();
    for (let step; !(step = await reader.read()).done;) unzip.push(step.value);
    unzip.push(new Uint8Array(), true);
  } catch {
    // The last file found has no content and is counted as skipped.
  }
  return found.length > 0 ? found : [{ path, file: null }];
}

/** @param {Found[]} files  @returns {Promise<FileIntake>} */
async function selectFilms(files) {
  const found = [];
  for (const one of files) {
    const { path, file } = one;
    if (file && ARCHIVE.test(path)) found.push(...(await unpack(path, file)));
    else found.push(one);
  }
  const sources = [];
  const skipped = [];
  const within = (/** @type {string} */ path) => path.slice(path.indexOf('/') + 1);
  const wanted = await Promise.all(found.map(({ path, file }) => file && !isHidden(within(path)) && isWanted(file)));
  for (const [i, { path, file }] of found.entries()) {
    if (file && wanted[i]) sources.push({ name: path, file });
    else skipped.push(path);
  }
  sources.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { sources, skipped };
}

/** Files that were picked one by one, or the films in a chosen folder.
 *  @param {Iterable<File>} files  @returns {Promise<FileIntake>} */
export async function fromFiles(files) {
  const all = [...files];
  if (all.some((file) => file.webkitRelativePath))
    return selectFilms(all.map((file) => ({ path: file.webkitRelativePath, file })));
  const archives = all.filter(({ name }) => ARCHIVE.test(name));
  const { sources, skipped } = await selectFilms(archives.map((file) => ({ path: file.name, file })));
  const single = all.filter((file) => !archives.includes(file));
  return { sources: [...single.map((file) => ({ name: file.name, file })), ...sources], skipped };
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
  return { sources: [...single.sources, ...sources], skipped: [...single.skipped, ...skipped] };
}
