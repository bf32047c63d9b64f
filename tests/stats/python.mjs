// Debian's Python with scipy, scikit-learn and statsmodels: the independent check of src/stats.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';

/** Runs a program that finds `given` and prints JSON. @param {string} program @param {any} given */
export const python = (program, given) =>
  JSON.parse(
    execFileSync('/usr/bin/python3', ['-c', `import json, math, sys\ngiven = json.load(sys.stdin)\n${program}`], {
      input: JSON.stringify(given),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    }),
  );

/** Asserts that two numbers agree to a relative error. @param {number} a @param {number} b @param {number} [limit] */
export const near = (a, b, limit = 1e-9) =>
  assert.ok(Math.abs(a - b) <= limit * Math.max(1e-3, Math.abs(b)), `${a} is not ${b}`);
