// page.mjs: draws the state of app.mjs into the document; changes nothing else and decides nothing
import { createChanges, each, element, put, refocus } from './dom.mjs';
import { createPanels } from './dialogs.mjs';
import { createReading } from './result.mjs';
import { createTable } from './table.mjs';
import { createViewer, paintGrey } from './viewer.mjs';
import { LANGUAGES } from '../i18n/words.mjs';

/** @typedef {import('../state/state.mjs').State} State
 *  @typedef {import('../state/state.mjs').Film} Film */

const HOPELESS = ['no-simd']; // a second attempt can only fail
const STRIP = 60; // films; the table has them all
const megabytes = 1e6;

/** @param {Document} document */
export function createView(document) {
  /** @type {Record<string, any>} every element that has an id */
  const at = Object.fromEntries([...document.querySelectorAll('[id]')].map((element) => [element.id, element]));
  const viewer = createViewer(at.stage);
  const parts = [createReading(at), createTable(at), createPanels(at)];
  const changed = createChanges();
  const painted = new WeakMap();

  /** The sentences that never change but with the language. */
  function language({ words }) {
    if (!changed('language', words)) return;
    Object.assign(document.documentElement, { lang: words.tag, dir: words.rightToLeft ? 'rtl' : 'ltr' });
    for (const place of document.querySelectorAll('[data-say]'))
      put(place, words.say(/** @type {HTMLElement} */ (place).dataset.say));
    for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-say-label]'))) {
      const text = words.say(place.dataset.sayLabel);
      if (place.getAttribute('aria-label') !== text) place.setAttribute('aria-label', text);
      if (place.matches('button, select')) place.title = text;
    }
    each(
      at.language,
      Object.entries(LANGUAGES),
      ([key]) => key,
      ([key, name]) => element('option', { value: key, lang: key, textContent: name }),
      () => {},
    );
    at.language.value = words.language;
  }

  function work({ engine, run, gathering, words }) {
    const failed = engine.phase === 'failed',
      loading = engine.phase === 'loading',
      reading = !failed && !loading && run.total > 0;
    at.work.hidden = !failed && !loading && !reading && !gathering;
    at.work.classList.toggle('failed', failed);
    at['work-bar'].hidden = failed || (gathering > 0 && !reading);
    at['work-retry'].hidden = !failed || HOPELESS.includes(engine.problem.code);
    at['work-cancel'].hidden = !reading;
    const { say, tenths } = words;
    if (failed) put(at['work-text'], words.problem(engine.problem));
    else if (loading && engine.received === engine.total) put(at['work-text'], say('work.starting'));
    else if (loading)
      put(
        at['work-text'],
        say('work.loading', { received: tenths(engine.received / megabytes), total: tenths(engine.total / megabytes) }),
      );
    else if (reading)
      put(
        at['work-text'],
        run.total === 1
          ? say('work.reading')
          : say('work.place', { place: Math.min(run.finished + 1, run.total), total: run.total }),
      );
    else if (gathering > 0) put(at['work-text'], say('work.gathering'));
    at['work-bar'].value = loading ? engine.received / engine.total : run.finished / (run.total || 1);
  }

  function strip({ films, selected, words, stamp }) {
    if (!changed('strip', films, selected, words, stamp)) return;
    at.strip.hidden = films.length < 2;
    const first = Math.max(0, Math.min(films.indexOf(selected) - STRIP / 2, films.length - STRIP));
    each(
      at['strip-list'],
      films.slice(first, first + STRIP),
      (film) => film.id,
      () =>
        element(
          'li',
          {},
          element(
            'button',
            { type: 'button' },
            element('canvas', { width: 1, height: 1 }),
            element('bdi', { className: 'strip-name' }),
            element('span', { className: 'strip-word' }),
          ),
        ),
      (item, film) => {
        const button = item.firstChild,
          [canvas, name, word] = button.children;
        Object.assign(button.dataset, { action: 'select', film: film.id, status: film.status });
        if (film !== selected) button.removeAttribute('aria-current');
        else if (!button.hasAttribute('aria-current')) {
          button.setAttribute('aria-current', 'true');
          button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        }
        put(name, words.name(film));
        put(word, words.filmWord(film));
        if (film.thumb && painted.get(canvas) !== film.thumb) {
          paintGrey(canvas, film.thumb);
          painted.set(canvas, film.thumb);
        }
      },
    );
  }

  function stage({ selected, overlay, look, words, dragWindow }) {
    const picture = selected.status === 'done' && selected.picture;
    const evidence = Boolean(picture) && selected.record.verdict !== 'refused';
    const compare = Boolean(picture) && overlay.compare;
    at.film.hidden = !picture;
    at.alone.hidden = !compare;
    at.stage.classList.toggle('compare', compare);
    at.stage.classList.toggle('windowing', dragWindow);
    at.stage.classList.toggle('zoomed', look.zoom > 1);
    put(at['stage-word'], picture ? '' : words.say(`stage.${selected.redraw ? 'running' : selected.status}`));
    for (const control of at.tools.querySelectorAll('[data-action]:not(.keyed), select, #outline-switch'))
      control.disabled = !picture;
    at['outline-switch'].checked = overlay.outline;
    at['heat-slider'].disabled = !evidence;
    at['heat-slider'].value = overlay.heat;
    put(at['heat-value'], words.percent(overlay.heat / 100));
    for (const [id, on] of [
      ['drag', dragWindow],
      ['invert', look.invert],
      ['compare', overlay.compare],
    ])
      at[id].setAttribute('aria-pressed', String(on));
    at.window.value = look.preset;
    const { low, high } = look.window;
    put(
      at['look-text'],
      picture
        ? words.say('stage.look', {
            zoom: words.percent(look.zoom),
            width: words.percent(high - low),
            centre: words.percent((high + low) / 2),
          })
        : '',
    );
    if (!picture) return;
    at.film.setAttribute(
      'aria-label',
      words.say(evidence ? 'stage.picture' : 'stage.plain', { name: words.name(selected) }),
    );
    at['twin-film'].setAttribute('aria-label', words.say('stage.plain', { name: words.name(selected) }));
    viewer.show(picture, look, { ...overlay, evidence });
  }

  function clear() {
    viewer.clear();
    for (const id of ['film', 'twin-film']) at[id].removeAttribute('aria-label');
  }

  function footer({ model, kept, update, films, words }) {
    at.update.hidden = update === 'none';
    put(
      at['update-text'],
      words.say(update === 'entering' ? 'update.entering' : films.length > 0 ? 'update.save' : 'update.available'),
    );
    at['update-reload'].hidden = update === 'entering';
    at['kept-retry'].hidden = !kept || kept.complete;
    if (kept) put(at.kept, words.kept(kept));
    at.model.hidden = !model;
    if (model)
      put(
        at.model,
        `${words.say('model.line', { model: model.label, license: model.license })} ${words.adapted(model) || words.summary(model)}`.trim(),
      );
    for (const id of ['adapted-film', 'adapted-batch']) {
      at[id].hidden = !model?.adapted;
      if (model) put(at[id], words.adapted(model));
    }
  }

  /** What screen readers say; from within an open dialog, which silences all else. */
  function speak({ said }) {
    const place = document.querySelector('dialog[open]') ?? document.body;
    if (at.said.parentNode !== place) {
      at.said.textContent = ''; // or it might be said twice
      place.append(at.said);
    }
    if (changed('said', said)) put(at.said, said);
  }

  /** @param {State} state */
  function view(state) {
    const focused = document.activeElement;
    language(state);
    work(state);
    at.trouble.hidden = !state.trouble;
    put(at.trouble, state.trouble);
    footer(state);
    at.welcome.hidden = state.films.length > 0;
    at.desk.hidden = at.add.hidden = at.clear.hidden = state.films.length === 0;
    document.body.classList.toggle('reading-films', state.films.length > 0);
    document.body.classList.toggle('reading-many', state.films.length > 1);
    at.stuck.hidden = true;
    at.drop.hidden = !state.dragging;
    strip(state);
    if (state.selected) stage(state);
    else clear();
    for (const part of parts) part(state);
    speak(state);
    refocus(focused);
  }

  return { view, box: viewer.box };
}
