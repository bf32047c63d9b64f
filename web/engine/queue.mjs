// queue.mjs: the films of the page, read one after the other, so that a trap or a cancel touches only one
import { toProblem, trouble } from '../state/errors.mjs';
import { firstTable } from '../view/table.mjs';

/** @typedef {import('../state/state.mjs').State} State
 *  @typedef {import('../state/state.mjs').Film} Film
 *  @typedef {{name: string, file?: File, phantom?: boolean, camera?: boolean}} Source */

const MAX_PICTURES = 8; // each may hold eight megabytes

/** @param {State} state  @param {(change: () => void) => void} update
 *  @param {{start: () => Promise<boolean>, diagnose: (film: Film, pictured: boolean) => Promise<any>, cancel: () => void, finished: (film: Film) => void}} engine
 *     start: false when there is no engine; finished: told of each film once it has its answer */
export function createQueue(state, update, engine) {
  let lastId = 0;
  let working = false;
  /** @type {Film[]} */
  let pictured = []; // with the newest last

  function edit(film, change) {
    Object.assign(film, change);
    film.stamp = ++state.stamp;
  }

  async function work() {
    if (working) return;
    working = true;
    let film;
    while ((await engine.start()) && (film = nextFilm())) await read(film);
    working = false;
    if (state.engine.phase === 'failed') return;
    update(() => {
      if (state.run.total > 1 && state.run.finished === state.run.total)
        state.said = state.words.say('work.finished', { count: state.run.total });
      state.run = { finished: 0, total: 0 };
    });
  }

  const waits = (film) => film.status === 'waiting' || film.redraw;
  const nextFilm = () => (state.selected && waits(state.selected) ? state.selected : state.films.find(waits));

  async function read(film) {
    const { redraw } = film;
    if (!redraw) {
      update(() => {
        edit(film, { status: 'running' });
        if (film === state.selected) state.said = ''; // the same outcome twice is said twice
      });
    }
    try {
      const answer = await engine.diagnose(film, film === state.selected || pictured.length < MAX_PICTURES);
      const { record } = redraw ? film : answer; // the result stands, also where it has been judged again meanwhile
      edit(film, { ...answer, record, status: 'done', problem: null, redraw: false });
      if (film.picture) dropPictures(film);
    } catch (error) {
      if (error.name === 'AbortError') return; // by `cancel` or `again`, which say what becomes of it
      edit(film, redraw ? { redraw: false } : { status: 'error', problem: toProblem(error) });
      if (redraw) Object.assign(state, trouble(state.words.problem(toProblem(error)))); // the result stands, only its picture is gone
    }
    update(() => {
      state.run.finished++;
      if (film === state.selected && !redraw) state.said = state.words.announce(film, state.model);
    });
    if (redraw) return;
    if (film === state.selected && film.status === 'done' && !film.picture) draw(film); // selected while it was read
    engine.finished(film);
  }

  /** Keeps the newest pictures: the last ones made and the one on view. Selecting brings the others back. */
  function dropPictures(newest) {
    pictured = [
      ...pictured.filter((film) => film !== newest && film !== state.selected),
      ...new Set([newest, state.selected]),
    ];
    while (pictured.length > MAX_PICTURES) pictured.shift().picture = null;
  }

  function start(films, change) {
    for (const film of films) edit(film, change);
    state.run.total += films.length;
    if (state.engine.phase === 'failed') Object.assign(state.engine, { phase: 'loading', received: 0 });
    update(() => {});
    work();
  }

  /** @param {Film[]} films  to be read, for the first time or again */
  const enqueue = (films) => start(films, { status: 'waiting' });
  const draw = (film) => start([film], { redraw: true });

  function select(film) {
    state.selected = film;
    if (film.status === 'done' && !film.picture && !film.redraw) draw(film);
    else update(() => {});
  }

  return {
    enqueue,
    select,

    /** @param {Source[]} sources */
    add(sources) {
      if (sources.length === 0) return;
      const films = sources.map(
        ({ name, file, phantom = false, camera = false }) =>
          /** @type {Film} */ ({
            id: ++lastId,
            stamp: 0,
            name,
            file,
            phantom,
            camera,
            status: 'waiting',
            record: null,
            problem: null,
            thumb: null,
            picture: null,
            redraw: false,
          }),
      );
      state.films.push(...films);
      state.selected = films[0];
      enqueue(films);
    },

    /** Every film anew: the weights are others. */
    again() {
      state.run = { finished: 0, total: 0 };
      start(state.films, { status: 'waiting', redraw: false });
    },

    cancel() {
      update(() => {
        for (const film of state.films) {
          if (film.redraw) edit(film, { redraw: false });
          else if (film.status === 'waiting' || film.status === 'running') edit(film, { status: 'cancelled' });
        }
        state.run = { finished: 0, total: 0 };
      });
      engine.cancel();
    },

    clear() {
      this.cancel();
      pictured = [];
      update(() =>
        Object.assign(state, {
          films: [],
          selected: null,
          tags: null,
          skipped: 0,
          said: '',
          table: firstTable(),
          stamp: state.stamp + 1,
        }),
      );
    },

    /** Takes the selected film from the list; its neighbour comes into view. */
    remove() {
      const place = state.films.indexOf(state.selected);
      state.films.splice(place, 1);
      if (state.films.length === 0) return this.clear();
      Object.assign(state, { tags: null, said: '', stamp: state.stamp + 1 });
      select(state.films[Math.min(place, state.films.length - 1)]);
    },
  };
}
