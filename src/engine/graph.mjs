// graph.mjs - the text that describes a network, the JavaScript side of the grammar in src/nn/graph.h.
//
// A graph is a list of lines, one per layer in the order of execution: `enc1 = conv image k=3 pad=1 c=12 act=relu`.
// A word after the operation is an input if an earlier layer has that name, otherwise an attribute.

/**
 * @typedef {object} GraphLayer
 * @property {string} name
 * @property {string} op  `conv`, `dense`, `mean`, ...
 * @property {string[]} inputs  names of earlier layers
 * @property {{ [key: string]: string }} attributes  as written: `{ k: '3', act: 'relu' }`
 */

/** Reads lines that the engine has accepted. @param {string[]} lines @returns {GraphLayer[]} */
export function parseGraph(lines) {
  const names = new Set();
  return lines.map((line) => {
    const [name, , op, ...words] = line.split(' ').filter(Boolean);
    const inputs = words.filter((word) => names.has(word));
    const attributes = words.filter((word) => !names.has(word)).map((word) => word.split('='));
    names.add(name);
    return { name, op, inputs, attributes: Object.fromEntries(attributes) };
  });
}

/**
 * The number of the layer that `logits` reads, if that is the mean of `features`; otherwise -1.
 * @param {string[]} lines
 */
export function findPooledLayer(lines) {
  const layers = parseGraph(lines);
  const logits = layers.find(({ name, op }) => name === 'logits' && op === 'dense');
  return layers.findIndex(
    ({ name, op, inputs }) => name === logits?.inputs[0] && op === 'mean' && inputs[0] === 'features',
  );
}

/** The line that parseGraph reads as this layer. @param {GraphLayer} layer */
export function formatLayer({ name, op, inputs, attributes }) {
  const words = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
  return [name, '=', op, ...inputs, ...words].join(' ');
}
