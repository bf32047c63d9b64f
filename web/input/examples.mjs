// examples.mjs: the site's example films. One is fetched from this site when it is asked for, and used only if its SHA-256
// is that of the build.
import { pageError } from '../state/errors.mjs';

/** @typedef {import('../site/constants.d.ts').Example} Example
 *  @typedef {import('../engine/queue.mjs').Source} Source */

/** @param {Example} example  @returns {Promise<Source>} */
async function fetchExample(example) {
  const { name, file, integrity } = example;
  try {
    const response = await fetch(new URL(file, import.meta.url), { integrity });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return { name, file: new File([await response.blob()], name), example };
  } catch (error) {
    throw pageError('example-missing', error);
  }
}

/** @param {import('../state/state.mjs').App} app
 *  @param {(intake: Promise<{sources: Source[]}>) => void} scan  opens films once they are there */
export function exampleActions({ state, set }, scan) {
  /** @param {Example[]} examples */
  function open(examples) {
    set({ dialog: null });
    scan(Promise.all(examples.map(fetchExample)).then((sources) => ({ sources })));
  }
  return {
    example: (/** @type {{file: string}} */ { file }) =>
      open(state.examples.filter((example) => example.file === file)),
    'all-examples': () => open(state.examples),
  };
}
