// app.mjs: the wiring of the page: one state, the parts that work on it, and the actions that people trigger.
//
// An event (input/events.mjs) runs an action, the action changes the state, and every change draws the page again
// (view/page.mjs). Each part brings its own actions; what is left here connects them.
import { adaptActions, createAdapting } from './engine/adapting.mjs';
import { bringActions } from './engine/bringing.mjs';
import { createClient } from './engine/client.mjs';
import { editActions } from './engine/editing.mjs';
import { createFilms } from './engine/films.mjs';
import { createJudge, prevalenceActions } from './engine/judge.mjs';
import { occludeActions } from './engine/occluding.mjs';
import { createQueue } from './engine/queue.mjs';
import { createStart } from './engine/start.mjs';
import english from './i18n/en.mjs';
import { createLanguageSwitch } from './i18n/switch.mjs';
import { createI18n, initialLanguage } from './i18n/words.mjs';
import { cameraActions, createCamera } from './input/camera.mjs';
import { listen } from './input/events.mjs';
import { exampleActions } from './input/examples.mjs';
import { createPreviews } from './input/preview.mjs';
import { asNotice } from './state/errors.mjs';
import { measureActions } from './state/measures.mjs';
import { isOutdated } from './state/prevalence.mjs';
import { initialState } from './state/state.mjs';
import { tableActions } from './state/table.mjs';
import { overlayActions, viewportActions } from './state/viewport.mjs';
import { downloadActions, saveFile } from './storage/download.mjs';
import { createHistory } from './storage/history.mjs';
import { createKeeping } from './storage/keeping.mjs';
import { createModelStore } from './storage/model.mjs';
import { createOffline } from './storage/offline.mjs';
import { watchRequests } from './storage/requests.mjs';
import { copyActions } from './view/copy.mjs';
import { measureText } from './view/measure.mjs';
import { createView } from './view/page.mjs';
import { printActions } from './view/print.mjs';

/** @typedef {import('./input/events.mjs').Actions} Actions
 *  @typedef {import('./storage/requests.mjs').Request} Request */

const DRAWING_MS = 250; // between two drawings of a batch: often enough to watch, rare enough to leave the page idle

const byId = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
/** Focuses the first of these selectors that there is. */
const focus = (/** @type {string} */ selectors) => {
  const found = selectors.split(', ').map((selector) => document.querySelector(selector));
  /** @type {HTMLElement | undefined} */ (found.find(Boolean))?.focus();
};
const scrollTo = (/** @type {string} */ selector) => find(selector).scrollIntoView();

const state = initialState({
  i18n: createI18n('en', english, navigator.languages),
  version: /** @type {HTMLMetaElement} */ (find('[name=version]')).content,
  card: SITE.card,
  examples: SITE.examples,
  bytes: SITE.wasm.bytes + SITE.weights.bytes,
});
const { draw, box, share, magnify } = createView(document);
/** @type {any} the browser's offer to install the page */
let installation = null;

/** @type {import('./state/state.mjs').App['update']} */
function update(change) {
  change();
  followSelection();
  if (drawing) clearTimeout(drawing);
  drawing = null;
  draw(state);
  guardUnsaved();
}
/** Changes what many films change in quick succession: the page is drawn once for all of them.
 *  @type {import('./state/state.mjs').App['updateSoon']} */
function updateSoon(change) {
  change();
  drawing ??= setTimeout(() => update(() => {}), DRAWING_MS);
}
/** @type {ReturnType<typeof setTimeout> | null} */
let drawing = null;
const set = (/** @type {Partial<typeof state>} */ changes) => update(() => Object.assign(state, changes));
const app = { state, update, updateSoon, set };
const followSelection = createPreviews(app);

/** Has the browser ask before films are lost: films that wait, or results that are neither saved nor kept. It listens
 *  only then, because browsers may not keep a page that listens in their back/forward cache. */
function guardUnsaved() {
  const some = state.films.some(({ phantom }) => !phantom);
  const losing = some && state.update !== 'entering' && (state.run.total > 0 || state.unsaved);
  if (losing) window.addEventListener('beforeunload', askBeforeLeaving);
  else window.removeEventListener('beforeunload', askBeforeLeaving);
}
const askBeforeLeaving = (/** @type {Event} */ event) => event.preventDefault();

const addRequests = (/** @type {Request[]} */ requests) =>
  updateSoon(() => Object.assign(state, { requests: [...state.requests, ...requests] }));

const client = createClient(SITE, {
  progress: (received, total) => updateSoon(() => Object.assign(state.engine, { received, total })),
  requests: addRequests,
  fitting: (share) => adapting.progress(share),
});
const history = createHistory(
  (error) => set({ history: { ...state.history, error } }),
  () => keeping.refresh({ on: false }),
);
const keeping = createKeeping(app, history);
const modelStore = createModelStore();
const camera = createCamera(byId('camera'));
const adapting = createAdapting(app, client);
const judgeAgain = createJudge(app, client.judge);

/** Resolves once an earlier visit's setting, and the model and the adapter it kept, are in force. */
async function resume() {
  const brought = await modelStore.read();
  set({ modelKept: brought !== null });
  if (brought) client.bring(brought);
  const on = await history.resume();
  set({ history: { ...state.history, on } });
  const adapter = await history.adapter();
  if (adapter) client.use(adapter);
}
const resumed = resume();

/** @type {ReturnType<typeof createOffline> | null} */
let offline = null;

/** Called once the engine runs: by then its two large files are here, and the service worker need not fetch them. */
function startOffline() {
  offline ??= createOffline(state.version, {
    onChecked(copy) {
      set({ offline: copy });
      client.openDicom(); // it is stored on this device by now
    },
    onRequests: addRequests,
    onUpdate() {
      if (state.update !== 'none') return;
      const key = state.films.length > 0 ? 'update.save' : 'update.available';
      set({ update: 'waiting', announcement: state.i18n.t(key) });
    },
  });
}

const { start, useAdapter, useModel } = createStart(app, {
  client,
  resumed,
  keepAdapter: history.keepAdapter,
  async dropModel() {
    await modelStore.drop();
    set({ modelKept: false });
  },
  restartFilms() {
    films.actions['undo-forget'](); // their results are of the model before
    queue.restart();
  },
  onReady: startOffline,
});

const queue = createQueue(app, {
  start,
  cancel: client.cancelFilms,
  async diagnose({ file = null, camera, steps }, withPicture) {
    const answer = await client.diagnose({ file, withPicture, prevalence: state.prevalence, steps });
    if (camera && steps.length === 0) answer.record.decoder = 'camera';
    return answer;
  },
  finished(film) {
    if (isOutdated(film, state.prevalence)) judgeAgain(); // the prevalence changed while it was being read
    keeping.keep(film);
  },
});
const films = createFilms(app, { queue, client, judgeAgain, focus, scrollTo });

const chooseLanguage = createLanguageSwitch(
  SITE.words,
  (i18n) => set({ i18n }),
  () => {
    byId('language').value = state.i18n.language;
    set(asNotice(state.i18n.t('problem.language-missing')));
  },
);

const viewport = {
  ...viewportActions(app, box),
  ...editActions(app, { box, analyse: queue.enqueue }),
  ...measureActions(app, (film) => measureText(film, state.i18n)),
};

/** @type {Actions} */
const actions = {
  ...films.actions,
  ...viewport,
  ...overlayActions(app, queue),
  ...tableActions(app),
  ...occludeActions(app, client),
  ...prevalenceActions(app, judgeAgain),
  ...adaptActions(app, { adapting, useAdapter, saveFile, focus }),
  ...bringActions(app, { useModel, store: modelStore }),
  ...cameraActions(app, camera, (file) => films.add({ sources: [{ name: file.name, file, camera: true }] })),
  ...downloadActions(app, history),
  ...printActions(app, byId('printout')),
  ...copyActions(app, document),
  ...exampleActions(app, films.actions.scan),

  choose: () => byId('files').click(),
  folder: () => byId('folder').click(),
  'adapt-choose': () => byId('labelled').click(),
  'adapt-import': () => byId('adapter').click(),
  'model-choose': () => byId('other-model').click(),
  dragging: (on) => state.dragging !== on && set({ dragging: on }),
  shortcuts: (on) => set({ shortcuts: on }),

  keep: keeping.turn,
  /** The only action that cannot be undone says what it deletes, and asks. */
  async wipe() {
    const counts = { saved: state.history.count, images: state.films.length };
    if (counts.saved + counts.images > 0 && !window.confirm(state.i18n.t('history.ask', counts))) return;
    films.removeAll();
    await keeping.wipe();
    adapting.discard();
    if (state.brought) await actions['model-back']();
    else if (state.adapter) await useAdapter(null);
    set({ announcement: state.i18n.t('history.wiped') });
  },

  skip: () => focus('#stage'),
  installable(offer) {
    installation = offer;
    set({ installable: true });
  },
  async install() {
    await installation.prompt();
    set({ installable: false });
  },

  help: () => set({ dialog: 'keys' }),
  async dialog({ dialog }) {
    if (dialog === 'history') await keeping.refresh(); // before it opens, so that it shows no old list
    set({ dialog });
  },
  close: () => set({ dialog: null }),
  closed(dialog) {
    if (dialog === 'camera') camera.close();
    if (dialog === state.dialog) set({ dialog: null, camera: 'off' });
  },

  language(language) {
    // The address remembers the language, so a bookmark does. Nothing is stored on the device.
    window.history.replaceState(null, '', `#lang=${language}`);
    chooseLanguage(language);
  },
  address: () => chooseLanguage(initialLanguage(navigator.languages, location.hash)),

  'fetch-again': async () => (await offline)?.check(),
  async reload() {
    set({ update: 'entering' });
    (await offline)?.reload();
  },
};

/** A notice stays until the next action. @type {Actions} */
const actionsThatClearNotice = Object.fromEntries(
  Object.entries(actions).map(([name, act]) => [
    name,
    (data) => {
      if (state.notice) set({ notice: '' });
      return act(data);
    },
  ]),
);

byId('unstarted').remove();
listen(state, actionsThatClearNotice, { needsFilm: (action) => action in viewport, box, share, magnify });
draw(state);
watchRequests('page', addRequests);
const language = initialLanguage(navigator.languages, location.hash);
if (language !== 'en') chooseLanguage(language);
resumed.finally(() => queue.enqueue([]));
