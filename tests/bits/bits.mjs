// Prints the answers of engine.mjs in this Node in the form of bits.c:
//   bits.mjs [--reference | --relaxed] WEIGHTS FILE...
import { readFile } from 'node:fs/promises';
import { createDicomReader } from '../../src/dicom/reader.mjs';
import { createEngine, PleuraError } from '../../src/engine.mjs';
import { loadCodec } from '../../src/node/assets.mjs';
import { isDicom } from '../../src/sniff.mjs';

const kind = process.argv[2].startsWith('--') ? process.argv[2] : null,
  [weights, ...files] = process.argv.slice(kind ? 3 : 2);
const [wasm, dot] = await Promise.all(
  ['pleura.wasm', 'pleura.dot.wasm'].map((name) => readFile(new URL(`../../build/${name}`, import.meta.url))),
);
const engine = await createEngine({
  wasm,
  weights: await readFile(weights),
  reference: kind === '--reference',
  ...(kind === '--relaxed' && { dot }),
});
if (kind === '--relaxed' && !engine.model.relaxed) throw new Error('this Node does not use relaxed SIMD');
const readDicom = createDicomReader({ engine, loadCodec });

async function answer(file) {
  const bytes = await readFile(file);
  try {
    const { verdict, bits, logits } = engine.diagnose(isDicom(bytes) ? (await readDicom(bytes)).film : bytes);
    return ['ok', verdict, bits, ...logits];
  } catch (error) {
    if (!(error instanceof PleuraError)) throw error;
    return [error.code];
  }
}

const { verdict, bits, logits } = engine.phantom();
console.log(['ok', verdict, bits, ...logits].join(' '));
for (const file of files) console.log((await answer(file)).join(' '));
