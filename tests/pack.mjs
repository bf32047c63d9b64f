// Packs the npm package as `npm publish` would, for the tests that install it.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @param {string} folder for the tarball @returns {{ file: string, files: string[] }} its path, and the paths inside */
export function pack(folder) {
  const args = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  const [{ filename, files }] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' }));
  return { file: join(folder, filename), files: files.map(({ path }) => path) };
}
