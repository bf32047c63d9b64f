// adapting.mjs: adapts the model to a person's own labelled films.
//
// The worker examines the films one by one and then fits the last layer to them (src/adapt). The result is an adapter:
// a small GGUF file to apply to the weights, together with what cross-validation says it is worth. Nothing is applied
// until the person says so.
import { selectFilms } from '../../src/adapt/crossval.mjs';
import { MAX_ADAPTER_BYTES } from '../../src/weights/adapter.mjs';
import messages from '../i18n/en.mjs';
import { createI18n } from '../i18n/words.mjs';
import { isCancelled, pageError, toErrorInfo } from '../state/errors.mjs';
import { initialAdapting } from '../state/state.mjs';

/** @typedef {import('../state/state.mjs').App} App
 *  @typedef {import('../state/state.mjs').Adapting} Adapting
 *  @typedef {{name: string, file: File}} LabelledFile  name: the path, whose last folder is the label
 *  @typedef {ReturnType<typeof createAdapting>} AdaptingRun */

const english = createI18n('en', messages);

/** The folder that a film lies in, below the one that was chosen. @param {string} path */
const folderOf = (path) => path.split('/').slice(1, -1)[0] ?? '';

/** Letters and digits alone: the folders "COVID-19" and "covid19" are the same. @param {string} name */
const plain = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** @param {App} app  @param {import('./client.mjs').Client} client */
export function createAdapting({ state, update }, client) {
  const set = (/** @type {Partial<Adapting>} */ changes) =>
    update(() => {
      state.adapting = { ...state.adapting, ...changes };
    });
  let lastRun = 0;

  /** Drops the result and whatever is still running. */
  function discard() {
    client.cancelFit();
    lastRun++;
    set(initialAdapting());
  }

  /** The label that a folder stands for, by itself or by its name on the page. @param {string} folder */
  function labelOf(folder) {
    const labels = state.model?.labels ?? [];
    const names = (/** @type {string} */ label) => [label, state.i18n.label(label), english.label(label)].map(plain);
    return labels.find((label) => names(label).includes(plain(folder))) ?? folder;
  }

  /** @param {LabelledFile[]} sources */
  async function examineAll(sources) {
    const found = [];
    let errors = 0;
    for (const { name, file } of sources) {
      set({ done: found.length + errors, total: sources.length });
      try {
        found.push({ label: labelOf(folderOf(name)), ...(await client.examine(file)) });
      } catch (error) {
        if (isCancelled(error)) throw error;
        errors++;
      }
    }
    return { found, errors };
  }

  /** Fits an adapter to the films of a folder. @param {Promise<{sources: LabelledFile[]}>} intake */
  async function run(intake) {
    const own = ++lastRun;
    set({ ...initialAdapting(), phase: 'reading' });
    try {
      const { sources } = await intake;
      if (own !== lastRun) return; // discarded meanwhile
      const { found, errors } = await examineAll(sources);
      const labels = state.model?.labels ?? [];
      const { films, leftOut } = selectFilms(found, labels);
      const others = found.map(({ label }) => label).filter((label) => label && !labels.includes(label));
      set({ phase: 'fitting', share: 0, leftOut: { ...leftOut, errors, folders: [...new Set(others)] } });
      const result = await client.fit(films);
      set({ phase: 'idle', result });
      update(() => {
        state.announcement = state.i18n.t(result.adapter ? `adapt.${result.advice}` : 'adapt.few');
      });
    } catch (error) {
      if (own === lastRun) set({ phase: 'idle', error: toErrorInfo(error) });
    }
  }

  return { run, discard, progress: (/** @type {number} */ share) => set({ share }) };
}

/** @typedef {object} AdaptParts
 *  @property {AdaptingRun} adapting
 *  @property {(bytes: Uint8Array | null) => Promise<void>} useAdapter
 *  @property {(name: string, type: string, content: BlobPart) => void} saveFile
 *  @property {(selector: string) => void} focus */

/** @param {App} app  @param {AdaptParts} parts */
export function adaptActions({ state, set }, { adapting, useAdapter, saveFile, focus }) {
  return {
    async 'adapt-run'(/** @type {Promise<{sources: LabelledFile[]}>} */ intake) {
      await adapting.run(intake);
      if (state.adapting.result?.adapter) focus('#adapt-advice');
    },
    'adapt-cancel': () => adapting.discard(),
    'adapt-discard': () => adapting.discard(),
    'adapt-keep': () => useAdapter(state.adapting.result?.adapter ?? null),
    async 'adapt-file'(/** @type {File} */ file) {
      adapting.discard();
      if (file.size > MAX_ADAPTER_BYTES) {
        set({ adapting: { ...state.adapting, error: toErrorInfo(pageError('overlay-damaged')) } });
        return;
      }
      await useAdapter(new Uint8Array(await file.arrayBuffer()));
    },
    'adapt-export'() {
      if (state.adapter) saveFile('pleura-adapted.gguf', 'application/octet-stream', new Uint8Array(state.adapter));
    },
    'adapt-back': () => useAdapter(null),
  };
}
