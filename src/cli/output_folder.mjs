// output_folder.mjs - the folders that --heatmap and --report fill.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../node/errors.mjs';

/** @param {string} folder @param {string} option that names it @returns {Promise<void>} throws CommandError */
export async function makeFolder(folder, option) {
  await mkdir(folder, { recursive: true }).catch((error) => {
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
