// card.mjs: reads from the model card the numbers that the page shows, so that the two cannot disagree.

/** @typedef {{value: number, low: number, high: number}} Interval  a metric with its 95 % confidence interval
 *  @typedef {{unseen: {normal: Interval, covid: Interval}, seen: {sensitivity: Interval, specificity: Interval},
 *    within: Interval}} Card */

/** A cell such as `66.2 (57.9-73.6)`, in bold or not. */
const CELL = '\\**([\\d.]+) \\(([\\d.]+)-([\\d.]+)\\)\\**';

/** The first `count` numbers of the row that begins with `start`, divided by `scale`.
 *  @param {string} markdown  @param {{start: string, count: number, scale: number}} row  @returns {Interval[]} */
function readRow(markdown, { start, count, scale }) {
  const cells = Array(count).fill(CELL).join(' \\| ');
  const found = markdown.match(new RegExp(`^\\| ${start} \\| ${cells} \\|`, 'm'));
  if (!found) throw new Error(`model/card.md has no row "${start}" with ${count} intervals, which the page shows`);
  return Array.from({ length: count }, (_, i) => {
    const [value, low, high] = found.slice(1 + 3 * i, 4 + 3 * i).map((text) => Number(text) / scale);
    return { value, low, high };
  });
}

/** Percentages of the card become shares of 1. @param {string} markdown  @returns {Card} */
export function readCard(markdown) {
  const [normal, covid] = readRow(markdown, { start: '% of \\d+ normals', count: 2, scale: 100 });
  // The row of adults: children would inflate the specificity.
  const [sensitivity, specificity] = readRow(markdown, { start: 'covid \\| \\d+', count: 2, scale: 100 });
  const [within] = readRow(markdown, { start: 'cohen \\| covid against[^|]*', count: 1, scale: 1 });
  return { unseen: { normal, covid }, seen: { sensitivity, specificity }, within };
}
