// Keras files as its versions write them give the same weights; files that ask for more than Pleura reads are refused.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readGguf } from '../../src/weights/gguf.mjs';

const PYTHON = '/usr/bin/python3';
const scratch = mkdtempSync(join(tmpdir(), 'pleura-keras-'));
after(() => rmSync(scratch, { recursive: true }));
const script = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
/** @type {{ name: string, same: string | null, refused: string | null }[]} */ let list = [];
/** @type {(string | null)[]} */ let said = [];

before(() => {
  execFileSync(PYTHON, [script('make_variants.py'), scratch]);
  const path = join(scratch, 'list.json');
  list = JSON.parse(readFileSync(path, 'utf8'));
  said = JSON.parse(execFileSync(PYTHON, [script('convert_all.py'), path, scratch], { encoding: 'utf8' }));
});

/** Everything but the card, which names the file. @param {string} name */
function weights(name) {
  const path = join(scratch, `${list.findIndex((one) => one.name === name)}.gguf`);
  const { values, tensors } = readGguf(readFileSync(path));
  values.delete('pleura.card.summary');
  return { values, tensors };
}

test('what the versions of Keras write differently is read as the same network', () => {
  for (const { name, same } of list) {
    if (!same) continue;
    assert.equal(said[list.findIndex((one) => one.name === name)], null, name);
    assert.deepEqual(weights(name), weights(same), name);
  }
  assert.notDeepEqual(weights('scaled residual'), weights('sum'));
});

test('arrays, settings, arguments, classes and endings that Pleura does not know are refused with their layer', () => {
  for (const [n, { name, refused }] of list.entries())
    if (refused) assert.match(said[n] ?? `${name} was converted`, new RegExp(refused));
});
