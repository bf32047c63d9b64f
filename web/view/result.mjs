// result.mjs: draws what the engine says of the selected film, and what that is worth
import { createChanges, each, element, put } from './dom.mjs';
import { countPeople } from '../state/prevalence.mjs';
import { TRANSIENT } from '../state/errors.mjs';
import { strongest } from '../i18n/words.mjs';

/** @typedef {import('../state/state.mjs').State} State */

/** Names and values of everything that tells one answer from another. @returns {string[][]} */
export function facts(film, { words, model, version }) {
  const { record } = film,
    { say } = words;
  return [
    [say('fact.size'), say('fact.pixels', { width: record.width, height: record.height })],
    [say('fact.decoder'), say(`fact.decoder.${record.decoder}`)],
    ...(record.dicom
      ? /** @type {[string, string][]} */ ([
          [say('fact.syntax'), record.dicom.syntax],
          [say('fact.frames'), words.whole(record.dicom.frames)],
        ])
      : []),
    [say('fact.bits'), record.bits],
    ...(record.sha256 ? /** @type {[string, string][]} */ ([[say('fact.hash'), record.sha256]]) : []),
    [say('fact.model'), `${model.name}-${model.version}`],
    [say('fact.weights'), model.sha256],
    [say('fact.temperature'), words.hundredths(model.temperature)],
    [say('fact.page'), version],
  ];
}

/** @param {HTMLElement} list  @param {string[][]} rows */
export function fillFacts(list, rows) {
  each(
    list,
    rows,
    ([name]) => name,
    () => element('div', {}, element('dt'), element('dd')),
    (item, [name, value]) => {
      put(item.children[0], name);
      put(item.children[1], value);
    },
  );
}

/** @param {HTMLElement} list */
export function fillBars(list, record, { words, model }) {
  each(
    list,
    model.labels,
    (label) => label,
    () =>
      element(
        'li',
        {},
        element('span'),
        element('span', { className: 'value' }),
        element('span', { className: 'track' }, element('span', { className: 'fill' })),
      ),
    (item, label) => {
      const [name, value, track] = item.children;
      item.classList.toggle('first', label === strongest(record.probability));
      put(name, words.label(label));
      put(value, words.precise(record.probability[label]));
      track.firstChild.style.width = `${100 * record.probability[label]}%`;
    },
  );
}

/** What the model card says, in sentences. @returns {string[]} */
export function worthSentences({ card, words }) {
  const share = (figure) => words.interval(figure, words.percent);
  return [
    words.say('worth.unseen', { normal: share(card.unseen.normal), covid: share(card.unseen.covid) }),
    words.say('worth.seen', { sensitivity: share(card.seen.sensitivity), specificity: share(card.seen.specificity) }),
    `${words.say('worth.within', { auc: words.interval(card.within, words.hundredths) })} ${words.say('worth.intervals')}`,
  ];
}

/** @param {Record<string, any>} at */
export function createReading(at) {
  const changed = createChanges();

  function worth(state) {
    if (!changed('worth', state.words)) return;
    each(
      at['worth-figures'],
      worthSentences(state),
      (text) => text,
      (text) => element('li', { textContent: text }),
      () => {},
    );
  }

  function prevalence({ words, model, prevalence }) {
    if (!model || !changed('prevalence', words, model, prevalence)) return;
    at['no-prior'].hidden = Boolean(model.prior);
    at['with-prior'].hidden = !model.prior;
    if (!model.prior) return;
    const counts = countPeople(prevalence ?? model.prior),
      last = model.labels.at(-1);
    each(
      at.shares,
      model.labels.slice(0, -1),
      (label) => label,
      (label) =>
        element(
          'label',
          { className: 'share' },
          element('span'),
          element('input', { type: 'range', min: 0, max: 100 }),
          element('output'),
        ),
      (item, label) => {
        const [name, slider, value] = item.children;
        put(name, words.label(label));
        slider.dataset.label = label;
        slider.value = counts[label];
        put(value, words.whole(counts[label]));
      },
    );
    put(at.rest, words.say('prevalence.rest', { label: words.label(last), count: counts[last] }));
    at['own-prior'].setAttribute('aria-pressed', String(!prevalence));
  }

  /** Nothing of a film that is gone stays in the document. */
  function forget() {
    for (const id of ['name', 'verdict', 'because']) put(at[id], '');
    for (const id of ['bars', 'facts', 'tags']) at[id].replaceChildren();
  }

  return (/** @type {State} */ state) => {
    const { selected: film, words, model } = state;
    if (changed('film', film, state.films.length)) at.sheet.replaceChildren(); // what was printed last may name one that is gone
    if (!film) return changed('reading', null) && forget();
    worth(state);
    prevalence(state);
    if (!changed('reading', film, film.stamp, words, model, state.tags)) return;
    const { status, record } = film,
      done = status === 'done',
      refused = done && record.verdict === 'refused';
    at.reading.dataset.status = done ? record.verdict : status;
    put(at.name, film.phantom ? '' : film.name);
    at.synthetic.hidden = !film.phantom;
    at.photo.hidden = at['photo-notice'].hidden = !film.camera;
    put(at.verdict, words.filmWord(film));
    put(at.because, words.because(film, model));
    at['film-choices'].hidden = status !== 'error' && status !== 'cancelled';
    at['film-retry'].hidden = status === 'error' && !TRANSIENT.includes(film.problem.code);
    at.bars.hidden = at.legend.hidden = at.mixture.hidden = !done || refused;
    for (const id of ['prevalence', 'gate', 'details', 'notice', 'worth', 'print-film']) at[id].hidden = !done;
    if (!done) return;
    if (!refused) fillBars(at.bars, record, state);
    const [word, text] = words.gateWords(record);
    put(at.mixture, words.standsFor(record.prevalence, model));
    put(at['gate-word'], word);
    put(at['gate-text'], text);
    if (!refused) put(at['legend-text'], words.say('reading.legend', { label: words.label(record.evidence) }));
    put(at.notice, words.notice(model));
    fillFacts(at.facts, facts(film, state));
    const told = state.tags?.film === film ? state.tags.list : null;
    at['tags-part'].hidden = !record.dicom;
    at['tags-show'].hidden = Boolean(told);
    fillFacts(
      at.tags,
      told?.length === 0 ? [['', words.say('tags.none')]] : (told ?? []).map(({ name, value }) => [name, value]),
    );
  };
}
