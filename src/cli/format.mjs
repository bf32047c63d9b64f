// format.mjs - numbers and names as short text, for tables, Markdown and plots alike.

/** @typedef {{ value: number, low: number | null, high: number | null }} Interval  low, high: null if there is none */

/** With a minus sign instead of a hyphen, and none before a zero. @param {number} x @param {number} digits */
function fixed(x, digits) {
  if (x === Infinity) return '∞';
  const text = Math.abs(x).toFixed(digits);
  return x < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** 0.1234 → 12.3. @param {number} x */
export const percent = (x) => fixed(100 * x, 1);

/** 0.1234 → 12.34, 0.5 → 50: no trailing zeros. @param {number} x @param {number} digits at most */
export const shortPercent = (x, digits) => String(Number((100 * x).toFixed(digits)));

/** @param {number} x */
export const twoDigits = (x) => fixed(x, 2);

/** @param {number} x */
export const threeDigits = (x) => fixed(x, 3);

/** A p-value. @param {number | undefined} p */
export const pValue = (p) => (p === undefined || Number.isNaN(p) ? '–' : p < 0.0001 ? '< 0.0001' : p.toFixed(4));

/**
 * `value (low–high)`, or `value (low to high)` if a bound is negative; a dash for a metric that is missing.
 * @param {Interval | null | undefined} metric @param {(x: number) => string} format
 */
export function interval(metric, format) {
  if (!metric) return '–';
  const { value, low, high } = metric;
  if (low === null || high === null) return format(value);
  return `${format(value)} (${format(low)}${low < 0 ? ' to ' : '–'}${format(high)})`;
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
