// Packs the npm package as `npm publish` would, and installs it where a test needs it.
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** @param {string} cwd @param {string[]} args */
const npm = (cwd, ...args) => execFileSync('npm', [...args, ...QUIET], { cwd, encoding: 'utf8' });

/** @param {string} folder  gets the tarball @returns {{ file: string, files: string[] }} its path, and the paths inside */
export function pack(folder) {
  const [{ filename, files }] = JSON.parse(npm(root, 'pack', '--json', '--pack-destination', folder));
  return { file: join(folder, filename), files: files.map(({ path }) => path) };
}

/** Copies an example and installs the packages of its lock and the packed package.
 *  @param {string} name @param {string} folder */
export function install(name, folder) {
  cpSync(join(root, 'tests/examples', name), folder, {
    recursive: true,
    filter: (path) => !path.endsWith('node_modules'),
  });
  npm(folder, 'install', '--no-save', '--prefer-offline', pack(folder).file);
}
