// Writes DICOM files element by element, for tests: explicit and little endian, or as `encoding` says; native or
// encapsulated.

/**
 * @typedef {{ big?: boolean, implicit?: boolean }} Encoding
 * @typedef {Record<string, [vr: string, value: any] | Buffer | null>} Tags  by 'ggggeeee'; a Buffer is a whole element
 */

const SHORT = new Set('AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' '));
const WIDTHS = { US: 2, SS: 2, UL: 4, UV: 8, SV: 8 };

/** @param {number[]} numbers @param {number} width  in bytes @param {boolean} [big] */
function integers(numbers, width, big = false) {
  const bytes = Buffer.concat(
    numbers.map((number) => {
      const one = Buffer.alloc(8);
      one.writeBigInt64LE(BigInt(number));
      return one.subarray(0, width);
    }),
  );
  if (big) for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  return bytes;
}

/** @param {string} vr @param {any} value @param {Encoding} encoding @returns {Buffer} */
function encode(vr, value, { big, implicit }) {
  if (value instanceof Uint16Array) {
    const bytes = Buffer.from(Uint8Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)));
    return big ? bytes.swap16() : bytes;
  }
  if (value instanceof Uint8Array)
    return value.length % 2 ? Buffer.concat([value, Buffer.alloc(1)]) : Buffer.from(value);
  if (vr === 'SQ') return Buffer.concat(value.map((tags) => item(dataSet(tags, { big, implicit }), big)));
  if (WIDTHS[vr]) return integers([value].flat(), WIDTHS[vr], big);
  const text = [value].flat().join('\\');
  return Buffer.from(text.length % 2 ? text + (vr === 'UI' ? '\0' : ' ') : text, 'latin1');
}

const tagBytes = (tag, big) => integers([parseInt(tag.slice(0, 4), 16), parseInt(tag.slice(4), 16)], 2, big);

/** @param {Buffer} content @param {boolean} [big] */
export const item = (content, big) =>
  Buffer.concat([tagBytes('fffee000', big), integers([content.length], 4, big), content]);

/** @param {string} tag 'ggggeeee' @param {string} vr @param {Buffer} bytes @param {number} [length] @param {Encoding} [encoding] */
export function element(tag, vr, bytes, length = bytes.length, { big, implicit } = {}) {
  if (implicit) return Buffer.concat([tagBytes(tag, big), integers([length], 4, big), bytes]);
  const [reserved, width] = SHORT.has(vr) ? [0, 2] : [2, 4];
  const letters = Buffer.from(vr, 'latin1');
  return Buffer.concat([tagBytes(tag, big), letters, Buffer.alloc(reserved), integers([length], width, big), bytes]);
}

/** @param {Tags} tags @param {Encoding} [encoding] */
export const dataSet = (tags, encoding = {}) =>
  Buffer.concat(
    Object.keys(tags)
      .sort()
      .filter((tag) => tags[tag])
      .map((tag) => {
        const given = tags[tag];
        if (Buffer.isBuffer(given)) return given;
        const bytes = encode(given[0], given[1], encoding);
        return element(tag, given[0], bytes, bytes.length, encoding);
      }),
  );

/** Pixel data in fragments. @param {Uint8Array[]} fragments @param {number[]} [offsets] */
export const encapsulated = (fragments, offsets = []) =>
  element(
    '7fe00010',
    'OB',
    Buffer.concat([
      item(integers(offsets, 4)),
      ...fragments.map((bytes) => item(encode('OB', bytes, {}))),
      tagBytes('fffee0dd'),
      integers([0], 4),
    ]),
    0xffffffff,
  );

/**
 * @param {object} film
 * @param {number} film.width @param {number} film.height
 * @param {Uint8Array | Uint16Array} [film.pixels]  native
 * @param {Buffer} [film.pixelElement]  of encapsulated
 * @param {number} [film.bits]  stored
 * @param {Tags} [film.tags]  more, or others; null takes one away
 * @param {string} [film.syntax] @param {boolean} [film.preamble]
 * @param {Encoding} [film.encoding]  of the data set; its syntax is to match @param {Encoding} [film.metaEncoding]
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
  encoding = {},
  metaEncoding = {},
}) {
  const allocated = pixels instanceof Uint8Array || (!pixels && bits <= 8) ? 8 : 16;
  const main = dataSet(
    {
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
    },
    encoding,
  );
  if (!preamble) return Buffer.concat([main, pixelElement]);
  const meta = dataSet(
    {
      '00020002': ['UI', tags['00080016']?.[1] ?? '1.2.840.10008.5.1.4.1.1.1'],
      '00020003': ['UI', '1.2.3.4'],
      '00020010': ['UI', syntax],
    },
    metaEncoding,
  );
  const length = dataSet({ '00020000': ['UL', meta.length] }, metaEncoding);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, meta, main, pixelElement]);
}
