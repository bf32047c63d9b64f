// Tells a DICOM file by its first bytes, whatever its name; light, so that only DICOM files load dicom.mjs.

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
