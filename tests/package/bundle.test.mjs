// bundle.test.mjs - a Node program in one file: it finds engine, weights, codecs and the program of its threads beside
// itself, or says what to copy. The bundler is esbuild; others are in bundlers.slow.test.mjs.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { folder, root } from '../cli/command.mjs';
import { answers, copyCodecs, copyEngine, deployed, run } from './bundled.mjs';

const source = join(folder, 'source');
mkdirSync(join(source, 'node_modules'), { recursive: true });
cpSync(join(root, 'tests/examples/bundles/program.mjs'), join(source, 'program.mjs'));
symlinkSync(root, join(source, 'node_modules/pleura'));

/** Bundles a module into a file. @param {'esm' | 'cjs'} format @param {string} entry @param {string} outfile */
async function bundle(format, entry, outfile) {
  await build({
    entryPoints: [entry],
    absWorkingDir: source,
    bundle: true,
    platform: 'node',
    format,
    outfile,
    logLevel: 'error',
    logOverride: { 'empty-import-meta': 'silent' }, // A program in CommonJS finds the files by its own path.
  });
}

for (const [format, name] of [
  ['esm', 'program.mjs'],
  ['cjs', 'program.cjs'],
])
  test(`a program bundled as ${format} finds engine, weights, threads and codecs beside itself, or says what to copy`, async () => {
    const place = deployed(),
      program = join(place, name),
      started = () => run(process.execPath, program);
    await bundle(format, 'program.mjs', program);
    assert.match(started().join(), /^asset-missing: .*copy pleura\.wasm, .*pleura\.gguf/);
    copyEngine(place);
    const [first, second] = started();
    assert.equal(first, answers[0]);
    assert.match(second, /^asset-missing: .*bundle the module pleura\/thread\.mjs/);
    await bundle('esm', 'pleura/thread.mjs', join(place, 'thread.mjs'));
    const [, pooled, ...coded] = started();
    assert.equal(pooled, answers[1]);
    assert.match(coded.join(), /^asset-missing: .*copy charlswasm_decode\.wasm.*,asset-missing: .*copy openjpegwasm_/);
    copyCodecs(place);
    assert.deepEqual(started(), answers);
  });
