// walk_through.mjs: runs the README's walk-through from training to the page, each command as it stands there, with the
// real Keras; then opens the network in a browser. `make walk-through` starts it; the films are drawn.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { film } from '../../cli/command.mjs';
import { launch, open, resultOf, serve, settled } from '../../browser/site.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The indented block of commands after the heading. @param {string} readme */
export function commandsOf(readme) {
  const [, part] = readme.split('\n### From training to the page\n');
  return part
    .split('\n## ')[0]
    .split('\n')
    .flatMap((line) => (line.startsWith('    ') ? [line.slice(4).replace(/\s+#.*$/, '')] : []));
}

/** Films of three labels, which differ in their tone, in three folders. @param {string} folder */
export function drawFilms(folder) {
  for (const [n, set] of ['training', 'validation', 'test'].entries())
    for (const [label, tone] of Object.entries({ covid: 0, normal: 90, pneumonia: 45 })) {
      mkdirSync(join(folder, set, label), { recursive: true });
      for (let i = 0; i < 16; i++) writeFileSync(join(folder, set, label, `${i}.png`), film(96 + n, tone + i));
    }
}

/** The way back to the repository, as whoever follows the README is in it. @param {string} folder */
export function enter(folder) {
  for (const name of ['tests', 'build']) symlinkSync(join(root, name), join(folder, name));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/pleura'), `#!/bin/sh\nexec node ${join(root, 'src/cli.mjs')} "$@"\n`, {
    mode: 0o755,
  });
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'pleura-walk-'));
  drawFilms(folder);
  enter(folder);
  const commands = commandsOf(readFileSync(join(root, 'README.md'), 'utf8'));
  assert.ok(commands.length >= 5, commands.join('\n'));
  const script = [
    `PATH="${join(folder, 'bin')}:$PATH"`,
    'set -ex',
    ...commands.filter((line) => line !== 'make start'),
  ];
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script.join('\n')], { cwd: folder, encoding: 'utf8' });
  process.stderr.write(`${stdout}${stderr}`);
  assert.equal(status, 0);
  assert.match(stderr, /agrees with Keras/);
  assert.match(stderr, /calibrated on 48 films/);
  assert.match(stdout, /labels: covid,normal,pneumonia/);

  const path = join(folder, 'test/covid/3.png');
  const cli = [join(root, 'src/cli.mjs'), '--model', join(folder, 'net.gguf'), '--json', path];
  const record = JSON.parse(execFileSync(process.execPath, cli, { encoding: 'utf8' }));
  const site = join(folder, 'site');
  execFileSync(process.execPath, [join(root, 'web/site/build.mjs'), '--out', site]);
  const [browser, server] = await Promise.all([launch(), serve()]);
  server.folder = site;
  const { page, close } = await open(browser, server, {});
  await settled(page);
  await page.click('#more');
  await page.click('#menu [data-dialog=model]');
  await page.setInputFiles('#other-model', join(folder, 'net.gguf'));
  await page.waitForFunction(() => /net\.gguf/.test(document.getElementById('model-state').textContent));
  await page.keyboard.press('Escape');
  await page.setInputFiles('#files', path);
  await settled(page);
  const { facts } = await resultOf(page);
  assert.equal(facts['Result fingerprint'], record.bits);
  await close();
  await Promise.all([browser.close(), server.close()]);
  rmSync(folder, { recursive: true });
  console.log(`walk-through: ${commands.length} commands, Pleura ${version}; command and page give ${record.bits}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  assert.ok(existsSync(join(root, 'build/pleura.wasm')), 'run make wasm first');
  await main();
}
