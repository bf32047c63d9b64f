// Hostile DICOM files, archives, overlays, tables and records: the first rounds of files.mjs; what it has found is tested where it was mended.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('generated hostile files each end in a record or a sentence, reproducibly', () => {
  const script = fileURLToPath(new URL('./files.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '0:80', '7'], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  for (const [name, ...ends] of [
    ['dicom', 'dicom-damaged', 'answered', 'dicom-unsupported'],
    ['zip', 'archive-damaged', 'answered'],
    ['overlay', 'overlay-damaged', 'applied'],
    ['csv', 'read', 'table'],
    ['records', 'merged\\+resumed'],
  ]) {
    const [line] = stdout.match(new RegExp(`^${name}: 80 files: .*$`, 'm')) ?? assert.fail(stdout);
    for (const end of ends)
      assert.match(line, new RegExp(`\\d+ ${end}`), 'what is made is neither all whole nor all broken');
  }
});
