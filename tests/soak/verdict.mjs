// Judges a run: memory and workers must level off, and each film must have one answer, always with the same bits.
import assert from 'node:assert/strict';
import { basename } from 'node:path';

/** @typedef {import('./runs.mjs').Sample} Sample
 *  @typedef {{run: string, measure: string, early: number, late: number, slope: number, most: number}} Line  slope: per thousand films */

/** Growth of a measure per thousand films, by least squares. @param {Sample[]} samples  @param {string} measure */
export function slope(samples, measure) {
  const mean = (name) => samples.reduce((sum, sample) => sum + sample[name], 0) / samples.length;
  const films = mean('films'),
    level = mean(measure);
  const [over, under] = samples.reduce(
    ([over, under], sample) => [
      over + (sample.films - films) * (sample[measure] - level),
      under + (sample.films - films) ** 2,
    ],
    [0, 0],
  );
  return (1000 * over) / under;
}

/** @param {string} run  @param {Sample[]} samples  @param {number} warm  films after which nothing may grow
 *  @param {Record<string, number>} limits  largest growth of each measure per thousand films  @returns {Line[]} */
export function lines(run, samples, warm, limits) {
  const settled = samples.filter(({ films }) => films >= warm);
  return Object.entries(limits).map(([measure, most]) => ({
    run,
    measure,
    early: settled[0][measure],
    late: settled.at(-1)[measure],
    slope: slope(settled, measure),
    most,
  }));
}

/** @param {Line[]} all  @returns {string[]} one sentence per measure that grows */
export const growing = (all) =>
  all
    .filter(({ slope, most }) => !(slope <= most))
    .map(
      ({ run, measure, slope, most }) =>
        `${run}: ${measure} grows by ${slope.toFixed(2)} in a thousand films, more than ${most}`,
    );

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Processor time per film, as a ratio: median of the last `span` films over that of the first.
 *  @param {Sample[]} samples  @param {number} warm  @param {number} span */
export function slowing(samples, warm, span) {
  const costs = samples
    .slice(1)
    .map(({ films, cpu }, place) => ({
      films,
      cost: (cpu - (samples[place].after ?? samples[place].cpu)) / (films - samples[place].films),
    }));
  const within = (from, to) => median(costs.filter(({ films }) => films > from && films <= to).map(({ cost }) => cost));
  const end = samples.at(-1).films,
    first = within(warm, warm + span),
    last = within(end - span, end);
  return { first, last, ratio: last / first };
}

/** Identifies a film across runs. @param {{file: string}} record */
const numberOf = ({ file }) => Number(basename(file).slice(0, 6));

/** Checks that each film has exactly one record, in order, and that a repeated film has the bits of its first reading.
 *  @param {any[]} records  @param {number} count  @param {number} once  films before the first repeated one */
export function checkRecords(records, count, once) {
  assert.deepEqual(
    records.map(numberOf),
    Array.from({ length: count }, (_, number) => number),
    'each film has one record, in order',
  );
  for (let number = once; number < count; number++)
    assert.deepEqual(
      answer(records[number]),
      answer(records[number - once]),
      `film ${number} is the same at its second reading`,
    );
}

const answer = ({ status, code, bits, verdict }) => ({ status, code, bits, verdict });

/** Checks that two runs agree, except on films that only a browser decodes. @param {any[]} one  @param {any[]} other */
export function checkSame(one, other) {
  one.forEach((record, number) => {
    if (record.decoder !== 'browser' && other[number].decoder !== 'browser')
      assert.deepEqual(answer(record), answer(other[number]), record.file);
  });
}
