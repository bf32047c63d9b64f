// download.mjs: saves records and other files through the browser's download.
import { recordOf, toCsv, toJsonLines } from '../state/export.mjs';

/** @typedef {import('../../src/result/record.mjs').Record} Record */

/** @param {string} name  @param {string} type  @param {BlobPart} content */
export function saveFile(name, type, content) {
  const link = document.createElement('a');
  link.download = name;
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a slow disk may still be reading it
}

/** @param {import('../state/state.mjs').App} app  @param {import('./history.mjs').History} history */
export function downloadActions({ state, set }, history) {
  const saveCsv = (/** @type {Record[]} */ records) =>
    saveFile('pleura.csv', 'text/csv', toCsv(records, state.model?.labels ?? []));
  const saveJson = (/** @type {Record[]} */ records) =>
    saveFile('pleura.jsonl', 'application/jsonl', toJsonLines(records));

  /** @param {(records: Record[]) => void} save */
  function saveBatch(save) {
    const { films, model } = state;
    if (!model) return;
    const finished = films.flatMap((film) => (film.status === 'done' || film.status === 'error' ? [film] : []));
    save(finished.map((film) => recordOf(film, model)));
    set({ unsaved: false });
  }
  const kept = async () => (await history.all()).map(({ record }) => record);

  return {
    'export-csv': () => saveBatch(saveCsv),
    'export-json': () => saveBatch(saveJson),
    'history-csv': async () => saveCsv(await kept()),
    'history-json': async () => saveJson(await kept()),
  };
}
