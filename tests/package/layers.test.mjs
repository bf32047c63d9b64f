// Who may use whom. Each wing (a folder of src/, with the door of the same name before it) may import only wings below it,
// and nothing imports in a circle. esbuild gives the import graph of JavaScript, clang that of C and Python's own parser
// that of Python, so what counts is what the compilers see.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Wing by wing what it may import besides itself: files, and folders with all that is in them. */
const JAVASCRIPT = {
  'src/cli':
    'src/node/ src/adapt/ src/weights/ src/stats/ src/result/ src/engine.mjs src/errors.mjs src/mixture.mjs src/sniff.mjs src/verdicts.mjs',
  web: 'src/adapt/ src/weights/ src/dicom/ src/result/ src/engine.mjs src/errors.mjs src/sniff.mjs',
  'model/samples': 'src/node/assets.mjs src/engine.mjs',
  'src/adapt': 'src/weights/ src/stats/ src/engine.mjs src/mixture.mjs',
  'src/node':
    'src/weights/ src/dicom/ src/result/ src/engine.mjs src/engine/bytes.mjs src/engine/json.mjs src/engine/wasm.mjs src/errors.mjs src/mixture.mjs src/sniff.mjs',
  'src/weights': 'src/engine.mjs src/engine/graph.mjs src/errors.mjs',
  'src/engine': 'src/errors.mjs src/mixture.mjs src/sniff.mjs src/verdicts.mjs',
  'src/dicom': 'src/errors.mjs src/sniff.mjs',
  'src/stats': 'src/verdicts.mjs',
  'src/result': 'src/verdicts.mjs',
  'src/errors': '',
  'src/mixture': '',
  'src/sniff': '',
  'src/verdicts': '',
};
const C = {
  'src/engine': 'src/nn/ src/image/ src/pleura.h src/status.h',
  'src/nn': 'src/status.h',
  'src/image': 'src/status.h',
  'src/pleura': 'src/status.h',
  'src/version': 'src/pleura.h src/status.h',
  'src/status': '',
};
const PYTHON = {
  'model/report': 'model/training/ model/convert/gguf.py',
  'model/training': 'model/convert/gguf.py',
  'model/convert': '',
};

/** Loaded lazily, for the option `adapter` of createEngine; programs without an adapter never load it. */
const LAZY = ['src/engine.mjs -> src/weights/adapter.mjs'];

/** @typedef {[from: string, to: string][]} Arrows */

const run = (command, ...args) => execFileSync(command, args, { cwd: root, encoding: 'utf8' });
const tracked = (...patterns) =>
  run('git', 'ls-files', '--cached', '--others', '--exclude-standard', ...patterns)
    .trim()
    .split('\n');
/** A folder, and the door before it: src/engine.mjs and src/engine/wasm.mjs are both in src/engine. */
const within = (file, wing) => file.startsWith(`${wing}/`) || file.replace(/\.\w+$/, '') === wing;

/** @param {Arrows} arrows  @param {Record<string, string>} table  @returns {string[]} */
function wrong(arrows, table) {
  const allowed = ([from, to]) => {
    const wing = Object.keys(table).find((name) => within(from, name));
    assert.ok(wing, `${from} is in no wing of the table`);
    const below = table[wing].split(' ').filter(Boolean);
    return within(to, wing) || below.some((one) => (one.endsWith('/') ? to.startsWith(one) : to === one));
  };
  return arrows.filter((arrow) => !allowed(arrow)).map(([from, to]) => `${from} -> ${to}`);
}

/** The first circle of arrows, or null. @param {Arrows} arrows */
function circle(arrows) {
  const done = new Set();
  const follow = (file, path) => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const [from, to] of arrows) {
      const found = from === file && follow(to, [...path, file]);
      if (found) return found;
    }
    done.add(file);
    return null;
  };
  for (const [from] of arrows) {
    const found = follow(from, []);
    if (found) return found.join(' -> ');
  }
  return null;
}

/** Every module is an entry point, so none escapes. @returns {Promise<Arrows>} */
async function modules() {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: tracked('src/*.[mc]js', 'web/*.mjs', 'model/*.mjs').map((file) => ({ in: file, out: file })),
    bundle: true,
    metafile: true,
    write: false,
    outdir: 'build/layers',
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
  });
  return Object.entries(metafile.inputs).flatMap(([from, { imports }]) =>
    imports.filter(({ external }) => !external).map(({ path }) => /** @type {[string, string]} */ ([from, path])),
  );
}

/** clang lists all that a file includes, directly or not. What comes with another header of the list is counted there.
 *  @returns {Arrows} */
function includes() {
  const files = tracked('src/*.c', 'src/*.h');
  const outside = ['build/include', 'node_modules/node-api-headers/include'].flatMap((folder) => ['-isystem', folder]);
  const rules = run('clang', '-MM', '-Isrc', ...outside, '-x', 'c', ...files).replaceAll('\\\n', '');
  const lists = rules
    .trim()
    .split('\n')
    .map((rule) => rule.split(/\s+/).slice(1));
  const all = new Map(lists.map(([file, ...headers]) => [file, headers]));
  return [...all].flatMap(([file, headers]) =>
    headers
      .filter((header) => !headers.some((other) => all.get(other)?.includes(header)))
      .map((header) => /** @type {[string, string]} */ ([file, header])),
  );
}

const PYTHON_IMPORTS = `
import ast, pathlib, sys
for file in sys.argv[1:]:
    for node in ast.walk(ast.parse(pathlib.Path(file).read_text())):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            package = file.split("/")[-2] if node.level else ""
            base = ".".join(filter(None, [package, node.module]))
            names = [base] + [f"{base}.{a.name}" for a in node.names]
        for name in names:
            to = pathlib.Path("model", name.replace(".", "/") + ".py")
            if to.exists(): print(file, to)`;

/** @returns {Arrows} */
const pythonImports = () =>
  run('/usr/bin/python3', '-c', PYTHON_IMPORTS, ...tracked('model/*.py'))
    .trim()
    .split('\n')
    .map((line) => /** @type {[string, string]} */ (line.split(' ')));

test('every import points to a wing below, and none runs in a circle', async () => {
  const javascript = await modules(),
    c = includes(),
    python = pythonImports();
  for (const [arrows, least] of /** @type {[Arrows, number][]} */ ([
    [javascript, 150],
    [c, 60],
    [python, 20],
  ]))
    assert.ok(arrows.length >= least, `only ${arrows.length} arrows from ${arrows[0]}`);
  const found = [...wrong(javascript, JAVASCRIPT), ...wrong(c, C), ...wrong(python, PYTHON)];
  assert.deepEqual(found.sort(), LAZY);
  assert.equal(circle(javascript), null);
  assert.equal(circle(python), null);
});

test('no wing is above itself', () => {
  for (const table of [JAVASCRIPT, C, PYTHON]) {
    const wings = Object.keys(table);
    const arrows = wings.flatMap((from) =>
      table[from]
        .split(' ')
        .filter(Boolean)
        .map((to) => /** @type {[string, string]} */ ([from, wings.find((wing) => within(to, wing))])),
    );
    assert.equal(circle(arrows), null);
  }
});

test('a wrong arrow is named with both files, a circle with all of them', () => {
  assert.deepEqual(
    wrong(
      [
        ['src/dicom/lut.mjs', 'src/cli/run.mjs'],
        ['src/node.mjs', 'src/node/assets.mjs'],
      ],
      JAVASCRIPT,
    ),
    ['src/dicom/lut.mjs -> src/cli/run.mjs'],
  );
  assert.deepEqual(wrong([['src/weights/gguf.mjs', 'src/engine/wasm.mjs']], JAVASCRIPT).length, 1);
  assert.equal(
    circle([
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'b'],
    ]),
    'b -> c -> b',
  );
  assert.equal(
    circle([
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'c'],
    ]),
    null,
  );
});
