// app.mjs: the one state of the page, what changes it, and the queue of films
import { createClient } from './client.mjs';
import { createOffline } from './offline.mjs';
import { csvReport, jsonReport } from './report.mjs';
import { createView } from './view.mjs';
import * as words from './words.mjs';

/** @typedef {'waiting' | 'running' | 'done' | 'error' | 'cancelled'} Status
 *  @typedef {object} Film
 *  @property {number} id
 *  @property {string} name
 *  @property {File} [file]  absent for the phantom
 *  @property {boolean} phantom
 *  @property {Status} status
 *  @property {any} record  the engine's record and the file's sha256, once done
 *  @property {words.Problem | null} problem
 *  @property {import('./viewer.mjs').Grey | null} thumb
 *  @property {import('./viewer.mjs').Picture | null} picture  dropped when many films have been seen since; reading again brings it back
 *
 *  @typedef {object} State
 *  @property {{phase: 'loading' | 'ready' | 'failed', received: number, total: number, problem: words.Problem | null}} engine
 *  @property {any} model
 *  @property {Film[]} films
 *  @property {Film | null} selected
 *  @property {{finished: number, total: number}} run  the films of the queue that is being worked off
 *  @property {{outline: boolean, heat: number}} overlay
 *  @property {boolean} dragging
 *  @property {import('./offline.mjs').Kept | null} kept  what the service worker holds, once it has said so
 *  @property {'none' | 'waiting' | 'entering'} update  a newer version; it enters at the user's word
 *  @property {string} said  the last sentence for screen readers */

/* global SITE -- put in by build.mjs */
const MAX_PICTURES = 24; // each holds about a megabyte

/** @type {State} */
const state = {
  engine: { phase: 'loading', received: 0, total: SITE.wasm.bytes + SITE.weights.bytes, problem: null },
  model: null,
  films: [],
  selected: null,
  run: { finished: 0, total: 0 },
  overlay: { outline: true, heat: 50 },
  dragging: false,
  kept: null,
  update: 'none',
  said: '',
};
const view = createView(document);
const files = /** @type {HTMLInputElement} */ (document.getElementById('files'));
const client = createClient(SITE, (received, total) => update(() => Object.assign(state.engine, { received, total })));
/** @type {ReturnType<typeof createOffline> | null} */
let offline = null;
let lastId = 0;
let working = false;

function update(change) {
  change();
  view(state);
}

async function startEngine() {
  try {
    const model = await client.start();
    if (state.engine.phase === 'ready') return true;
    const { sha256 } = SITE.weights;
    update(() => {
      state.engine.phase = 'ready';
      state.model = { ...model, sha256, label: `${model.name}-${model.version} ${sha256.slice(0, 12)}` };
    });
    offline ??= startOffline();
    return true;
  } catch (error) {
    if (error.name === 'AbortError') return true;
    update(() => {
      Object.assign(state.engine, { phase: 'failed', problem: words.toProblem(error) });
      state.said = state.engine.problem.message;
    });
    return false;
  }
}

/* After the engine: by then its two large files are here and need not be fetched twice. */
function startOffline() {
  const version = /** @type {HTMLMetaElement} */ (document.querySelector('[name=version]')).content;
  const onKept = (kept) => update(() => { state.kept = kept; });
  const onUpdate = () => state.update === 'none' && update(() => Object.assign(state, { update: 'waiting', said: words.update(state) }));
  return createOffline(version, onKept, onUpdate);
}

/** Works off the queue, one film at a time, so that a trap or a cancel touches only one. */
async function work() {
  if (working) return;
  working = true;
  let film;
  while (await startEngine() && (film = nextFilm())) await read(film);
  working = false;
  if (state.engine.phase === 'failed') return;
  update(() => {
    if (state.run.total > 1 && state.run.finished === state.run.total) state.said = words.finished(state.run.total);
    state.run = { finished: 0, total: 0 };
  });
}

const nextFilm = () => (state.selected?.status === 'waiting' ? state.selected : state.films.find((film) => film.status === 'waiting'));

async function read(film) {
  update(() => { film.status = 'running'; });
  try {
    const answer = await client.diagnose(film.phantom ? { phantom: true } : { file: film.file });
    Object.assign(film, answer, { status: 'done', problem: null });
    dropPictures(film);
  } catch (error) {
    if (error.name === 'AbortError') return;
    Object.assign(film, { status: 'error', problem: words.toProblem(error) });
  }
  update(() => {
    state.run.finished++;
    if (film === state.selected) state.said = words.announce(film, state.model);
  });
}

/** Keeps the newest pictures: the last ones made and the one on view. */
const pictured = [];
function dropPictures(newest) {
  pictured.push(newest);
  while (pictured.length > MAX_PICTURES) {
    const oldest = pictured.shift();
    if (oldest === state.selected) pictured.push(oldest);
    else oldest.picture = null;
  }
}

function enqueue(films) {
  for (const film of films) film.status = 'waiting';
  state.run.total += films.length;
  if (state.engine.phase === 'failed') Object.assign(state.engine, { phase: 'loading', received: 0 });
  view(state);
  work();
}

function add(sources) {
  if (sources.length === 0) return;
  const films = sources.map(({ name, file, phantom = false }) => /** @type {Film} */ (
    { id: ++lastId, name, file, phantom, status: 'waiting', record: null, problem: null, thumb: null, picture: null }));
  state.films.push(...films);
  state.selected = films[0];
  enqueue(films);
}

const addFiles = (list) => add([...list].map((file) => ({ name: file.name, file })));

function select(film) {
  state.selected = film;
  if (film.status === 'done' && !film.picture) enqueue([film]);
  else view(state);
}

function cancel() {
  const running = state.films.some((film) => film.status === 'running');
  update(() => {
    for (const film of state.films) if (film.status === 'waiting' || film.status === 'running') film.status = film.record ? 'done' : 'cancelled';
    state.run = { finished: 0, total: 0 };
  });
  if (running) client.cancel();
}

function save(name, type, text) {
  const link = Object.assign(document.createElement('a'), { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a slow disk still reads it
}

const focus = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector)).focus();

const actions = {
  choose: () => files.click(),
  phantom: () => add([{ name: words.phantomName, phantom: true }]),
  select: ({ film }) => select(state.films.find(({ id }) => id === Number(film))),
  open(data) {
    actions.select(data);
    focus('#reading');
    document.getElementById('desk').scrollIntoView();
  },
  cancel,
  clear() {
    cancel();
    pictured.length = 0;
    update(() => Object.assign(state, { films: [], selected: null, said: '' }));
    focus('#welcome [data-action=choose]');
  },
  remove() {
    const place = state.films.indexOf(state.selected);
    state.films.splice(place, 1);
    if (state.films.length === 0) return actions.clear();
    select(state.films[Math.min(place, state.films.length - 1)]);
    focus('#reading');
  },
  'retry-film'() {
    enqueue([state.selected]);
    focus('#reading');
  },
  'retry-cancelled': () => enqueue(state.films.filter((film) => film.status === 'cancelled')),
  'retry-engine': () => enqueue([]),
  'fetch-again': async () => (await offline).check(),
  async reload() {
    update(() => { state.update = 'entering'; });
    (await offline).reload();
  },
  'export-csv': () => save('pleura.csv', 'text/csv', csvReport(state.films, state.model)),
  'export-json': () => save('pleura.json', 'application/json', jsonReport(state.films, state.model)),
};

document.addEventListener('click', (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest('[data-action]');
  if (button instanceof HTMLElement) actions[button.dataset.action](button.dataset);
});
document.getElementById('outline-switch').addEventListener('change', ({ target }) => update(() => { state.overlay.outline = target.checked; }));
document.getElementById('heat-slider').addEventListener('input', ({ target }) => update(() => { state.overlay.heat = Number(target.value); }));
document.getElementById('strip-list').addEventListener('keydown', (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const film = state.films[state.films.indexOf(state.selected) + step];
  if (!film) return;
  event.preventDefault();
  select(film);
  focus(`#strip-list [data-film="${film.id}"]`);
});

files.addEventListener('change', () => {
  addFiles(files.files);
  files.value = ''; // the same file may be chosen again
});
document.addEventListener('paste', (event) => addFiles(event.clipboardData.files));
const dragging = (on) => state.dragging !== on && update(() => { state.dragging = on; });
document.addEventListener('dragover', (event) => {
  if (!event.dataTransfer.types.includes('Files')) return;
  event.preventDefault();
  dragging(true);
});
document.addEventListener('dragleave', (event) => event.relatedTarget ?? dragging(false));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  dragging(false);
  addFiles(event.dataTransfer.files);
});

globalThis.launchQueue?.setConsumer(async ({ files: handles }) => addFiles(await Promise.all(handles.map((handle) => handle.getFile()))));

view(state);
work();
