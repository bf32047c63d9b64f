// intake.mjs: the files behind a drop, a paste, or a chosen folder
/** @typedef {{sources: import('./queue.mjs').Source[], skipped: number}} Intake  skipped: files of folders whose names are not those of films */

/* What a folder may hold beside films; what was chosen one by one is tried whatever its name. Films as hospitals store them have no extension, or digits. */
const FILM = /\.(png|jpe?g|bmp|webp|avif|hei[cf]|tiff?|dcm|dicom|ima|\d+)$/i;
const isFilm = (name) => !name.startsWith('.') && name.toUpperCase() !== 'DICOMDIR' && (FILM.test(name) || !name.includes('.'));

/** @param {{path: string, file: File}[]} found  @returns {Intake} */
function sift(found) {
  const films = found.filter(({ file }) => isFilm(file.name)).sort((a, b) => (a.path < b.path ? -1 : 1));
  return { sources: films.map(({ path, file }) => ({ name: path, file })), skipped: found.length - films.length };
}

/** Files chosen one by one, or a folder with all that is in it. @param {Iterable<File>} files  @returns {Intake} */
export function fromFiles(files) {
  const all = [...files];
  if (all.some((file) => file.webkitRelativePath)) return sift(all.map((file) => ({ path: file.webkitRelativePath, file })));
  return { sources: all.map((file) => ({ name: file.name, file })), skipped: 0 };
}

/** @param {any} folder  a FileSystemDirectoryEntry  @returns {Promise<{path: string, file: File}[]>} */
async function walk(folder) {
  const reader = folder.createReader(), found = [];
  for (let entries; (entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length > 0;) { // a hundred at a time
    for (const entry of entries) {
      if (entry.isDirectory) found.push(...await walk(entry));
      else found.push({ path: entry.fullPath.slice(1), file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
    }
  }
  return found;
}

/** Files and folders that were dropped or pasted; to be called while the event lasts. @param {DataTransfer} data  @returns {Promise<Intake>} */
export async function fromTransfer(data) {
  const entries = [...data.items].filter(({ kind }) => kind === 'file').map((item) => item.webkitGetAsEntry?.());
  const files = [...data.files];
  const folders = entries.filter((entry) => entry?.isDirectory);
  const single = fromFiles(files.filter((_, place) => !entries[place]?.isDirectory));
  const { sources, skipped } = sift((await Promise.all(folders.map(walk))).flat());
  return { sources: [...single.sources, ...sources], skipped };
}
