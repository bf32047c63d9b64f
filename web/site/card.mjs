// card.mjs: the figures of the model card that the page shows
/** @typedef {{value: number, low: number, high: number}} Figure  with its 95 % interval
 *  @typedef {{unseen: {normal: Figure, covid: Figure}, seen: {sensitivity: Figure, specificity: Figure}, within: Figure}} Card */

const FIGURE = '\\**([\\d.]+) \\(([\\d.]+)-([\\d.]+)\\)\\**';

/** The figures as they stand in model/card.md: shares of 100 become shares of 1. @param {string} markdown  @returns {Card} */
export function readCard(markdown) {
  function row(start, count, scale) {
    const found = markdown.match(new RegExp(`^\\| ${start} \\| ${Array(count).fill(FIGURE).join(' \\| ')} \\|`, 'm'));
    if (!found)
      throw new Error(
        `model/card.md has no row "${start}" with ${count} figures and their intervals, which the page shows`,
      );
    return Array.from({ length: count }, (_, at) => {
      const [value, low, high] = found.slice(1 + 3 * at, 4 + 3 * at).map((text) => Number(text) / scale);
      return { value, low, high };
    });
  }
  const [normal, covid] = row('% of \\d+ normals', 2, 100);
  const [sensitivity, specificity] = row('covid \\| \\d+', 2, 100); // adults: children would flatter the specificity
  const [within] = row('cohen \\| covid against[^|]*', 1, 1);
  return { unseen: { normal, covid }, seen: { sensitivity, specificity }, within };
}
