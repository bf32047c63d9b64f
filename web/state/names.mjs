// names.mjs: names of films where there is little room for them.

const END = /^(.+)(\P{M}.{6})$/su; // a combining mark stays with its letter

/** The folder that the names of all files begin with, up to its last slash; empty where there is none.
 *  @param {{name: string, phantom: boolean}[]} films */
export function commonFolder(films) {
  const names = films.filter(({ phantom }) => !phantom).map(({ name }) => name);
  let folder = names[0] ?? '';
  for (const name of names) while (!name.startsWith(folder) || !/^$|\/$/.test(folder)) folder = parent(folder);
  return folder;
}

/** The part of a path before its last name, with the slash. @param {string} path */
const parent = (path) => path.slice(0, path.slice(0, -1).lastIndexOf('/') + 1);

/** A name as the part that may be cut and its end. @param {string} name  @returns {[string, string]} */
export function halves(name) {
  const [, start = name, end = ''] = name.match(END) ?? [];
  return [start, end];
}
