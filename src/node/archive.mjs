// Zip archives, read in place: which films one holds, and the bytes of one of them. Nothing is ever unpacked to the disk.
import { open } from 'node:fs/promises';
import {
  configure,
  ERR_ENCRYPTED_CENTRAL_DIRECTORY,
  ERR_SPLIT_ZIP_FILE,
  ERR_UNSUPPORTED_COMPRESSION,
  Reader,
  Uint8ArrayWriter,
  ZipReader,
} from '@zip.js/zip.js';
import { inOrder, pathOf } from './names.mjs';
import { ARCHIVE, MAX_FILE_BYTES } from '../sniff.mjs';
import { ReadError, unreadable } from './errors.mjs';

configure({ useWebWorkers: false }); // Each thread of the pool unpacks for itself.

/** @type {[string, string]} */
const DAMAGED = ['archive-damaged', 'This archive is damaged or cut short. Fetch or pack it again.'];
/** @type {[string, string]} */
const MEMBER_DAMAGED = ['archive-damaged', 'This film is damaged within its archive. Fetch or pack the archive again.'];
const UNSAFE = /(^|[/\\])\.\.([/\\]|$)|^[/\\]|^[a-z]:/i;

/** Any part of a file, for the zip reader. */
class FileReader extends Reader {
  /** @param {import('node:fs/promises').FileHandle} handle @param {number} size */
  constructor(handle, size) {
    super(handle);
    this.handle = handle;
    this.size = size;
  }

  async readUint8Array(index, length) {
    const bytes = Buffer.alloc(Math.min(length, this.size - index));
    const { bytesRead } = await this.handle.read(bytes, 0, bytes.length, index);
    if (bytesRead < bytes.length) throw new ReadError(...DAMAGED);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytesRead);
  }
}

/** @param {any[]} entries two members that share bytes: the mark of an archive that unpacks to more than any disk holds */
function overlap(entries) {
  const byPlace = entries.toSorted((a, b) => a.offset - b.offset);
  return byPlace.some(({ offset }, i) => i > 0 && offset < byPlace[i - 1].offset + byPlace[i - 1].compressedSize);
}

/**
 * @typedef {object} Archive
 * @property {{ name: string, index: number }[]} members in the order of their names
 * @property {(index: number) => Promise<Uint8Array>} read throws ReadError
 * @property {(index: number, size: number) => Promise<Uint8Array>} head its first bytes; none where it cannot be read
 * @property {() => Promise<void>} close
 */

/** @param {string} path @returns {Promise<Archive>} throws ReadError */
export async function openArchive(path) {
  const handle = await open(pathOf(path)).catch((error) => {
    throw unreadable(error);
  });
  try {
    const { size } = await handle.stat();
    const zip = new ZipReader(new FileReader(handle, size), { filenameValidation: 'tolerant', checkCrc32: true });
    const entries = (await zip.getEntries()).filter(({ directory }) => !directory);
    if (overlap(entries))
      throw new ReadError('archive-damaged', 'The members of this archive overlap: it is damaged, or made to do harm.');
    const members = entries
      .map(({ filename }, index) => ({ name: filename, index }))
      .sort((a, b) => inOrder(a.name, b.name));
    return {
      members,
      read: (index) => readMember(entries[index]),
      head: (index, size) => beginningOf(entries[index], size),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    if (error instanceof ReadError) throw error;
    if (error.code) throw unreadable(error);
    if (error.message === ERR_ENCRYPTED_CENTRAL_DIRECTORY)
      throw new ReadError('encrypted', 'This archive is encrypted. Unpack it with its password first.');
    if (error.message === ERR_SPLIT_ZIP_FILE)
      throw new ReadError('archive-damaged', 'This archive is one part of several. Join them first: zip -s 0.');
    throw new ReadError(...DAMAGED);
  }
}

/** @param {any} entry @returns {Promise<Uint8Array>} */
async function readMember(entry) {
  if (!entry) throw new ReadError(...MEMBER_DAMAGED); // The archive was changed meanwhile.
  if (UNSAFE.test(entry.filename))
    throw new ReadError(
      'unsafe-name',
      'The name of this film leads out of its archive, so it is not read. Pack the archive again.',
    );
  if (ARCHIVE.test(entry.filename))
    throw new ReadError('nested-archive', 'This is an archive within an archive. Unpack the outer one first.');
  if (entry.encrypted)
    throw new ReadError('encrypted', 'This film is encrypted. Unpack the archive with its password first.');
  if (entry.uncompressedSize > MAX_FILE_BYTES)
    throw new ReadError('file-too-large', 'The file is larger than 512 MB: too large for a film.');
  try {
    return await entry.getData(new Uint8ArrayWriter());
  } catch (error) {
    if (error instanceof ReadError) throw error;
    if (error.message === ERR_UNSUPPORTED_COMPRESSION)
      throw new ReadError(
        'archive-method',
        'This film is packed by a method that Pleura does not know. Unpack the archive first.',
      );
    throw new ReadError(...MEMBER_DAMAGED);
  }
}

/** @param {any} entry @param {number} size @returns {Promise<Uint8Array>} */
async function beginningOf(entry, size) {
  const chunks = [];
  let length = 0;
  const enough = new WritableStream({
    write(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= size) throw new Error('enough');
    },
  });
  await entry.getData(enough).catch(() => {}); // Ended by force, or not to be read.
  return Buffer.concat(chunks).subarray(0, size);
}
