// app.mjs: the one state of the page, and what people's actions do to it
import { createCamera } from './camera.mjs';
import { createClient } from './client.mjs';
import { createGestures } from './gestures.mjs';
import { createHistory } from './history.mjs';
import { fromFiles, fromTransfer } from './intake.mjs';
import { adjust, firstLook, move, presets, zoom } from './look.mjs';
import { createOffline } from './offline.mjs';
import { toProblem } from './problem.mjs';
import { createQueue, TRANSIENT } from './queue.mjs';
import { csvReport, jsonReport, kept, recordOf } from './report.mjs';
import { watchRequests } from './requests.mjs';
import { fillSheet } from './sheet.mjs';
import { meaning } from './shortcuts.mjs';
import { firstTable, ROWS } from './table.mjs';
import { createView } from './view.mjs';
import { createWords, firstLanguage } from './words.mjs';
import english from './words/en.mjs';

/** @typedef {'waiting' | 'running' | 'done' | 'error' | 'cancelled'} Status
 *  @typedef {import('./problem.mjs').Problem} Problem
 *  @typedef {object} Film
 *  @property {number} id
 *  @property {number} stamp  grows with every change of the film
 *  @property {string} name
 *  @property {File} [file]  absent for the phantom
 *  @property {boolean} phantom
 *  @property {boolean} camera  a photo taken by this page
 *  @property {Status} status
 *  @property {any} record  the engine's record and the file's sha256, once done
 *  @property {Problem | null} problem
 *  @property {import('./look.mjs').Grey | null} thumb
 *  @property {import('./viewer.mjs').Picture | null} picture  dropped when many films have been seen since; reading again brings it back
 *
 *  @typedef {object} State
 *  @property {import('./words.mjs').Words} words  of the chosen language
 *  @property {string} version  of the page
 *  @property {import('./card.mjs').Card} card
 *  @property {{phase: 'loading' | 'ready' | 'failed', received: number, total: number, problem: Problem | null}} engine
 *  @property {any} model
 *  @property {Film[]} films
 *  @property {number} stamp  grows with every change of any film
 *  @property {Film | null} selected
 *  @property {{finished: number, total: number}} run  the films of the queue that is being worked off
 *  @property {boolean} gathering  a folder is being looked through
 *  @property {number} skipped  files of folders that were left out
 *  @property {import('./look.mjs').Look} look
 *  @property {{outline: boolean, heat: number, compare: boolean}} overlay
 *  @property {boolean} dragWindow  dragging changes window and level
 *  @property {import('./table.mjs').Table} table
 *  @property {number} share  of 100 people, those with COVID-19, for what the answer is worth
 *  @property {{film: Film, list: {name: string, value: string}[]} | null} tags  of the DICOM file, while they are on view; never kept
 *  @property {'keys' | 'camera' | 'requests' | 'history' | null} panel  the open dialog
 *  @property {boolean} shortcuts
 *  @property {'off' | 'opening' | 'on' | 'denied'} camera
 *  @property {{on: boolean, count: number, newest: import('./history.mjs').Kept[], problem: Problem | null}} history
 *  @property {import('./requests.mjs').Request[]} requests
 *  @property {number} opened  when the first film came in, in milliseconds since 1970
 *  @property {boolean} dragging
 *  @property {import('./offline.mjs').Kept | null} kept  what the service worker holds, once it has said so
 *  @property {'none' | 'waiting' | 'entering'} update  a newer version; it enters at the user's word
 *  @property {string} said  the last sentence for screen readers */

/* global SITE -- put in by build.mjs */
const STEP = 48, WINDOW_STEP = 0.04, ZOOM_STEP = 1.3; // of the keys
const KEPT_SHOWN = 100;

/** @type {State} */
const state = {
  words: createWords('en', english, navigator.languages),
  version: /** @type {HTMLMetaElement} */ (document.querySelector('[name=version]')).content,
  card: SITE.card,
  engine: { phase: 'loading', received: 0, total: SITE.wasm.bytes + SITE.weights.bytes, problem: null },
  model: null,
  films: [],
  stamp: 0,
  selected: null,
  run: { finished: 0, total: 0 },
  gathering: false,
  skipped: 0,
  look: firstLook(),
  overlay: { outline: true, heat: 50, compare: false },
  dragWindow: false,
  table: firstTable(),
  share: 5,
  tags: null,
  panel: null,
  shortcuts: true,
  camera: 'off',
  history: { on: false, count: 0, newest: [], problem: null },
  requests: [],
  opened: 0,
  dragging: false,
  kept: null,
  update: 'none',
  said: '',
};
const { view, box } = createView(document);
const find = (id) => /** @type {any} */ (document.getElementById(id));
const focus = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector)).focus();

function update(change) {
  change();
  view(state);
}
const set = (changes) => update(() => Object.assign(state, changes));
const asked = (requests) => set({ requests: [...state.requests, ...requests] });

const client = createClient(SITE, (received, total) => update(() => Object.assign(state.engine, { received, total })), asked);
const history = createHistory((problem) => set({ history: { ...state.history, problem } }), () => readHistory({ on: false }));
const camera = createCamera(find('camera'));
/** @type {ReturnType<typeof createOffline> | null} */
let offline = null;

const queue = createQueue(state, update, {
  start: startEngine,
  cancel: client.cancel,
  finished: keepResult,
  async diagnose({ file, phantom, camera: photo }, pictured) {
    const answer = await client.diagnose(phantom ? { phantom, pictured } : { file, pictured });
    if (photo) answer.record.decoder = 'camera';
    return answer;
  },
});

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
      Object.assign(state.engine, { phase: 'failed', problem: toProblem(error) });
      state.said = state.words.problem(state.engine.problem);
    });
    return false;
  }
}

/* After the engine: by then its two large files are here and need not be fetched twice. */
function startOffline() {
  const onUpdate = () => state.update === 'none' && set({ update: 'waiting', said: state.words.say(state.films.length > 0 ? 'update.save' : 'update.available') });
  return createOffline(state.version, { onKept: (kept) => set({ kept }), onUpdate, onRequests: asked });
}

async function speak(language) {
  try {
    const messages = language === 'en' ? english : (await import(new URL(SITE.words[language], import.meta.url).href)).default;
    set({ words: createWords(language, messages, navigator.languages) });
  } catch {
    find('language').value = state.words.language;
    set({ said: state.words.say('problem.language-missing') });
  }
}

/** @param {import('./intake.mjs').Intake} intake */
function add({ sources, skipped }) {
  state.skipped += skipped;
  if (sources.length > 0) Object.assign(state, { opened: state.opened || Date.now(), look: firstLook() });
  queue.add(sources);
}

/** @param {Promise<import('./intake.mjs').Intake>} found */
async function gather(found) {
  set({ gathering: true });
  try {
    const intake = await found;
    set({ gathering: false });
    add(intake);
  } catch (error) {
    set({ gathering: false, said: state.words.problem({ code: 'file-unreadable', message: error.message }) });
  }
}

function select(film) {
  state.tags = null;
  state.look = { ...firstLook(), invert: state.look.invert };
  queue.select(film);
}

const showLook = (look) => set({ look });
function chooseWindow(preset) {
  const { film, lungs } = state.selected.picture;
  showLook({ ...state.look, preset, window: presets(film, lungs)[preset] });
}
const overlay = (changes) => set({ overlay: { ...state.overlay, ...changes } });

async function readHistory(changes = {}) {
  const { count, newest } = await history.read(KEPT_SHOWN);
  set({ history: { ...state.history, ...changes, count, newest } });
}

async function keepResult(film) {
  if (!state.history.on || film.status !== 'done') return;
  await history.add({ date: Date.now(), name: state.words.name(film), record: recordOf(film, state.model), model: state.model.label, thumb: film.thumb });
  await readHistory();
}

function save(name, type, text) {
  const link = Object.assign(document.createElement('a'), { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a slow disk still reads it
}
const saveCsv = (records) => save('pleura.csv', 'text/csv', csvReport(records, state.model.labels));
const saveJson = (records) => save('pleura.jsonl', 'application/jsonl', jsonReport(records));
const records = () => state.films.filter(({ status }) => status === 'done' || status === 'error').map((film) => recordOf(film, state.model));

let printed = 'film';
function print(what) {
  printed = what;
  window.print();
}

const step = (by) => {
  const film = state.films[state.films.indexOf(state.selected) + by];
  if (film) select(film);
};

/** By `data-action` of what was clicked, or by what a key means. @type {Record<string, (data: any) => unknown>} */
const actions = {
  choose: () => find('files').click(),
  folder: () => find('folder').click(),
  phantom: () => add({ sources: [{ name: english['film.phantom'], phantom: true }], skipped: 0 }),
  select: ({ film }) => select(state.films.find(({ id }) => id === Number(film))),
  open(data) {
    actions.select(data);
    focus('#reading');
    find('desk').scrollIntoView();
  },
  cancel: () => queue.cancel(),
  clear() {
    queue.clear();
    focus('#welcome [data-action=choose]');
  },
  remove() {
    queue.remove();
    focus(state.selected ? '#reading' : '#welcome [data-action=choose]');
  },
  'retry-film'() {
    queue.enqueue([state.selected]);
    focus('#reading');
  },
  async tags() {
    const film = state.selected;
    set({ tags: { film, list: await client.tags(film.file) } });
    focus('#tags');
  },
  'retry-cancelled': () => queue.enqueue(state.films.filter((film) => film.status === 'cancelled')),
  'retry-failed': () => queue.enqueue(state.films.filter((film) => film.status === 'error' && TRANSIENT.includes(film.problem.code))),
  'retry-engine': () => queue.enqueue([]),
  'fetch-again': async () => (await offline).check(),
  async reload() {
    set({ update: 'entering' });
    (await offline).reload();
  },

  'zoom-in': () => showLook(zoom(state.look, box(), ZOOM_STEP)),
  'zoom-out': () => showLook(zoom(state.look, box(), 1 / ZOOM_STEP)),
  step: ({ x, y }) => showLook(move(state.look, box(), -x * STEP, -y * STEP)),
  'step-window': ({ x, y }) => showLook(adjust(state.look, x * WINDOW_STEP, y * WINDOW_STEP)),
  drag: () => set({ dragWindow: !state.dragWindow }),
  'window-film': () => chooseWindow('film'),
  'window-lungs': () => chooseWindow('lungs'),
  'window-dense': () => chooseWindow('dense'),
  invert: () => showLook({ ...state.look, invert: !state.look.invert }),
  compare: () => overlay({ compare: !state.overlay.compare }),
  'reset-look': () => showLook(firstLook()),
  'heat-less': () => overlay({ heat: Math.max(0, state.overlay.heat - 10) }),
  'heat-more': () => overlay({ heat: Math.min(100, state.overlay.heat + 10) }),
  outline: () => overlay({ outline: !state.overlay.outline }),
  previous: () => step(-1),
  next: () => step(1),
  help: () => set({ panel: 'keys' }),

  sort({ by }) {
    const { table } = state, back = table.by === by && table.down;
    set({ table: { ...table, by: back ? 'place' : by, down: table.by === by && !table.down } });
  },
  'more-rows': () => set({ table: { ...state.table, rows: state.table.rows + ROWS } }),
  'export-csv': () => saveCsv(records()),
  'export-json': () => saveJson(records()),
  'print-film': () => print('film'),
  'print-batch': () => print('batch'),

  panel: ({ panel }) => set({ panel }),
  close: () => set({ panel: null }),
  async camera() {
    set({ panel: 'camera', camera: 'opening' });
    const opened = await camera.open();
    if (state.panel !== 'camera') return camera.close();
    set({ camera: opened ? 'on' : 'denied' });
  },
  async shoot() {
    const file = await camera.shoot(`${state.words.say('film.photo', { time: new Date().toISOString() })}.png`);
    set({ panel: null });
    add({ sources: [{ name: file.name, file, camera: true }], skipped: 0 });
  },
  'history-csv': async () => saveCsv((await history.all()).map(kept)),
  'history-json': async () => saveJson((await history.all()).map(kept)),
  async wipe() {
    await history.wipe();
    queue.clear();
    await readHistory({ on: false, problem: null });
    set({ said: state.words.say('history.wiped') });
  },
};

const needsPicture = (action) => ['zoom-in', 'zoom-out', 'step', 'step-window', 'window-film', 'window-lungs', 'window-dense', 'invert', 'compare', 'reset-look'].includes(action);

document.addEventListener('click', (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest('[data-action]');
  if (!(button instanceof HTMLElement)) return;
  find('menu').hidePopover?.();
  actions[button.dataset.action](button.dataset);
});
document.addEventListener('keydown', (event) => {
  const meant = state.shortcuts && !state.panel && meaning(event);
  if (!meant || (needsPicture(meant.action) && !state.selected?.picture)) return;
  event.preventDefault();
  actions[meant.action](meant);
});

const onInput = (id, type, act) => find(id).addEventListener(type, ({ target }) => act(target));
onInput('outline-switch', 'change', ({ checked }) => overlay({ outline: checked }));
onInput('heat-slider', 'input', ({ value }) => overlay({ heat: Number(value) }));
onInput('window', 'change', ({ value }) => chooseWindow(value));
onInput('share-slider', 'input', ({ value }) => set({ share: Number(value) }));
onInput('find', 'input', ({ value }) => set({ table: { ...state.table, find: value } }));
onInput('show', 'change', ({ value }) => set({ table: { ...state.table, show: value } }));
onInput('keys-switch', 'change', ({ checked }) => set({ shortcuts: checked }));
onInput('history-switch', 'change', async ({ checked }) => {
  if (checked) return readHistory({ on: await history.begin() });
  await history.wipe();
  await readHistory({ on: false, problem: null });
});
onInput('language', 'change', ({ value }) => {
  window.history.replaceState(null, '', `#lang=${value}`); // remembered in the address: a bookmark keeps it, the device does not
  speak(value);
});
for (const id of ['files', 'folder']) {
  onInput(id, 'change', (input) => {
    gather(fromFiles(input.files));
    input.value = ''; // the same file may be chosen again
  });
}
for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('close', () => {
    if (dialog.id === 'panel-camera') camera.close();
    if (dialog.id === `panel-${state.panel}`) set({ panel: null, camera: 'off' });
  });
}
find('strip-list').addEventListener('keydown', (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key] * (state.words.rightToLeft ? -1 : 1);
  if (!by || !state.films[state.films.indexOf(state.selected) + by]) return;
  event.preventDefault();
  step(by);
  focus(`#strip-list [data-film="${state.selected.id}"]`);
});
createGestures(find('stage'), {
  look: () => state.look,
  box,
  windows: () => state.dragWindow,
  change: (look) => state.selected?.picture && showLook(look),
});

document.addEventListener('paste', (event) => event.clipboardData.files.length > 0 && gather(fromTransfer(event.clipboardData)));
const dragging = (on) => state.dragging !== on && set({ dragging: on });
document.addEventListener('dragover', (event) => {
  if (!event.dataTransfer.types.includes('Files')) return;
  event.preventDefault();
  dragging(true);
});
document.addEventListener('dragleave', (event) => event.relatedTarget ?? dragging(false));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  dragging(false);
  gather(fromTransfer(event.dataTransfer));
});
window.addEventListener('beforeprint', () => fillSheet(find('sheet'), printed === 'batch' ? state.films : [state.selected].filter(Boolean), state));
window.addEventListener('hashchange', () => speak(firstLanguage(navigator.languages, location.hash)));

globalThis.launchQueue?.setConsumer(({ files: handles }) => gather(Promise.all(handles.map((handle) => handle.getFile())).then(fromFiles)));

view(state);
queue.enqueue([]);
watchRequests('page', asked);
const language = firstLanguage(navigator.languages, location.hash);
if (language !== 'en') speak(language);
history.resume().then((on) => on && readHistory({ on }));
