// result.mjs: draws what the engine found in the selected film, and how much that is worth.
import { createChanges, element, keyed, setText } from './dom.mjs';
import { countPeople, restLabel } from '../state/prevalence.mjs';
import { remedy } from '../state/edits.mjs';
import { TRANSIENT } from '../state/errors.mjs';
import { topLabel } from '../i18n/words.mjs';

/** @typedef {import('../state/state.mjs').State} State
 *  @typedef {import('../state/state.mjs').Film} Film
 *  @typedef {import('../state/state.mjs').DoneFilm} DoneFilm
 *  @typedef {import('../state/state.mjs').FilmRecord} FilmRecord
 *  @typedef {import('../state/state.mjs').Model} Model
 *  @typedef {State & {model: Model}} Ready
 *  @typedef {[string, string]} Fact  name and value */

/** Everything that distinguishes one answer from another.
 *  @param {DoneFilm} film  @param {Pick<Ready, 'i18n' | 'model' | 'version'>} state  @returns {Fact[]} */
export function facts({ record, steps }, { i18n, model, version }) {
  const { t } = i18n;
  /** @type {Fact[]} */
  const dicom = record.dicom
    ? [
        [t('fact.syntax'), record.dicom.syntax],
        [t('fact.frames'), i18n.integer(record.dicom.frames)],
        .../** @type {Fact[]} */ (record.dicom.turned ? [[t('fact.turned'), record.dicom.turned]] : []),
      ]
    : [];
  /** @type {Fact[]} */
  const file = record.sha256 ? [[t('fact.hash'), record.sha256]] : [];
  /** @type {Fact[]} */
  const edited = steps.length > 0 ? [[t('edit.title'), i18n.steps(steps)]] : [];
  return [
    [t('fact.size'), t('fact.pixels', { width: record.width, height: record.height })],
    [t('fact.decoder'), t(`fact.decoder.${record.decoder}`)],
    ...edited,
    ...dicom,
    [t('fact.bits'), record.bits],
    ...file,
    [t('fact.model'), `${model.name}-${model.version}`],
    [t('fact.weights'), model.sha256],
    [t('fact.temperature'), i18n.hundredths(model.temperature)],
    [t('fact.page'), version],
  ];
}

/** @param {HTMLElement} list  @param {Fact[]} rows */
export function fillFacts(list, rows) {
  keyed(
    list,
    rows,
    ([name]) => name,
    () => element('div', {}, element('dt'), element('dd')),
    (item, [name, value]) => {
      setText(item.children[0], name);
      setText(item.children[1], value);
    },
  );
}

/** The probabilities as bars.
 *  @param {HTMLElement} list  @param {FilmRecord} record  @param {Pick<Ready, 'i18n' | 'model'>} state */
export function fillBars(list, record, { i18n, model }) {
  const top = topLabel(record.probability);
  const createBar = () =>
    element(
      'li',
      {},
      element('span'),
      element('span', { className: 'value' }),
      element('span', { className: 'track' }, element('span', { className: 'fill' })),
    );
  keyed(
    list,
    model.labels,
    (label) => label,
    createBar,
    (item, label) => {
      const [name, value, track] = item.children;
      item.classList.toggle('first', label === top);
      setText(name, i18n.label(label));
      setText(value, i18n.precisePercent(record.probability[label]));
      track.firstChild.style.width = `${100 * record.probability[label]}%`;
    },
  );
}

/**
 * Whether the heatmap fits the heading. An opacity map fits any; a class map is of the label with the largest logit,
 * which a chosen prevalence can overtake, and then it would contradict the heading.
 * @param {FilmRecord} record
 */
export function heatmapFits({ verdict, heatmapKind, probability, topLabel: explained }) {
  if (verdict === 'refused' || heatmapKind === 'none') return false;
  return heatmapKind === 'opacity' || topLabel(probability) === explained;
}

/** The heatmap on view: that of a class which somebody chose, or the model's evidence; null for none.
 *  @param {Film} film  @param {string} map  as in the state */
export function heatmapOf({ status, record, picture }, map) {
  if (status !== 'done' || !record || !picture || record.verdict === 'refused') return null;
  return picture.maps[map] ?? (heatmapFits(record) ? picture.heatmap : null);
}

/** What the heatmap shows, or why it is not shown.
 *  @param {DoneFilm} film  @param {State['i18n']} i18n  @param {string} map  as in the state */
export function legend({ record, picture }, i18n, map) {
  if (map) return i18n.t(picture?.occluded ? 'reading.legend.occlusion' : 'reading.legend', { label: i18n.label(map) });
  if (record.heatmapKind === 'none') return '';
  if (record.heatmapKind === 'opacity') return i18n.t('reading.legend.opacity');
  const label = i18n.label(record.topLabel);
  return i18n.t(heatmapFits(record) ? 'reading.legend' : 'reading.legend.hidden', { label });
}

/** How much of each lung is under opacity; empty without an opacity map.
 *  @param {FilmRecord} record  @param {State['i18n']} i18n */
export const extentText = ({ extent }, i18n) =>
  extent ? i18n.t('reading.extent', { right: i18n.percent(extent.right), left: i18n.percent(extent.left) }) : '';

/** Author and source of an example, and whether it was changed. @param {import('../site/constants.d.ts').Example} example
 *  @param {State['i18n']} i18n */
export const creditText = ({ attribution, reduced }, i18n) =>
  `${attribution}${reduced ? ` (${i18n.t('examples.reduced')})` : ''}. `;

/** @param {import('../site/constants.d.ts').Example} example  @returns {HTMLAnchorElement} */
export const licenceLink = ({ license, licenseUrl }) =>
  element('a', { href: licenseUrl, target: '_blank', rel: 'noopener', textContent: license });

/** The diagnosis and the credit of an example. @param {import('../site/constants.d.ts').Example} example
 *  @param {State['i18n']} i18n  @returns {(string | Node)[]} */
export const creditParts = (example, i18n) => [
  `${i18n.t('examples.label', { label: i18n.label(example.label) })} ${creditText(example, i18n)}`,
  licenceLink(example),
];

/** Whether the model card's figures apply. @param {Model} model */
export const isShipped = ({ adapted, brought }) => !adapted && !brought;

/** The model card's numbers in sentences. @param {Pick<State, 'card' | 'i18n'>} state  @returns {string[]} */
export function worthSentences({ card, i18n }) {
  const share = (/** @type {import('../site/card.mjs').Interval} */ interval) => i18n.interval(interval, i18n.percent);
  const { unseen, seen, within } = card;
  return [
    i18n.t('worth.unseen', { normal: share(unseen.normal), covid: share(unseen.covid) }),
    i18n.t('worth.seen', { sensitivity: share(seen.sensitivity), specificity: share(seen.specificity) }),
    `${i18n.t('worth.within', { auc: i18n.interval(within, i18n.hundredths) })} ${i18n.t('worth.intervals')}`,
  ];
}

/** @param {import('./dom.mjs').Elements} at */
export function createResult(at) {
  const changed = createChanges();

  /** @param {State} state */
  function drawWorth(state) {
    if (!changed('worth', state.i18n, state.model)) return;
    at['worth-figures'].hidden = state.model !== null && !isShipped(state.model);
    keyed(
      at['worth-figures'],
      worthSentences(state),
      (text) => text,
      (text) => element('li', { textContent: text }),
      () => {},
    );
  }

  /** @param {State} state */
  function drawPrevalence({ i18n, model, prevalence }) {
    if (!model || !changed('prevalence', i18n, model, prevalence)) return;
    at['no-prior'].hidden = Boolean(model.prior);
    at['with-prior'].hidden = !model.prior;
    if (!model.prior) return;
    const rest = restLabel(model);
    const counts = countPeople(prevalence ?? model.prior, rest);
    keyed(
      at.shares,
      model.labels.filter((label) => label !== rest),
      (label) => label,
      () => {
        const slider = element('input', { type: 'range', min: 0, max: 100 });
        return element('label', { className: 'share' }, element('span'), slider, element('output'));
      },
      (item, label) => {
        const [name, slider, value] = item.children;
        setText(name, i18n.label(label));
        slider.dataset.label = label;
        slider.value = counts[label];
        setText(value, i18n.integer(counts[label]));
      },
    );
    setText(at.rest, i18n.t('prevalence.rest', { label: i18n.label(rest), count: counts[rest] }));
    at['reset-prevalence'].setAttribute('aria-pressed', String(!prevalence));
  }

  /** Removes every trace of a film that is no longer on the page. */
  function forget() {
    for (const id of ['name', 'verdict', 'because', 'extent', 'exposure']) setText(at[id], '');
    for (const id of ['bars', 'facts', 'tags', 'credit']) at[id].replaceChildren();
  }

  /** What is shown of any film, whatever its status. @param {Film} film  @param {State} state */
  function drawHead(film, { i18n, model }) {
    const { status } = film;
    at.result.dataset.status = film.status === 'done' ? film.record.verdict : status;
    setText(at.name, film.phantom ? '' : film.name);
    at.synthetic.hidden = !film.phantom;
    const exposure = film.exposure ? i18n.exposure(film.exposure) : '';
    at.exposure.hidden = !exposure;
    setText(at.exposure, exposure);
    at.credit.hidden = !film.example;
    at.credit.replaceChildren(...(film.example ? creditParts(film.example, i18n) : []));
    at.photo.hidden = at['photo-notice'].hidden = !film.camera;
    setText(at.verdict, i18n.filmWord(film));
    setText(at.because, i18n.because(film, model));
    at['film-choices'].hidden = status !== 'error' && status !== 'cancelled';
    at.edit.hidden = film.status !== 'done' || film.phantom;
    if (film.status === 'done') at.edit.open = film.record.verdict === 'refused' || film.steps.length > 0;
    at['edit-none'].hidden = film.steps.length === 0;
    const offered = film.status === 'done' && !film.phantom ? remedy(film.record).at(0) : undefined;
    at['edit-remedy'].hidden = !offered;
    if (offered) setText(at['edit-remedy'], i18n.t(offered.name === 'negative' ? 'edit.positive' : 'edit.upright'));
    at['film-retry'].hidden = film.status === 'error' && !TRANSIENT.includes(film.error.code);
  }

  /** @param {DoneFilm} film  @param {Ready} state */
  function drawRecord(film, state) {
    const { i18n, model } = state;
    const { record } = film;
    if (record.verdict !== 'refused') {
      fillBars(at.bars, record, state);
      at.scale.hidden = !heatmapOf(film, state.map);
      setText(at['legend-text'], legend(film, i18n, state.map));
      setText(at.extent, extentText(record, i18n));
    }
    at.occlude.hidden = record.verdict === 'refused' || record.heatmapKind !== 'none' || Boolean(state.map);
    setText(at.occlude, i18n.t(state.occluding ? 'action.cancel' : 'reading.occlude'));
    const [word, text] = i18n.gateWords(record, model);
    setText(at.mixture, i18n.assumedMixture(record.prevalence, model));
    setText(at['gate-word'], word);
    setText(at['gate-text'], text);
    setText(at.notice, i18n.notice(model));
    fillFacts(at.facts, facts(film, state));
    drawTags(film, state);
  }

  /** @param {DoneFilm} film  @param {Ready} state */
  function drawTags(film, { i18n, tags }) {
    const list = tags?.film === film ? tags.list : null;
    at['tags-part'].hidden = !film.record.dicom;
    at['tags-show'].hidden = Boolean(list);
    /** @type {Fact[]} */
    const rows = (list ?? []).map((tag) => [tag.name, i18n.tagValue(tag)]);
    fillFacts(at.tags, list?.length === 0 ? [['', i18n.t('tags.none')]] : rows);
  }

  return (/** @type {State} */ state) => {
    const { selected: film, i18n, model, tags } = state;
    if (changed('film', film, state.films.length)) at.printout.replaceChildren(); // it may show a film that is gone
    if (!film) {
      if (changed('result', null)) forget();
      return;
    }
    drawWorth(state);
    drawPrevalence(state);
    if (!changed('result', film, film.revision, i18n, model, tags, state.map, state.occluding)) return;
    drawHead(film, state);
    const done = film.status === 'done';
    const hasProbabilities = film.status === 'done' && film.record.verdict !== 'refused';
    at.bars.hidden = at.legend.hidden = at.mixture.hidden = at.extent.hidden = !hasProbabilities;
    for (const id of ['caution', 'gate', 'details', 'notice', 'print-film']) at[id].hidden = !done;
    for (const id of ['prevalence', 'worth']) at[id].hidden = !hasProbabilities;
    if (film.status === 'done' && model) drawRecord(film, { ...state, model });
  };
}
