// bytes.mjs - what a file may be held in.

/** The bytes of a file, in whatever they are held; null for anything else. @param {any} film @returns {Uint8Array | null} */
export function bytesOf(film) {
  if (ArrayBuffer.isView(film)) return new Uint8Array(film.buffer, film.byteOffset, film.byteLength);
  // By its name, because a buffer may come from another context of the program.
  return /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(film)) ? new Uint8Array(film) : null;
}
