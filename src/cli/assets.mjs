// assets.mjs - advice for the person at the terminal about a file of Pleura that cannot be used.
import { PleuraError } from '../errors.mjs';
import { AssetError } from '../node/assets.mjs';

const ADVICE = {
  engine: 'Build it with `make wasm`.',
  weights: 'Fetch Pleura again.',
  model: 'Check its path.',
  adapter: 'Check its path.',
};

/** What is wrong with weights that the person named, by error code. The sentences of the engine are about its own. */
const WRONG_MODEL = new Map([
  ['not-a-model', 'is not a GGUF file. Name weights that Pleura wrote, or convert a network with pleura convert.'],
  ['model-version', 'uses a GGUF version other than 3. Convert the network again.'],
  ['model-damaged', 'is damaged or incomplete. Copy or convert it again.'],
  ['model-unsupported', 'holds no network that this engine supports. Name weights that Pleura wrote.'],
]);

/**
 * The result of `load`; an error about the weights names the person's file.
 * @template T @param {string | undefined} model  the person's own weights, if any @param {() => Promise<T>} load
 * @returns {Promise<T>} throws PleuraError
 */
export async function loadNamed(model, load) {
  try {
    return await load();
  } catch (error) {
    const fact = model && error instanceof PleuraError && WRONG_MODEL.get(error.code);
    throw fact ? new PleuraError(error.code, error.status, `${model} ${fact}`) : error;
  }
}

/** What happened and what to do, for the command. @param {Error} error */
export function sentenceOf(error) {
  if (!(error instanceof AssetError)) return error.message;
  const refetch = error.code === 'asset-damaged' && error.asset === 'model';
  return `${error.fact} ${refetch ? 'Fetch it again.' : ADVICE[error.asset]}`;
}
