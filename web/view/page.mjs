// page.mjs: draws the state into the document. It decides nothing and changes nothing else.
import { createChanges, element, keyed, refocus, setText } from './dom.mjs';
import { createDialogs } from './dialogs.mjs';
import { createResult, heatmapFits } from './result.mjs';
import { createTable } from './table.mjs';
import { createViewer, paintGrey } from './viewer.mjs';
import { LANGUAGES } from '../i18n/words.mjs';

/** @typedef {import('../state/state.mjs').State} State
 *  @typedef {import('../state/state.mjs').Film} Film
 *  @typedef {import('../i18n/words.mjs').MessageKey} MessageKey */

const PERMANENT = ['no-simd']; // failures that a second attempt cannot mend
const STRIP_LENGTH = 60; // films; the table has them all
const MEGABYTE = 1e6;

/** @param {Document} document */
export function createView(document) {
  /** @type {import('./dom.mjs').Elements} */
  const at = Object.fromEntries([...document.querySelectorAll('[id]')].map((element) => [element.id, element]));
  const viewer = createViewer(at.stage);
  const parts = [createResult(at), createTable(at), createDialogs(at)];
  const changed = createChanges();
  /** @type {WeakMap<HTMLCanvasElement, import('../state/viewport.mjs').Grey>} */
  const painted = new WeakMap();

  /** The sentences that change only with the language. @param {State} state */
  function drawLanguage({ i18n }) {
    if (!changed('language', i18n)) return;
    Object.assign(document.documentElement, { lang: i18n.tag, dir: i18n.rightToLeft ? 'rtl' : 'ltr' });
    for (const target of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-i18n]')))
      setText(target, i18n.t(/** @type {MessageKey} */ (target.dataset.i18n)));
    for (const target of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-i18n-label]'))) {
      const text = i18n.t(/** @type {MessageKey} */ (target.dataset.i18nLabel));
      if (target.getAttribute('aria-label') !== text) target.setAttribute('aria-label', text);
      if (target.matches('button, select')) target.title = text;
    }
    keyed(
      at.language,
      Object.entries(LANGUAGES),
      ([key]) => key,
      ([key, name]) => element('option', { value: key, lang: key, textContent: name }),
      () => {},
    );
    at.language.value = i18n.language;
  }

  /** What the progress bar says. @param {State} state */
  function workText({ engine, run, scanning, i18n }) {
    const { t, tenths } = i18n;
    if (engine.error && engine.phase === 'failed') return i18n.errorText(engine.error);
    if (engine.phase === 'loading') {
      if (engine.received === engine.total) return t('work.starting');
      const megabytes = (/** @type {number} */ bytes) => tenths(bytes / MEGABYTE);
      return t('work.loading', { received: megabytes(engine.received), total: megabytes(engine.total) });
    }
    if (run.total === 1) return t('work.reading');
    if (run.total > 1) return t('work.place', { place: Math.min(run.finished + 1, run.total), total: run.total });
    return scanning > 0 ? t('work.gathering') : null;
  }

  /** @param {State} state */
  function drawWork(state) {
    const { engine, run, scanning } = state;
    const failed = engine.phase === 'failed';
    const loading = engine.phase === 'loading';
    const running = engine.phase === 'ready' && run.total > 0;
    at.work.hidden = !failed && !loading && !running && !scanning;
    at.work.classList.toggle('failed', failed);
    at['work-bar'].hidden = failed || (scanning > 0 && !running);
    at['work-retry'].hidden = !failed || PERMANENT.includes(engine.error?.code ?? '');
    at['work-cancel'].hidden = !running;
    const text = workText(state);
    if (text !== null) setText(at['work-text'], text);
    at['work-bar'].value = loading ? engine.received / engine.total : run.finished / (run.total || 1);
  }

  /** The list of small pictures. @param {State} state */
  function drawStrip({ films, selected, i18n, revision }) {
    if (!changed('strip', films, selected, i18n, revision)) return;
    at.strip.hidden = films.length < 2;
    const index = selected ? films.indexOf(selected) : -1;
    const first = Math.max(0, Math.min(index - STRIP_LENGTH / 2, films.length - STRIP_LENGTH));
    const createItem = () => {
      const canvas = element('canvas', { width: 1, height: 1 });
      const name = element('bdi', { className: 'strip-name' });
      const word = element('span', { className: 'strip-word' });
      return element('li', {}, element('button', { type: 'button' }, canvas, name, word));
    };
    keyed(
      at['strip-list'],
      films.slice(first, first + STRIP_LENGTH),
      (film) => film.id,
      createItem,
      (item, film) => {
        const button = item.firstChild;
        const [canvas, name, word] = button.children;
        Object.assign(button.dataset, { action: 'select', film: film.id, status: film.status });
        if (film !== selected) button.removeAttribute('aria-current');
        else if (!button.hasAttribute('aria-current')) {
          button.setAttribute('aria-current', 'true');
          button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        }
        setText(name, i18n.name(film));
        setText(word, i18n.filmWord(film));
        if (film.thumb && painted.get(canvas) !== film.thumb) {
          paintGrey(canvas, film.thumb);
          painted.set(canvas, film.thumb);
        }
      },
    );
  }

  /** The selected film, and what can be done with its picture. @param {Film} film  @param {State} state */
  function drawStage(film, state) {
    const { overlay, viewport, i18n } = state;
    const picture = film.status === 'done' ? film.picture : null;
    const evidence = film.status === 'done' && Boolean(picture) && heatmapFits(film.record);
    const compare = Boolean(picture) && overlay.compare;
    at.film.hidden = !picture;
    at.alone.hidden = !compare;
    at.stage.classList.toggle('compare', compare);
    at.stage.classList.toggle('windowing', state.dragWindow);
    at.stage.classList.toggle('zoomed', viewport.zoom > 1);
    setText(at['stage-word'], picture ? '' : i18n.t(`stage.${film.redraw ? 'running' : film.status}`));
    drawTools(state, { picture: Boolean(picture), evidence });
    if (!picture) return;
    const name = i18n.name(film);
    at.film.setAttribute('aria-label', i18n.t(evidence ? 'stage.picture' : 'stage.plain', { name }));
    at['twin-film'].setAttribute('aria-label', i18n.t('stage.plain', { name }));
    viewer.show(picture, viewport, { ...overlay, evidence });
  }

  /** @param {State} state  @param {{picture: boolean, evidence: boolean}} shown */
  function drawTools({ overlay, viewport, i18n, dragWindow }, { picture, evidence }) {
    for (const control of at.tools.querySelectorAll('[data-action]:not(.keyed), select, #outline-switch'))
      control.disabled = !picture;
    at['outline-switch'].checked = overlay.outline;
    at['heat-slider'].disabled = !evidence;
    at['heat-slider'].value = overlay.heat;
    setText(at['heat-value'], i18n.percent(overlay.heat / 100));
    at.drag.setAttribute('aria-pressed', String(dragWindow));
    at.invert.setAttribute('aria-pressed', String(viewport.invert));
    at.compare.setAttribute('aria-pressed', String(overlay.compare));
    at.window.value = viewport.preset;
    const { low, high } = viewport.window;
    const { percent } = i18n;
    const values = { zoom: percent(viewport.zoom), width: percent(high - low), centre: percent((high + low) / 2) };
    setText(at['viewport-text'], picture ? i18n.t('stage.look', values) : '');
  }

  function clearStage() {
    viewer.clear();
    for (const id of ['film', 'twin-film']) at[id].removeAttribute('aria-label');
  }

  /** @param {State} state */
  function drawUpdate({ update, films, i18n }) {
    at.update.hidden = update === 'none';
    at['update-reload'].hidden = update === 'entering';
    const offered = films.length > 0 ? 'update.save' : 'update.available';
    setText(at['update-text'], i18n.t(update === 'entering' ? 'update.entering' : offered));
  }

  /** @param {State} state */
  function drawFooter({ model, offline, i18n }) {
    at['offline-retry'].hidden = !offline || offline.complete;
    if (offline) setText(at.offline, i18n.offlineText(offline));
    at.model.hidden = !model;
    for (const id of ['adapted-film', 'adapted-batch']) at[id].hidden = !model?.adapted;
    if (!model) return;
    const line = i18n.t('model.line', { model: model.label, license: model.license });
    const adapted = i18n.adaptedText(model);
    setText(at.model, `${line} ${adapted || i18n.summary(model)}`.trim());
    for (const id of ['adapted-film', 'adapted-batch']) setText(at[id], adapted);
  }

  /** What screen readers announce. An open dialog silences everything outside it, so the live region moves into it.
   *  @param {State} state */
  function announce({ announcement }) {
    const parent = document.querySelector('dialog[open]') ?? document.body;
    if (at.announcement.parentNode !== parent) {
      at.announcement.textContent = ''; // or moving it might announce it again
      parent.append(at.announcement);
    }
    if (changed('announcement', announcement)) setText(at.announcement, announcement);
  }

  /** @param {State} state */
  function draw(state) {
    const { films, selected } = state;
    const focused = document.activeElement;
    drawLanguage(state);
    drawWork(state);
    at['page-notice'].hidden = !state.notice;
    setText(at['page-notice'], state.notice);
    drawUpdate(state);
    drawFooter(state);
    at.welcome.hidden = films.length > 0;
    at.desk.hidden = at.add.hidden = at.clear.hidden = films.length === 0;
    document.body.classList.toggle('has-films', films.length > 0);
    document.body.classList.toggle('has-many', films.length > 1);
    at.stuck.hidden = true;
    at.drop.hidden = !state.dragging;
    drawStrip(state);
    if (selected) drawStage(selected, state);
    else clearStage();
    for (const drawPart of parts) drawPart(state);
    announce(state);
    refocus(focused);
  }

  return { draw, box: viewer.box };
}
