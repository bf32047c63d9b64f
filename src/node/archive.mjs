// archive.mjs - zip archives: lists the films of one and reads a single member. Nothing is ever unpacked to the disk.
//
// The main thread opens an archive to list its films, and each worker thread opens it again to read its members: an
// open file cannot be sent to another thread. Only the directory of the archive is read twice.
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
import { ARCHIVE, MAX_FILE_BYTES } from '../sniff.mjs';
import { ReadError, tooLarge, unreadable } from './errors.mjs';
import { inOrder, pathOf } from './names.mjs';

configure({ useWebWorkers: false }); // The threads of the pool are enough.

/** @type {[string, string]} */
const DAMAGED = ['archive-damaged', 'This archive is damaged or incomplete. Download it or pack it again.'];
/** @type {[string, string]} */
const MEMBER_DAMAGED = [
  'archive-damaged',
  'This film is damaged inside its archive. Download or pack the archive again.',
];

/** A member's name that points outside the archive: `..` as a folder, an absolute path, or a drive letter. */
const UNSAFE = /(^|[/\\])\.\.([/\\]|$)|^[/\\]|^[a-z]:/i;

/** Gives the zip library any part of an open file. @extends {Reader<import('node:fs/promises').FileHandle>} */
class FileReader extends Reader {
  /** @param {import('node:fs/promises').FileHandle} handle @param {number} size */
  constructor(handle, size) {
    super(handle);
    this.handle = handle;
    this.size = size;
  }

  /** @param {number} index @param {number} length */
  async readUint8Array(index, length) {
    const bytes = Buffer.alloc(Math.min(length, this.size - index));
    const { bytesRead } = await this.handle.read(bytes, 0, bytes.length, index);
    if (bytesRead < bytes.length) throw new ReadError(...DAMAGED);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytesRead);
  }
}

/** Whether two members share bytes: the mark of a zip bomb. @param {any[]} entries */
function overlap(entries) {
  const sorted = entries.toSorted((a, b) => a.offset - b.offset);
  return sorted.some(({ offset }, i) => i > 0 && offset < sorted[i - 1].offset + sorted[i - 1].compressedSize);
}

/**
 * @typedef {object} Archive
 * @property {{ name: string, index: number }[]} members in the order of their names
 * @property {(index: number) => Promise<Uint8Array>} read throws ReadError
 * @property {(index: number, size: number) => Promise<Uint8Array>} head its first bytes; empty if it cannot be read
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
      throw new ReadError('archive-damaged', 'The members of this archive overlap, so it is damaged or malicious.');
    const members = entries
      .map(({ filename }, index) => ({ name: filename, index }))
      .sort((a, b) => inOrder(a.name, b.name));
    return {
      members,
      read: (index) => readMember(entries[index]),
      head: (index, size) => readHead(entries[index], size),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw explain(error);
  }
}

/** @param {any} error of opening an archive @returns {ReadError} */
function explain(error) {
  if (error instanceof ReadError) return error;
  if (error.code) return unreadable(error);
  if (error.message === ERR_ENCRYPTED_CENTRAL_DIRECTORY)
    return new ReadError('encrypted', 'This archive is encrypted. Unpack it with its password first.');
  if (error.message === ERR_SPLIT_ZIP_FILE)
    return new ReadError('archive-damaged', 'This archive is one part of several. Join them first: zip -s 0.');
  return new ReadError(...DAMAGED);
}

/** @param {any} entry */
function checkMember(entry) {
  if (!entry) throw new ReadError(...MEMBER_DAMAGED); // The archive has changed since it was listed.
  if (UNSAFE.test(entry.filename))
    throw new ReadError(
      'unsafe-name',
      'The name of this film points outside its archive, so it was not opened. Pack the archive again.',
    );
  if (ARCHIVE.test(entry.filename))
    throw new ReadError('nested-archive', 'This is an archive inside an archive. Unpack the outer one first.');
  if (entry.encrypted)
    throw new ReadError('encrypted', 'This film is encrypted. Unpack the archive with its password first.');
  if (entry.uncompressedSize > MAX_FILE_BYTES) throw tooLarge();
}

/** @param {any} entry @returns {Promise<Uint8Array>} */
async function readMember(entry) {
  checkMember(entry);
  try {
    return await entry.getData(new Uint8ArrayWriter());
  } catch (error) {
    if (error instanceof ReadError) throw error;
    if (error.message === ERR_UNSUPPORTED_COMPRESSION)
      throw new ReadError(
        'archive-method',
        'This film is packed with a compression method that Pleura does not support. Unpack the archive first.',
      );
    throw new ReadError(...MEMBER_DAMAGED);
  }
}

/** @param {any} entry @param {number} size @returns {Promise<Uint8Array>} */
async function readHead(entry, size) {
  /** @type {Uint8Array[]} */
  const chunks = [];
  let length = 0;
  const sink = new WritableStream({
    write(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= size) throw new Error('enough'); // The only way to stop the zip library.
    },
  });
  await entry.getData(sink).catch(() => {}); // Stopped on purpose, or unreadable: readMember will say why.
  return Buffer.concat(chunks).subarray(0, size);
}
