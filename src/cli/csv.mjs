// csv.mjs - reads CSV as in RFC 4180, and as spreadsheets write it.
import { usage } from '../node/errors.mjs';

/**
 * The rows as objects by the names of the first row. A byte order mark and empty lines are skipped; a quotation mark
 * inside an unquoted cell is text.
 * @param {string} text @returns {Record<string, string>[]} throws CommandError
 */
export function parseCsv(text) {
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  let row = [];
  let cell = '',
    at = text.charCodeAt(0) === 0xfeff ? 1 : 0,
    quoted = false,
    openedIn = 0;
  const endCell = () => {
    row.push(cell);
    cell = '';
  };
  const endRow = () => {
    rows.push(row);
    row = [];
  };
  for (; at < text.length; at++) {
    const c = text[at];
    if (quoted ? c !== '"' : !',\r\n'.includes(c) && (c !== '"' || cell)) cell += c;
    else if (c === '"' && quoted && text[at + 1] === '"') {
      cell += c;
      at++;
    } else if (c === '"') {
      quoted = !quoted;
      openedIn = rows.length + 1;
    } else if (c === ',') endCell();
    else if (c === '\n') {
      endCell();
      endRow();
    }
  }
  if (quoted)
    throw usage(
      `The quotation mark in row ${openedIn} of the CSV is never closed: the rest of the file would be one cell.`,
    );
  if (cell || row.length) endCell();
  endRow();
  const [head, ...body] = rows.filter((cells) => cells.length > 1 || cells[0]);
  return body.map((cells) => Object.fromEntries((head ?? []).map((name, i) => [name, cells[i] ?? ''])));
}
