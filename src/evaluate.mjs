// The `evaluate` sub-command: films with known labels through the shipped engine, and what an honest table shows of them.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toJson } from './records.mjs';
import { against, auc, balanced, bootstrap, calibrationError, confusion, wilson } from './statistics.mjs';
import { CommandError, usage } from './shipped.mjs';
import { markdown } from './tables.mjs';

/** A share of fewer films than this is not given. */
export const FEWEST = 10;

/**
 * A figure with its 95 % interval; null where too few films stand behind it.
 * @typedef {{ value: number, low: number | null, high: number | null } | null} Figure
 */

/** @param {string} text RFC 4180 @returns {Record<string, string>[]} */
export function parseCsv(text) {
  const rows = [[]];
  let cell = '', at = text.charCodeAt(0) === 0xfeff ? 1 : 0, quoted = false;
  const end = () => { rows.at(-1).push(cell); cell = ''; };
  for (; at < text.length; at++) {
    const c = text[at];
    if (quoted ? c !== '"' : !'",\r\n'.includes(c)) cell += c;
    else if (c === '"' && quoted && text[at + 1] === '"') { cell += c; at++; }
    else if (c === '"') quoted = !quoted;
    else if (c === ',') end();
    else if (c === '\n') { end(); rows.push([]); }
  }
  if (cell || rows.at(-1).length) end();
  const [head, ...body] = rows.filter((row) => row.length > 1 || row[0]);
  return body.map((row) => Object.fromEntries((head ?? []).map((name, i) => [name, row[i] ?? ''])));
}

/** @param {string} age in years @returns {string} */
export function ageBand(age) {
  const years = age.trim() === '' ? NaN : Number(age);
  if (!(years >= 0)) return 'unknown';
  return years < 18 ? '0-17' : years < 40 ? '18-39' : years < 60 ? '40-59' : years < 80 ? '60-79' : '80+';
}

/** @param {string} column @param {Record<string, string>} row */
const group = (column, row) => (column === 'age' ? ageBand(row.age) : row[column].trim() || 'unknown');

/** @param {{ labels: string, split?: string, by?: string }} options */
async function readLabels({ labels, split, by }) {
  const text = await readFile(labels, 'utf8').catch((error) => {
    throw new CommandError(`${labels} cannot be read (${error.code}).`);
  });
  const rows = parseCsv(text);
  const columns = by ? by.split(',') : [];
  for (const column of ['file', 'label', ...(split ? ['split'] : []), ...columns]) {
    if (rows.length && !(column in rows[0])) throw usage(`${labels} has no column '${column}'.`);
  }
  const chosen = rows.filter((row) => split === undefined || row.split === split);
  if (!chosen.length) throw usage(`${labels} lists no film${split === undefined ? '' : ` of the split '${split}'`}.`);
  return { chosen, columns };
}

/**
 * Everything about a set of scored films: argmax or verdict against truth, with patient-wise bootstrap intervals.
 * @param {{ truth: number, guess: number, probability: number[], patient: string }[]} scored @param {string[]} labels
 */
export function figures(scored, labels) {
  const patients = [...new Set(scored.map(({ patient }) => patient))];
  const number = new Map(patients.map((patient, i) => [patient, i]));
  const truth = scored.map((film) => film.truth);
  const guess = scored.map((film) => film.guess);
  const confidence = scored.map(({ probability }) => Math.max(...probability));
  const right = scored.map((film) => film.truth === film.guess);
  const ones = new Float64Array(scored.length).fill(1);
  const matrix = confusion(truth, guess, labels.length, ones);
  const counts = labels.map((_, label) => truth.filter((t) => t === label).length);
  const curves = labels.map((_, label) => auc(scored.map(({ probability }) => probability[label]), truth.map((t) => t === label)));

  const ask = (weight) => {
    const m = confusion(truth, guess, labels.length, weight);
    const areas = curves.map((curve) => curve(weight));
    const known = areas.filter((area) => !Number.isNaN(area));
    const classes = labels.flatMap((_, label) => {
      const { sensitivity, specificity, ppv, npv } = against(m, label);
      return [sensitivity, specificity, ppv, npv, areas[label]];
    });
    const hits = m.reduce((sum, row, label) => sum + row[label], 0);
    const all = m.flat().reduce((sum, cell) => sum + cell, 0);
    return [...classes, hits / all, balanced(m), known.reduce((sum, area) => sum + area, 0) / known.length,
      calibrationError(confidence, right, weight)];
  };
  const values = ask(ones);
  const intervals = bootstrap(scored.map(({ patient }) => number.get(patient)), patients.length, ask);
  /** @param {number} i @param {number} of films that the figure is a share of @returns {Figure} */
  const figure = (i, of, isShare = true) => {
    if (of < FEWEST || Number.isNaN(values[i])) return null;
    let [low, high] = intervals[i] ?? [null, null];
    // None wrong, or all: no resampling can show how little that may prove.
    if (isShare && low === high && low !== null) [low, high] = wilson(Math.round(values[i] * of), of);
    return { value: values[i], low, high };
  };
  const classes = labels.map((label, i) => {
    const { of } = against(matrix, i);
    const shares = ['sensitivity', 'specificity', 'ppv', 'npv'].map((name, j) => [name, figure(5 * i + j, of[name])]);
    const fewer = Math.min(counts[i], scored.length - counts[i]);
    return { label, n: counts[i], ...Object.fromEntries(shares), auc: figure(5 * i + 4, fewer, false) };
  });
  const at = 5 * labels.length;
  const smallest = Math.min(...counts.filter((n) => n));
  return {
    n: scored.length, patients: patients.length, confusion: matrix, classes,
    accuracy: figure(at, scored.length), balancedAccuracy: figure(at + 1, smallest, false),
    macroAuc: figure(at + 2, smallest, false), calibrationError: figure(at + 3, scored.length, false),
  };
}

/** What became of the films of one label: counts, and each as a share with Wilson's interval. */
function outcomes(films, label, labels) {
  const own = films.filter(({ row }) => row.label === label);
  const kinds = [...labels, 'uncertain', 'refused', 'error'];
  const counts = Object.fromEntries(kinds.map((kind) => [kind, own.filter(({ answer }) => (answer.verdict ?? 'error') === kind).length]));
  const shares = Object.fromEntries(kinds.map((kind) => {
    const [low, high] = wilson(counts[kind], own.length);
    return [kind, { value: counts[kind] / own.length, low, high }];
  }));
  return { label, n: own.length, counts, shares };
}

const tally = (values) => values.reduce((counts, value) => ({ ...counts, [value]: (counts[value] ?? 0) + 1 }), {});

/**
 * @param {{ row: Record<string, string>, answer: import('./pool.mjs').Answer }[]} films @param {string[]} labels of the model
 * @param {string[]} columns to group by
 */
export function report(films, labels, columns) {
  const scored = films.filter(({ row, answer }) => answer.verdict && labels.includes(row.label)).map(({ row, answer }) => {
    const probability = labels.map((label) => answer.probability[label]);
    return { row, verdict: answer.verdict, probability, truth: labels.indexOf(row.label),
      guess: probability.indexOf(Math.max(...probability)), patient: row.patient_id || row.file };
  });
  const answered = scored.filter(({ verdict }) => labels.includes(verdict)).map((film) => ({ ...film, guess: labels.indexOf(film.verdict) }));
  const seen = [...labels, ...new Set(films.map(({ row }) => row.label).filter((label) => !labels.includes(label)).sort())];
  return {
    films: films.length,
    patients: new Set(films.map(({ row }) => row.patient_id || row.file)).size,
    unknownPatients: films.filter(({ row }) => !row.patient_id || row.patient_known === 'no').length,
    notScored: tally(films.filter(({ row }) => !labels.includes(row.label)).map(({ row }) => row.label)),
    errors: films.filter(({ answer }) => answer.code).length,
    refusals: tally(films.filter(({ answer }) => answer.verdict === 'refused').map(({ answer }) => answer.gate.reason)),
    sources: films.every(({ row }) => 'source' in row)
      ? [...new Set(films.map(({ row }) => row.source))].sort().map((source) =>
        ({ source, counts: tally(films.filter(({ row }) => row.source === source).map(({ row }) => row.label)) })) : [],
    labels: seen,
    outcomes: seen.map((label) => outcomes(films, label, labels)).filter(({ n }) => n),
    all: figures(scored, labels),
    answered: figures(answered, labels),
    groups: columns.map((column) => ({
      column,
      values: [...new Set(films.map(({ row }) => group(column, row)))].sort().map((value) => {
        const own = films.filter(({ row }) => group(column, row) === value);
        return { value, n: own.length, refused: own.filter(({ answer }) => answer.verdict === 'refused').length,
          uncertain: own.filter(({ answer }) => answer.verdict === 'uncertain').length,
          figures: figures(scored.filter(({ row }) => group(column, row) === value), labels) };
      }),
    })),
  };
}

/**
 * @param {{ labels: string, root?: string, split?: string, by?: string, json?: boolean, jobs?: string, model?: string }} options
 * @param {Function} runFilms of the command @returns {Promise<string>}
 */
export async function evaluate(options, runFilms) {
  const { chosen, columns } = await readLabels(options);
  const root = options.root ?? dirname(options.labels);
  const films = [];
  const { model, name } = await runFilms(chosen.map((row) => ({ file: join(root, row.file), row })), options, null,
    ({ row }, answer) => { films.push({ row, answer }); });
  const { labels, notice, temperature, certain } = model;
  const result = { model: name, notice, temperature, certain, split: options.split ?? null, ...report(films, labels, columns) };
  return options.json ? toJson(result) : markdown(result, labels);
}
