// third_party.mjs - the rows of THIRD_PARTY.md, for the bill of materials and for the test that checks the table.
import { readFileSync } from 'node:fs';

/** Each row: part, version, licence, in the npm package, on the page, compiled. */
export const rows = readFileSync(new URL('../.github/THIRD_PARTY.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^\| (?!part )[^-]/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
