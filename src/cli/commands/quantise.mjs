// quantise.mjs - the `quantise` command: float weights and typical films in, int8 weights out.
import { createEngine } from '../../engine.mjs';
import { PleuraError } from '../../errors.mjs';
import { loadParts } from '../../node/assets.mjs';
import { CommandError, usage } from '../../node/errors.mjs';
import { createReader } from '../../node/read.mjs';
import { readGguf } from '../../weights/gguf.mjs';
import { quantise as quantiseWeights } from '../../weights/quantise.mjs';
import { loadNamed } from '../assets.mjs';
import { checkOutput, writeOutput } from '../gguf_output.mjs';
import { films } from '../paths.mjs';
import { warn, warnLeftOut } from '../stdio.mjs';

/** More films hardly change the ranges of the activations, and take their time. */
const MAX_FILMS = 64;

/**
 * At most MAX_FILMS films that the gate accepts, evenly spread over all.
 * @param {any} engine @param {string[]} paths @param {{ verbose?: boolean, quiet?: boolean }} options
 */
async function chooseFilms(engine, paths, options) {
  const { items, leftOut } = await films(paths),
    step = Math.max(1, items.length / MAX_FILMS),
    read = createReader(),
    chosen = [];
  warnLeftOut(leftOut, options);
  for (let i = 0; i < items.length; i += step) {
    const item = items[Math.floor(i)];
    try {
      const bytes = await read(item);
      if (engine.diagnose(bytes).gate.accepted) chosen.push(bytes);
    } catch (error) {
      if (!(error instanceof PleuraError)) throw error;
      warn(`${item.file}: ${error.message}`);
      process.exitCode = 1;
    }
  }
  if (!chosen.length)
    throw new CommandError(
      "None of the films can be used. 'quantise' needs PNG, JPEG or BMP films that the model does not refuse.",
    );
  return chosen;
}

/** @param {Uint8Array} bytes */
const kilobytes = (bytes) => `${(bytes.length / 1000).toFixed(0)} KB`;

/** @param {string[]} paths weights, output, and films @param {any} options @returns {Promise<void>} throws CommandError */
export async function quantise([source, out, ...paths], options) {
  if (!paths.length) throw usage("'quantise' needs IN.gguf, OUT.gguf, and films or folders of films.");
  await checkOutput(out);
  const { wasm, weights } = await loadParts(source),
    engine = await loadNamed(source, () => createEngine({ wasm, weights }));
  if (readGguf(weights).values.has('pleura.diagnosis.steps')) throw new CommandError(`${source} is quantised already.`);
  const chosen = await chooseFilms(engine, paths, options),
    small = await quantiseWeights(wasm, weights, chosen);
  await writeOutput(out, small);
  if (options.quiet) return;
  warn(
    `${out}: ${kilobytes(small)} instead of ${kilobytes(weights)}, calibrated on ${chosen.length} films. Measure the effect: pleura evaluate --against`,
  );
}
