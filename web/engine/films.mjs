// films.mjs: opening, selecting and removing films, and asking again for those that failed.
import { asNotice, toErrorInfo, TRANSIENT } from '../state/errors.mjs';
import { initialViewport } from '../state/viewport.mjs';
import english from '../i18n/en.mjs';

/** @typedef {import('../state/state.mjs').Film} Film
 *  @typedef {{sources: import('./queue.mjs').Source[], skipped: number}} Intake
 *     skipped: files of folders that are not films, or that cannot be read
 *
 *  @typedef {object} FilmParts
 *  @property {import('./queue.mjs').Queue} queue
 *  @property {import('./client.mjs').Client} client
 *  @property {(selector: string) => void} focus
 *  @property {(selector: string) => void} scrollTo */

const CHOOSE = '#welcome [data-action=choose]';

/** @param {import('../state/state.mjs').App} app  @param {FilmParts} parts */
export function createFilms({ state, set }, { queue, client, focus, scrollTo }) {
  let clearings = 0; // how often all films were removed

  /** @param {Intake} intake */
  function add({ sources, skipped }) {
    const { i18n, films, openedAt } = state;
    state.skipped = skipped + (films.length > 0 ? state.skipped : 0);
    if (skipped > 0) set(asNotice(i18n.t('batch.skipped', { count: skipped })));
    if (sources.length === 0) return;
    state.openedAt = openedAt || performance.timeOrigin + performance.now(); // on the clock of `requests`
    state.viewport = initialViewport();
    queue.add(sources);
  }

  /** Adds films once a drop or folder was searched, unless the page was cleared meanwhile.
   *  @param {Promise<Intake>} intake */
  async function scan(intake) {
    const before = clearings;
    set({ scanning: state.scanning + 1 });
    try {
      const found = await intake;
      set({ scanning: state.scanning - 1 });
      if (clearings === before) add(found);
    } catch (error) {
      const { message } = toErrorInfo(error);
      const notice = asNotice(state.i18n.errorText({ code: 'file-unreadable', message }));
      set({ scanning: state.scanning - 1, ...notice });
    }
  }

  function clear() {
    clearings++;
    queue.clear();
  }

  /** @param {Film | undefined} film */
  function select(film) {
    if (!film) return;
    state.tags = null;
    state.viewport = { ...initialViewport(), invert: state.viewport.invert };
    queue.select(film);
  }

  const selectNeighbour = (/** @type {number} */ by) =>
    state.selected && select(state.films[state.films.indexOf(state.selected) + by]);

  /** Shows the DICOM tags of the selected film, unless another one is selected before they arrive. */
  async function showTags() {
    const film = state.selected;
    if (!film?.file) return;
    try {
      const list = await client.tags(film.file);
      if (film !== state.selected) return;
      set({ tags: { film, list } });
      focus('#tags');
    } catch (error) {
      if (film === state.selected) set(asNotice(state.i18n.errorText(toErrorInfo(error))));
    }
  }

  const byId = (/** @type {string} */ id) => state.films.find((film) => film.id === Number(id));

  const actions = {
    scan,
    phantom: () => add({ sources: [{ name: english['film.phantom'], phantom: true }], skipped: 0 }),
    select: (/** @type {{film: string}} */ { film }) => select(byId(film)),
    open(/** @type {{film: string}} */ { film }) {
      select(byId(film));
      focus('#result');
      scrollTo('#desk');
    },
    previous: () => selectNeighbour(-1),
    next: () => selectNeighbour(1),
    cancel: () => queue.cancel(),
    clear() {
      clear();
      focus(CHOOSE);
    },
    remove() {
      queue.remove();
      focus(state.selected ? '#result' : CHOOSE);
    },
    'retry-film': () => state.selected && queue.enqueue([state.selected]),
    'retry-cancelled': () => queue.enqueue(state.films.filter(({ status }) => status === 'cancelled')),
    'retry-failed': () =>
      queue.enqueue(state.films.filter((film) => film.status === 'error' && TRANSIENT.includes(film.error.code))),
    'retry-engine': () => queue.enqueue([]),
    tags: showTags,
  };

  return { add, clear, actions };
}
