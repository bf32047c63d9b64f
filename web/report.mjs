// report.mjs: the finished films as files to save; the records are those of the command
import { csv, toJson, toRecord } from '../src/records.mjs';

/** @typedef {import('./app.mjs').Film} Film */

const finished = (films) => films.filter((film) => film.status === 'done' || film.status === 'error');
const record = (film, model) => toRecord(film.name, film.status === 'error' ? film.problem : film.record, model.label);

/** @param {Film[]} films  @param {{label: string}} model  @returns {string} an array, one record a line */
export const jsonReport = (films, model) => `[\n${finished(films).map((film) => toJson(record(film, model))).join(',\n')}\n]\n`;

/** @param {Film[]} films  @param {{label: string, labels: string[]}} model */
export function csvReport(films, model) {
  const { head, row } = csv(model.labels);
  return [head, ...finished(films).map((film) => row(record(film, model)))].map((line) => `${line}\n`).join('');
}
