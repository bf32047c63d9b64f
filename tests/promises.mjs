// The table of promises.md as data.
import { readFileSync } from 'node:fs';

/** @typedef {{file: string, title?: string}} Proof  a test file, relative to tests/, and words of the test's title
 *  @typedef {{promise: string, cells: string[], tests: Proof[], targets: string[]}} Promised */

/** @returns {Promised[]} */
export function readPromises() {
  const lines = readFileSync(new URL('promises.md', import.meta.url), 'utf8').split('\n');
  const rows = lines.filter((line) => /^\| (?!promise )/.test(line)).map((line) => line.slice(2, -1).split(/ \| ?/));
  return rows.map(([promise, proof, ...figures]) => ({
    promise,
    cells: [promise, proof, ...figures],
    tests: [...proof.matchAll(/\[[^\]]+\]\(([^)]+)\)(?:: “([^”]+)”)?/g)].map(([, file, title]) => ({ file, title })),
    targets: [...proof.matchAll(/`make ([a-z-]+)/g)].map(([, target]) => target),
  }));
}
