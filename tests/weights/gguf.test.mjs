// gguf.test.mjs - the shipped weights through a reader that is not ours: a standard file, and what it must tell.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gguf } from '@huggingface/gguf';
import { inGgmlDimensions, readGguf, textValue, writeGguf } from '../../src/weights/gguf.mjs';
import { createEngine } from '../../src/engine.mjs';

const path = fileURLToPath(new URL('../../model/pleura.gguf', import.meta.url));

test('an independent GGUF reader finds the same graphs, tensors and licence', async () => {
  const { metadata, tensorInfos } = await gguf(path, { allowLocalFile: true });
  assert.equal(metadata.version, 3);
  assert.equal(metadata['general.architecture'], 'pleura');
  assert.equal(metadata['general.license'], 'CC-BY-NC-SA-4.0');
  assert.deepEqual(metadata['pleura.labels'].slice(0, 3), ['covid', 'pneumonia', 'normal']);
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
      if (weight.length === 2)
        assert.equal(weight[0] % 32, 0); // Q8_0 counts in blocks of 32
      else assert.ok(weight.length <= 5 && weight[0] % 4 === 0);
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

test('weights of five dimensions and of four give the same bits, and tensors of unknown types change nothing', async () => {
  const wasm = readFileSync(new URL('../../build/pleura.wasm', import.meta.url));
  const { values, tensors } = readGguf(readFileSync(new URL('../fixtures/tiny.gguf', import.meta.url)));
  const four = inGgmlDimensions(tensors);
  assert.ok([...four.values()].every(({ dims }) => dims.length <= 4));
  const five = new Map(
    [...four].map(([name, tensor]) => {
      const [inner, ...rest] = tensor.dims;
      return [name, rest.length === 3 ? { ...tensor, dims: [4, inner / 4, ...rest] } : tensor];
    }),
  );
  assert.ok([...five.values()].some(({ dims }) => dims.length === 5));
  const bits = async (/** @type {any} */ gguf) =>
    (await createEngine({ wasm, weights: writeGguf(gguf) })).phantom().bits;
  const expected = await bits({ values, tensors: four });
  assert.equal(await bits({ values, tensors: five }), expected);
  // Type 30 is BF16; the value is an array of two arrays of one uint8.
  const nested = Uint8Array.of(
    ...[9, 9, 2, 0].flatMap((n) => [n, 0, 0, 0]),
    ...[1, 2].flatMap((n) => [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, n]),
  );
  const more = {
    values: new Map([...values, ['other.nested', nested]]),
    tensors: new Map([['other', { dims: [3], kind: 30, data: new Uint8Array(6) }], ...four]),
  };
  assert.equal(await bits(more), expected);
  assert.deepEqual(writeGguf(readGguf(writeGguf(more))), writeGguf(more));
});
