// What a file is by its first bytes and by its name: the one rule of command and page. It is small, so that only DICOM
// files load dicom/.

/** Larger files are refused unread: the largest film that is allowed, uncompressed, is smaller. */
export const MAX_FILE_BYTES = 512 << 20;

export const ARCHIVE = /\.zip$/i;

/** Names of films that the engine reads itself. */
export const FILM = /\.(png|jpe?g|bmp|dcm|dicom)$/i;
/** Hospitals' discs hold films without an extension, or with numbers and dots for a name. */
const BARE = /^[^.]+$|\.\d*$/;
/** The index of such a disc. */
const INDEX = 'DICOMDIR';

/** Bytes that isDicom looks at. */
export const SNIFFED = 144;

/** Value representations that open a data set: PS3.5, table 6.2-1. */
const OPENING = /^(AE|AS|CS|DA|DT|LO|LT|OB|PN|SH|ST|TM|UI|UL|UN|US|UT)$/;

/**
 * A data set without the preamble: PACS and old archives write it. Its first element is of group 2 or 8, explicit in
 * either byte order, or implicit with a length that fits a code, a date or a UID.
 * @param {Uint8Array} head
 */
function isDataSet(head) {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (const little of [true, false]) {
    const group = view.getUint16(0, little),
      element = view.getUint16(2, little);
    if ((group !== 2 && group !== 8) || element > 0x70) continue;
    if (OPENING.test(String.fromCharCode(head[4], head[5]))) return true;
    if (little && group === 8 && view.getUint32(4, true) <= 64) return true;
  }
  return false;
}

/** @param {Uint8Array} bytes  a file, or its first SNIFFED bytes */
export function isDicom(bytes) {
  return isPart10(bytes) || (bytes.length >= 16 && isDataSet(bytes));
}

/** With a preamble of 128 bytes, which may look like any other format, and the letters DICM (PS3.10, 7.1). @param {Uint8Array} bytes */
export const isPart10 = (bytes) => bytes.length >= 132 && String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM';

/**
 * Whether a file found in a folder or an archive is a film: by its name, or where the name says nothing by its content.
 * @param {string} path
 * @param {() => Uint8Array | Promise<Uint8Array>} head  reads its first SNIFFED bytes; what it throws is passed on
 * @param {RegExp} [known]  the names that are films
 */
export async function isFilm(path, head, known = FILM) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (known.test(name)) return true;
  if (!BARE.test(name) || name.toUpperCase() === INDEX) return false;
  return isDicom(await head());
}
