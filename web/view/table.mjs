// table.mjs: draws all films as a table that can be sorted and sifted
import { createChanges, each, element, put } from './dom.mjs';
import { TRANSIENT } from '../state/errors.mjs';
import { paintGrey } from './viewer.mjs';

/** @typedef {import('../state/state.mjs').State} State  @typedef {import('../state/state.mjs').Film} Film
 *  @typedef {{by: string, down: boolean, find: string, show: string, rows: number}} Table
 *     by: a column; show: a verdict, 'error', 'unread' or 'all'; rows: the most that are drawn */

export const ROWS = 200;
/** @returns {Table} */
export const firstTable = () => ({ by: 'place', down: false, find: '', show: 'all', rows: ROWS });

/** @param {Film} film  @returns {string} what the film goes by in the choice of verdicts */
const kind = (film) => (film.status === 'done' ? film.record.verdict : film.status === 'error' ? 'error' : 'unread');

/** The films to show, in their order; those without a value stand last. @param {Film[]} films  @param {Table} table
 *  @param {import('../i18n/words.mjs').Words} words */
export function arrange(films, { by, down, find, show }, words) {
  const sought = find.trim().toLocaleLowerCase();
  const shown = films.filter(
    (film) => (show === 'all' || kind(film) === show) && words.name(film).toLocaleLowerCase().includes(sought),
  );
  if (by === 'place') return shown;
  const collator = new Intl.Collator(words.tag, { numeric: true }),
    sign = down ? -1 : 1;
  const text = { film: (film) => words.name(film), verdict: (film) => words.filmWord(film) }[by];
  if (text) return shown.sort((a, b) => sign * collator.compare(text(a), text(b)));
  const share = (film) =>
    film.status === 'done' && film.record.verdict !== 'refused' ? film.record.probability[by] : null;
  return shown.sort((a, b) => {
    const left = share(a),
      right = share(b);
    return left === null || right === null ? Number(left === null) - Number(right === null) : sign * (left - right);
  });
}

/** What stands in the row of a film, from its second cell on. @param {Film} film  @returns {string[]} */
export function cells(film, { words, model }) {
  const refused = film.record?.verdict === 'refused',
    answered = film.status === 'done' && !refused;
  const remark =
    film.status === 'error'
      ? words.problem(film.problem)
      : film.status === 'done' && refused
        ? words.gate(film.record.gate)
        : film.camera
          ? words.say('reading.camera')
          : '';
  return [
    words.filmWord(film),
    ...model.labels.map((label) => (answered ? words.percent(film.record.probability[label]) : '–')),
    remark,
  ];
}

/** @returns {[string, string][]} columns by the name that `Table.by` uses, with their heads; the last cannot be sorted by */
export const columns = ({ words, model }) => [
  ['film', words.say('batch.film')],
  ['verdict', words.say('batch.verdict')],
  ...model.labels.map((label) => [label, words.label(label)]),
  ['', words.say('batch.remark')],
];

/** @param {Record<string, any>} at */
export function createTable(at) {
  const changed = createChanges();
  const drawn = new WeakMap(); // row -> what it was drawn from

  function head({ table, words, model }) {
    each(
      at['table-head'],
      columns({ words, model }),
      ([by]) => by,
      ([by]) => element('th', { scope: 'col' }, by ? element('button', { type: 'button' }) : ''),
      (place, [by, name]) => {
        if (!by) return put(place, name);
        put(place.firstChild, name);
        Object.assign(place.firstChild.dataset, { action: 'sort', by });
        if (table.by === by) place.setAttribute('aria-sort', table.down ? 'descending' : 'ascending');
        else place.removeAttribute('aria-sort');
      },
    );
  }

  function row(place, film, state) {
    const before = drawn.get(place);
    if (before?.stamp === film.stamp && before.words === state.words) return;
    drawn.set(place, { stamp: film.stamp, words: state.words, thumb: film.thumb });
    const button = place.firstChild.firstChild,
      [canvas, name] = button.children;
    Object.assign(button.dataset, { action: 'open', film: film.id });
    put(name, state.words.name(film));
    if (film.thumb && before?.thumb !== film.thumb) paintGrey(canvas, film.thumb);
    place.dataset.kind = kind(film);
    cells(film, state).forEach((text, at) => put(place.children[at + 1], text));
  }

  return (/** @type {State} */ state) => {
    const { films, model, words, table, run, skipped } = state;
    at.batch.hidden = films.length < 2 || !model;
    for (const button of at.batch.querySelectorAll('[data-action^=export], [data-action=print-batch]'))
      button.disabled = run.total > 0;
    if (!changed('table', films, state.stamp, table, words, model, state.prevalence, skipped)) return;
    if (at.find.value !== table.find) at.find.value = table.find;
    if (at.batch.hidden) return at['table-body'].replaceChildren(); // no name of a film that is gone stays in the document
    put(at['batch-mixture'], words.standsFor(state.prevalence, model));
    head(state);
    const choices = [
      ['all', words.say('batch.all')],
      ...model.labels.map((label) => [label, words.label(label)]),
      ...['uncertain', 'refused', 'error'].map((status) => [status, words.say(`film.${status}`)]),
      ['unread', words.say('batch.unread')],
    ];
    each(
      at.show,
      choices,
      ([value]) => value,
      ([value]) => element('option', { value }),
      (option, [, name]) => put(option, name),
    );
    at.show.value = table.show;
    const shown = arrange(films, table, words);
    each(
      at['table-body'],
      shown.slice(0, table.rows),
      (film) => film.id,
      () =>
        element(
          'tr',
          {},
          element(
            'th',
            { scope: 'row' },
            element('button', { type: 'button' }, element('canvas', { width: 1, height: 1 }), element('bdi')),
          ),
          ...columns(state)
            .slice(1)
            .map(() => element('td')),
        ),
      (place, film) => row(place, film, state),
    );
    put(at.shown, words.say('batch.count', { shown: shown.length, total: films.length }));
    at['more-rows'].hidden = shown.length <= table.rows;
    at.skipped.hidden = skipped === 0;
    put(at.skipped, words.say('batch.skipped', { count: skipped }));
    put(at['batch-notice'], words.notice(model));
    at['retry-cancelled'].hidden = !films.some((film) => film.status === 'cancelled');
    at['retry-failed'].hidden = !films.some((film) => film.status === 'error' && TRANSIENT.includes(film.problem.code));
  };
}
