// The program inside Node's own executable (https://nodejs.org/api/single-executable-applications.html), which contains
// one file in CommonJS; the program of the pool's threads lies beside it.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const folder = 'built/executable',
  program = `${folder}/program`;
const options = { bundle: true, platform: 'node', logOverride: { 'empty-import-meta': 'silent' } };
mkdirSync(folder, { recursive: true });
await build({ ...options, entryPoints: ['program.mjs'], format: 'cjs', outfile: 'built/program.cjs' });
await build({ ...options, entryPoints: ['pleura/thread.mjs'], format: 'esm', outfile: `${folder}/thread.mjs` });
const sea = { main: 'built/program.cjs', output: 'built/program.blob', disableExperimentalSEAWarning: true };
writeFileSync('built/sea.json', JSON.stringify(sea));
execFileSync(process.execPath, ['--experimental-sea-config', 'built/sea.json']);
copyFileSync(process.execPath, program);
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
execFileSync('node_modules/.bin/postject', [program, 'NODE_SEA_BLOB', sea.output, '--sentinel-fuse', fuse]);
