// files.mjs: the files behind a drop, a paste, or a chosen folder
import { isFilm, SNIFFED } from '../../src/sniff.mjs';

/** @typedef {{sources: import('../engine/queue.mjs').Source[], skipped: number}} Intake  skipped: files of folders that are no films, or that cannot be read
 *  @typedef {{path: string, file: File | null}} Found  null: it cannot be had */

/** What browsers decode counts as well. */
const FILM = /\.(png|jpe?g|bmp|webp|avif|hei[cf]|tiff?|dcm|dicom)$/i;
/** Of what a folder holds; what was chosen one by one is tried whatever it is. @param {File} file */
const isWanted = (file) =>
  isFilm(file.name, async () => new Uint8Array(await file.slice(0, SNIFFED).arrayBuffer()), FILM).catch(
    () => true, // it cannot be read: that is said when its turn comes
  );

/** @param {Found[]} found  @returns {Promise<Intake>} */
async function sift(found) {
  const kept = await Promise.all(found.map(({ file }) => file && isWanted(file)));
  const films = found.filter((_, place) => kept[place]).sort((a, b) => (a.path < b.path ? -1 : 1));
  return { sources: films.map(({ path, file }) => ({ name: path, file })), skipped: found.length - films.length };
}

/** Files chosen one by one, or a folder with all that is in it. @param {Iterable<File>} files  @returns {Promise<Intake>} */
export async function fromFiles(files) {
  const all = [...files];
  if (all.some((file) => file.webkitRelativePath))
    return sift(all.map((file) => ({ path: file.webkitRelativePath, file })));
  return { sources: all.map((file) => ({ name: file.name, file })), skipped: 0 };
}

/** What lies in a file or folder; one that cannot be read costs no other. @param {any} entry  a FileSystemEntry  @returns {Promise<Found[]>} */
async function walk(entry) {
  const path = entry.fullPath.slice(1),
    found = [];
  try {
    if (!entry.isDirectory)
      return [{ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) }];
    const reader = entry.createReader();
    for (
      let entries;
      (entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length > 0;
    ) {
      // a hundred at a time
      for (const inner of entries) found.push(...(await walk(inner)));
    }
  } catch {
    found.push({ path, file: null });
  }
  return found;
}

/** Files and folders that were dropped or pasted; to be called while the event lasts. @param {DataTransfer} data  @returns {Promise<Intake>} */
export async function fromTransfer(data) {
  const entries = [...data.items].filter(({ kind }) => kind === 'file').map((item) => item.webkitGetAsEntry?.());
  const files = [...data.files].filter((_, place) => !entries[place]?.isDirectory);
  const folders = entries.filter((entry) => entry?.isDirectory);
  const single = await fromFiles(files),
    { sources, skipped } = await sift((await Promise.all(folders.map(walk))).flat());
  return { sources: [...single.sources, ...sources], skipped };
}
