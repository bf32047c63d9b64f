// events.mjs: clicks, keys, fields, drops and the system's hand-overs as actions of app.mjs
import { createGestures } from './gestures.mjs';
import { fromFiles, fromTransfer } from './files.mjs';
import { meaning } from '../state/shortcuts.mjs';

/** @typedef {import('../state/state.mjs').State} State
 *  @typedef {Record<string, (data: any) => unknown>} Actions */

/** @param {State} state  @param {Actions} actions  by `data-action` of what is clicked, by what a key means, or by the names below
 *  @param {(action: string) => boolean} needsFilm  does it change how the film is shown?  @param {() => import('../state/viewport.mjs').Box} box */
export function listen(state, actions, needsFilm, box) {
  const at = (id) => /** @type {any} */ (document.getElementById(id));
  const shown = () => Boolean(state.selected?.picture);

  document.addEventListener('click', (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest('[data-action]');
    if (!(button instanceof HTMLElement)) return;
    at('menu').hidePopover?.();
    actions[button.dataset.action](button.dataset);
  });
  document.addEventListener('keydown', (event) => {
    const meant = state.shortcuts && !state.panel && meaning(event);
    if (!meant || (needsFilm(meant.action) && !shown())) return;
    event.preventDefault();
    actions[meant.action](meant);
  });
  at('strip-list').addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key] * (state.words.rightToLeft ? -1 : 1);
    if (!by) return;
    event.preventDefault();
    actions[by < 0 ? 'previous' : 'next']();
    at('strip-list').querySelector('[aria-current]').focus();
  });
  createGestures(at('stage'), {
    look: () => state.look,
    box,
    windows: () => state.dragWindow,
    change: (look) => shown() && actions.look(look),
  });

  const field = (id, type, act) => at(id).addEventListener(type, ({ target }) => act(target));
  field('outline-switch', 'change', ({ checked }) => actions.overlay({ outline: checked }));
  field('heat-slider', 'input', ({ value }) => actions.overlay({ heat: Number(value) }));
  field('window', 'change', ({ value }) => actions[`window-${value}`]());
  field('shares', 'input', ({ value, dataset }) => actions.share({ [dataset.label]: Number(value) }));
  field('find', 'input', ({ value }) => actions.table({ find: value }));
  field('show', 'change', ({ value }) => actions.table({ show: value }));
  field('labelled', 'change', (input) => {
    actions['adapt-run']([...input.files]);
    input.value = '';
  });
  field('adapter', 'change', (input) => {
    actions['adapt-file'](input.files[0]);
    input.value = '';
  });
  field('keys-switch', 'change', ({ checked }) => actions.shortcuts(checked));
  field('history-switch', 'change', ({ checked }) => actions.keep(checked));
  field('language', 'change', ({ value }) => actions.language(value));
  for (const id of ['files', 'folder']) {
    field(id, 'change', (input) => {
      actions.gather(fromFiles(input.files));
      input.value = ''; // the same file may be chosen again
    });
  }
  for (const dialog of document.querySelectorAll('dialog'))
    dialog.addEventListener('close', () => actions.closed(dialog.id.replace('panel-', '')));

  document.addEventListener(
    'paste',
    (event) => event.clipboardData.files.length > 0 && actions.gather(fromTransfer(event.clipboardData)),
  );
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    actions.dragging(true);
  });
  document.addEventListener('dragleave', (event) => event.relatedTarget ?? actions.dragging(false));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    actions.dragging(false);
    actions.gather(fromTransfer(event.dataTransfer));
  });
  window.addEventListener('beforeprint', actions.sheet);
  window.addEventListener('hashchange', actions.address);
  globalThis.launchQueue?.setConsumer(({ files: handles }) =>
    actions.gather(Promise.all(handles.map((handle) => handle.getFile())).then(fromFiles)),
  );
}
