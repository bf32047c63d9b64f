// export.mjs: finished films as the records of the command, and those as files to save
import { csv, jsonLines, toRecord } from '../../src/result/record.mjs';
import { createWords } from '../i18n/words.mjs';
import english from '../i18n/en.mjs';

/** @typedef {import('../../src/result/record.mjs').Record} Record */

const { problem } = createWords('en', english);

/** Programs read these records, so that they speak English in every language of the page.
 *  @param {import('./state.mjs').Film} film  @param {{label: string}} model  @returns {Record} */
export const recordOf = (film, model) =>
  toRecord(
    film.name,
    film.status === 'error' ? { code: film.problem.code, message: problem(film.problem) } : film.record,
    model.label,
  );

/** The record of a result that was kept on this device. @param {import('../storage/history.mjs').Kept} kept  @returns {Record} */
export const kept = ({ record }) => record;

/** @param {Record[]} records  @returns {string} one a line */
export const jsonReport = (records) => records.map((record) => `${jsonLines().row(record)}\n`).join('');

/** @param {Record[]} records  @param {string[]} labels  of the weights in force; kept results may be of others */
export function csvReport(records, labels) {
  const { head, row } = csv([
    ...new Set([...labels, ...records.flatMap(({ probability }) => Object.keys(probability ?? {}))]),
  ]);
  return [head, ...records.map(row)].map((line) => `${line}\n`).join('');
}
