// The grayscale pipeline of a DICOM film as one lookup table: modality, VOI window or table, and inversion.
//
// The model was trained on films as readers see them, so the engine gets the film ready for display. The steps are
// those of PS3.4, N.2: modality LUT or rescale, then the file's first VOI LUT or else its first window, then
// MONOCHROME1 inverted. Without a window or table the stored range is spread over the greys; the engine finds its own
// black and white in any case. Only additions, multiplications and divisions are used, because IEEE 754 defines them to
// the last bit; Math.exp and Math.pow differ between browsers.

/**
 * @typedef {{ first: number, values: Uint16Array, bits: number }} Lut  values[i] belongs to the input first + i
 * @typedef {object} Greys
 * @property {number} bits  Bits Stored, 1 to 16
 * @property {number} shift  position of the lowest stored bit in its word
 * @property {boolean} signed
 * @property {number} slope @property {number} intercept
 * @property {Lut | null} modalityLut  instead of slope and intercept
 * @property {Voi} voi
 * @property {boolean} inverted  the smallest value is white
 * @property {[number, number] | null} padding  range of stored values that mark padding around the image
 * @property {[low: number, high: number]} range  of the values after the modality step
 * @typedef {{ kind: 'none' }
 *   | { kind: 'linear' | 'linear-exact' | 'sigmoid', centre: number, width: number }
 *   | { kind: 'lut', lut: Lut }} Voi
 */

/** e^x for x in [-700, 700]. @param {number} x */
function exp(x) {
  const halvings = 10;
  const small = x / (1 << halvings);
  let term = 1,
    sum = 1;
  for (let i = 1; i <= 20; i++) sum += term = (term * small) / i;
  for (let i = 0; i < halvings; i++) sum *= sum;
  return sum;
}

/** @param {Lut} lut @param {number} value */
function lookUp(lut, value) {
  const at = Math.floor(value) - lut.first;
  return lut.values[at < 0 ? 0 : Math.min(at, lut.values.length - 1)];
}

/**
 * The grey of a table's entry, 0 to 65535. Rounded down, as tables are made: one of 12 bits then shows the same greys as
 * the same curve in 16 bits.
 * @param {Lut} lut @param {number} value
 */
const tableLevel = (lut, value) => Math.floor((lookUp(lut, value) * 65535) / (2 ** lut.bits - 1));

const clip = (/** @type {number} */ y) => (y < 0 ? 0 : y > 1 ? 1 : y);

/** Applies a window: 0 to 1 (PS3.3, C.11.2.1.2 and C.11.2.1.3). @param {any} voi @param {number} value */
function windowed({ kind, centre, width }, value) {
  if (kind === 'sigmoid') return 1 / (1 + exp(Math.max(-700, Math.min(700, (-4 * (value - centre)) / width))));
  if (kind === 'linear-exact') return clip((value - centre) / width + 0.5);
  if (width === 1) return value > centre - 0.5 ? 1 : 0;
  return clip((value - (centre - 0.5)) / (width - 1) + 0.5);
}

/**
 * @param {Greys} greys
 * @returns {Uint16Array} [65536]: the grey of each possible word, 0 black to 65535 white
 */
export function greyTable({ bits, shift, signed, slope, intercept, modalityLut, voi, inverted, padding, range }) {
  const count = 2 ** bits;
  const [low, high] = range;
  const modality = (/** @type {number} */ stored) =>
    modalityLut ? lookUp(modalityLut, stored) : stored * slope + intercept;

  /** @param {number} value  after the modality step */
  function shown(value) {
    if (voi.kind === 'none') return high > low ? (value - low) / (high - low) : 0;
    return windowed(voi, value);
  }

  /** @param {number} stored */
  function grey(stored) {
    if (padding && stored >= padding[0] && stored <= padding[1]) return 0;
    const value = modality(stored);
    const level = voi.kind === 'lut' ? tableLevel(voi.lut, value) : Math.floor(clip(shown(value)) * 65535 + 0.5);
    return inverted ? 65535 - level : level;
  }

  const greys = new Uint16Array(count),
    table = new Uint16Array(65536);
  for (let word = 0; word < count; word++) greys[word] = grey(signed && word >= count / 2 ? word - count : word);
  for (let word = 0; word < table.length; word++) table[word] = greys[(word >> shift) & (count - 1)];
  return table;
}

/** The table of one colour channel. @param {number} bits */
export const channelTable = (bits) =>
  greyTable({
    bits,
    shift: 0,
    signed: false,
    slope: 1,
    intercept: 0,
    modalityLut: null,
    voi: { kind: 'none' },
    inverted: false,
    padding: null,
    range: [0, 2 ** bits - 1],
  });
