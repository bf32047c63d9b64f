// format.mjs - numbers and names as short text, for tables, Markdown and plots alike.

/** @typedef {{ value: number, low: number | null, high: number | null }} Interval  low, high: null if there is none */

/** 0.1234 → 12.3. @param {number} x */
export const percent = (x) => (100 * x).toFixed(1);

/** 0.1234 → 12.34, 0.5 → 50: no trailing zeros. @param {number} x @param {number} digits at most */
export const shortPercent = (x, digits) => String(Number((100 * x).toFixed(digits)));

/** @param {number} x */
export const twoDigits = (x) => x.toFixed(2);

/** @param {number} x */
export const threeDigits = (x) => x.toFixed(3);

/**
 * `value (low–high)`; a dash for a metric that is missing.
 * @param {Interval | null} metric @param {(x: number) => string} format
 */
export function interval(metric, format) {
  if (!metric) return '–';
  const { value, low, high } = metric;
  return low === null || high === null ? format(value) : `${format(value)} (${format(low)}–${format(high)})`;
}

/** The beginning of a text that is too long. @param {string} text @param {number} max letters */
export function keepStart(text, max) {
  const letters = [...text];
  return letters.length <= max ? text : `${letters.slice(0, max - 1).join('')}…`;
}

/**
 * The end of a text that is too long: the end of a path says more than its beginning.
 * @param {string} text @param {number} max letters
 */
export function keepEnd(text, max) {
  const letters = [...text];
  return letters.length <= max ? text : `…${letters.slice(1 - max).join('')}`;
}
