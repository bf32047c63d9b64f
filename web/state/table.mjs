// table.mjs: the table of all films as data: which rows, in which order, with which cells. view/table.mjs draws it.

/** @typedef {import('./state.mjs').State} State  @typedef {import('./state.mjs').Film} Film
 *  @typedef {import('../i18n/words.mjs').I18n} I18n
 *  @typedef {ReadonlySet<number>} Picked  ids of films; some may have been removed, and are picked again when they return
 *  @typedef {{by: string, descending: boolean, search: string, show: string, rows: number, picked: Picked,
 *    anchor: {id: number, picked: Picked} | null}} Table
 *     by: a column of `columns`, or 'order' for the order in which films came;
 *     show: a verdict, 'error', 'unread' or 'all'; rows: how many are drawn at most;
 *     anchor: the film picked last on its own, from which a range extends, and what was picked then */

const ROWS = 200;
const EXTENT = 'extent'; // the column of the lungs' shares under opacity

/** Whether the model has an opacity map. @param {Pick<import('./state.mjs').Model, 'graphs'>} model */
const hasExtent = ({ graphs }) => graphs.diagnosis.some((line) => /^opacity\s*=/.test(line));

/** @typedef {Pick<import('./state.mjs').Model, 'labels' | 'graphs'>} TableModel */

/** @returns {Table} */
export const initialTable = () => ({
  by: 'order',
  descending: false,
  search: '',
  show: 'all',
  rows: ROWS,
  picked: new Set(),
  anchor: null,
});

/** The choice of `Table.show` that a film belongs to. @param {Film} film  @returns {string} */
export const kindOf = (film) =>
  film.status === 'done' ? film.record.verdict : film.status === 'error' ? 'error' : 'unread';

/** Films are compared by a column's text or number; a film without a value comes last in either direction.
 *  @param {string} by  @param {I18n} i18n  @returns {(film: Film) => string | number | null} */
function valueBy(by, i18n) {
  if (by === 'film') return (film) => i18n.name(film);
  if (by === 'verdict') return (film) => i18n.filmWord(film);
  if (by === EXTENT) return ({ record }) => (record?.extent ? record.extent.right + record.extent.left : null);
  return (film) => (film.status === 'done' && film.record.verdict !== 'refused' ? film.record.probability[by] : null);
}

/** The films to show, in their order. @param {Film[]} films  @param {Table} table  @param {I18n} i18n */
export function arrange(films, { by, descending, search, show }, i18n) {
  const searched = search.trim().toLocaleLowerCase();
  const shown = films.filter(
    (film) => (show === 'all' || kindOf(film) === show) && i18n.name(film).toLocaleLowerCase().includes(searched),
  );
  if (by === 'order') return shown;
  const collator = new Intl.Collator(i18n.tag, { numeric: true });
  const sign = descending ? -1 : 1;
  const value = valueBy(by, i18n);
  return shown.sort((a, b) => {
    const left = value(a);
    const right = value(b);
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    if (typeof left === 'number' && typeof right === 'number') return sign * (left - right);
    return sign * collator.compare(String(left), String(right));
  });
}

/** The picked ones of the films that are shown, in their order. @param {Film[]} shown  @param {Table} table */
export const pickedOf = (shown, { picked }) => shown.filter(({ id }) => picked.has(id));

/** The films that saving, printing and removing concern: those picked, or all that are shown if none is.
 *  @param {Pick<State, 'films' | 'table' | 'i18n'>} state */
export function listed({ films, table, i18n }) {
  const shown = arrange(films, table, i18n);
  const picked = pickedOf(shown, table);
  return picked.length > 0 ? picked : shown;
}

/** Picks a film, or no longer. A range is picked besides what was picked before it, so that a shorter one gives back.
 *  @param {Table} table  @param {Film[]} shown  @param {number} id
 *  @param {number | null} from  where a range begins unless a film was picked; null for this film alone
 *  @returns {Pick<Table, 'picked' | 'anchor'>} */
export function pick({ picked, anchor }, shown, id, from) {
  const place = (/** @type {number} */ id) => shown.findIndex((film) => film.id === id);
  if (from !== null) {
    const origin = anchor && place(anchor.id) >= 0 ? anchor : { id: from, picked };
    const [first, last] = [place(origin.id), place(id)].sort((a, b) => a - b);
    const range = shown.slice(Math.max(0, first), last + 1);
    return { picked: new Set([...origin.picked, ...range.map((film) => film.id)]), anchor: origin };
  }
  const changed = new Set(picked);
  if (!changed.delete(id)) changed.add(id);
  return { picked: changed, anchor: { id, picked: changed } };
}

/** The films whose files came before, with the film that was first. @param {Film[]} films */
export function findDuplicates(films) {
  /** @type {Map<string, Film>} */
  const firsts = new Map();
  /** @type {Map<Film, Film>} */
  const duplicates = new Map();
  for (const film of films) {
    const hash = film.record?.sha256;
    const first = hash ? firsts.get(hash) : undefined;
    if (first) duplicates.set(film, first);
    else if (hash) firsts.set(hash, film);
  }
  return duplicates;
}

/** @param {Film} film  @param {I18n} i18n  @param {Film} [first]  of the same file */
function remark(film, i18n, first) {
  if (first) return i18n.t('batch.duplicate', { name: i18n.name(first) });
  if (film.status === 'error') return i18n.errorText(film.error);
  if (film.status === 'done' && film.record.verdict === 'refused') return i18n.gateText(film.record.gate);
  return film.camera ? i18n.t('reading.camera') : '';
}

/** The texts in a film's row, from its second cell on.
 *  @param {Film} film  @param {{i18n: I18n, model: TableModel}} state  @param {Film} [first]  of the same file
 *  @returns {string[]} */
export function cells(film, { i18n, model }, first) {
  const record = film.status === 'done' && film.record.verdict !== 'refused' ? film.record : null;
  const extent = record?.extent ? [record.extent.right, record.extent.left].map(i18n.percent).join(' / ') : '–';
  return [
    i18n.filmWord(film),
    ...model.labels.map((label) => (record ? i18n.precisePercent(record.probability[label]) : '–')),
    ...(hasExtent(model) ? [extent] : []),
    remark(film, i18n, first),
  ];
}

/** The columns: each one's name in `Table.by`, and its heading. The last cannot be sorted by and has no name.
 *  @param {{i18n: I18n, model: TableModel}} state  @returns {[string, string][]} */
export const columns = ({ i18n, model }) => [
  ['film', i18n.t('batch.film')],
  ['verdict', i18n.t('batch.verdict')],
  ...model.labels.map((label) => /** @type {[string, string]} */ ([label, i18n.label(label)])),
  .../** @type {[string, string][]} */ (hasExtent(model) ? [[EXTENT, i18n.t('batch.extent')]] : []),
  ['', i18n.t('batch.remark')],
];

/** @param {import('./state.mjs').App} app */
export function tableActions({ state, set }) {
  const change = (/** @type {Partial<Table>} */ changes) => set({ table: { ...state.table, ...changes } });
  const arranged = () => arrange(state.films, state.table, state.i18n);
  function changePicked(/** @type {Pick<Table, 'picked' | 'anchor'>} */ changes) {
    const table = { ...state.table, ...changes };
    const count = pickedOf(arranged(), table).length;
    set({ table, announcement: state.i18n.t('batch.picked', { count }) });
  }
  return {
    table: change,
    /** Names from the first, probabilities from the highest; then the other way; then the order in which films came. */
    sort(/** @type {{by: string}} */ { by }) {
      const { table } = state;
      const descending = by !== 'film' && by !== 'verdict';
      if (table.by !== by) change({ by, descending });
      else if (table.descending !== descending) change({ by: 'order', descending: false });
      else change({ descending: !descending });
    },
    /** from: the film at which a range begins, by default the one on view. */
    pick(/** @type {{film: string, range: boolean, from?: string}} */ { film, range, from }) {
      const start = Number(from ?? state.selected?.id);
      changePicked(pick(state.table, arranged(), Number(film), range ? start : null));
    },
    /** All that are shown, or none of them if they are picked already. */
    'pick-all'() {
      const { picked } = state.table;
      const shown = arranged();
      const others = [...picked].filter((id) => !shown.some((film) => film.id === id));
      const all = pickedOf(shown, state.table).length < shown.length ? shown.map(({ id }) => id) : [];
      changePicked({ picked: new Set([...others, ...all]), anchor: null });
    },
    'pick-none': () => changePicked({ picked: new Set(), anchor: null }),
    'more-rows': () => change({ rows: state.table.rows + ROWS }),
  };
}
