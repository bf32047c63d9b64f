// table.mjs - results as a table on a terminal: one row per film, or one row per layer of the networks.
import { harmless, mixtureText } from '../result/record.mjs';
import { keepEnd, percent } from './format.mjs';

/** @typedef {import('../result/record.mjs').Record} Record */

/** The one doubt that a table shows in place of its verdict, which is uncertain. */
const OTHER_FINDING = 'other-finding';

/** Terminal colours of the verdicts that need a second look; the words say the same. */
/** @type {{ [verdict: string]: number }} */
const COLOURS = { error: 31, refused: 33, uncertain: 33, [OTHER_FINDING]: 33 };

const MIN_FILE = 12,
  MIN_VERDICT = 9,
  MIN_LABEL = 7,
  EXTENT = 'OPACITY R/L'; // of the patient's right and left lung

/** @param {string} text @param {number} width */
const fit = (text, width) => {
  const kept = keepEnd(text, width);
  return kept + ' '.repeat(width - [...kept].length);
};

/**
 * A table whose column widths are known before the first result: they follow from the names of the films and labels.
 * @param {object} look
 * @param {string[]} look.labels @param {string[]} look.files the names of all films
 * @param {number} look.columns of the terminal @param {boolean} look.coloured
 * @param {{ [label: string]: number } | null} look.prevalence of all rows
 * @param {boolean} look.other whether the model has a label for other findings
 * @param {boolean} look.extent whether records say how much of each lung is under opacity
 */
export function table({ labels, files, columns, coloured, prevalence, other, extent }) {
  const heads = [...labels.map(harmless), ...(extent ? [EXTENT] : [])]; // as long as before
  const widths = heads.map((head) => Math.max(head.length, MIN_LABEL));
  const verdictWidth = Math.max(MIN_VERDICT, other ? OTHER_FINDING.length : 0, ...labels.map((label) => label.length));
  const others = verdictWidth + widths.reduce((sum, width) => sum + width + 2, 2);
  const longest = files.reduce((max, file) => Math.max(max, [...file].length), 4);
  const fileWidth = Math.max(MIN_FILE, Math.min(longest, columns - others));

  /** @param {string} verdict */
  function paint(verdict) {
    const text =
      coloured && Object.hasOwn(COLOURS, verdict) ? `\u001b[${COLOURS[verdict]}m${verdict}\u001b[m` : verdict;
    return text + ' '.repeat(verdictWidth - verdict.length);
  }
  /** @param {string} file @param {string} verdict @param {string[]} cells */
  const line = (file, verdict, cells) =>
    [fit(harmless(file), fileWidth), paint(verdict), ...cells.map((text, i) => text.padStart(widths[i]))].join('  ');

  /** @param {Record} record */
  function row({ file, status, verdict = '', code = '', gate, doubt, probability = {}, extent: opacity }) {
    if (status === 'error') return line(file, 'error', [code]);
    if (verdict === 'refused') return line(file, 'refused', [gate?.reason ?? '']);
    return line(file, doubt === OTHER_FINDING ? doubt : harmless(verdict), [
      ...labels.map((label) => `${percent(probability[label])} %`),
      ...(opacity ? [`${Math.round(100 * opacity.right)} / ${Math.round(100 * opacity.left)} %`] : []),
    ]);
  }
  const title = prevalence ? `At the prevalence ${harmless(mixtureText(prevalence))}\n` : '';
  return { head: title + line('FILE', 'VERDICT', heads), row };
}

/**
 * @typedef {{ graph: string, name: string, shape: number[], products: number, ms: number }} LayerRow
 * @param {LayerRow[]} layers @returns {string}
 */
export function layerTable(layers) {
  /** @param {LayerRow} layer */
  const row = ({ graph, name, shape, products, ms }) =>
    [
      graph.padEnd(10),
      name.padEnd(14),
      shape.join('x').padEnd(13),
      (products / 1e6).toFixed(2).padStart(9),
      ms.toFixed(3).padStart(9),
      (products ? ((2 * products) / ms / 1e6).toFixed(1) : '').padStart(8),
    ]
      .join(' ')
      .trimEnd();
  const sum = (/** @type {'products' | 'ms'} */ key) => layers.reduce((total, layer) => total + layer[key], 0);
  return [
    '\nGRAPH      LAYER          OUTPUT            MMACS        MS  GFLOP/S',
    ...layers.map((layer) => row({ ...layer, name: harmless(layer.name) })),
    row({ graph: 'all', name: '', shape: [], products: sum('products'), ms: sum('ms') }),
  ].join('\n');
}
