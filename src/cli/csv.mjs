// csv.mjs - reads CSV as in RFC 4180, and as spreadsheets and people write it.
import { usage } from '../node/errors.mjs';

/** Excel separates by semicolons where the comma is the decimal mark; its Unicode text has tabs. */
const SEPARATORS = [',', ';', '\t'];

/**
 * Text as UTF-8, as UTF-16 with its mark, or else as Windows-1252, which Excel writes.
 * @param {Uint8Array} bytes
 */
export function decodeText(bytes) {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes); // not UTF-8
  }
}

/** The separator that is most frequent in the first line, outside quotation marks. @param {string} text */
function separatorOf(text) {
  const [line] = text.replace(/"[^"]*"/g, '').split('\n', 1),
    count = (/** @type {string} */ separator) => line.split(separator).length;
  return SEPARATORS.reduce((best, one) => (count(one) > count(best) ? one : best));
}

/**
 * The rows as objects by the names of the first row. A byte order mark, empty lines, and blanks around unquoted cells
 * are skipped; a quotation mark inside an unquoted cell is text.
 * @param {string} text @returns {{ columns: string[], rows: Record<string, string>[], separator: string }} throws
 *   CommandError
 */
export function readCsv(text) {
  const separator = separatorOf(text);
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  let row = [];
  let cell = '',
    at = text.charCodeAt(0) === 0xfeff ? 1 : 0,
    quoted = false,
    wasQuoted = false,
    openedIn = 0;
  const endCell = () => {
    row.push(wasQuoted ? cell : cell.trim());
    cell = '';
    wasQuoted = false;
  };
  const endRow = () => {
    rows.push(row);
    row = [];
  };
  for (; at < text.length; at++) {
    const c = text[at];
    if (quoted && c === '"' && text[at + 1] === '"') {
      cell += c;
      at++;
    } else if (quoted && c !== '"') cell += c;
    else if (c === '"' && (quoted || !cell.trim())) {
      if (!quoted) cell = '';
      quoted = !quoted;
      wasQuoted = true;
      openedIn = rows.length + 1;
    } else if (c === separator) endCell();
    else if (c === '\n') {
      endCell();
      endRow();
    } else if (c !== '\r' && !(wasQuoted && c === ' ')) cell += c;
  }
  if (quoted)
    throw usage(
      `The quotation mark in row ${openedIn} of the CSV is never closed: the rest of the file would be one cell.`,
    );
  if (cell || row.length) endCell();
  endRow();
  const [columns = [], ...body] = rows.filter((cells) => cells.length > 1 || cells[0]);
  return {
    columns,
    rows: body.map((cells) => Object.fromEntries(columns.map((name, i) => [name, cells[i] ?? '']))),
    separator,
  };
}

/** The rows of readCsv alone. @param {string} text @returns {Record<string, string>[]} throws CommandError */
export const parseCsv = (text) => readCsv(text).rows;
