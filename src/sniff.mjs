// What a file is by its first bytes and by its name: the one rule of command and page. It is small, so that only DICOM
// files load dicom/.

/** Larger files are refused unread: the largest film that is allowed, uncompressed, is smaller. */
export const MAX_FILE_BYTES = 512 << 20;

export const ARCHIVE = /\.zip$/i;

/** Names of films that the engine reads itself. */
export const FILM = /\.(png|jpe?g|jpe|jfif|bmp|dib|dcm|dicom|dic|ima)$/i;
/** Hospitals' discs hold films without an extension, or with numbers and dots for a name. */
const BARE = /^[^.]+$|\.\d*$/;
/** The index of such a disc. */
const INDEX = /(^|\/)DICOMDIR(;1)?$/i;

/** Whether a file is the index of a disc, which lists films and is none. @param {string} path */
export const isIndex = (path) => INDEX.test(path);

/** Whether a file is hidden, or lies in a hidden folder: a dot that does not begin `..`.
 *  @param {string} path  within the folder or archive that a person named */
export const isHidden = (path) => /(^|[/\\])\.(?!\.)/.test(path);

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
 * The formats that the engine reads, and others, by their first bytes, or those from `at` on; `?` stands for any byte.
 * @type {{ start: string, at?: number, film?: boolean, name?: string, advice?: string }[]}
 */
const SIGNATURES = [
  { start: '\x89PNG\r\n\x1a\n', film: true },
  { start: '\xff\xd8\xff', film: true },
  { start: 'BM????\0\0\0\0', film: true },
  { start: '\x1f\x8b', name: 'packed by gzip', advice: 'Unpack it first.' },
  { start: 'BZh', name: 'packed by bzip2', advice: 'Unpack it first.' },
  { start: '\xfd7zXZ', name: 'packed by xz', advice: 'Unpack it first.' },
  { start: '7z\xbc\xaf', name: 'a 7z archive', advice: 'Unpack it first.' },
  { start: 'Rar!', name: 'a RAR archive', advice: 'Unpack it first.' },
  { start: 'ustar', at: 257, name: 'a tar archive', advice: 'Unpack it first.' },
  { start: 'PK\x03\x04', name: 'a zip archive', advice: 'Give it a name that ends in .zip, or unpack it first.' },
  { start: 'II*\0', name: 'a TIFF image' },
  { start: 'MM\0*', name: 'a TIFF image' },
  { start: 'GIF8', name: 'a GIF image' },
  { start: 'RIFF????WEBP', name: 'a WebP image' },
  { start: '????ftyphei', name: 'an HEIC image' },
  { start: '????ftypmif', name: 'an HEIC image' },
  { start: '????ftypavif', name: 'an AVIF image' },
  { start: '????ftyp', name: 'a video' },
  { start: '\0\0\0\x0cjP  ', name: 'a JPEG 2000 image' },
  { start: '\xff\x4f\xff\x51', name: 'a JPEG 2000 image' },
  { start: '\0\0\0\x0cJXL ', name: 'a JPEG XL image' },
  { start: '\xff\x0a', name: 'a JPEG XL image' },
  { start: '%PDF', name: 'a PDF document', advice: 'Export the image that it shows as PNG or DICOM.' },
  { start: '<svg', name: 'an SVG drawing' },
  { start: '<?xml', name: 'an XML document' },
  { start: '<!DOCTYPE html', name: 'a web page', advice: 'Perhaps a login was needed. Fetch the film again.' },
  { start: '<html', name: 'a web page', advice: 'Perhaps a login was needed. Fetch the film again.' },
];

/** @param {Uint8Array} head */
function signatureOf(head) {
  return SIGNATURES.find(({ start, at = 0 }) => {
    const text = String.fromCharCode(...head.subarray(at, at + start.length));
    return text.length === start.length && [...start].every((c, i) => c === '?' || c === text[i]);
  });
}

/**
 * What to do about a file that is neither DICOM nor an image, and what it is where its first bytes show that. It is for
 * programs that read DICOM: the engine's own sentence for such a file lists only what the engine decodes itself.
 * @param {Uint8Array} head its first bytes
 */
export function notFilm(head) {
  const { name, advice = 'Save it as PNG, JPEG or DICOM.' } = signatureOf(head) ?? {};
  return name
    ? `Pleura cannot open this file: it is ${name}. ${advice}`
    : 'This is not an image that Pleura can open. Use a DICOM, PNG, JPEG or BMP file of a chest X-ray.';
}

/**
 * Whether a file found in a folder or an archive is a film: by its name, or where the name says nothing by its content.
 * @param {string} path
 * @param {() => Uint8Array | Promise<Uint8Array>} head  reads its first SNIFFED bytes; what it throws is passed on
 * @param {RegExp} [known]  the names that are films
 */
export async function isFilm(path, head, known = FILM) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (known.test(name)) return true;
  if (isIndex(name)) return false;
  const bytes = await head();
  return Boolean(signatureOf(bytes)?.film) || (BARE.test(name) ? isDicom(bytes) : isPart10(bytes));
}
