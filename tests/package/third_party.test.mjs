// THIRD_PARTY.md names every part of others that ships: the dependencies of the package and what the page bundles, with
// version and licence.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { rows } from '../../.ci/third_party.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const json = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

const listed = (column) => rows.filter((row) => row[column]).map(([name]) => name);

/** The packages whose modules the page contains, in the worker and the service worker as well. */
async function bundled() {
  const { metafile } = await build({
    entryPoints: ['web/app.mjs', 'web/engine/worker.mjs', 'web/storage/sw.mjs', 'src/dicom/reader.mjs'].map((path) =>
      join(root, path),
    ),
    bundle: true,
    write: false,
    outdir: 'none',
    format: 'esm',
    splitting: true,
    metafile: true,
    external: ['fs', 'path'],
    logLevel: 'error',
  });
  const outputs = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput ? [path] : [])),
  );
  const names = outputs.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort();
}

test('the table names each package that ships, with version and licence', async () => {
  const { packages } = json('package-lock.json');
  const installed = Object.entries(packages).filter(([path, { dev }]) => path && !dev),
    names = installed.map(([path]) => path.slice('node_modules/'.length));
  assert.deepEqual(listed(3), names.sort());
  assert.deepEqual(listed(4), await bundled());
  for (const [name, version, licence] of rows.filter((row) => row[3] || row[4])) {
    const facts = packages[`node_modules/${name}`];
    assert.deepEqual([version, licence], [facts.version, facts.license], name);
  }
});

test('the bill of materials names the same parts, with hashes, licences and what each of them needs', () => {
  const bom = JSON.parse(execFileSync('make', ['-s', 'sbom'], { cwd: root, encoding: 'utf8' }));
  const { packages, version } = json('package-lock.json');
  assert.deepEqual([bom.bomFormat, bom.specVersion, bom.metadata.component.version], ['CycloneDX', '1.6', version]);
  assert.deepEqual(
    bom.components.map((part) => [part.name, part.version]),
    rows.map((row) => row.slice(0, 2)),
  );
  for (const { name, purl, hashes, licenses, properties } of bom.components) {
    assert.match(licenses[0].expression, /^[A-Za-z0-9.-]+( (OR|AND) [A-Za-z0-9.-]+)*$/, name);
    assert.ok(properties.length, name);
    const locked = packages[`node_modules/${name}`];
    assert.equal(Boolean(purl), Boolean(locked), name);
    if (locked)
      assert.equal(`sha512-${Buffer.from(hashes[0].content, 'hex').toString('base64')}`, locked.integrity, name);
  }
  const reached = new Set(),
    visit = (ref) => {
      reached.add(ref);
      for (const next of bom.dependencies.find((one) => one.ref === ref).dependsOn) visit(next);
    };
  visit(bom.metadata.component['bom-ref']);
  const refs = bom.components.map((part) => part['bom-ref']);
  assert.deepEqual([...reached].slice(1).sort(), refs.sort());
  assert.ok(!bom.dependencies[0].dependsOn.some((ref) => ref.includes('strip-ansi')));
});
