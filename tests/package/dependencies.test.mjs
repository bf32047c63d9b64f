// Third-party packages have exact versions and are checked by hash, and their scripts never run.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { root } from '../cli/command.mjs';

const all = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .trimEnd()
  .split('\n');
const read = (name) => readFileSync(join(root, name), 'utf8');
const projects = all
  .filter((name) => /(^|\/)package\.json$/.test(name))
  .map((name) => ({ name, facts: JSON.parse(read(name)), lock: join(dirname(name), 'package-lock.json') }))
  .filter(({ facts }) => facts.dependencies || facts.devDependencies);
/** Packages with an install script; each works without it. */
const SCRIPTED = ['esbuild', 'msgpackr-extract', 'onnxruntime-node', 'protobufjs'];

test('every dependency is one version, and the lock says the same', () => {
  assert.ok(projects.length >= 5, String(projects.length));
  for (const { name, facts, lock } of projects) {
    assert.ok(all.includes(lock), `${name} has no lock`);
    const { packages } = JSON.parse(read(lock));
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
      assert.deepEqual(packages[''][kind] ?? {}, facts[kind] ?? {}, `${lock}: ${kind}`);
      for (const [dependency, version] of Object.entries(facts[kind] ?? {})) {
        const exact = version.replace(/^npm:[\w/@-]+@/, ''); // the version of an alias
        assert.match(exact, /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${name}: ${dependency}`);
        assert.equal(packages[`node_modules/${dependency}`].version, exact, `${lock}: ${dependency}`);
      }
    }
  }
});

test('every package of every lock comes from the registry by its SHA-512, and only known packages have scripts', () => {
  for (const lock of all.filter((name) => name.endsWith('package-lock.json'))) {
    const { lockfileVersion, packages } = JSON.parse(read(lock));
    assert.equal(lockfileVersion, 3, lock);
    for (const [place, { resolved, integrity, hasInstallScript, link }] of Object.entries(packages)) {
      if (place === '') continue;
      const name = place.split('node_modules/').at(-1);
      // Without an address any registry may answer; the hash decides.
      assert.ok(!link && !resolved, `${lock}: ${place} from ${resolved}`);
      assert.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/, `${lock}: ${place}`);
      if (hasInstallScript) assert.ok(SCRIPTED.includes(name), `${lock}: ${place} runs a script`);
    }
  }
});

test('every command that installs packages forbids their scripts', () => {
  const installs = ['tests/tests.mk', '.ci/setup', 'tests/package/pack.mjs'].flatMap((name) =>
    read(name)
      .split('\n')
      .filter((line) => !/^\s*#/.test(line) && /\bnpm (ci|install|"\$@")|\['--ignore-scripts|npm', \[/.test(line)),
  );
  assert.ok(installs.length >= 4, installs.join('\n'));
  for (const line of installs) assert.match(line, /--ignore-scripts|\.\.\.QUIET|npm_install/, line);
  assert.deepEqual(
    Object.keys(JSON.parse(read('package.json')).scripts).filter((name) => /install|^prepare$/.test(name)),
    [],
  );
});

test('no module of the command or the package can reach the network', () => {
  for (const name of all.filter((one) => /^src\/.*\.[cm]js$/.test(one)))
    assert.doesNotMatch(
      read(name),
      /node:(https?|http2|net|tls|dgram|dns|inspector)\b|\bfetch\(|WebSocket|EventSource/,
      name,
    );
});

test('the SHA-512 of each Node that the setup unpacks is listed', () => {
  const setup = read('.ci/setup'),
    sums = read('.ci/nodes.sha512');
  const [, own] = /^NODE_VERSION=(\S+)$/m.exec(setup),
    [, tested] = /^TESTED_NODES="([^"]+)"$/m.exec(setup);
  for (const version of new Set([own, ...tested.split(' ')])) {
    for (const arch of ['x64', 'arm64'])
      assert.match(
        sums,
        new RegExp(`^[0-9a-f]{128}  node-linux-${arch}-${version.replaceAll('.', '\\.')}\\.tgz$`, 'm'),
      );
  }
  assert.match(setup, /npm pack [^]*sha512sum --check --status --ignore-missing [^]*tar -xzf/);
});
