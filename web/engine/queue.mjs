// queue.mjs: diagnoses the films of the page one at a time, so that a wasm trap or a cancellation affects only one
// film.
//
// A film waits until it is its turn; the selected film goes first. Pictures are large, so only the newest few are
// kept: a film that is selected again waits once more, for its picture alone (`redraw`), while its result stands.
import { asNotice, isCancelled, toErrorInfo } from '../state/errors.mjs';
import { NO_MEASURES } from '../state/measures.mjs';
import { initialTable } from '../state/table.mjs';

/** @typedef {import('../state/state.mjs').Film} Film
 *  @typedef {{name: string, file?: File, phantom?: boolean, camera?: boolean,
 *    example?: import('../site/constants.d.ts').Example}} Source
 *  @typedef {ReturnType<typeof createQueue>} Queue
 *
 *  @typedef {object} FilmEngine
 *  @property {() => Promise<boolean>} start  resolves to false where the engine cannot run
 *  @property {(film: Film, withPicture: boolean) => Promise<import('./protocol.d.ts').Result<'diagnose'>>} diagnose
 *  @property {() => void} cancel
 *  @property {(film: Film) => void} finished  called for each film with its first answer */

const PICTURE_BYTES = 16e6; // of all pictures that are kept, unless those on view alone are larger

/** Bytes of a film's picture with its maps. @param {Film} film */
function pictureBytes({ picture }) {
  if (!picture) return 0;
  const { film, heatmap, lungs, maps } = picture;
  return [film, heatmap, lungs, ...Object.values(maps)].reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** @param {import('../state/state.mjs').App} app  @param {FilmEngine} engine */
export function createQueue({ state, update, updateSoon }, engine) {
  let lastId = 0;
  let working = false;
  /** @type {Film[]} films with a picture, newest last */
  let pictured = [];

  /** @param {Film} film  @param {Partial<Film>} change */
  function edit(film, change) {
    Object.assign(film, change);
    film.revision = ++state.revision;
  }

  async function work() {
    if (working) return;
    working = true;
    for (let film; (await engine.start()) && (film = nextFilm());) await diagnose(film);
    working = false;
    if (state.engine.phase === 'failed') return;
    update(() => {
      const { total, finished } = state.run;
      if (total > 1 && finished === total) state.announcement = state.i18n.finished(state.films);
      state.run = { finished: 0, total: 0 };
    });
  }

  const isWaiting = (/** @type {Film} */ film) => film.status === 'waiting' || film.redraw;
  const nextFilm = () => (state.selected && isWaiting(state.selected) ? state.selected : state.films.find(isWaiting));

  /** @param {Film} film */
  async function diagnose(film) {
    if (film.redraw) return redraw(film);
    const change = () => (film === state.selected ? update : updateSoon);
    change()(() => {
      edit(film, { status: 'running' });
      if (film === state.selected) state.announcement = ''; // so that the same outcome is announced again
    });
    try {
      edit(film, { ...(await ask(film)), status: 'done', error: null });
      keepPicture(film);
    } catch (error) {
      if (isCancelled(error)) return; // `cancel` and `restart` have set the film's status
      edit(film, { status: 'error', error: toErrorInfo(error) });
    }
    change()(() => {
      state.run.finished++;
      if (film === state.selected && state.model) state.announcement = state.i18n.announcement(film, state.model);
    });
    if (isOnView(film)) show(film); // selected meanwhile
    engine.finished(film);
  }

  /** Makes the picture again. The result stands: it may have been judged again since. @param {Film} film */
  async function redraw(film) {
    try {
      const { picture, thumb } = await ask(film);
      if (!state.films.includes(film)) return; // removed meanwhile
      edit(film, { picture, thumb, redraw: false });
      keepPicture(film);
    } catch (error) {
      if (isCancelled(error)) return;
      edit(film, { redraw: false });
      Object.assign(state, asNotice(state.i18n.errorText(toErrorInfo(error))));
    }
    update(() => state.run.finished++);
  }

  const isOnView = (/** @type {Film} */ film) => film === state.selected || film === state.prior;
  const isFull = () => pictured.reduce((sum, film) => sum + pictureBytes(film), 0) > PICTURE_BYTES;
  const ask = (/** @type {Film} */ film) => engine.diagnose(film, isOnView(film) || !isFull());

  /** Drops the oldest pictures beyond PICTURE_BYTES, but none on view. @param {Film} newest */
  function keepPicture(newest) {
    if (!newest.picture) return;
    pictured = [...pictured.filter((film) => film !== newest), newest];
    for (const film of pictured) {
      if (!isFull()) break;
      if (film !== newest && !isOnView(film)) film.picture = null;
    }
    pictured = pictured.filter(({ picture }) => picture);
  }

  /** @param {Film[]} films  @param {Partial<Film>} change */
  function begin(films, change) {
    for (const film of films) edit(film, change);
    state.run.total += films.length;
    if (state.engine.phase === 'failed') Object.assign(state.engine, { phase: 'loading', received: 0 });
    update(() => {});
    work();
  }

  /** Diagnoses films, for the first time or again. @param {Film[]} films */
  const enqueue = (films) => begin(films, { status: 'waiting' });

  /** Makes the picture of a film on view again, if it was dropped. @param {Film} film */
  function show(film) {
    if (film.status === 'done' && !film.picture && !film.redraw) begin([film], { redraw: true });
    else update(() => {});
  }

  /** @param {Film} film */
  function select(film) {
    state.selected = film;
    show(film);
  }

  function cancel() {
    update(() => {
      for (const film of state.films) {
        if (film.redraw) edit(film, { redraw: false });
        else if (film.status === 'waiting' || film.status === 'running') edit(film, { status: 'cancelled' });
      }
      state.run = { finished: 0, total: 0 };
    });
    engine.cancel();
  }

  /** Takes films off the page, and their pictures out of memory. @param {Film[]} gone
   *  @returns {() => void} brings them back to their places */
  function remove(gone) {
    const { selected, prevalence, skipped, table } = state;
    const before = state.films;
    const leaving = new Set(gone);
    const stopped = gone.filter((film) => isWaiting(film) || film.status === 'running');
    const running = stopped.some(({ status }) => status === 'running');
    for (const film of stopped) edit(film, film.redraw ? { redraw: false } : { status: 'cancelled' });
    for (const film of gone) film.picture = null;
    pictured = pictured.filter((film) => !leaving.has(film));
    if (state.prior && leaving.has(state.prior)) state.prior = null;
    const films = before.filter((film) => !leaving.has(film));
    const next = before.slice(selected ? before.indexOf(selected) : 0).find((film) => !leaving.has(film));
    state.run.total -= stopped.length;
    Object.assign(state, { films, tags: null, announcement: '', revision: state.revision + 1 });
    if (films.length === 0)
      // The prevalence was chosen for these films.
      Object.assign(state, { prevalence: null, skipped: [], table: initialTable(), run: { finished: 0, total: 0 } });
    state.selected = next ?? films.at(-1) ?? null;
    if (state.selected) select(state.selected);
    else update(() => {});
    if (running) engine.cancel();

    return () => {
      const added = state.films.filter((film) => !before.includes(film));
      const restored = before.filter((film) => leaving.has(film) || state.films.includes(film));
      if (films.length === 0) Object.assign(state, { prevalence: prevalence ?? state.prevalence, skipped, table });
      Object.assign(state, { films: [...restored, ...added], revision: state.revision + 1 });
      const back = selected && leaving.has(selected) ? selected : state.selected;
      if (back) select(back);
    };
  }

  return {
    enqueue,
    select,
    show,
    cancel,
    remove,

    /** @param {Source[]} sources */
    add(sources) {
      if (sources.length === 0) return;
      const films = sources.map(
        ({ name, file, phantom = false, camera = false, example = null }) =>
          /** @type {Film} */ ({
            id: ++lastId,
            revision: 0,
            name,
            file,
            phantom,
            camera,
            example,
            exposure: null,
            steps: [],
            status: 'waiting',
            record: null,
            error: null,
            thumb: null,
            picture: null,
            redraw: false,
            measures: NO_MEASURES,
          }),
      );
      state.films.push(...films);
      state.selected = films[0];
      enqueue(films);
    },

    /** Diagnoses every film again, because the weights have changed. */
    restart() {
      state.run = { finished: 0, total: 0 };
      begin(state.films, { status: 'waiting', redraw: false });
    },
  };
}
