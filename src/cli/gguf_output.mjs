// The GGUF file that `quantise` or `adapt` makes: whether it may be written is told before a film is read.
import { access, constants, open, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathOf } from '../node/names.mjs';
import { CommandError, usage } from '../node/errors.mjs';

/** @param {string} out @returns {(error: any) => never} */
const unwritable = (out) => (error) => {
  throw new CommandError(`${out} cannot be written (${error.code}). Choose another place.`);
};

/** Whether nothing is lost with a file: it is empty, or weights or an overlay. @param {import('node:fs/promises').FileHandle} file */
async function isOurs(file) {
  if (!(await file.stat()).isFile()) return false;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4));
  return bytesRead === 0 || buffer.toString('latin1') === 'GGUF';
}

/**
 * Refuses what was hardly meant: whoever forgets the name of the output has named a film in its place.
 * @param {string} out @returns {Promise<void>} throws CommandError
 */
export async function checkOutput(out) {
  if (!/\.gguf$/i.test(out)) throw usage(`The name of the file to write has to end in .gguf, not as in ${out}.`);
  const file = await open(pathOf(out), 'r+')
    .catch(async (error) => {
      if (error.code !== 'ENOENT') throw error;
      await access(pathOf(dirname(out)), constants.W_OK); // Nothing is there yet: its folder tells.
      return null;
    })
    .catch(unwritable(out));
  if (!file) return;
  try {
    if (!(await isOurs(file))) throw usage(`${out} is no GGUF file, so it was left as it is. Choose another name.`);
  } finally {
    await file.close();
  }
}

/** @param {string} out @param {Uint8Array} bytes @returns {Promise<void>} throws CommandError */
export const writeOutput = (out, bytes) => writeFile(pathOf(out), bytes).catch(unwritable(out));
