// read.mjs - the bytes of one film: a file, a member of an archive, or what standard input contained.
import { readFile, stat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { MAX_FILE_BYTES } from '../sniff.mjs';
import { ReadError, tooLarge, unreadable } from './errors.mjs';
import { pathOf } from './names.mjs';

/**
 * One film to read, or a path that leads to none (`code` and `message` say why).
 * @typedef {object} Item
 * @property {string} file the name in the record
 * @property {number} [place] index among all films of the run
 * @property {Uint8Array} [bytes] its content, if that has been read already
 * @property {string} [archive] the path of its archive @property {number} [member] its index in there
 * @property {boolean} [retried] this shard has answered it before with an error, so it stays in this shard
 * @property {string} [code] @property {string} [message]
 */

const TRIES = 100,
  PAUSE_MS = 50;

/**
 * Retries while too many files are open, in this process or on the whole machine.
 * @template T @param {() => Promise<T>} action @returns {Promise<T>}
 */
async function retryWhenFull(action) {
  for (let tries = 1; ; tries++) {
    try {
      return await action();
    } catch (error) {
      if ((error.code !== 'EMFILE' && error.code !== 'ENFILE') || tries === TRIES) throw error;
      await setTimeout(PAUSE_MS);
    }
  }
}

/** @param {string} file @returns {Promise<Uint8Array>} */
async function readWhole(file) {
  const path = pathOf(file);
  const stats = await stat(path);
  if (stats.isCharacterDevice()) throw new ReadError('unreadable', 'This is a device. Give the path of an image file.');
  if (stats.size > MAX_FILE_BYTES) throw tooLarge();
  return retryWhenFull(() => readFile(path));
}

/** Readings that may still use an archive when it is replaced; a thread never has more of them at once. */
const MAX_READINGS = 8;

/** Reads films one after the other, and keeps the archive of the last one open. */
export function createReader() {
  /** @type {{ path: string, archive: Promise<import('./archive.mjs').Archive> | null, readings: Promise<unknown>[] }} */
  let current = { path: '', archive: null, readings: [] };

  /**
   * @template T @param {string} path @param {(archive: import('./archive.mjs').Archive) => Promise<T>} action
   * @returns {Promise<T>}
   */
  function inArchive(path, action) {
    if (path !== current.path) {
      const { archive: last, readings } = current;
      Promise.allSettled(readings)
        .then(async () => (await last)?.close())
        .catch(() => {}); // An archive that did not open needs no closing.
      current = { path, archive: null, readings: [] };
    }
    const archive = (current.archive ??= import('./archive.mjs').then(({ openArchive }) => openArchive(path)));
    const reading = archive.then(action);
    current.readings = [...current.readings.slice(-MAX_READINGS), reading];
    return reading;
  }

  /**
   * Reads `archive.zip/inner/film.png`, the name that a record gives to a member of an archive.
   * @param {string} file @param {Error} error to throw if it is not one
   */
  async function readNamed(file, error) {
    const [, path, name] = /^(.*?\.zip)[/\\](.+)$/i.exec(file) ?? [];
    if (!path) throw error;
    return inArchive(path, ({ members, read }) => {
      const member = members.find((one) => one.name === name);
      if (!member) throw new ReadError('no-such-file', 'There is no such file in the archive. Check the path.');
      return read(member.index);
    });
  }

  /** @param {Item} item @returns {Promise<Uint8Array>} throws ReadError */
  return async function read({ file, bytes, archive, member = 0 }) {
    if (bytes) return bytes;
    try {
      if (archive) return await inArchive(archive, ({ read }) => read(member));
      return await readWhole(file).catch((error) => {
        if (error.code === 'ENOTDIR') return readNamed(file, error);
        throw error;
      });
    } catch (error) {
      throw error instanceof ReadError ? error : unreadable(error);
    }
  };
}
