// What publishes Pleura: the workflows call targets that exist, the container file copies files that exist, and the release
// notes are a section of the changelog. Neither needs a service or an engine for containers.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'pleura-publish-'));
after(() => rmSync(folder, { recursive: true }));
const facts = JSON.parse(read('package.json'));

test('every make target of a workflow or the container file exists', () => {
  const files = readdirSync(join(root, '.github/workflows')).map((name) => `.github/workflows/${name}`);
  assert.equal(files.length, 3);
  for (const file of [...files, '.github/Containerfile']) {
    const calls = [...read(file).matchAll(/^ *(?:- run: |RUN )make ([a-z -]+)/gm)].map(([, words]) =>
      words.trim().split(' '),
    );
    assert.ok(calls.length, file);
    for (const target of calls.flat()) {
      const { status, stderr } = spawnSync('make', ['-n', '--no-print-directory', target], {
        cwd: root,
        encoding: 'utf8',
      });
      assert.ok(status === 0 && !/No rule/.test(stderr), `${file}: ${target}: ${stderr}`);
    }
  }
});

test('the release notes are the section of a version', () => {
  const notes = execFileSync('make', ['-s', 'release-notes', 'RELEASE=0.1.0'], { cwd: root, encoding: 'utf8' });
  assert.match(notes, /^The first version/);
  assert.doesNotMatch(notes, /^## /m);
  assert.notEqual(spawnSync('make', ['-s', 'release-notes', 'RELEASE=9.9.9'], { cwd: root }).status, 0);
});

test('the stage of the command holds all that the command needs', () => {
  const stage = read('.github/Containerfile')
    .split(/^FROM /m)
    .find((text) => text.includes(' AS command'));
  for (const [, words] of stage.matchAll(/^COPY --from=build (.+)$/gm)) {
    const paths = words.split(' '),
      to = join(folder, paths.pop());
    for (const path of paths) {
      const from = join(root, path.replace(/^\/pleura\//, ''));
      assert.ok(existsSync(from), path);
      mkdirSync(paths.length > 1 ? to : dirname(to), { recursive: true });
      cpSync(from, paths.length > 1 ? join(to, path.split('/').pop()) : to, { recursive: true });
    }
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'pleura/node_modules')); // in place of npm ci
  const [, entry] = /ENTRYPOINT \["node", "(.+)"\]/.exec(stage);
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(folder, entry), '--json', join(root, 'tests/fixtures/grey.jpg')],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0);
  assert.equal(JSON.parse(stdout).status, 'ok');
});

test('the header names the version of the package', () => {
  assert.match(read('src/pleura.h'), new RegExp(`#define PLEURA_VERSION "${facts.version.replaceAll('.', '\\.')}"`));
});
