// print.mjs: the report for the printer: one film with its picture, or all films as a table, with model, hashes and notice
import { element } from './dom.mjs';
import { facts, fillBars, fillFacts, worthSentences } from './result.mjs';
import { cells, columns } from './table.mjs';
import { paintGrey, paintHeat } from './viewer.mjs';

/** @typedef {import('../state/state.mjs').State} State  @typedef {import('../state/state.mjs').Film} Film */

/** The film as it is on the screen, at whatever window, with the heatmap and the outline where they are on. */
function picture(film, { look, overlay }) {
  const plane = element('canvas'),
    box = element('div', { className: 'sheet-film' }, plane);
  paintGrey(plane, film.picture.film, look);
  box.style.setProperty('--aspect', String(film.picture.film.width / film.picture.film.height));
  if (film.record.verdict !== 'refused' && overlay.heat > 0) {
    const heat = element('canvas');
    paintHeat(heat, film.picture);
    heat.style.opacity = String(overlay.heat / 100);
    box.append(heat);
  }
  if (overlay.outline) {
    const outline = /** @type {Element} */ (document.getElementById('outline').cloneNode(true)); // of the same film: one that is printed alone is on view
    outline.removeAttribute('id');
    box.append(outline);
  }
  return box;
}

/** @param {Film} film  @param {State} state */
function one(film, state) {
  const { words, model } = state,
    done = film.status === 'done';
  const parts = [
    element('p', {}, element('bdi', { textContent: words.name(film) })),
    element('h2', { textContent: words.filmWord(film) }),
    element('p', { textContent: words.because(film, model) }),
  ];
  if (film.camera) parts.push(element('p', { textContent: words.say('reading.photo') }));
  if (!done) return parts;
  const row = element('div', { className: 'sheet-row' });
  if (film.picture) row.append(picture(film, state));
  if (film.record.verdict !== 'refused') {
    const bars = element('ul', { className: 'bars' });
    fillBars(bars, film.record, state);
    row.append(element('div', {}, bars, element('p', { textContent: words.standsFor(film.record.prevalence, model) })));
  }
  parts.push(row);
  const list = element('dl');
  fillFacts(list, facts(film, state));
  return [...parts, element('p', { textContent: words.gateWords(film.record).join(' ') }), list];
}

/** @param {Film[]} films  @param {State} state */
function all(films, state) {
  const { words, model } = state,
    verdicts = new Map();
  for (const film of films) verdicts.set(words.filmWord(film), (verdicts.get(words.filmWord(film)) ?? 0) + 1);
  const counts = [...verdicts].map(([verdict, count]) => words.say('report.verdict', { verdict, count })).join(', ');
  const rows = films.map((film) =>
    element(
      'tr',
      {},
      element(
        'th',
        { scope: 'row' },
        element('bdi', { textContent: words.name(film) }),
        element('small', { textContent: film.record?.sha256 ?? '' }),
      ),
      ...cells(film, state).map((text) => element('td', { textContent: text })),
    ),
  );
  return [
    element('p', { textContent: words.say('report.films', { count: films.length, verdicts: counts }) }),
    element('p', { textContent: words.standsFor(state.prevalence, model) }),
    element('p', {
      textContent: `${model.name}-${model.version}; ${words.say('fact.weights')}: ${model.sha256}; ${words.say('fact.page')}: ${state.version}`,
    }),
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element('tr', {}, ...columns(state).map(([, name]) => element('th', { scope: 'col', textContent: name }))),
      ),
      element('tbody', {}, ...rows),
    ),
  ];
}

/** @param {HTMLElement} sheet  @param {Film[]} films  @param {State} state */
export function fillSheet(sheet, films, state) {
  const { words, model } = state;
  sheet.replaceChildren(element('h1', { textContent: words.say('report.title') }));
  if (!model || films.length === 0) return;
  sheet.append(
    element('p', { textContent: words.say('report.printed', { date: words.date(Date.now()) }) }),
    element('p', { className: 'notice', textContent: words.notice(model) }),
    element('p', { className: 'notice', textContent: words.adapted(model) }),
    ...(films.length === 1 ? one(films[0], state) : all(films, state)),
    ...worthSentences(state).map((textContent) => element('p', { className: 'small', textContent })),
  );
}
