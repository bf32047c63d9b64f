// data.mjs: where the films are, and what is said where they are not
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const data = process.env.PLEURA_DATA || fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** Whether a test must be skipped, for want of the films; where CI is set that is an error. @param {{ skip(sentence: string): void }} t @returns {boolean} */
export function missing(t) {
  const manifest = join(data, 'manifest.csv');
  if (existsSync(manifest)) return false;
  const sentence = `the films are missing: ${manifest} does not exist; set PLEURA_DATA (see README.md)`;
  if (process.env.CI) throw new Error(sentence);
  t.skip(sentence);
  return true;
}

/** Ends a program that cannot do without the films. */
export const need = () =>
  missing({
    skip(sentence) {
      console.error(sentence);
      process.exit(1);
    },
  });
