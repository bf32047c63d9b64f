// Runs the commands of dcmtk and GDCM on files in memory.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder } from '../cli/command.mjs';

let number = 0;

/** Runs a command that turns one file into another. @param {string[]} command @param {Uint8Array} bytes @returns {Buffer} */
export function codedBy([tool, ...options], bytes) {
  const [from, to] = [join(folder, `${++number}.dcm`), join(folder, `${number}.out`)];
  writeFileSync(from, bytes);
  execFileSync(tool, [...options, from, to], { stdio: 'pipe' });
  return readFileSync(to);
}
