// app.mjs: the one state of the page, and what people's actions do to it
import { createAdapting } from './view/adapt.mjs';
import { createCamera } from './input/camera.mjs';
import { createClient } from './engine/client.mjs';
import { listen } from './input/events.mjs';
import { createHistory } from './storage/history.mjs';
import { adjust, firstLook, move, presets, zoom } from './state/viewport.mjs';
import { createOffline } from './storage/offline.mjs';
import { createJudge, giveShare } from './state/prevalence.mjs';
import { toProblem, TRANSIENT, trouble } from './state/errors.mjs';
import { createQueue } from './engine/queue.mjs';
import { csvReport, jsonReport, kept, recordOf } from './state/export.mjs';
import { watchRequests } from './storage/requests.mjs';
import { fillSheet } from './view/print.mjs';
import { firstState } from './state/state.mjs';
import { ROWS } from './view/table.mjs';
import { MAX_ADAPTER_BYTES } from '../src/weights/adapter.mjs';
import { createView } from './view/page.mjs';
import { createWords, firstLanguage } from './i18n/words.mjs';
import english from './i18n/en.mjs';

/* global SITE -- put in by build.mjs */
const STEP = 48,
  WINDOW_STEP = 0.04,
  ZOOM_STEP = 1.3; // of the keys
const KEPT_SHOWN = 100;

const state = firstState();
const { view, box } = createView(document);
const find = (id) => /** @type {any} */ (document.getElementById(id));
const focus = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector)).focus();

function update(change) {
  change();
  view(state);
  guard();
}
const set = (changes) => update(() => Object.assign(state, changes));

const warn = (event) => event.preventDefault();
/** The browser asks before a batch is lost: films that wait, or answers neither saved nor kept. No longer than that, as some
 *  browsers hold no page for the way back that listens. */
function guard() {
  const losing = state.films.length > 1 && state.update !== 'entering' && (state.run.total > 0 || state.unsaved);
  window[losing ? 'addEventListener' : 'removeEventListener']('beforeunload', warn);
}

const asked = (requests) => set({ requests: [...state.requests, ...requests] });

const client = createClient(
  SITE,
  (received, total) => update(() => Object.assign(state.engine, { received, total })),
  asked,
  (share) => adapting.fitted(share),
);
const history = createHistory(
  (problem) => set({ history: { ...state.history, problem } }),
  () => readHistory({ on: false }),
);
const adapting = createAdapting(state, update, client);
const camera = createCamera(find('camera'));
const judgeAgain = createJudge(state, update, (prevalence, records) => client.judge(prevalence, records));
/** @type {ReturnType<typeof createOffline> | null} */
let offline = null;

const queue = createQueue(state, update, {
  start: startEngine,
  cancel: client.cancelFilms,
  finished,
  async diagnose({ file, phantom, camera: photo }, pictured) {
    const { prevalence } = state;
    const answer = await client.diagnose(phantom ? { phantom, pictured, prevalence } : { file, pictured, prevalence });
    if (photo) answer.record.decoder = 'camera';
    return answer;
  },
});

let refusal; // the refused adaptation that the dialog has told of

async function startEngine() {
  await resumed.catch(() => {}); // a kept adaptation belongs to the first start
  try {
    const { model, sha256, refused, adapter } = await client.start(); // as long as the same worker lives, the same answer
    if (state.engine.phase === 'ready' && state.model.sha256 === sha256 && refused === refusal) return true;
    refusal = refused;
    update(() => {
      state.adapter = adapter;
      if (refused) Object.assign(state, { adapting: { ...state.adapting, problem: refused }, panel: 'adapt' });
      state.engine.phase = 'ready';
      state.model = { ...model, sha256, label: `${model.name}-${model.version} ${sha256.slice(0, 12)}` };
    });
    if (refused) await history.keepAdapter(null); // said once, not at each visit
    offline ??= startOffline();
    return true;
  } catch (error) {
    update(() => {
      Object.assign(state.engine, { phase: 'failed', problem: toProblem(error) });
      state.said = state.words.problem(state.engine.problem);
    });
    return false;
  }
}

/* After the engine: by then its two large files are here and need not be fetched twice. */
function startOffline() {
  const onUpdate = () =>
    state.update === 'none' &&
    set({ update: 'waiting', said: state.words.say(state.films.length > 0 ? 'update.save' : 'update.available') });
  return createOffline(state.version, { onKept: (kept) => set({ kept }), onUpdate, onRequests: asked });
}

let wanted = 'en'; // the last choice, whichever arrives last

async function speak(language) {
  wanted = language;
  try {
    const messages =
      language === 'en' ? english : (await import(new URL(SITE.words[language], import.meta.url).href)).default;
    if (wanted === language) set({ words: createWords(language, messages, navigator.languages) });
  } catch {
    find('language').value = state.words.language;
    set(trouble(state.words.say('problem.language-missing')));
  }
}

/** @param {import('./input/files.mjs').Intake} intake */
function add({ sources, skipped }) {
  state.skipped = skipped + (state.films.length > 0 ? state.skipped : 0);
  if (skipped > 0) set(trouble(state.words.say('batch.skipped', { count: skipped })));
  if (sources.length === 0) return;
  Object.assign(state, { opened: state.opened || performance.timeOrigin + performance.now(), look: firstLook() }); // by the clock of `requests`
  queue.add(sources);
}

let cleared = 0; // how often all films were taken away

/** @param {Promise<import('./input/files.mjs').Intake>} found */
async function gather(found) {
  const before = cleared;
  set({ gathering: state.gathering + 1 });
  try {
    const intake = await found;
    set({ gathering: state.gathering - 1 });
    if (cleared === before) add(intake);
  } catch (error) {
    set({
      gathering: state.gathering - 1,
      ...trouble(state.words.problem({ code: 'file-unreadable', message: error.message })),
    });
  }
}

function clear() {
  cleared++;
  queue.clear();
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
  const { count, newest } = await history.read(KEPT_SHOWN),
    ended = state.history.on && changes.on === false;
  set({
    history: { ...state.history, ...changes, count, newest },
    unsaved: state.unsaved || (ended && state.films.some(({ status }) => status === 'done')),
  });
}

function finished(film) {
  judgeAgain(); // the prevalence may have changed while it was read
  keepResult(film);
}

async function keepResult(film) {
  if (film.status !== 'done') return;
  const kept =
    state.history.on &&
    (await history.add({
      date: Date.now(),
      name: state.words.name(film),
      record: recordOf(film, state.model),
      model: state.model.label,
      thumb: film.thumb,
    }));
  if (!kept && !state.unsaved) set({ unsaved: true });
  if (kept && state.history.problem) set({ history: { ...state.history, problem: null } });
  if (kept && state.panel === 'history') await readHistory();
}

/** Other weights for everything on the page, and for the next visit where the device is to remember. @param {Uint8Array | null} bytes */
async function useAdapter(bytes) {
  const before = state.adapter;
  client.use(bytes);
  state.said = ''; // the same sentence twice is said twice
  queue.again();
  if (!(await startEngine())) return; // not left to the queue, which is late where it was just cancelled
  if (bytes && before && !state.adapter) return useAdapter(before); // refused: that of before stays in force
  await history.keepAdapter(state.adapter);
  set({
    adapting: { ...state.adapting, phase: 'idle', result: null },
    said: state.words.say(state.adapter ? 'adapt.used' : 'adapt.shipped'),
  });
}

function save(name, type, text) {
  const link = Object.assign(document.createElement('a'), {
    download: name,
    href: URL.createObjectURL(new Blob([text], { type })),
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a slow disk still reads it
}
const saveCsv = (records) => save('pleura.csv', 'text/csv', csvReport(records, state.model?.labels ?? []));
const saveJson = (records) => save('pleura.jsonl', 'application/jsonl', jsonReport(records));
function saveBatch(save) {
  save(records());
  set({ unsaved: false });
}
const records = () =>
  state.films
    .filter(({ status }) => status === 'done' || status === 'error')
    .map((film) => recordOf(film, state.model));

let printed = 'film';
function print(what) {
  printed = what;
  window.print();
}

const step = (by) => {
  const film = state.films[state.films.indexOf(state.selected) + by];
  if (film) select(film);
};

/** What changes how the film on view is shown. @type {import('./input/events.mjs').Actions} */
const looks = {
  'zoom-in': () => showLook(zoom(state.look, box(), ZOOM_STEP)),
  'zoom-out': () => showLook(zoom(state.look, box(), 1 / ZOOM_STEP)),
  step: ({ x, y }) => showLook(move(state.look, box(), -x * STEP, -y * STEP)),
  'step-window': ({ x, y }) => showLook(adjust(state.look, x * WINDOW_STEP, y * WINDOW_STEP)),
  'window-film': () => chooseWindow('film'),
  'window-lungs': () => chooseWindow('lungs'),
  'window-dense': () => chooseWindow('dense'),
  invert: () => showLook({ ...state.look, invert: !state.look.invert }),
  compare: () => overlay({ compare: !state.overlay.compare }),
  'reset-look': () => showLook(firstLook()),
};

/** @type {import('./input/events.mjs').Actions} */
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
    clear();
    focus('#welcome [data-action=choose]');
  },
  remove() {
    queue.remove();
    focus(state.selected ? '#reading' : '#welcome [data-action=choose]');
  },
  'retry-film': () => queue.enqueue([state.selected]),
  async tags() {
    const film = state.selected;
    try {
      const list = await client.tags(film.file);
      if (film !== state.selected) return;
      set({ tags: { film, list } });
      focus('#tags');
    } catch (error) {
      if (film === state.selected) set(trouble(state.words.problem(toProblem(error))));
    }
  },
  'retry-cancelled': () => queue.enqueue(state.films.filter((film) => film.status === 'cancelled')),
  'retry-failed': () =>
    queue.enqueue(state.films.filter((film) => film.status === 'error' && TRANSIENT.includes(film.problem.code))),
  'retry-engine': () => queue.enqueue([]),
  'fetch-again': async () => (await offline).check(),
  async reload() {
    set({ update: 'entering' });
    (await offline).reload();
  },

  ...looks,
  look: showLook,
  drag: () => set({ dragWindow: !state.dragWindow }),
  overlay,
  'heat-less': () => overlay({ heat: Math.max(0, state.overlay.heat - 10) }),
  'heat-more': () => overlay({ heat: Math.min(100, state.overlay.heat + 10) }),
  outline: () => overlay({ outline: !state.overlay.outline }),
  previous: () => step(-1),
  next: () => step(1),
  help: () => set({ panel: 'keys' }),

  gather,
  dragging: (on) => state.dragging !== on && set({ dragging: on }),
  share(given) {
    set({ prevalence: giveShare(state.prevalence ?? state.model.prior, given) });
    judgeAgain();
  },
  'own-prior'() {
    set({ prevalence: null });
    judgeAgain();
  },
  'adapt-choose': () => find('labelled').click(),
  'adapt-import': () => find('adapter').click(),
  async 'adapt-run'(files) {
    await adapting.run(files);
    if (state.adapting.result?.adapter) focus('#adapt-advice');
  },
  'adapt-cancel': () => adapting.discard(),
  'adapt-discard': () => adapting.discard(),
  'adapt-keep': () => useAdapter(state.adapting.result.adapter),
  async 'adapt-file'(file) {
    adapting.discard();
    if (file.size > MAX_ADAPTER_BYTES)
      return set({ adapting: { ...state.adapting, problem: { code: 'overlay-damaged', message: '' } } });
    await useAdapter(new Uint8Array(await file.arrayBuffer()));
  },
  'adapt-export': () => save('pleura-adapted.gguf', 'application/octet-stream', state.adapter),
  'adapt-back': () => useAdapter(null),
  table: (changes) => set({ table: { ...state.table, ...changes } }),
  sort({ by }) {
    const { table } = state,
      back = table.by === by && table.down;
    actions.table({ by: back ? 'place' : by, down: table.by === by && !table.down });
  },
  'more-rows': () => actions.table({ rows: state.table.rows + ROWS }),
  'export-csv': () => saveBatch(saveCsv),
  'export-json': () => saveBatch(saveJson),
  'print-film': () => print('film'),
  'print-batch': () => print('batch'),
  sheet: () => fillSheet(find('sheet'), printed === 'batch' ? state.films : [state.selected].filter(Boolean), state),

  async panel({ panel }) {
    if (panel === 'history') await readHistory(); // no number of before
    set({ panel });
  },
  close: () => set({ panel: null }),
  closed(panel) {
    if (panel === 'camera') camera.close();
    if (panel === state.panel) set({ panel: null, camera: 'off' });
  },
  shortcuts: (on) => set({ shortcuts: on }),
  language(language) {
    window.history.replaceState(null, '', `#lang=${language}`); // remembered in the address: a bookmark keeps it, the device does not
    speak(language);
  },
  address: () => speak(firstLanguage(navigator.languages, location.hash)),
  async camera() {
    set({ panel: 'camera', camera: 'opening' });
    const opened = await camera.open();
    if (opened !== null) set({ camera: opened ? 'on' : 'denied' });
  },
  async shoot() {
    if (state.panel !== 'camera') return; // pressed twice
    const photo = camera.shoot(`${state.words.say('film.photo', { time: new Date().toISOString() })}.png`); // the picture is taken at once
    set({ panel: null });
    const file = await photo;
    add({ sources: [{ name: file.name, file, camera: true }], skipped: 0 });
  },
  'history-csv': async () => saveCsv((await history.all()).map(kept)),
  'history-json': async () => saveJson((await history.all()).map(kept)),
  async keep(on) {
    if (on) {
      const begun = await history.begin();
      if (state.adapter) await history.keepAdapter(state.adapter);
      return readHistory({ on: begun });
    }
    await history.wipe();
    await readHistory({ on: false, problem: null });
  },
  async wipe() {
    clear();
    await actions.keep(false);
    adapting.discard();
    if (state.adapter) await useAdapter(null);
    set({ said: state.words.say('history.wiped') });
  },
};

/** What went wrong is shown until the next thing that somebody does. */
const fresh = Object.fromEntries(
  Object.entries(actions).map(([name, act]) => [
    name,
    (data) => {
      if (state.trouble) set({ trouble: '' });
      return act(data);
    },
  ]),
);

find('unstarted').remove();
listen(state, fresh, (action) => action in looks, box);
view(state);
watchRequests('page', asked);
const language = firstLanguage(navigator.languages, location.hash);
if (language !== 'en') speak(language);
const resumed = history.resume().then(async (on) => {
  set({ history: { ...state.history, on } });
  const adapter = await history.adapter();
  if (adapter) client.use(adapter);
});
resumed.finally(() => queue.enqueue([]));
