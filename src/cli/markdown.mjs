// markdown.mjs - text, tables and lists as Markdown. Labels, columns and file names come from strangers and stay text.
import { harmless } from '../result/record.mjs';

/** Text without any markup, link, table bar or line break. @param {unknown} text */
export const plain = (text) =>
  harmless(String(text).replace(/[|\r\n]/g, ' ')).replace(
    /[\\`*[\]&@]|<(?=[a-z/!?])|:(?=\/\/)|(?<=www)\.|(?<![a-z0-9])_|_(?![a-z0-9])|~/gi,
    '\\$&',
  );

/** A table; the first column is aligned left, the others right. @param {unknown[]} head @param {unknown[][]} rows */
export const grid = (head, rows) =>
  [head, head.map((_, i) => (i ? '---:' : '---')), ...rows]
    .map((cells) => `| ${cells.map(plain).join(' | ')} |`)
    .join('\n');

/** `covid 3, normal 5`. @param {Record<string, number>} counts */
export const countList = (counts) =>
  Object.entries(counts)
    .map(([name, n]) => `${plain(name) || '(empty)'} ${n}`)
    .join(', ');
