// view.mjs: draws the state of app.mjs into the document; changes nothing else and decides nothing
import { createViewer, paintGrey } from './viewer.mjs';
import * as words from './words.mjs';

/** @typedef {import('./app.mjs').State} State
 *  @typedef {import('./app.mjs').Film} Film */

const HOPELESS = ['no-simd']; // a second attempt can only fail
const TRANSIENT = ['worker-died', 'file-unreadable', 'out-of-memory', 'unexpected']; // a second attempt may succeed

/** @param {Document} document  @returns {(state: State) => void} */
export function createView(document) {
  /** @type {Record<string, any>} every element that has an id */
  const at = Object.fromEntries([...document.querySelectorAll('[id]')].map((element) => [element.id, element]));
  const viewer = createViewer(at.film);
  const painted = new WeakMap();

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  /** Keeps one child of `parent` for each item, in order; elements stay, so the focus does too. */
  function each(parent, items, key, make, fill) {
    const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
    items.forEach((item, place) => {
      let child = known.get(String(key(item)));
      if (child) known.delete(child.dataset.key);
      else {
        child = make(item);
        child.dataset.key = key(item);
      }
      if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null);
      fill(child, item);
    });
    for (const child of known.values()) child.remove();
  }

  function work({ engine, run }) {
    const failed = engine.phase === 'failed', loading = engine.phase === 'loading', reading = !failed && !loading && run.total > 0;
    const full = engine.received === engine.total;
    at.work.hidden = !failed && !loading && !reading;
    at.work.classList.toggle('failed', failed);
    at['work-bar'].hidden = failed;
    at['work-retry'].hidden = !failed || HOPELESS.includes(engine.problem.code);
    at['work-cancel'].hidden = !reading;
    if (failed) at['work-text'].textContent = engine.problem.message;
    else if (loading) at['work-text'].textContent = full ? words.starting : words.loading(engine.received, engine.total);
    else if (reading) at['work-text'].textContent = words.reading(run.finished, run.total);
    at['work-bar'].value = loading ? engine.received / engine.total : run.finished / (run.total || 1);
  }

  function strip({ films, selected }) {
    at.strip.hidden = films.length < 2;
    each(at['strip-list'], films, (film) => film.id,
      (film) => element('li', {}, element('button', { type: 'button' },
        element('canvas', { width: 1, height: 1 }), element('span', { className: 'strip-name', textContent: film.name }), element('span', { className: 'strip-word' }))),
      (item, film) => {
        const button = item.firstChild, [canvas, , word] = button.children;
        button.dataset.action = 'select';
        button.dataset.film = film.id;
        button.dataset.status = film.status;
        if (film !== selected) button.removeAttribute('aria-current');
        else if (!button.hasAttribute('aria-current')) {
          button.setAttribute('aria-current', 'true');
          button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        }
        if (word.textContent !== words.filmWord(film)) word.textContent = words.filmWord(film);
        if (film.thumb && painted.get(canvas) !== film.thumb) {
          paintGrey(canvas, film.thumb);
          painted.set(canvas, film.thumb);
        }
      });
  }

  function stage({ selected, overlay }) {
    const shown = selected.status === 'done' && selected.picture;
    at.film.hidden = !shown;
    at['stage-word'].textContent = shown ? '' : words.stage[selected.status];
    at['stage-word'].dataset.status = selected.status;
    at['outline-switch'].disabled = !shown;
    at['outline-switch'].checked = overlay.outline;
    const evidence = Boolean(shown) && selected.record.verdict !== 'refused';
    at['heat-slider'].disabled = !evidence;
    at['heat-slider'].value = overlay.heat;
    at['heat-value'].textContent = words.percent(overlay.heat / 100);
    if (!shown) return;
    at.film.setAttribute('aria-label', words.picture(selected));
    viewer.show(selected.picture, { ...overlay, evidence });
  }

  function bars(record, labels) {
    each(at.bars, labels, (label) => label,
      (label) => element('li', {}, element('span', { textContent: words.labelWord(label) }), element('span', { className: 'value' }),
        element('span', { className: 'track' }, element('span', { className: 'fill' }))),
      (item, label) => {
        item.classList.toggle('first', label === words.strongest(record.probability));
        item.children[1].textContent = words.precise(record.probability[label]);
        item.children[2].firstChild.style.width = `${100 * record.probability[label]}%`;
      });
  }

  function facts(film, model) {
    const { record } = film;
    const rows = [
      ['Size', `${record.width} × ${record.height} pixels`],
      ['Decoder', words.decoders[record.decoder] ?? record.decoder],
      ['Bits of the answer', record.bits],
      ...(record.sha256 ? [['SHA-256 of the file', record.sha256]] : []),
      ['Model', model.label],
      ['SHA-256 of the weights', model.sha256],
    ];
    if (at.facts.dataset.bits === `${film.id} ${record.bits}`) return;
    at.facts.dataset.bits = `${film.id} ${record.bits}`;
    at.facts.replaceChildren(...rows.flatMap(([name, value]) => [element('dt', { textContent: name }), element('dd', { textContent: value })]));
  }

  function reading({ selected: film, model }) {
    const done = film.status === 'done', refused = done && film.record.verdict === 'refused';
    at.reading.dataset.status = done ? film.record.verdict : film.status;
    at.name.textContent = film.phantom ? '' : film.name;
    at.synthetic.hidden = !film.phantom;
    at.verdict.textContent = words.filmWord(film);
    at.because.textContent = words.because(film, model);
    at['film-choices'].hidden = film.status !== 'error' && film.status !== 'cancelled';
    at['film-retry'].hidden = film.status === 'error' && !TRANSIENT.includes(film.problem.code);
    at.bars.hidden = at.legend.hidden = !done || refused;
    at.gate.hidden = at.details.hidden = at.notice.hidden = !done;
    if (!done) return;
    if (!refused) bars(film.record, model.labels);
    [at['gate-word'].textContent, at['gate-text'].textContent] = words.gateWords(film.record);
    at['legend-text'].textContent = words.legend(film.record);
    at.notice.textContent = model.notice;
    facts(film, model);
  }

  function batch({ films, model, run }) {
    at.batch.hidden = films.length < 2 || !model;
    if (at.batch.hidden) return;
    const heads = ['Film', 'Verdict', ...model.labels.map(words.labelWord), 'Remark'];
    each(at['table-head'], heads, (head) => head, (head) => element('th', { scope: 'col', textContent: head }), () => {});
    each(at['table-body'], films, (film) => film.id,
      (film) => element('tr', {}, element('th', { scope: 'row' }, element('button', { type: 'button', textContent: film.name })), ...heads.slice(1).map(() => element('td'))),
      (row, film) => {
        const refused = film.record?.verdict === 'refused', answered = film.status === 'done' && !refused;
        Object.assign(row.firstChild.firstChild.dataset, { action: 'open', film: film.id });
        const remark = refused ? film.record.gate.message : film.problem?.message;
        const cells = [words.filmWord(film), ...model.labels.map((label) => (answered ? words.percent(film.record.probability[label]) : '–')), remark ?? ''];
        cells.forEach((text, place) => { row.children[place + 1].textContent = text; });
      });
    at['batch-notice'].textContent = model.notice;
    at['retry-cancelled'].hidden = !films.some((film) => film.status === 'cancelled');
    for (const button of at.batch.querySelectorAll('[data-action^=export]')) button.disabled = run.total > 0;
  }

  function offline(state) {
    const { kept, update } = state;
    at.update.hidden = update === 'none';
    at['update-text'].textContent = words.update(state);
    at['update-reload'].hidden = update === 'entering';
    at['kept-retry'].hidden = !kept || kept.complete;
    if (kept && at.kept.textContent !== words.kept(kept)) at.kept.textContent = words.kept(kept);
  }

  return (state) => {
    work(state);
    offline(state);
    at.welcome.hidden = state.films.length > 0;
    at.desk.hidden = at.actions.hidden = state.films.length === 0;
    at.stuck.hidden = true;
    at.drop.hidden = !state.dragging;
    at.footer.hidden = !state.model;
    if (state.model) at.model.textContent = words.modelLine(state.model);
    if (at.said.textContent !== state.said) at.said.textContent = state.said;
    strip(state);
    batch(state);
    if (!state.selected) return;
    stage(state);
    reading(state);
  };
}
