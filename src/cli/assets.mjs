// assets.mjs - advice for the person at the terminal about a file of Pleura that cannot be used.
import { AssetError } from '../node/assets.mjs';

const ADVICE = {
  engine: 'Build it with `make wasm`.',
  weights: 'Fetch Pleura again.',
  model: 'Check the path given to --model.',
  adapter: 'Check the path given to --adapter.',
};

/** What happened and what to do, for the command. @param {Error} error */
export function sentenceOf(error) {
  if (!(error instanceof AssetError)) return error.message;
  const refetch = error.code === 'asset-damaged' && error.asset === 'model';
  return `${error.fact} ${refetch ? 'Fetch it again.' : ADVICE[error.asset]}`;
}
