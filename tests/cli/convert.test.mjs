// What `pleura convert` says before it converts: lists with a minus sign, and files that the output must not replace.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folder, pleura, root, says } from './command.mjs';

const network = join(root, 'tests/fixtures/convert/vgg.onnx');
const convert = (source, out, ...options) =>
  pleura(['convert', source, out, '--labels', 'covid,pneumonia,normal', ...options]);

test('a list may begin with a minus sign', () => {
  const { status, stderr } = convert(network, 'minus.gguf', '--scale', '1', '--offset', '-103.9,-116.7,-123.6');
  assert.equal(status, 0, stderr);
  assert.equal(convert(network, 'half.gguf', '--offset', '-1/2', '--scale=1/255').status, 0);
  assert.ok(existsSync(join(folder, 'half.gguf')));
});

test('the output never replaces another file', () => {
  copyFileSync(network, join(folder, 'own.onnx'));
  copyFileSync(network, join(folder, 'own.gguf'));
  writeFileSync(join(folder, 'notes.txt'), 'my notes');
  writeFileSync(join(folder, 'notes.gguf'), 'my notes');
  mkdirSync(join(folder, 'dir.gguf'));
  for (const [source, out] of [
    ['own.onnx', 'own.onnx'],
    ['own.gguf', './own.gguf'],
    [network, 'notes.txt'],
    [network, 'notes.gguf'],
    [network, 'dir.gguf'],
  ]) {
    const { status, stderr } = convert(source, out);
    assert.equal(status, 2, stderr);
    says(stderr, out.replace('./', ''));
  }
  for (const name of ['own.onnx', 'own.gguf'])
    assert.deepEqual(readFileSync(join(folder, name)), readFileSync(network), name);
  for (const name of ['notes.txt', 'notes.gguf']) assert.equal(readFileSync(join(folder, name), 'utf8'), 'my notes');
});
