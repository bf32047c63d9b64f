// names.mjs - file names as text and back, and the names of the heatmap files.
//
// Unix allows any bytes in a file name, JSON only Unicode. Inside the command a name is therefore always a string
// (`nameOf`), and becomes bytes again only where it is handed to node:fs (`pathOf`).
import { isUtf8 } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';

/**
 * Bytes that are not UTF-8 become lone surrogates U+DC80 to U+DCFF, as in Python (PEP 383): JSON can hold them, two
 * different names never become one, and `os.fsencode` finds the file again.
 * @param {Buffer} bytes @returns {string}
 */
export function nameOf(bytes) {
  if (isUtf8(bytes)) return bytes.toString();
  let name = '';
  for (let at = 0; at < bytes.length;) {
    const size = [1, 2, 3, 4].find((n) => at + n <= bytes.length && isUtf8(bytes.subarray(at, at + n)));
    name += size ? bytes.toString('utf8', at, at + size) : String.fromCharCode(0xdc00 + bytes[at]);
    at += size ?? 1;
  }
  return name;
}

/** @param {string} name @returns {string | Buffer} a path for the functions of node:fs */
export function pathOf(name) {
  if (name.isWellFormed()) return name;
  return Buffer.concat(
    [...name].map((letter) => Buffer.from(letter.isWellFormed() ? letter : [letter.charCodeAt(0) & 0xff])),
  );
}

/**
 * The arguments with their original bytes: Node replaces bytes that are not UTF-8 by U+FFFD, Linux still has them.
 * @param {string[]} argv @returns {string[]}
 */
export function restoreBytes(argv) {
  if (!argv.some((word) => word.includes('\ufffd')) || !existsSync('/proc/self/cmdline')) return argv;
  return splitAt(readFileSync('/proc/self/cmdline'), 0).slice(-argv.length).map(nameOf);
}

/** Sorts by code units: the same order on every machine, unlike a locale's. @param {string} a @param {string} b */
export const inOrder = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The parts between separators; a separator at the end adds no empty part.
 * @param {Buffer} bytes @param {number} separator @returns {Buffer[]}
 */
export function splitAt(bytes, separator) {
  const parts = [];
  for (let at = 0; at < bytes.length;) {
    const found = bytes.indexOf(separator, at),
      end = found < 0 ? bytes.length : found;
    parts.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return parts;
}

/** The text as one word of a POSIX shell. @param {string} text */
export const shellQuote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * The name of a film's heatmap file: safe on every file system, recognisable, and unique to the film's content. A film
 * whose own name has no usable character, such as `..`, gets the hash alone.
 * @param {string} file @param {string} hash SHA-256 of the film @param {string} [method] what else the name says
 */
export function overlayName(file, hash, method = '') {
  const stem = file
    .slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1)
    .replace(/\.[^.]*$/, '')
    .replace(/[^\p{L}\p{N}._-]+/gu, '_')
    .replace(/^\.+/, '');
  return `${[...stem].slice(0, 50).join('')}${method}-${hash.slice(0, 16)}.png`;
}

/** Recognises a name that overlayName made: heatmaps of earlier runs are not films. */
export const OVERLAY = /-[0-9a-f]{16}\.png$/;
