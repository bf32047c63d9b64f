// The bytes of one film: a file, a member of an archive, or what standard input gave.
import { readFile, stat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { MAX_FILE_BYTES } from '../sniff.mjs';
import { ReadError, unreadable } from './errors.mjs';
import { pathOf } from './names.mjs';

const TRIES = 100,
  PAUSE = 50; // milliseconds

/** Too many files are open, here or on the whole machine: soon there are fewer. @template T @param {() => Promise<T>} act @returns {Promise<T>} */
async function whenFree(act) {
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (error) {
      if ((error.code !== 'EMFILE' && error.code !== 'ENFILE') || tries === TRIES) throw error;
      await setTimeout(PAUSE);
    }
  }
}

/** @param {string} file @returns {Promise<Uint8Array>} */
async function readWhole(file) {
  const path = pathOf(file);
  const stats = await stat(path);
  if (stats.isCharacterDevice()) throw new ReadError('unreadable', 'This is a device. Give the path of an image file.');
  if (stats.size > MAX_FILE_BYTES)
    throw new ReadError('file-too-large', 'The file is larger than 512 MB: too large for a film.');
  return whenFree(() => readFile(path));
}

/** Reads films one after the other; keeps the archive open that the last one came from. */
export function createReader() {
  let open = { path: '', /** @type {Promise<import('./archive.mjs').Archive>} */ archive: null, readings: [] };

  /** @template T @param {string} path @param {(archive: import('./archive.mjs').Archive) => Promise<T>} act @returns {Promise<T>} */
  function inArchive(path, act) {
    if (path !== open.path) {
      const { archive, readings } = open;
      Promise.allSettled(readings)
        .then(async () => (await archive)?.close())
        .catch(() => {}); // What was not open is not closed.
      open = { path, archive: import('./archive.mjs').then(({ openArchive }) => openArchive(path)), readings: [] };
    }
    const reading = open.archive.then(act);
    open.readings = [...open.readings.slice(-8), reading]; // A thread never reads as many at once.
    return reading;
  }

  /** `archive.zip/inner/film.png`, as an earlier record may name it. */
  async function readNamed(file, error) {
    const [, path, name] = /^(.*?\.zip)[/\\](.+)$/i.exec(file) ?? [];
    if (!path) throw error;
    return inArchive(path, ({ members, read }) => {
      const member = members.find((one) => one.name === name);
      if (!member) throw new ReadError('no-such-file', 'There is no such file in the archive. Check the path.');
      return read(member.index);
    });
  }

  /**
   * @param {import('../cli/paths.mjs').Item} item @returns {Promise<Uint8Array>} throws ReadError
   */
  return async function read({ file, bytes, archive: path, member }) {
    if (bytes) return bytes;
    try {
      if (path) return await inArchive(path, ({ read }) => read(member));
      return await readWhole(file).catch((error) => {
        if (error.code === 'ENOTDIR') return readNamed(file, error);
        throw error;
      });
    } catch (error) {
      throw error instanceof ReadError ? error : unreadable(error);
    }
  };
}
