// table.mjs: draws the table of all films; state/table.mjs says what stands in it.
import { createChanges, element, keyed, setText } from './dom.mjs';
import { arrange, cells, columns, findDuplicates, kindOf, pickedOf } from '../state/table.mjs';
import { TRANSIENT } from '../state/errors.mjs';

/** @typedef {import('../state/state.mjs').State} State
 *  @typedef {import('../state/state.mjs').Film} Film
 *  @typedef {import('../state/state.mjs').Model} Model
 *  @typedef {State & {model: Model}} Ready */

/** @param {import('./dom.mjs').Elements} at  @param {ReturnType<typeof import('./thumbs.mjs').createThumbs>} setThumb */
export function createTable(at, setThumb) {
  const changed = createChanges();
  /** What each row was drawn from.
   *  @type {WeakMap<HTMLElement, Pick<Film, 'revision'> & {i18n: State['i18n'], first?: Film}>} */
  const drawn = new WeakMap();

  /** @param {Ready} state */
  function drawHead({ table, i18n, model }) {
    keyed(
      at['table-head'],
      [...columns({ i18n, model }), /** @type {[string, string]} */ (['remove', ''])],
      ([by]) => by,
      ([by, name]) => {
        if (!name) return element('td');
        const box = by === 'film' ? [createBox('pick-all')] : [];
        return element('th', { scope: 'col' }, ...box, by ? element('button', { type: 'button' }) : '');
      },
      (cell, [by, name]) => {
        if (!by || !name) return setText(cell, name);
        setText(cell.lastChild, name);
        Object.assign(cell.lastChild.dataset, { action: 'sort', by });
        if (table.by === by) cell.setAttribute('aria-sort', table.descending ? 'descending' : 'ascending');
        else cell.removeAttribute('aria-sort');
      },
    );
  }

  /** A checkbox, in a label that a finger hits. @param {string} [action]  on a click */
  function createBox(action) {
    const box = element('input', { type: 'checkbox' });
    if (action) box.dataset.action = action;
    return element('label', { className: 'pick' }, box);
  }

  /** @param {any} row  @param {Film} film  @param {Ready} state
   *  @param {{first?: Film, stop: boolean}} place  first: of the same file; stop: Tab stops in this row */
  function drawRow(row, film, state, { first, stop }) {
    const before = drawn.get(row);
    const [box, button, remove] = row.querySelectorAll('input, button');
    box.checked = state.table.picked.has(film.id);
    box.tabIndex = button.tabIndex = remove.tabIndex = stop ? 0 : -1; // the arrows lead to the others
    if (film === state.selected) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
    if (before?.revision === film.revision && before.i18n === state.i18n && before.first === first) return;
    drawn.set(row, { revision: film.revision, i18n: state.i18n, first });
    const [canvas, name] = button.children;
    Object.assign(button.dataset, { action: 'open', film: film.id });
    setText(name, state.i18n.name(film));
    if (film.thumb) setThumb(canvas, film.thumb);
    Object.assign(row.dataset, { kind: kindOf(film), film: film.id });
    box.setAttribute('aria-label', state.i18n.t('batch.pick', { name: state.i18n.name(film) }));
    Object.assign(remove.dataset, { action: 'remove', film: film.id });
    remove.title = state.i18n.t('batch.remove', { name: state.i18n.name(film) });
    remove.setAttribute('aria-label', remove.title);
    for (const [i, text] of cells(film, state, first).entries()) setText(row.children[i + 1], text);
  }

  /** The choice of which films to show. @param {Ready} state */
  function drawChoices({ i18n, model, table }) {
    const choices = [
      ['all', i18n.t('batch.all')],
      ...model.labels.map((label) => [label, i18n.label(label)]),
      .../** @type {const} */ (['uncertain', 'refused', 'error']).map((kind) => [kind, i18n.t(`film.${kind}`)]),
      ['unread', i18n.t('batch.unread')],
    ];
    keyed(
      at.show,
      choices,
      ([value]) => value,
      ([value]) => element('option', { value }),
      (option, [, name]) => setText(option, name),
    );
    at.show.value = table.show;
  }

  /** @param {number} cellCount */
  function createRow(cellCount) {
    const button = element('button', { type: 'button' }, element('canvas', { width: 1, height: 1 }), element('bdi'));
    const others = Array.from({ length: cellCount - 1 }, () => element('td'));
    const remove = element('button', { type: 'button', className: 'tool', textContent: '×' });
    const named = element('div', { className: 'named' }, createBox(), button);
    return element('tr', {}, element('th', { scope: 'row' }, named), ...others, element('td', {}, remove));
  }

  /** What can be done with the picked films. @param {Film[]} shown  @param {Ready} state */
  function drawPicked(shown, { table, i18n }) {
    const count = pickedOf(shown, table).length;
    const all = at['table-head'].querySelector('input');
    all.checked = count > 0 && count === shown.length;
    all.indeterminate = count > 0 && count < shown.length;
    all.setAttribute('aria-label', i18n.t('batch.pick.all'));
    at.picked.hidden = count === 0;
    setText(at['picked-text'], i18n.t('batch.picked', { count }));
  }

  /** @param {Ready} state */
  function drawRows(state) {
    const { films, table, i18n } = state;
    const shown = arrange(films, table, i18n);
    const cellCount = columns(state).length;
    const duplicates = findDuplicates(films);
    const stop = state.selected && shown.indexOf(state.selected) < table.rows ? state.selected : shown[0];
    const entrance = shown.includes(stop) ? stop : shown[0];
    keyed(
      at['table-body'],
      shown.slice(0, table.rows),
      (film) => `${film.id} ${cellCount}`, // another model may have other columns
      () => createRow(cellCount),
      (row, film) => drawRow(row, film, state, { first: duplicates.get(film), stop: film === entrance }),
    );
    setText(at.shown, i18n.t('batch.count', { shown: shown.length, total: films.length }));
    at['no-rows'].hidden = shown.length > 0;
    setText(at.counts, i18n.verdicts(films));
    at['more-rows'].hidden = shown.length <= table.rows;
    drawPicked(shown, state);
    at['remove-shown'].hidden = shown.length === 0 || shown.length === films.length || !at.picked.hidden;
    setText(at['remove-shown'], i18n.t('batch.remove.shown', { count: shown.length }));
  }

  return (/** @type {State} */ state) => {
    const { films, model, i18n, table, run, skipped } = state;
    at.batch.hidden = films.length < 2 || !model;
    for (const button of at.batch.querySelectorAll('[data-action^=export], [data-action=print-batch]'))
      button.disabled = run.total > 0;
    if (!changed('table', films, state.revision, table, i18n, model, state.prevalence, skipped, state.selected)) return;
    if (at.search.value !== table.search) at.search.value = table.search;
    if (at.batch.hidden || !model) return at['table-body'].replaceChildren(); // no name of a removed film stays
    const ready = { ...state, model };
    setText(at['batch-mixture'], i18n.assumedMixture(state.prevalence, model));
    drawHead(ready);
    drawChoices(ready);
    drawRows(ready);
    at.skipped.hidden = skipped.length === 0;
    setText(at.skipped, i18n.skipped(skipped));
    setText(at['batch-notice'], i18n.notice(model));
    at['retry-cancelled'].hidden = !films.some(({ status }) => status === 'cancelled');
    at['retry-failed'].hidden = !films.some((film) => film.status === 'error' && TRANSIENT.includes(film.error.code));
  };
}
