// File names as text and back: Unix allows any bytes in them, JSON only Unicode.
import { isUtf8 } from 'node:buffer';

/**
 * Bytes that are no UTF-8 become lone surrogates U+DC80 to U+DCFF, as in Python (PEP 383): JSON holds them, no two names
 * become one, and `os.fsencode` finds the file again.
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

/** @param {string} name @returns {string | Buffer} what the functions of node:fs take */
export function pathOf(name) {
  if (name.isWellFormed()) return name;
  return Buffer.concat(
    [...name].map((letter) => Buffer.from(letter.isWellFormed() ? letter : [letter.charCodeAt(0) & 0xff])),
  );
}

/** @param {string} a @param {string} b by code units: the same order on every machine, unlike a locale's */
export const inOrder = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** @param {Buffer} bytes @param {number} end of each part @returns {Buffer[]} */
export function split(bytes, end) {
  const parts = [];
  for (let at = 0; at < bytes.length;) {
    const next = bytes.indexOf(end, at);
    parts.push(bytes.subarray(at, next < 0 ? bytes.length : next));
    at = next < 0 ? bytes.length : next + 1;
  }
  return parts;
}
