// One record a film: as an object, a line of JSON, a line of CSV, a row of a table.

/**
 * The record that scripts rely on.
 * @typedef {object} Record
 * @property {string} file @property {'ok' | 'error'} status
 * @property {string} [verdict] @property {{ [label: string]: number }} [probability]
 * @property {{ [label: string]: number }} [prevalence] the shares of the labels that both stand for; none: the weights' own
 * @property {{ accepted: boolean, score: number, reason: string | null }} [gate]
 * @property {string} [decoder] @property {import('../dicom/reader.mjs').Facts} [dicom] @property {string} [sha256] @property {string} [model] @property {string} [bits]
 * @property {string} [code] @property {string} [message]
 */

/** Six decimals say all that a probability can; `bits` stands for the exact floats. @param {number} x */
const round = (x) => Math.round(x * 1e6) / 1e6;

/** @param {{ [label: string]: number }} shares @returns {{ [label: string]: number }} */
export const rounded = (shares) =>
  Object.fromEntries(Object.entries(shares).map(([label, share]) => [label, round(share)]));

/** As --prevalence takes it; the weights' own is nothing. @param {{ [label: string]: number } | null | undefined} shares @returns {string} */
export const mixtureText = (shares) =>
  Object.entries(shares ?? {})
    .map(([label, share]) => `${label}=${share}`)
    .join(',');

/** What an overlay was fitted to. @param {{ base: string, films: { [label: string]: number } }} adapted */
export const adaptedText = ({ base, films }) =>
  `on the weights ${base.slice(0, 12)} to a person's own films: ${Object.entries(films)
    .map(([label, n]) => `${label} ${n}`)
    .join(', ')}`;

/** @param {string} file @param {import('../node/pool.mjs').Answer} answer @param {string} model @returns {Record} */
export function toRecord(file, answer, model) {
  if (answer.code) return { file, status: 'error', code: answer.code, message: answer.message };
  const { verdict, probability, prevalence, gate, decoder, dicom, sha256, bits } = answer;
  const { accepted, score, reason } = gate;
  return {
    file,
    status: 'ok',
    verdict,
    probability: rounded(probability),
    ...(prevalence && { prevalence }),
    gate: { accepted, score: round(score), reason },
    decoder,
    ...(dicom && { dicom }),
    sha256,
    model,
    bits,
  };
}

/** Control characters and changes of direction: in a file name they could rewrite the terminal. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** @param {string} text @returns {string} what a terminal may be given */
export const harmless = (text) => text.replace(UNSAFE, '\ufffd');

/** @param {any} value @returns {string} one line; control characters that JSON lets pass are escaped too */
export const toJson = (value) =>
  JSON.stringify(value).replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A spreadsheet takes a cell that begins with such a sign, narrow or wide, for a formula: a quote keeps it text. @param {unknown} value */
function cell(value) {
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'object' && value ? toJson(value) : harmless(String(value ?? ''));
  const safe = /^\s*[=+\-@\uff0b\uff0d\uff1d\uff20]/.test(text) ? `'${text}` : text;
  return /[",;\t]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @param {unknown[]} cells */
const csvLine = (cells) => cells.map(cell).join(',');

/** JSON lines. */
export const jsonLines = () => ({ head: '', row: toJson });

/** @param {string[]} labels CSV (RFC 4180, but lines end as those of Unix do) */
export const csv = (labels) => ({
  head: csvLine([
    'file',
    'status',
    'verdict',
    ...labels.map((label) => `probability_${label}`),
    'prevalence',
    'accepted',
    'score',
    'reason',
    'decoder',
    'sha256',
    'model',
    'bits',
    'code',
    'message',
  ]),
  /** @param {Record} r */
  row: (r) =>
    csvLine([
      r.file,
      r.status,
      r.verdict,
      ...labels.map((label) => r.probability?.[label]),
      mixtureText(r.prevalence),
      r.gate?.accepted,
      r.gate?.score,
      r.gate?.reason,
      r.decoder,
      r.sha256,
      r.model,
      r.bits,
      r.code,
      r.message,
    ]),
});

const percent = (p) => `${(100 * p).toFixed(1)} %`;

/** Verdicts that want a second look stand out; the words say the same. */
const COLOURS = { error: 31, refused: 33, uncertain: 33 };

/**
 * A table for people. The widths come from the names, which are known before the first result.
 * @param {string[]} labels @param {string[]} names @param {number} columns of the terminal @param {boolean} coloured
 * @param {{ [label: string]: number } | null} prevalence of all its rows
 */
export function table(labels, names, columns, coloured, prevalence) {
  const shown = labels.map(harmless); // as long as before
  const verdict = Math.max(9, ...shown.map((label) => label.length));
  const widths = shown.map((label) => Math.max(label.length, 7));
  const rest = verdict + widths.reduce((sum, width) => sum + width + 2, 2);
  const longest = names.reduce((most, name) => Math.max(most, [...name].length), 4);
  const file = Math.max(12, Math.min(longest, columns - rest));
  const paint = (said) =>
    (coloured && Object.hasOwn(COLOURS, said) ? `\u001b[${COLOURS[said]}m${said}\u001b[m` : said) +
    ' '.repeat(verdict - said.length);
  const line = (name, said, cells) =>
    [shorten(harmless(name), file), paint(said), ...cells.map((text, i) => text.padStart(widths[i]))].join('  ');
  return {
    head: [
      ...(prevalence ? [`At the prevalence ${harmless(mixtureText(prevalence))}`] : []),
      line('FILE', 'VERDICT', shown),
    ].join('\n'),
    /** @param {Record} r */
    row: (r) =>
      r.status === 'error'
        ? line(r.file, 'error', [r.code])
        : r.verdict === 'refused'
          ? line(r.file, 'refused', [r.gate.reason])
          : line(
              r.file,
              harmless(r.verdict),
              labels.map((label) => percent(r.probability[label])),
            ),
  };
}

/** @param {{graph: string, name: string, shape: number[], products: number, ms: number}[]} layers @returns {string} */
export function layerTable(layers) {
  const row = (graph, name, out, products, ms) =>
    [
      graph.padEnd(10),
      name.padEnd(14),
      out.padEnd(13),
      (products / 1e6).toFixed(2).padStart(9),
      ms.toFixed(3).padStart(9),
      (products ? ((2 * products) / ms / 1e6).toFixed(1) : '').padStart(8),
    ]
      .join(' ')
      .trimEnd();
  const sum = (key) => layers.reduce((total, layer) => total + layer[key], 0);
  return [
    '\nGRAPH      LAYER          OUTPUT        MPRODUCTS        MS  GFLOP/S',
    ...layers.map(({ graph, name, shape, products, ms }) => row(graph, harmless(name), shape.join('x'), products, ms)),
    row('all', '', '', sum('products'), sum('ms')),
  ].join('\n');
}

/** The end of a path says more than its beginning. @param {string} text @param {number} width */
function shorten(text, width) {
  const letters = [...text];
  return letters.length <= width ? text + ' '.repeat(width - letters.length) : `…${letters.slice(1 - width).join('')}`;
}
