// Reproducible builds: a clean build in another folder, at another time and in another time zone gives the same bytes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('pleura.wasm, pleura.dot.wasm and every file of the site are byte-identical wherever and whenever they are built', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pleura-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const copy = join(folder, 'somewhere else', 'deeper');
  const sources = execFileSync(
    'git',
    [
      'ls-files',
      '-z',
      '--cached',
      '--others',
      '--exclude-standard',
      'Makefile',
      'tests/tests.mk',
      'package.json',
      'src',
      'web',
      'model',
      'tests/*/*.h',
    ],
    { cwd: root, encoding: 'utf8' },
  );
  for (const name of sources.split('\0').filter(Boolean)) {
    mkdirSync(join(copy, dirname(name)), { recursive: true });
    cpSync(join(root, name), join(copy, name));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const samples = 'build/samples'; // the page's examples, where there are any
  if (existsSync(join(root, samples))) cpSync(join(root, samples), join(copy, samples), { recursive: true });
  execFileSync('sh', ['-c', 'umask 077; make -j2 site'], {
    cwd: copy,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, MAKEFLAGS: '', TZ: 'Pacific/Chatham', LC_ALL: 'C' },
  });
  const built = (place) => [
    'pleura.wasm',
    'pleura.dot.wasm',
    ...readdirSync(join(place, 'build/site')).map((name) => `site/${name}`),
  ];
  assert.deepEqual(built(copy), built(root));
  for (const name of built(copy))
    assert.ok(
      readFileSync(join(copy, 'build', name)).equals(readFileSync(join(root, 'build', name))),
      `${name} differs`,
    );
});
