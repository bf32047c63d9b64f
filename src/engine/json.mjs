// json.mjs - what JSON.stringify writes of a diagnosis: a few hundred characters. The maps are left out; a map that is
// stringified itself is a list of ordinary numbers.

/** Thousandths are finer than any colour of a heatmap. @param {number} value */
const rounded = (value) => Math.round(value * 1000) / 1000;

/**
 * Gives an object a toJSON that neither copies nor comparisons of the object see.
 * @template {object} T @param {T} object @param {() => unknown} toJSON @returns {T}
 */
const writtenBy = (object, toJSON) => Object.defineProperty(object, 'toJSON', { value: toJSON, configurable: true });

/** @template {{ data: ArrayLike<number>, width: number, height: number }} T @param {T} grid @returns {T} */
export const withShortGrid = (grid) =>
  writtenBy(grid, () => ({ width: grid.width, height: grid.height, data: Array.from(grid.data, rounded) }));

/** @template {object} T @param {T} diagnosis @returns {T} */
export const withShortJson = (diagnosis) =>
  writtenBy(diagnosis, () => {
    const { heatmap, lungs, view, evidence, ...rest } = /** @type {any} */ (diagnosis);
    return rest;
  });
