// Runs all test files for `make test`. The slow ones come first, so that none of them runs on alone at the end; one
// file more than there are processors runs at a time, because each waits now and then for a browser, a server or a
// clock. The run fails for each promise of promises.md whose test did not run and pass.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { readPromises } from './promises.mjs';

/** @typedef {{file: string, name: string, outcome: 'passed' | 'failed' | 'skipped'}} Result */

/** One line per promise that these results do not prove. Several tests may share the words of a title, such as one per
 *  browser: all of them must pass.
 *  @param {import('./promises.mjs').Promised[]} promises  @param {Result[]} results  @returns {string[]} */
export function unproved(promises, results) {
  const proves = ({ file, title }) => {
    const named = results.filter((result) => result.file.endsWith(`/${file}`) && result.name.includes(title ?? ''));
    return named.length > 0 && named.every(({ outcome }) => outcome === 'passed');
  };
  return promises.flatMap(({ promise, tests }) =>
    tests
      .filter((proof) => proof.file.endsWith('.test.mjs') && !proves(proof))
      .map(({ file, title }) => `${promise}: “${title}” of tests/${file} did not run and pass`),
  );
}

/** @param {string[]} files */
function runAll(files) {
  /** @type {Result[]} */
  const results = [];
  const slowFirst = [...files].sort((a, b) => Number(b.includes('.slow.')) - Number(a.includes('.slow.')));
  const note = ({ file, name, skip }, outcome) =>
    results.push({ file: file ?? '', name, outcome: skip === undefined ? outcome : 'skipped' });
  process.on('exit', () => {
    for (const line of unproved(readPromises(), results)) {
      console.error(line);
      process.exitCode = 1;
    }
  });
  run({ files: slowFirst.map((file) => resolve(file)), concurrency: availableParallelism() + 1 })
    .on('test:pass', (data) => note(data, 'passed'))
    .on('test:fail', (data) => {
      note(data, 'failed');
      process.exitCode = 1;
    })
    .compose(new spec())
    .pipe(process.stdout);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) runAll(process.argv.slice(2));
