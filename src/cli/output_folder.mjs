// output_folder.mjs - the folders that --heatmap and --report fill.
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CommandError } from '../node/errors.mjs';

/** @param {string} folder an absolute path @returns {Promise<void>} */
async function makeEach(folder) {
  const found = await stat(folder).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (found?.isDirectory()) return;
  if (found) throw Object.assign(new Error('a file has this name'), { code: 'EEXIST' });
  await makeEach(dirname(folder));
  await mkdir(folder).catch((error) => {
    if (error.code !== 'EEXIST') throw error; // Another process was faster.
  });
}

/** @param {string} folder @param {string} option that names it @returns {Promise<void>} throws CommandError */
export async function makeFolder(folder, option) {
  // Node's own mkdir never returns where a folder cannot hold any, such as /proc, so each one is made by itself.
  await makeEach(resolve(folder)).catch((error) => {
    throw new CommandError(`The folder ${folder} cannot be created (${error.code}). Pass another one to ${option}.`);
  });
}

/**
 * @param {string} folder @param {Record<string, string>} files text by name
 * @returns {Promise<void>} throws CommandError
 */
export async function writeFiles(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text).catch((error) => {
      throw new CommandError(`${join(folder, name)} cannot be written (${error.code}).`);
    });
  }
}
