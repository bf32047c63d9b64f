// picture_hash.mjs - a perceptual hash of a film, which survives another format, quality and size.

const [COLUMNS, ROWS] = [17, 16];

/** The longer side of the view of a film that is hashed. */
export const SIDE = 256;

/**
 * A difference hash of 256 bits: whether each of 17 x 16 area means is brighter than its right neighbour.
 * @param {{ data: ArrayLike<number>, width: number, height: number }} film upright, grey @returns {Uint32Array} 8 words
 */
export function pictureHash({ data, width, height }) {
  const hash = new Uint32Array((ROWS * (COLUMNS - 1)) / 32);
  for (let row = 0, bit = 0; row < ROWS; row++) {
    const means = Array.from({ length: COLUMNS }, (_, column) => areaMean(column, row));
    for (let i = 0; i + 1 < COLUMNS; i++, bit++) if (means[i] > means[i + 1]) hash[bit >> 5] |= 1 << (bit & 31);
  }
  return hash;

  /** @param {number} column @param {number} row */
  function areaMean(column, row) {
    const [left, right] = [(column * width) / COLUMNS, ((column + 1) * width) / COLUMNS];
    const [top, bottom] = [(row * height) / ROWS, ((row + 1) * height) / ROWS];
    let sum = 0;
    for (let y = Math.floor(top); y < bottom; y++) {
      const tall = Math.min(y + 1, bottom) - Math.max(y, top);
      for (let x = Math.floor(left); x < right; x++)
        sum += tall * (Math.min(x + 1, right) - Math.max(x, left)) * data[y * width + x];
    }
    return sum;
  }
}

/** The number of bits in which two hashes differ. @param {Uint32Array} a @param {Uint32Array} b */
export function hashDistance(a, b) {
  let count = 0;
  for (let i = 0; i < a.length; i++) {
    let x = a[i] ^ b[i];
    x -= (x >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    count += Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return count;
}
