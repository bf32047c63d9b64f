// bundle.test.mjs - a Node program in one file: it finds engine, weights and the program of its threads beside itself, or
// says what to copy.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { createEngine } from '../../src/node.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const film = join(root, 'tests/fixtures/grey.jpg');
const folder = mkdtempSync(join(tmpdir(), 'pleura-bundle-'));
after(() => rmSync(folder, { recursive: true }));
const ASSETS = ['build/pleura.wasm', 'build/pleura.dot.wasm', 'model/pleura.gguf'].flatMap((path) => [
  path,
  `${path}.sha256`,
]);
const PROGRAM = `import { readFileSync } from 'node:fs';
  import { createEngine, createPool } from 'pleura';
  async function main() {
    try {
      const film = readFileSync(process.argv[2]);
      console.log((await createEngine()).diagnose(film).bits);
      const pool = await createPool({ threads: 1 });
      console.log((await pool.diagnose(film)).bits);
      await pool.close();
    } catch (error) {
      console.log(error.name, error.code, error.message);
    }
  }
  main();`;

/** Bundles modules and moves the result to a folder without the package. @param {'esm' | 'cjs'} format */
async function bundle(format, entryPoints) {
  const source = join(folder, 'source'),
    deployed = mkdtempSync(join(folder, 'deployed-'));
  mkdirSync(join(source, 'node_modules'), { recursive: true });
  rmSync(join(source, 'node_modules/pleura'), { force: true });
  symlinkSync(root, join(source, 'node_modules/pleura'));
  writeFileSync(join(source, 'app.mjs'), PROGRAM);
  await build({
    entryPoints,
    absWorkingDir: source,
    bundle: true,
    platform: 'node',
    format,
    outdir: deployed,
    outExtension: { '.js': format === 'esm' ? '.mjs' : '.cjs' },
    logLevel: 'error',
    logOverride: { 'empty-import-meta': 'silent' }, // A program in CommonJS finds the files by its own path.
  });
  return deployed;
}

/** @param {string} program */
const run = (program) =>
  spawnSync(process.execPath, [program, film], { cwd: folder, encoding: 'utf8' }).stdout.trim().split('\n');

test('a bundled program finds engine, weights and threads beside itself, or says in a sentence what to copy', async () => {
  const { bits } = (await createEngine()).diagnose(readFileSync(film));
  for (const format of ['esm', 'cjs']) {
    const deployed = await bundle(format, { app: 'app.mjs' }),
      program = join(deployed, format === 'esm' ? 'app.mjs' : 'app.cjs');
    assert.match(run(program).join(), /^PleuraError asset-missing .*copy pleura\.wasm, .*pleura\.gguf/, format);
    for (const path of ASSETS) cpSync(join(root, path), join(deployed, basename(path)));
    const [first, second] = run(program);
    assert.equal(first, bits);
    assert.match(second, /^PleuraError asset-missing .*bundle the module pleura\/thread\.mjs/, format);
    cpSync(join(await bundle('esm', { thread: 'pleura/thread.mjs' }), 'thread.mjs'), join(deployed, 'thread.mjs'));
    assert.deepEqual(run(program), [bits, bits], format);
  }
});
