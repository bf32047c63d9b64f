// The npm package: the files in its tarball, and that the installed package works in every supported Node.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { createEngine } from '../../src/engine.mjs';
import { pack } from './pack.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const film = join(root, 'tests/fixtures/grey.jpg');
const project = mkdtempSync(join(tmpdir(), 'pleura-package-'));
const installed = join(project, 'node_modules/pleura');
const facts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
after(() => rmSync(project, { recursive: true }));

/** @param {string} command @param {string[]} args */
function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: project, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}
/** The versions that .ci/setup has unpacked. */
const nodes = () => readdirSync(join(root, 'build/nodes'));
const inNode = (version, args) => run(join(root, 'build/nodes', version, 'bin/node'), args);

let packed, expected;
before(async () => {
  const [wasm, weights] = await Promise.all(
    ['build/pleura.wasm', 'model/pleura.gguf'].map((name) => readFile(join(root, name))),
  );
  expected = (await createEngine({ wasm, weights })).diagnose(await readFile(film));
  packed = pack(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }');
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', packed.file]);
});

test('the tarball holds the engine, its types, the weights and the converter, and nothing else', () => {
  const inFolder = (folder, kind) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => kind.test(String(name)))
      .map((name) => `${folder}/${name}`);
  assert.deepEqual(
    packed.files.sort(),
    [
      'LICENSE',
      'README.md',
      'package.json',
      'build/pleura.wasm',
      'build/pleura.dot.wasm',
      'build/pleura.wasm.sha256',
      'build/pleura.dot.wasm.sha256',
      'model/LICENSE',
      'model/card.md',
      'src/cli/pleura.1',
      'model/pleura.gguf',
      'model/pleura.gguf.sha256',
      'model/pleura.films',
      'build/types/pleura.d.cts',
      'build/types/pleura.d.mts',
      ...inFolder('src', /\.[cm]js$/),
      ...inFolder('model/convert', /\.py$/),
    ].sort(),
  );
});

test('every import of a packed module is in the tarball, in Node or a dependency', async () => {
  // The build fails for a relative import without its file.
  const { metafile } = await build({
    entryPoints: packed.files.filter((file) => /\.[cm]js$/.test(file)).map((file) => ({ in: file, out: file })),
    absWorkingDir: installed,
    outdir: 'unwritten',
    write: false,
    metafile: true,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
  });
  for (const [name, { imports }] of Object.entries(metafile.inputs))
    for (const { path, external } of imports) {
      if (!external) assert.ok(packed.files.includes(path), `${name} imports ${path}`);
      else if (!isBuiltin(path))
        assert.ok(path.match(/^(@[^/]+\/)?[^/]+/)[0] in facts.dependencies, `${name} imports ${path}`);
    }
});

test('the installed packages have no scripts and no native code', () => {
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
  assert.deepEqual(
    Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript),
    [],
  );
  const files = readdirSync(join(project, 'node_modules'), { recursive: true });
  assert.deepEqual(
    files.filter((name) => /\.(node|so|dll|dylib)$|binding\.gyp$/.test(String(name))),
    [],
  );
});

test('it classifies by import, by require and as a command in Node 20, 22 and 24', () => {
  assert.deepEqual(
    nodes().map((version) => version.split('.')[0]),
    ['20', '22', '24'],
    'run .ci/setup test',
  );
  const say = `const { verdict, bits } = engine.diagnose(await readFile(${JSON.stringify(film)}));
    console.log(JSON.stringify([verdict, bits]));`;
  writeFileSync(
    join(project, 'one.mjs'),
    `import { readFile } from 'node:fs/promises';
    import { createEngine, PleuraError } from 'pleura';
    const engine = await createEngine();
    ${say}
    try { engine.diagnose(new Uint8Array(9)); } catch (error) { console.log(error instanceof PleuraError, error.code); }`,
  );
  writeFileSync(
    join(project, 'one.cjs'),
    `const { readFile } = require('node:fs/promises');
    const { createEngine, PleuraError } = require('pleura');
    createEngine().then(async (engine) => {
      ${say}
      try { engine.diagnose(new Uint8Array(9)); } catch (error) { console.log(error instanceof PleuraError, error.code); }
    });`,
  );
  const line = `${JSON.stringify([expected.verdict, expected.bits])}\n`;
  for (const version of nodes()) {
    assert.equal(inNode(version, ['one.mjs']), `${line}true not-an-image\n`, version);
    assert.equal(inNode(version, ['one.cjs']), `${line}true not-an-image\n`, version);
    const record = JSON.parse(inNode(version, ['node_modules/.bin/pleura', film]));
    assert.deepEqual([record.verdict, record.bits], [expected.verdict, expected.bits], version);
  }
});

test("in Node, wasm and weights of one's own take the place of those that come with it", () => {
  writeFileSync(
    join(project, 'own.mjs'),
    `import { readFile } from 'node:fs/promises';
    import { createRequire } from 'node:module';
    import { createEngine } from 'pleura';
    const wasm = await readFile(createRequire(import.meta.url).resolve('pleura/pleura.wasm'));
    const weights = await readFile(${JSON.stringify(join(root, 'tests/fixtures/tiny.gguf'))});
    for (const options of [{ weights }, { wasm, weights }, { wasm }]) console.log((await createEngine(options)).model.name);`,
  );
  assert.equal(run(process.execPath, ['own.mjs']), 'tiny\ntiny\npleura\n');
});

test('the installed command converts a network', () => {
  const out = join(project, 'net.gguf');
  run(process.execPath, [
    'node_modules/.bin/pleura',
    'convert',
    join(root, 'tests/fixtures/convert/vgg.onnx'),
    out,
    '--labels',
    'a,b,c',
  ]);
  assert.match(run(process.execPath, ['node_modules/.bin/pleura', 'info', '--model', out]), /^labels +a, b, c$/m);
});
