// films.mjs: opening, selecting and removing films, and asking again for those that failed.
import { asNotice, toErrorInfo, toFileErrorInfo, TRANSIENT } from '../state/errors.mjs';
import { arrange, listed } from '../state/table.mjs';
import { initialViewport } from '../state/viewport.mjs';
import english from '../i18n/en.mjs';

/** @typedef {import('../state/state.mjs').Film} Film
 *  @typedef {{sources: import('./queue.mjs').Source[], skipped?: string[]}} Intake
 *     skipped: files of folders and archives that are not films, or that cannot be read
 *
 *  @typedef {object} FilmParts
 *  @property {import('./queue.mjs').Queue} queue
 *  @property {import('./client.mjs').Client} client
 *  @property {() => void} judgeAgain  brings films to the prevalence in force
 *  @property {(selector: string) => void} focus
 *  @property {(selector: string) => void} scrollTo */

const CHOOSE = '#welcome [data-action=choose]';
/** @type {Film['status'][]} */
const FINAL = ['done', 'error', 'cancelled'];
const UNDO_MS = 30_000; // for which removed films can be brought back; then nothing of them is left

/** @param {import('../state/state.mjs').App} app  @param {FilmParts} parts */
export function createFilms({ state, set }, { queue, client, judgeAgain, focus, scrollTo }) {
  let clearings = 0; // how often all films were removed

  /** @param {Intake} intake */
  function add({ sources, skipped = [] }) {
    const { i18n, films, openedAt } = state;
    state.skipped = films.length > 0 ? [...state.skipped, ...skipped] : skipped;
    if (skipped.length > 0) set(asNotice(i18n.skipped(skipped)));
    if (sources.length === 0) return;
    state.openedAt = openedAt || performance.timeOrigin + performance.now(); // on the clock of `requests`
    state.viewport = initialViewport();
    state.map = '';
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
      set({ scanning: state.scanning - 1, ...asNotice(state.i18n.errorText(toFileErrorInfo(error))) });
    }
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let expiry;

  function forget() {
    clearTimeout(expiry);
    if (state.removed) set({ removed: null });
  }

  /** Removes films, and offers to bring them back for a while. @param {Film[]} films */
  function remove(films) {
    if (films.length === 0) return;
    forget();
    if (films.length === state.films.length) clearings++;
    const restore = queue.remove(films);
    expiry = setTimeout(forget, UNDO_MS);
    const announcement = state.i18n.t('undo.removed', { count: films.length });
    set({ removed: { count: films.length, restore }, announcement });
  }

  function undo() {
    const { removed } = state;
    forget();
    removed?.restore();
    if (removed) judgeAgain();
  }

  function removeAll() {
    remove(state.films);
    forget();
  }

  /** @param {Film | undefined} film */
  function select(film) {
    if (!film) return;
    state.tags = null;
    state.viewport = { ...initialViewport(), invert: state.viewport.invert };
    state.map = '';
    queue.select(film);
    if (film.status === 'done' && state.model) set({ announcement: state.i18n.announcement(film, state.model) });
    else set({ announcement: `${state.i18n.name(film)}: ${state.i18n.filmWord(film)}` });
  }

  /** In the order of the table, and of its filter. @param {number} by */
  function selectNeighbour(by) {
    const order = arrange(state.films, state.table, state.i18n);
    if (state.selected) select(order[Math.max(-1, order.indexOf(state.selected)) + by]);
  }

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

  /** @param {string} film */
  function show(film) {
    if (!byId(film)) return;
    select(byId(film));
    focus('#result');
    scrollTo('#desk');
  }

  /** The table, at the row of the selected film. */
  function showTable() {
    if (state.films.length < 2) return;
    scrollTo('#batch');
    focus('#table-body [aria-current], #batch-title');
  }

  const actions = {
    scan,
    phantom: () => add({ sources: [{ name: english['film.phantom'], phantom: true }] }),
    select: (/** @type {{film: string}} */ { film }) => select(byId(film)),
    /** Opens a film from the table, to which the browser's way back leads. */
    open(/** @type {{film: string}} */ { film }) {
      const enter = history.state?.film ? 'replaceState' : 'pushState';
      history[enter]({ film }, '');
      show(film);
    },
    /** The browser went back, or forward again. */
    travelled: (/** @type {{film?: string} | null} */ place) => (place?.film ? show(place.film) : showTable()),
    previous: () => selectNeighbour(-1),
    next: () => selectNeighbour(1),
    'to-table': showTable,
    cancel() {
      queue.cancel();
      set({ announcement: state.i18n.t('reading.cancelled') });
    },
    clear() {
      remove(state.films);
      focus(CHOOSE);
    },
    /** The selected film, or the one named. */
    remove(/** @type {{film?: string}} */ { film } = {}) {
      const gone = film ? byId(film) : state.selected;
      if (!gone) return;
      const onView = gone === state.selected;
      remove([gone]);
      if (!state.selected) focus(CHOOSE);
      else if (onView && !film) focus('#result');
    },
    /** The picked films, or all that are shown if none is. */
    'remove-listed'() {
      remove(listed(state));
      const { films, table, i18n } = state;
      if (films.length === 0) focus(CHOOSE);
      else if (arrange(films, table, i18n).length === 0) set({ table: { ...table, search: '', show: 'all' } });
    },
    undo,
    'undo-forget': forget,
    'retry-film': () => state.selected && queue.enqueue([state.selected]),
    'retry-cancelled': () => queue.enqueue(state.films.filter(({ status }) => status === 'cancelled')),
    'retry-failed': () =>
      queue.enqueue(state.films.filter((film) => film.status === 'error' && TRANSIENT.includes(film.error.code))),
    'retry-picked': () => queue.enqueue(listed(state).filter((film) => FINAL.includes(film.status) && !film.redraw)),
    'retry-engine': () => queue.enqueue([]),
    tags: showTags,
  };

  return { add, removeAll, actions };
}
