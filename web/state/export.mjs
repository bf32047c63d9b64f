// export.mjs: finished films as the records that the command prints, and those records as files to save.
import { csv, jsonLines, toRecord } from '../../src/result/record.mjs';
import { createI18n } from '../i18n/words.mjs';
import english from '../i18n/en.mjs';

/** @typedef {import('../../src/result/record.mjs').Record} Record */

/** Programs read the records, so their sentences are English in every language of the page. */
const { errorText } = createI18n('en', english);

/** @param {import('./state.mjs').DoneFilm | import('./state.mjs').FailedFilm} film  @param {{label: string}} model
 *  @returns {Record} */
export const recordOf = (film, model) =>
  toRecord(
    film.name,
    film.status === 'error' ? { code: film.error.code, message: errorText(film.error) } : film.record,
    model.label,
  );

/** @param {Record[]} records  @returns {string} one per line */
export const toJsonLines = (records) => records.map((record) => `${jsonLines().row(record)}\n`).join('');

/** @param {Record[]} records  @param {string[]} labels  of the weights in use; kept results may have others, too */
export function toCsv(records, labels) {
  const all = new Set([...labels, ...records.flatMap(({ probability }) => Object.keys(probability ?? {}))]);
  const { head, row } = csv([...all]);
  return [head, ...records.map(row)].map((line) => `${line}\n`).join('');
}
