// Where the real films are, and what happens to tests if they are missing.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const data = process.env.PLEURA_DATA || fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** Skips a test if the films are missing; in CI that is an error instead.
 *  @param {{ skip(sentence: string): void }} t @returns {boolean} whether the test must return */
export function missing(t) {
  const manifest = join(data, 'manifest.csv');
  if (existsSync(manifest)) return false;
  const sentence = `the films are missing: ${manifest} does not exist; set PLEURA_DATA (see README.md)`;
  if (process.env.CI) throw new Error(sentence);
  t.skip(sentence);
  return true;
}

/** Ends a program that needs the films if they are missing. */
export const need = () =>
  missing({
    skip(sentence) {
      console.error(sentence);
      process.exit(1);
    },
  });
