// Old and new versions of TypeScript find the package's types however they resolve modules, without those of DOM and
// Node.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'pleura-types-'));
after(() => rmSync(project, { recursive: true }));

// The files that TypeScript reads from an installed package.
const installed = join(project, 'node_modules/pleura');
mkdirSync(join(installed, 'build/types'), { recursive: true });
cpSync(join(root, 'package.json'), join(installed, 'package.json'));
for (const name of ['pleura.d.mts', 'pleura.d.cts'])
  cpSync(join(root, 'src/types.d.ts'), join(installed, 'build/types', name));

/** What a program may do, and what must be an error. */
const USE = `
  const verdict: string = engine.diagnose(new Uint8Array(9)).verdict;
  const grid: Float32Array = engine.phantom().heatmap.data;
  const copy: Uint8Array = engine.film(64).data.slice();
  for (const { name, data } of engine.activations(new Float32Array(9), 'lungs')) void [name.length, data.length];
  engine.setPrevalence({ covid: 0.2, pneumonia: 0.3, normal: 0.5 });
  engine.reclassify(engine.phantom()).probability.covid.toFixed(1);
  // @ts-expect-error a verdict is not a number
  const wrong: number = engine.phantom().verdict;
  // @ts-expect-error a path is not a film
  engine.diagnose('film.png');
  // @ts-expect-error an option that does not exist
  createEngine({ overlay: new Uint8Array(9) });
  // @ts-expect-error weights are bytes
  createEngine({ weights: 'pleura.gguf' });
  void [verdict, grid, copy, wrong];`;
const IMPORTED = `
  import { createEngine, PleuraError, type Diagnosis, type Engine, type EngineOptions } from 'pleura';
  const options: EngineOptions = { wasm: new ArrayBuffer(9), weights: new Uint8Array(9), adapter: new Uint8Array(9) };
  export async function main(given: unknown): Promise<string> {
    const engine: Engine = await createEngine();
    await createEngine(options);
    await createEngine({ wasm: undefined, reference: true });
    ${USE}
    const last: Diagnosis = engine.phantom();
    return given instanceof PleuraError ? given.code : last.bits;
  }`;
const REQUIRED = `
  import pleura = require('pleura');
  const { createEngine, PleuraError } = pleura;
  export async function main(given: unknown): Promise<string> {
    const engine: pleura.Engine = await createEngine();
    ${USE}
    const last: pleura.Diagnosis = engine.phantom();
    return given instanceof PleuraError ? given.code : last.bits;
  }`;
const PROGRAMS = { 'esm.mts': IMPORTED, 'import.cts': IMPORTED, 'require.cts': REQUIRED, 'plain.ts': IMPORTED };
for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(join(project, name), text);

/** Arguments of tsc for each way of resolving modules. */
const WAYS = {
  node16: ['--module', 'node16', 'esm.mts', 'import.cts', 'require.cts'],
  bundler: ['--module', 'esnext', '--moduleResolution', 'bundler', 'plain.ts'],
  node10: ['--module', 'esnext', '--moduleResolution', 'node10', 'plain.ts'],
};
// Only TypeScript's own declarations are left unchecked: they took a third of the time.
const STRICT =
  '--noEmit --strict --exactOptionalPropertyTypes --skipDefaultLibCheck --target es2020 --lib es2020'.split(' ');

for (const compiler of ['typescript-5.0', 'typescript']) {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules', compiler, 'package.json'), 'utf8'));
  for (const [way, args] of Object.entries(WAYS)) {
    test(`TypeScript ${version.slice(0, 3)} knows the package by ${way}, every declaration checked`, () => {
      const tsc = join(root, 'node_modules', compiler, 'bin/tsc');
      const deprecated = args.includes('node10') && version >= '6' ? ['--ignoreDeprecations', '6.0'] : [];
      const all = [tsc, ...STRICT, ...deprecated, ...args];
      const { status, stdout } = spawnSync(process.execPath, all, { cwd: project, encoding: 'utf8' });
      assert.equal(status, 0, stdout);
    });
  }
}
