// print.mjs: the printed report: one film with its picture, or all films as a table, with model, hashes and notice.
import { element } from './dom.mjs';
import {
  creditParts,
  extentText,
  facts,
  fillBars,
  fillFacts,
  heatmapOf,
  isShipped,
  legend,
  worthSentences,
} from './result.mjs';
import { cells, columns, findDuplicates, listed } from '../state/table.mjs';
import { measureText } from './measure.mjs';
import { paintGrey } from './painter.mjs';
import { paintHeat } from './viewer.mjs';

/** @typedef {import('../state/state.mjs').State} State
 *  @typedef {import('../state/state.mjs').Film} Film
 *  @typedef {import('../state/state.mjs').DoneFilm} DoneFilm
 *  @typedef {import('../state/state.mjs').Model} Model
 *  @typedef {State & {model: Model}} Ready */

/** The film as it is on the screen: the same window, with heatmap and outline where they are on, and its measures.
 *  @param {DoneFilm} film  @param {import('../state/viewport.mjs').Picture} picture  @param {Ready} state */
function printedFilm(film, picture, { viewport, overlay, map }) {
  const plane = element('canvas');
  const box = element('div', { className: 'printout-film' }, plane);
  paintGrey(plane, picture.film, viewport);
  box.style.setProperty('--aspect', String(picture.film.width / picture.film.height));
  const heatmap = heatmapOf(film, map);
  if (heatmap && overlay.heat > 0) {
    const heat = element('canvas');
    paintHeat(heat, picture.film, heatmap);
    heat.style.opacity = String(overlay.heat / 100);
    box.append(heat);
  }
  // Outline and lines on the screen are of the same film: a film that is printed alone is the selected one.
  for (const id of overlay.outline ? ['outline', 'lines'] : ['lines']) {
    const drawn = /** @type {Element} */ (document.getElementById(id)?.cloneNode(true));
    Object.assign(drawn, { id: '' }).classList.add(id);
    box.append(drawn);
  }
  return box;
}

/** @param {Film} film  @param {Ready} state */
function oneFilm(film, state) {
  const { i18n, model } = state;
  const parts = [
    element('p', {}, element('bdi', { textContent: i18n.name(film) })),
    element('h2', { textContent: i18n.filmWord(film) }),
    element('p', { textContent: i18n.because(film, model) }),
  ];
  if (film.example) parts.push(element('p', {}, ...creditParts(film.example, i18n)));
  if (film.camera) parts.push(element('p', { textContent: i18n.t('reading.photo') }));
  if (film.status !== 'done') return parts;
  const { record, picture } = film;
  const row = element('div', { className: 'printout-row' });
  if (picture) row.append(printedFilm(film, picture, state));
  const measured = measureText(film, i18n);
  if (record.verdict !== 'refused') {
    const bars = element('ul', { className: 'bars' });
    fillBars(bars, record, state);
    const mixture = element('p', { textContent: i18n.assumedMixture(record.prevalence, model) });
    const explained = picture && state.overlay.heat > 0 ? legend(film, i18n, state.map) : '';
    const texts = [explained, extentText(record, i18n)];
    row.append(
      element(
        'div',
        {},
        bars,
        mixture,
        ...texts.map((textContent) => element('p', { className: 'small', textContent })),
      ),
    );
  }
  const list = element('dl');
  fillFacts(list, facts(film, state));
  if (measured) parts.push(element('p', { className: 'measured', textContent: measured }));
  return [...parts, row, element('p', { textContent: i18n.gateWords(record, model).join(' ') }), list];
}

/** @param {Film[]} films  @param {Ready} state */
function allFilms(films, state) {
  const { i18n, model, prevalence, version } = state;
  const heads = columns(state).map(([, name]) => element('th', { scope: 'col', textContent: name }));
  const duplicates = findDuplicates(state.films);
  const rows = films.map((film) => {
    const name = element('bdi', { textContent: i18n.name(film) });
    const hash = element('small', { textContent: film.record?.sha256 ?? '' });
    const others = cells(film, state, duplicates.get(film)).map((text) => element('td', { textContent: text }));
    return element('tr', {}, element('th', { scope: 'row' }, name, hash), ...others);
  });
  const weights = `${i18n.t('fact.weights')}: ${model.sha256}`;
  const page = `${i18n.t('fact.page')}: ${version}`;
  return [
    element('p', { textContent: i18n.t('report.films', { count: films.length, verdicts: i18n.verdicts(films) }) }),
    element('p', { textContent: i18n.assumedMixture(prevalence, model) }),
    element('p', { textContent: `${model.name}-${model.version}; ${weights}; ${page}` }),
    element('table', {}, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...rows)),
  ];
}

/** @param {HTMLElement} printout  @param {Film[]} films  @param {State} state */
function fillPrintout(printout, films, state) {
  const { i18n, model } = state;
  printout.replaceChildren(element('h1', { textContent: i18n.t('report.title') }));
  if (!model || films.length === 0) return;
  const ready = { ...state, model };
  printout.append(
    element('p', { textContent: i18n.t('report.printed', { date: i18n.date(Date.now()) }) }),
    element('p', { className: 'notice', textContent: i18n.notice(model) }),
    element('p', { className: 'notice', textContent: i18n.inForceText(model) }),
    ...(films.length === 1 ? oneFilm(films[0], ready) : allFilms(films, ready)),
    element('p', { className: 'reader', textContent: i18n.t('report.reader') }),
    element('footer', { textContent: i18n.t('reading.caution') }),
    ...(isShipped(model) ? worthSentences(state) : []).map((textContent) =>
      element('p', { className: 'small', textContent }),
    ),
  );
}

/** @param {import('../state/state.mjs').App} app  @param {HTMLElement} printout */
export function printActions({ state }, printout) {
  let printed = 'film'; // and by the browser's own menu
  const print = (/** @type {'film' | 'batch'} */ what) => {
    printed = what;
    window.print();
  };
  return {
    'print-film': () => print('film'),
    'print-batch': () => print('batch'),
    /** Called before anything is printed. */
    printout() {
      const one = state.selected ? [state.selected] : [];
      fillPrintout(printout, printed === 'batch' ? listed(state) : one, state);
      printed = 'film';
    },
  };
}
