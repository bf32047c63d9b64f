// gguf_output.mjs - the GGUF file that `convert`, `quantise` or `adapt` writes: checked before the films are read.
import { access, constants, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandError, usage } from '../node/errors.mjs';
import { pathOf } from '../node/names.mjs';

/** @param {string} out @returns {(error: any) => never} */
const unwritable = (out) => (error) => {
  throw new CommandError(`${out} cannot be written (${error.code}). Choose another path.`);
};

/**
 * Whether the file may be overwritten: it is empty, or weights or an adapter.
 * @param {import('node:fs/promises').FileHandle} file
 */
async function isReplaceable(file) {
  if (!(await file.stat()).isFile()) return false;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4));
  return bytesRead === 0 || buffer.toString('latin1') === 'GGUF';
}

/**
 * Refuses to overwrite other files: whoever forgets the name of the output has probably typed a film in its place.
 * @param {string} out @returns {Promise<void>} throws CommandError
 */
export async function checkOutput(out) {
  if (!/\.gguf$/i.test(out)) throw usage(`The output file must end in .gguf; ${out} does not.`);
  const file = await open(pathOf(out), 'r+')
    .catch(async (error) => {
      if (error.code !== 'ENOENT') throw error;
      await access(pathOf(dirname(out)), constants.W_OK); // A new file: its folder must be writable.
      return null;
    })
    .catch(unwritable(out));
  if (!file) return;
  try {
    if (!(await isReplaceable(file)))
      throw usage(`${out} is not a GGUF file, so it was not changed. Choose another name.`);
  } finally {
    await file.close();
  }
}

/**
 * Writes beside the output and renames, so that an older file is replaced by a whole one or not at all.
 * @param {string} out @param {Uint8Array} bytes @returns {Promise<void>} throws CommandError
 */
export async function writeOutput(out, bytes) {
  const part = pathOf(`${out}.${process.pid}.part`);
  try {
    await writeFile(part, bytes);
    await rename(part, pathOf(out));
  } catch (error) {
    unwritable(out)(error);
  } finally {
    await rm(part, { force: true });
  }
}
