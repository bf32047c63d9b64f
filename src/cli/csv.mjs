// csv.mjs - reads CSV as in RFC 4180, and as spreadsheets write it.
import { usage } from '../node/errors.mjs';

/**
 * The rows as objects by the names of the first row. A byte order mark and empty lines are skipped; a quotation mark
 * inside an unquoted cell is text.
 * @param {string} text @returns {Record<string, string>[]} throws CommandError
 */
export function parseCsv(text) {
  const rows = [[]];
  let cell = '',
    at = text.charCodeAt(0) === 0xfeff ? 1 : 0,
    quoted = false,
    openedIn = 0;
  const endCell = () => {
    rows.at(-1).push(cell);
    cell = '';
  };
  for (; at < text.length; at++) {
    const c = text[at];
    if (quoted ? c !== '"' : !',\r\n'.includes(c) && (c !== '"' || cell)) cell += c;
    else if (c === '"' && quoted && text[at + 1] === '"') {
      cell += c;
      at++;
    } else if (c === '"') {
      quoted = !quoted;
      openedIn = rows.length;
    } else if (c === ',') endCell();
    else if (c === '\n') {
      endCell();
      rows.push([]);
    }
  }
  if (quoted)
    throw usage(
      `The quotation mark in row ${openedIn} of the CSV is never closed: the rest of the file would be one cell.`,
    );
  if (cell || rows.at(-1).length) endCell();
  const [head, ...body] = rows.filter((row) => row.length > 1 || row[0]);
  return body.map((row) => Object.fromEntries((head ?? []).map((name, i) => [name, row[i] ?? ''])));
}
