// Writes DICOM files element by element, for tests: explicit, little endian, native or encapsulated.

const LONG = new Set(['OB', 'OW', 'OF', 'OD', 'SQ', 'UN', 'UT']);
const WIDTHS = { US: 2, SS: 2, UL: 4 };

/** @param {string} vr @param {any} value @returns {Buffer} */
function encode(vr, value) {
  if (value instanceof Uint16Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof Uint8Array)
    return value.length % 2 ? Buffer.concat([value, Buffer.alloc(1)]) : Buffer.from(value);
  if (vr === 'SQ') return Buffer.concat(value.map((tags) => item(dataSet(tags))));
  if (WIDTHS[vr]) {
    const bytes = Buffer.alloc(WIDTHS[vr] * [value].flat().length);
    [value]
      .flat()
      .forEach((number, i) =>
        vr === 'UL' ? bytes.writeUInt32LE(number, 4 * i) : bytes.writeUInt16LE(number & 65535, 2 * i),
      );
    return bytes;
  }
  const text = [value].flat().join('\\');
  return Buffer.from(text.length % 2 ? text + (vr === 'UI' ? '\0' : ' ') : text, 'latin1');
}

const tagBytes = (tag) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(parseInt(tag.slice(0, 4), 16), 0);
  bytes.writeUInt16LE(parseInt(tag.slice(4), 16), 2);
  return bytes;
};

const uint32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};

/** @param {Buffer} content */
const item = (content) => Buffer.concat([tagBytes('fffee000'), uint32(content.length), content]);

/** @param {string} tag 'ggggeeee' @param {string} vr @param {Buffer} bytes @param {number} [length] */
function element(tag, vr, bytes, length = bytes.length) {
  if (LONG.has(vr)) return Buffer.concat([tagBytes(tag), Buffer.from(vr), Buffer.alloc(2), uint32(length), bytes]);
  const short = Buffer.alloc(2);
  short.writeUInt16LE(length);
  return Buffer.concat([tagBytes(tag), Buffer.from(vr), short, bytes]);
}

/** @param {Record<string, [string, any]>} tags  by 'ggggeeee': VR and value */
export const dataSet = (tags) =>
  Buffer.concat(
    Object.keys(tags)
      .sort()
      .filter((tag) => tags[tag])
      .map((tag) => element(tag, tags[tag][0], encode(...tags[tag]))),
  );

/** Pixel data in fragments. @param {Uint8Array[]} fragments @param {number[]} [offsets] */
export const encapsulated = (fragments, offsets = []) =>
  element(
    '7fe00010',
    'OB',
    Buffer.concat([
      item(Buffer.concat(offsets.map(uint32))),
      ...fragments.map((bytes) => item(encode('OB', bytes))),
      tagBytes('fffee0dd'),
      uint32(0),
    ]),
    0xffffffff,
  );

/**
 * @param {object} film
 * @param {number} film.width @param {number} film.height
 * @param {Uint8Array | Uint16Array} [film.pixels]  native
 * @param {Buffer} [film.pixelElement]  of encapsulated
 * @param {number} [film.bits]  stored
 * @param {Record<string, [string, any] | null>} [film.tags]  more, or others; null takes one away
 * @param {string} [film.syntax] @param {boolean} [film.preamble]
 */
export function dicomFile({
  width,
  height,
  pixels,
  pixelElement = Buffer.alloc(0),
  bits,
  tags = {},
  syntax = '1.2.840.10008.1.2.1',
  preamble = true,
}) {
  const allocated = pixels instanceof Uint8Array || (!pixels && bits <= 8) ? 8 : 16;
  const main = dataSet({
    '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.1'],
    '00080018': ['UI', '1.2.3.4'],
    '00080060': ['CS', 'CR'],
    '0020000d': ['UI', '1.2.3'],
    '0020000e': ['UI', '1.2.3.5'],
    '00280002': ['US', 1],
    '00280004': ['CS', 'MONOCHROME2'],
    '00280010': ['US', height],
    '00280011': ['US', width],
    '00280100': ['US', allocated],
    '00280101': ['US', bits ?? allocated],
    '00280102': ['US', (bits ?? allocated) - 1],
    '00280103': ['US', 0],
    ...tags,
    ...(pixels && { '7fe00010': [allocated === 8 ? 'OB' : 'OW', pixels] }),
  });
  if (!preamble) return Buffer.concat([main, pixelElement]);
  const meta = dataSet({
    '00020002': ['UI', '1.2.840.10008.5.1.4.1.1.1'],
    '00020003': ['UI', '1.2.3.4'],
    '00020010': ['UI', syntax],
  });
  const length = dataSet({ '00020000': ['UL', meta.length] });
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, meta, main, pixelElement]);
}
