// events.mjs: turns clicks, keys, fields, drops, pastes and files opened from the system into actions.
//
// A click runs the action named by `data-action`, a key the one of state/shortcuts.mjs, everything else one named here.
import { createGestures } from './gestures.mjs';
import { fromFiles, fromTransfer } from './files.mjs';
import { commandOf } from '../state/shortcuts.mjs';

/** @typedef {import('../state/state.mjs').State} State
 *  @typedef {Record<string, (data?: any) => unknown>} Actions  data: a dataset, a field's value or files, by action
 *
 *  @typedef {object} FilmView
 *  @property {(action: string) => boolean} needsFilm  whether an action changes how the film on view is shown
 *  @property {() => import('../state/viewport.mjs').Box} box
 *  @property {(point: {clientX: number, clientY: number}) => import('../state/measures.mjs').Point} share
 *  @property {(pointer: PointerEvent | null) => void} magnify */

/** Fields in which single keys are text, and dialogs, which have keys of their own. */
const TYPING = 'input:not([type=range], [type=checkbox]), select, dialog';

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {State} state  @param {Actions} actions  @param {FilmView} film */
export function listen(state, actions, film) {
  listenToButtons(actions);
  listenToKeys(state, actions, film);
  listenToRows(state, actions);
  listenToFields(actions);
  listenToFiles(actions);
  createGestures(byId('stage'), {
    viewport: () => state.viewport,
    box: film.box,
    dragsWindow: () => state.dragWindow,
    change: (viewport) => state.selected?.picture && actions.viewport(viewport),
    share: film.share,
    moveEnd: (to) => actions['move-end'](to),
    magnifies: () => state.loupe && Boolean(state.selected?.picture),
    magnify: film.magnify,
    swipe: (by) => actions[by > 0 ? 'next' : 'previous'](),
  });
  for (const dialog of document.querySelectorAll('dialog'))
    dialog.addEventListener('close', () => actions.closed(dialog.id.replace('dialog-', '')));
  window.addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    actions.installable(event);
  });
  window.addEventListener('beforeprint', () => actions.printout());
  window.addEventListener('popstate', ({ state: place }) => actions.travelled(place));
  window.addEventListener('hashchange', () => actions.address());
}

/** @param {Actions} actions */
function listenToButtons(actions) {
  document.addEventListener('click', ({ target }) => {
    const button = target instanceof Element && target.closest('[data-action]');
    if (!(button instanceof HTMLElement)) return;
    byId('menu').hidePopover?.();
    actions[button.dataset.action ?? '']?.(button.dataset);
  });
}

/** @param {State} state  @param {Actions} actions  @param {FilmView} film */
function listenToKeys(state, actions, film) {
  document.addEventListener('keydown', (event) => {
    const { target } = event;
    if (!(target instanceof Element)) return;
    if (event.key === 'Escape' && state.full && !state.dialog) return actions.full();
    if (event.key === 'z' && (event.ctrlKey || event.metaKey) && state.removed && !target.closest(TYPING)) {
      event.preventDefault();
      return actions.undo();
    }
    if (!state.shortcuts || state.dialog || target.closest(TYPING)) return;
    const { line, end } = target instanceof HTMLElement ? target.dataset : {};
    const command = commandOf(event, target.id === 'stage', line ? { line, end: Number(end) } : null);
    if (!command || (film.needsFilm(command.action) && !state.selected?.picture)) return;
    event.preventDefault();
    actions[command.action](command);
  });

  const strip = byId('strip-list');
  strip.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    const isForward = (event.key === 'ArrowRight') !== state.i18n.rightToLeft;
    actions[isForward ? 'next' : 'previous']();
    const current = strip.querySelector('[aria-current]');
    if (current instanceof HTMLElement) current.focus();
  });
}

/** Films are picked as in a file manager: a click on a checkbox, or on a name with Ctrl, picks one more; with Shift, all up
 *  to it. @param {State} state  @param {Actions} actions */
function listenToRows(state, actions) {
  const rows = byId('table-body');
  const rowOf = (/** @type {Event} */ { target }) => {
    const row = target instanceof Element && target.closest('tr');
    return row || null;
  };
  /** The places of a row where Tab and the arrows stop. @param {Element | null} row  @returns {HTMLElement[]} */
  const stops = (row) => [.../** @type {NodeListOf<HTMLElement>} */ (row?.querySelectorAll('input, button') ?? [])];

  rows.addEventListener('mousedown', (event) => event.shiftKey && event.preventDefault()); // or it selects text
  rows.addEventListener('click', (event) => {
    const { target, shiftKey, ctrlKey, metaKey } = event;
    if (!(target instanceof Element)) return;
    const isPicked = target.matches('.pick input');
    const isExtended = (shiftKey || ctrlKey || metaKey) && target.closest('[data-action=open]');
    if (!isPicked && !isExtended) return;
    event.stopPropagation(); // or the film is opened
    actions.pick({ film: rowOf(event)?.dataset.film, range: shiftKey });
  });

  rows.addEventListener('keydown', (event) => {
    const { key, shiftKey, ctrlKey, metaKey } = event;
    const row = rowOf(event);
    if (!row) return;
    const some = state.table.picked.size > 0;
    if (key === 'ArrowUp' || key === 'ArrowDown') {
      const next = key === 'ArrowDown' ? row.nextElementSibling : row.previousElementSibling;
      if (!(next instanceof HTMLElement)) return event.preventDefault();
      stops(next)[stops(row).indexOf(/** @type {HTMLElement} */ (event.target))]?.focus();
      if (shiftKey) actions.pick({ film: next.dataset.film, range: true, from: row.dataset.film });
    } else if (key === 'a' && (ctrlKey || metaKey)) actions['pick-all']();
    else if (key === 'Escape' && some) actions['pick-none']();
    else if (key === 'Delete' && some) actions['remove-listed']();
    else return;
    event.preventDefault();
    event.stopPropagation(); // Delete elsewhere removes the film on view
  });
}

/** @param {Actions} actions */
function listenToFields(actions) {
  /** @param {string} id  @param {'change' | 'input'} type  @param {(input: HTMLInputElement) => void} act */
  const field = (id, type, act) =>
    byId(id).addEventListener(type, ({ target }) => act(/** @type {HTMLInputElement} */ (target)));

  field('outline-switch', 'change', ({ checked }) => actions.overlay({ outline: checked }));
  field('heat-slider', 'input', ({ value }) => actions.overlay({ heat: Number(value) }));
  field('wipe-slider', 'input', ({ value }) => actions.overlay({ wipe: Number(value) }));
  field('window', 'change', ({ value }) => actions.preset(value));
  field('map', 'change', ({ value }) => actions.map(value));
  field('beside', 'change', ({ value }) => actions.beside(value));
  field('shares', 'input', ({ value, dataset }) => actions.prevalence({ [dataset.label ?? '']: Number(value) }));
  field('search', 'input', ({ value }) => actions.table({ search: value }));
  field('show', 'change', ({ value }) => actions.table({ show: value }));
  field('keys-switch', 'change', ({ checked }) => actions.shortcuts(checked));
  field('history-switch', 'change', ({ checked }) => actions.keep(checked));
  field('model-keep', 'change', ({ checked }) => actions['model-keep'](checked));
  field('language', 'change', ({ value }) => actions.language(value));
}

/** @param {Actions} actions */
function listenToFiles(actions) {
  /** Reads the files of an input, then empties it, so that the same file may be chosen again.
   *  @param {string} id  @param {(files: File[]) => void} act */
  function picked(id, act) {
    const input = /** @type {HTMLInputElement} */ (byId(id));
    input.addEventListener('change', () => {
      act([...(input.files ?? [])]);
      input.value = '';
    });
  }
  picked('files', (files) => actions.scan(fromFiles(files)));
  picked('folder', (files) => actions.scan(fromFiles(files)));
  picked('labelled', (files) => actions['adapt-run'](fromFiles(files)));
  picked('other-model', ([file]) => file && actions['model-file'](file));
  picked('adapter', ([file]) => actions['adapt-file'](file));

  document.addEventListener('paste', ({ clipboardData }) => {
    if (clipboardData && clipboardData.files.length > 0) actions.scan(fromTransfer(clipboardData));
  });
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    actions.dragging(true);
  });
  document.addEventListener('dragleave', ({ relatedTarget }) => relatedTarget ?? actions.dragging(false));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    actions.dragging(false);
    if (event.dataTransfer) actions.scan(fromTransfer(event.dataTransfer));
  });
  // Files that the system opens with the installed page.
  const { launchQueue } = /** @type {any} */ (globalThis);
  launchQueue?.setConsumer((/** @type {{files: FileSystemFileHandle[]}} */ { files: handles }) =>
    actions.scan(Promise.all(handles.map((handle) => handle.getFile())).then(fromFiles)),
  );
}
