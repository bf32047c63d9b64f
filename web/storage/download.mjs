// download.mjs: saves records and other files through the browser's download.
import { recordOf, toCsv, toJsonLines } from '../state/export.mjs';
import { listed } from '../state/table.mjs';

/** @typedef {import('../../src/result/record.mjs').Record} Record */

/** Without it Excel takes UTF-8 for the system's own encoding, and garbles names. */
const BYTE_ORDER_MARK = '\ufeff';

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
  /** With the day, so that a later file does not look like this one. @param {string} extension */
  const fileName = (extension) => `pleura-${new Date().toISOString().slice(0, 10)}.${extension}`;
  const saveCsv = (/** @type {Record[]} */ records) =>
    saveFile(fileName('csv'), 'text/csv', BYTE_ORDER_MARK + toCsv(records, state.model?.labels ?? []));
  const saveJson = (/** @type {Record[]} */ records) =>
    saveFile(fileName('jsonl'), 'application/jsonl', toJsonLines(records));

  /** The picked films, or all that the table shows, in its order. @param {(records: Record[]) => void} save */
  function saveBatch(save) {
    const { films, model } = state;
    if (!model) return;
    const saved = listed(state);
    const finished = saved.flatMap((film) => (film.status === 'done' || film.status === 'error' ? [film] : []));
    save(finished.map((film) => recordOf(film, model)));
    if (saved.length === films.length) set({ unsaved: false });
  }
  const kept = async () => (await history.all()).map(({ record }) => record);

  return {
    'export-csv': () => saveBatch(saveCsv),
    'export-json': () => saveBatch(saveJson),
    'history-csv': async () => saveCsv(await kept()),
    'history-json': async () => saveJson(await kept()),
  };
}
