// The `quantise` sub-command: weights in floats and films like those to come make weights in bytes.
import { createEngine } from '../../engine.mjs';
import { PleuraError } from '../../errors.mjs';
import { films } from '../paths.mjs';
import { readGguf } from '../../weights/gguf.mjs';
import { checkOutput, writeOutput } from '../gguf_output.mjs';
import { quantise } from '../../weights/quantise.mjs';
import { createReader } from '../../node/read.mjs';
import { harmless } from '../../result/record.mjs';
import { loadParts } from '../../node/assets.mjs';
import { CommandError, ReadError, usage } from '../../node/errors.mjs';

/** Films that tell the ranges: more change them little and take their time. */
const MOST = 64;

/** The films that the engine answers, at most so many, evenly spread over all. @param {any} engine @param {string[]} paths */
async function chooseFilms(engine, paths) {
  const items = await films(paths),
    read = createReader(),
    chosen = [];
  for (let i = 0; i < items.length; i += Math.max(1, items.length / MOST)) {
    const item = items[Math.floor(i)];
    try {
      const bytes = await read(item),
        { gate } = engine.diagnose(bytes);
      if (gate.accepted) chosen.push(bytes);
    } catch (error) {
      if (!(error instanceof PleuraError || error instanceof ReadError)) throw error;
      process.stderr.write(`${harmless(`${item.file}: ${error.message}`)}\n`);
      process.exitCode = 1;
    }
  }
  if (!chosen.length)
    throw new CommandError(
      "None of the films can be used. 'quantise' takes PNG, JPEG and BMP films that the model does not refuse.",
    );
  return chosen;
}

/** @param {string[]} paths weights, what to write, and films @returns {Promise<void>} throws CommandError */
export async function calibrate([source, out, ...paths]) {
  if (!paths.length) throw usage("'quantise' needs IN.gguf, OUT.gguf and films or folders of films.");
  await checkOutput(out);
  const { wasm, weights } = await loadParts(source),
    engine = await createEngine({ wasm, weights });
  if (readGguf(weights).values.has('pleura.diagnosis.steps')) throw new CommandError(`${source} is in bytes already.`);
  const chosen = await chooseFilms(engine, paths),
    small = await quantise(wasm, weights, chosen);
  await writeOutput(out, small);
  const size = (bytes) => `${(bytes.length / 1000).toFixed(0)} KB`;
  process.stderr.write(
    `${harmless(out)}: ${size(small)} instead of ${size(weights)}; ranges from ${chosen.length} films. Measure it: pleura evaluate --against\n`,
  );
}
