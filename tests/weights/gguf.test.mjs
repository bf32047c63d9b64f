// gguf.test.mjs - the shipped weights through a reader that is not ours: a standard file, and what it must tell.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gguf } from '@huggingface/gguf';
import { readGguf, textValue, writeGguf } from '../../src/weights/gguf.mjs';

const path = fileURLToPath(new URL('../../model/pleura.gguf', import.meta.url));

test('an independent GGUF reader finds the same graphs, tensors and licence', async () => {
  const { metadata, tensorInfos } = await gguf(path, { allowLocalFile: true });
  assert.equal(metadata.version, 3);
  assert.equal(metadata['general.architecture'], 'pleura');
  assert.equal(metadata['general.license'], 'CC-BY-NC-SA-4.0');
  assert.deepEqual(metadata['pleura.labels'], ['covid', 'pneumonia', 'normal']);
  assert.match(metadata['pleura.card.notice'], /not a medical device/);
  const shapes = new Map(tensorInfos.map(({ name, shape }) => [name, shape.map(Number)]));
  for (const graph of ['lungs', 'diagnosis']) {
    const weighted = metadata[`pleura.${graph}.graph`]
      .filter((line) => / = (conv|dense) /.test(line))
      .map((line) => line.split(' ')[0]);
    assert.ok(weighted.length > 5);
    for (const layer of weighted) {
      const weight = shapes.get(`${graph}.${layer}.weight`),
        blocks = weight.at(-1);
      if (weight.length === 5) assert.equal(weight[0], 4);
      else assert.ok(weight.length === 2 && weight[0] % 32 === 0); // Q8_0 counts in blocks of 32
      assert.deepEqual(shapes.get(`${graph}.${layer}.bias`), [4 * blocks]);
    }
  }
});

test('weights with duplicate keys or tensors are not rewritten, because the engine reads only the first', () => {
  const { values, tensors } = readGguf(readFileSync(new URL('../fixtures/tiny.gguf', import.meta.url)));
  const [name, tensor] = [...tensors][0];
  const twoValues = writeGguf({
    values: /** @type {any} */ ([...values, ['general.name', textValue('other')]]),
    tensors,
  });
  const twoTensors = writeGguf({
    values,
    tensors: /** @type {any} */ (Object.assign([...tensors, [name, tensor]], { size: tensors.size + 1 })),
  });
  assert.throws(() => readGguf(twoValues), /two values are named general\.name/);
  assert.throws(() => readGguf(twoTensors), new RegExp(`two tensors are named ${name.replaceAll('.', '\\.')}`));
});
