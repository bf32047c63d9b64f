// page.mjs: draws the state into the document. It decides nothing and changes nothing else.
import { createChanges, element, keyed, refocus, setText } from './dom.mjs';
import { createDialogs } from './dialogs.mjs';
import { createLoupe } from './loupe.mjs';
import { createMeasures, measureText } from './measure.mjs';
import { createResult, heatmapOf } from './result.mjs';
import { createTable } from './table.mjs';
import { createThumbs } from './thumbs.mjs';
import { createViewer } from './viewer.mjs';
import { commonFolder, halves } from '../state/names.mjs';
import { arrange } from '../state/table.mjs';
import { windowValues } from '../state/viewport.mjs';
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
  const loupe = createLoupe(at.stage, at.plane, at.loupe);
  const drawMeasures = createMeasures(at.marks);
  const setThumb = createThumbs();
  const parts = [createResult(at), createTable(at, setThumb), createDialogs(at)];
  const changed = createChanges();

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
  function drawStrip({ films, selected, i18n, revision, table }) {
    if (!changed('strip', films, selected, i18n, revision, table)) return;
    at.strip.hidden = films.length < 2;
    const order = arrange(films, table, i18n);
    const place = selected ? order.indexOf(selected) : -1;
    setText(at['step-place'], i18n.t('steps.place', { place: place + 1, total: order.length }));
    at['step-previous'].disabled = place <= 0;
    at['step-next'].disabled = place === order.length - 1;
    const index = selected ? films.indexOf(selected) : -1;
    const first = Math.max(0, Math.min(index - STRIP_LENGTH / 2, films.length - STRIP_LENGTH));
    const folder = commonFolder(films);
    const createItem = () => {
      const canvas = element('canvas', { width: 1, height: 1 });
      const whole = element('span', { className: 'visually-hidden' });
      const [start, end] = [0, 1].map(() => element('span', { ariaHidden: 'true' })); // they would be read as two words
      const name = element('bdi', { className: 'strip-name' }, whole, start, end);
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
        button.tabIndex = film === selected ? 0 : -1; // the arrows lead to the others
        if (film !== selected) button.removeAttribute('aria-current');
        else if (!button.hasAttribute('aria-current')) {
          button.setAttribute('aria-current', 'true');
          button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        }
        button.title = i18n.name(film);
        const shown = film.phantom ? button.title : film.name.slice(folder.length);
        for (const [i, text] of [shown, ...halves(shown)].entries()) setText(name.children[i], text);
        setText(word, i18n.filmWord(film));
        if (film.thumb) setThumb(canvas, film.thumb);
      },
    );
  }

  /** The selected film, and what can be done with its picture. @param {Film} film  @param {State} state */
  function drawStage(film, state) {
    const { overlay, viewport, i18n } = state;
    const picture = film.status === 'done' ? film.picture : null;
    const heatmap = heatmapOf(film, state.map);
    const lungs = film.status === 'done' && film.record.verdict !== 'refused';
    const compare = Boolean(picture) && overlay.compare !== 'off';
    const prior = compare && state.prior !== film ? state.prior : null;
    const priorPicture = prior?.status === 'done' ? prior.picture : null;
    for (const id of ['film', 'marks', 'full', 'plain', 'more-tools']) at[id].hidden = !picture;
    drawPreview(picture ? null : state.preview);
    at.alone.hidden = !compare;
    at.stage.classList.toggle('compare', compare);
    at.stage.classList.toggle('divided', compare && overlay.compare === 'divider');
    at.stage.classList.toggle('prior', Boolean(prior));
    at['twin-film'].hidden = Boolean(prior) && !priorPicture;
    setText(at['prior-name'], prior ? `${i18n.name(prior)} · ${i18n.filmWord(prior)}` : '');
    at.stage.classList.toggle('windowing', state.dragWindow);
    at.stage.classList.toggle('zoomed', viewport.zoom > 1);
    setText(at['stage-word'], picture ? '' : i18n.t(`stage.${film.redraw ? 'running' : film.status}`));
    drawTools(state, { picture: Boolean(picture), heatmap: Boolean(heatmap) });
    drawMaps(picture, state);
    drawWindows(picture, state);
    drawBeside(film, prior, state);
    setText(at['measure-text'], picture ? measureText(film, i18n) : '');
    if (!picture || !state.loupe) loupe.hide();
    if (!picture) setText(at['viewport-text'], '');
    if (!picture) return;
    const name = i18n.name(film);
    at.film.setAttribute('aria-label', i18n.t(heatmap ? 'stage.picture' : 'stage.plain', { name }));
    at['twin-film'].setAttribute('aria-label', i18n.t('stage.plain', { name: prior ? i18n.name(prior) : name }));
    setText(at['viewport-text'], viewportText(film, state));
    if (changed('marks', film, film.measures, i18n)) drawMeasures(film, i18n);
    const beside = prior ? priorPicture : picture;
    viewer.show(picture, viewport, { ...overlay, heatmap, outline: overlay.outline && lungs }, compare ? beside : null);
  }

  /** The windows to choose from; those of the file follow Pleura's own.
   *  @param {import('../state/viewport.mjs').Picture | null} picture  @param {State} state */
  function drawWindows(picture, { viewport, i18n }) {
    if (changed('windows', picture?.units, i18n)) {
      for (const option of [...at.window.options]) if (option.value.startsWith('file-')) option.remove();
      const options = (picture?.units?.windows ?? []).map(({ name, low, high }, i) => {
        const values = windowText({ width: Math.abs(high - low), centre: (low + high) / 2 }, i18n);
        const textContent = i18n.t('tools.window.file', { name: name || String(i + 1), ...values });
        return element('option', { value: `file-${i}`, textContent });
      });
      at.window.append(...options);
    }
    at.window.value = viewport.preset;
  }

  /** What the heatmap can show. @param {import('../state/viewport.mjs').Picture | null} picture  @param {State} state */
  function drawMaps(picture, { map, i18n }) {
    const labels = Object.keys(picture?.maps ?? {});
    at['map-label'].hidden = labels.length === 0;
    keyed(
      at.map,
      ['', ...labels],
      (label) => label,
      (label) => element('option', { value: label }),
      (option, label) => setText(option, label ? i18n.label(label) : i18n.t('tools.map.model')),
    );
    at.map.value = map;
  }

  /** What the film can be compared with.
   *  @param {Film} film  @param {Film | null} prior  @param {State} state */
  function drawBeside(film, prior, { films, overlay, revision, moreTools, i18n }) {
    if (!changed('beside', film, prior, films, overlay.compare, revision, i18n, moreTools)) return;
    const others = moreTools ? films.filter((other) => other !== film && other.status === 'done') : [];
    keyed(
      at.beside,
      [
        { value: 'off', name: i18n.t('tools.beside.off') },
        { value: 'beside', name: i18n.t('tools.beside.beside') },
        { value: 'divider', name: i18n.t('tools.beside.divider') },
        ...others.map((other) => ({ value: String(other.id), name: i18n.name(other) })),
      ],
      ({ value }) => value,
      ({ value }) => element('option', { value }),
      (option, { name }) => setText(option, name),
    );
    at.beside.value = prior ? String(prior.id) : overlay.compare;
  }

  /** @param {State['preview']} preview  before the film has its own picture */
  function drawPreview(preview) {
    at.preview.hidden = !preview;
    if (!changed('preview', preview)) return;
    Object.assign(at.preview, { width: preview?.bitmap.width ?? 1, height: preview?.bitmap.height ?? 1 });
    if (preview) at.preview.getContext('2d').drawImage(preview.bitmap, 0, 0);
  }

  /** How the film is shown: its pixels against those of the screen, and the window. @param {Film} film
   *  @param {State} state */
  function viewportText({ record, picture }, { viewport, i18n }) {
    if (!record || !picture) return '';
    const { percent, t } = i18n;
    const { low, high } = viewport.window;
    const own = windowValues(viewport.window, picture);
    const scale = (viewer.box().film.width * window.devicePixelRatio * viewport.zoom) / record.width;
    const ends = own ? windowText(own, i18n) : { width: percent(high - low), centre: percent((high + low) / 2) };
    const { width, height } = picture.film;
    const reduced = width < record.width ? ` · ${t('stage.reduced', { width, height })}` : '';
    return t('stage.look', { zoom: percent(scale), ...ends }) + reduced;
  }

  /** Few files have values so small that fractions count.
   *  @param {{width: number, centre: number}} values  @param {State['i18n']} i18n */
  function windowText({ width, centre }, { integer, hundredths }) {
    const show = width < 10 ? hundredths : integer;
    return { width: show(width), centre: show(centre) };
  }

  /** @param {State} state  @param {{picture: boolean, heatmap: boolean}} shown */
  function drawTools(state, { picture, heatmap }) {
    const { overlay, viewport, i18n, selected } = state;
    for (const control of at.tools.querySelectorAll('[data-action]:not(.keyed), select, #outline-switch'))
      control.disabled = !picture;
    at['outline-switch'].checked = overlay.outline;
    at['heat-slider'].disabled = !heatmap;
    at['heat-slider'].value = overlay.heat;
    at['heat-slider'].setAttribute('aria-valuetext', i18n.percent(overlay.heat / 100));
    setText(at['heat-value'], i18n.percent(overlay.heat / 100));
    const pressed = {
      drag: state.dragWindow,
      invert: viewport.invert,
      compare: overlay.compare !== 'off',
      full: state.full,
      plain: overlay.plain,
      ruler: Boolean(selected?.measures.ruler),
      'heart-ratio': Boolean(selected?.measures.heart),
      'loupe-switch': state.loupe,
    };
    for (const [id, on] of Object.entries(pressed)) at[id].setAttribute('aria-pressed', String(on));
    at['more-tools'].setAttribute('aria-expanded', String(state.moreTools));
    at.measuring.hidden = !state.moreTools;
    at.wipe.hidden = overlay.compare === 'off' || !picture;
    at['wipe-slider'].value = overlay.wipe;
  }

  function clearStage() {
    viewer.clear();
    for (const part of ['marks', 'windows', 'beside']) changed(part, null); // they hold the film
    for (const id of ['prior-name', 'measure-text', 'viewport-text']) setText(at[id], '');
    at.beside.replaceChildren();
    drawPreview(null);
    for (const id of ['film', 'twin-film']) at[id].removeAttribute('aria-label');
  }

  /** @param {State} state */
  function drawUpdate({ update, films, i18n }) {
    at.update.hidden = update === 'none';
    at['update-reload'].hidden = update === 'entering';
    const offered = films.length > 0 ? 'update.save' : 'update.available';
    setText(at['update-text'], i18n.t(update === 'entering' ? 'update.entering' : offered));
  }

  /** What holds for all films and must not be overlooked, and what can be undone. @param {State} state */
  function drawBars({ prevalence, films, removed, i18n }) {
    at.adjusted.hidden = !prevalence || films.length === 0;
    if (prevalence) setText(at['adjusted-text'], i18n.t('prevalence.chip', { mixture: i18n.mixture(prevalence) }));
    at.removed.hidden = !removed;
    if (removed) setText(at['removed-text'], i18n.t('undo.removed', { count: removed.count }));
  }

  /** @param {State} state */
  function drawFooter({ model, offline, i18n }) {
    at['offline-retry'].hidden = !offline || offline.complete;
    if (offline) setText(at.offline, i18n.offlineText(offline));
    const inForce = model ? i18n.inForceText(model) : '';
    at.card.hidden = Boolean(model?.brought);
    for (const id of ['adapted-film', 'adapted-batch']) {
      at[id].hidden = !inForce;
      setText(at[id], inForce);
    }
    if (!model) return;
    const line = i18n.t('model.line', { model: model.label, license: model.license });
    const summary = model.adapted ? '' : i18n.summary(model); // it is that of the weights before
    setText(at.model, [line, inForce, summary].filter(Boolean).join(' '));
  }

  /** For somebody who waits in another tab. @param {State} state */
  function drawTitle({ run, films, i18n }) {
    const title = i18n.t('page.title');
    const alone = films.length === 1 && films[0].status === 'done' ? `${i18n.filmWord(films[0])} · ` : '';
    const progress = run.total > 1 ? `${run.finished}/${run.total} · ` : alone;
    if (document.title !== progress + title) document.title = progress + title;
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
    drawTitle(state);
    drawWork(state);
    at['page-notice'].hidden = !state.notice;
    setText(at['page-notice'], state.notice);
    drawUpdate(state);
    drawBars(state);
    drawFooter(state);
    at.welcome.hidden = films.length > 0;
    at.desk.hidden = at.add.hidden = at.clear.hidden = at.skip.hidden = films.length === 0;
    at.install.hidden = !state.installable;
    at['try-example'].hidden = at['menu-examples'].hidden = state.examples.length === 0;
    document.body.classList.toggle('has-films', films.length > 0);
    document.body.classList.toggle('has-many', films.length > 1);
    document.body.classList.toggle('full', state.full && films.length > 0);
    at.stuck.hidden = true;
    at.drop.hidden = !state.dragging;
    drawStrip(state);
    if (selected) drawStage(selected, state);
    else clearStage();
    for (const drawPart of parts) drawPart(state);
    announce(state);
    refocus(focused);
  }

  // Film, tools and result fill what banners leave of the window.
  const measure = () => !at.desk.hidden && document.body.style.setProperty('--above', `${at.desk.offsetTop}px`);
  const observer = new ResizeObserver(measure);
  for (const above of [...document.querySelectorAll('.top, .bar'), at['page-notice'], at.desk]) observer.observe(above);

  return {
    draw,
    box: viewer.box,
    share: viewer.share,
    magnify: (/** @type {PointerEvent | null} */ pointer) => (pointer ? loupe.show(pointer) : loupe.hide()),
  };
}
