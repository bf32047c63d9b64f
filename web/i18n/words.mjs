// words.mjs: the page's sentences in one language. The messages come from en.mjs and its translations; numbers, dates
// and lists are formatted by Intl for the visitor's region.
//
// Two kinds of keys: those of en.mjs, which `t` takes and the type checker knows, and open ones such as `label.covid`
// or `gate.colour`, which are looked up by what the model or the engine returned and may be missing.

/** @typedef {import('../state/state.mjs').Film} Film
 *  @typedef {import('../state/state.mjs').FilmRecord} FilmRecord
 *  @typedef {import('../state/state.mjs').Model} Model
 *  @typedef {import('../state/errors.mjs').ErrorInfo} ErrorInfo
 *  @typedef {import('../../src/engine.mjs').Mixture} Mixture
 *  @typedef {import('../../src/types.d.ts').Doubt} Doubt
 *  @typedef {import('../site/card.mjs').Interval} Interval
 *  @typedef {keyof typeof import('./en.mjs').default} MessageKey
 *  @typedef {Record<MessageKey, string>} Messages
 *  @typedef {ReturnType<typeof createI18n>} I18n */

/** The languages, each by its own name. */
export const LANGUAGES = { en: 'English', es: 'Español', fr: 'Français', hi: 'हिन्दी', ar: 'العربية' };
/** @typedef {keyof typeof LANGUAGES} Language */

/** @type {Language[]} */
const RIGHT_TO_LEFT = ['ar'];

/** First-strong isolates keep a name or a number from reordering the sentence around it. @param {string} text */
const isolate = (text) => `\u2068${text}\u2069`;

/** The language to begin with: the one in the address (`#lang=ar`), else the browser's first that the page speaks.
 *  @param {readonly string[]} preferred  the browser's languages  @param {string} hash  @returns {Language} */
export function initialLanguage(preferred, hash) {
  const requested = hash.match(/^#lang=(\w+)$/)?.[1] ?? '';
  const candidates = [requested, ...preferred.map((tag) => tag.split('-')[0])];
  return /** @type {Language | undefined} */ (candidates.find((tag) => Object.hasOwn(LANGUAGES, tag))) ?? 'en';
}

/** File names in a sentence. */
const MAX_NAMES = 5;

/** The label with the largest probability. @param {Record<string, number>} probability */
export const topLabel = (probability) =>
  Object.keys(probability).reduce((best, label) => (probability[label] > probability[best] ? label : best));

/** Whether a finding that is none of the answers is likely; records of kept results hold only the code of a doubt.
 *  @param {{doubt?: Doubt | string | null}} result */
const isOtherFinding = ({ doubt }) => (typeof doubt === 'string' ? doubt : doubt?.reason) === 'other-finding';

/** The units of a patient's age in a DICOM file. */
const AGE_UNITS = /** @type {Record<string, string>} */ ({ D: 'day', W: 'week', M: 'month', Y: 'year' });

/** Formatters for the numbers of a region. @param {string} tag */
function createNumbers(tag) {
  /** @param {Intl.NumberFormatOptions} options  @returns {(number: number) => string} */
  const formatter = (options) => new Intl.NumberFormat(tag, options).format;
  return {
    /** 54 % */
    percent: formatter({ style: 'percent', maximumFractionDigits: 0 }),
    /** 53.8 %, and 50.0 % */
    precisePercent: formatter({ style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    /** 53.8 %, but 50 % */
    shortPercent: formatter({ style: 'percent', maximumFractionDigits: 1 }),
    integer: formatter({ maximumFractionDigits: 0 }),
    tenths: formatter({ minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    hundredths: formatter({ minimumFractionDigits: 2, maximumFractionDigits: 2 }),
    signedTenths: formatter({ minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'exceptZero' }),
    signedHundredths: formatter({ minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: 'exceptZero' }),
  };
}

/** @param {Language} language  @param {Messages} messages
 *  @param {readonly string[]} [preferred]  the browser's languages, for the formats of the region */
export function createI18n(language, messages, preferred = []) {
  const tag = preferred.find((one) => one.split('-')[0] === language) ?? language;
  const rightToLeft = RIGHT_TO_LEFT.includes(language);
  const numbers = createNumbers(tag);
  const { percent, shortPercent, integer } = numbers;
  const list = new Intl.ListFormat(tag);
  const dates = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short' });
  const days = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeZone: 'UTC' });
  /** @type {Record<string, string | undefined>} */
  const open = messages;

  /** @param {string | number} value */
  function format(value) {
    if (typeof value === 'number') return integer(value);
    return rightToLeft ? isolate(value) : String(value);
  }

  /** A message with its `{placeholders}` filled in.
   *  @param {MessageKey} key  @param {Record<string, string | number>} [values] */
  const t = (key, values = {}) =>
    messages[key].replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) => format(values[name]));

  const label = (/** @type {string} */ name) => open[`label.${name}`] ?? name;

  /** What the film is called on the page. @param {Pick<Film, 'phantom' | 'name'>} film */
  const name = (film) => (film.phantom ? t('film.phantom') : film.name);

  /** A few words for a film in a list.
   *  @param {{status: Film['status'], record?: {verdict?: string, doubt?: Doubt | string | null} | null}} film */
  function filmWord({ status, record }) {
    if (status !== 'done' || !record?.verdict)
      return t(`film.${/** @type {Exclude<Film['status'], 'done'>} */ (status)}`);
    if (isOtherFinding(record)) return t('film.other-finding');
    return open[`film.${record.verdict}`] ?? label(record.verdict);
  }

  /** An unknown code falls back to the engine's own sentence. @param {ErrorInfo} error */
  function errorText({ code, message }) {
    const key = /** @type {MessageKey} */ (`problem.${code}`);
    return open[key] ? t(key, { what: message }) : message;
  }

  /** Why the gate refused a film. @param {Pick<FilmRecord['gate'], 'reason' | 'message'>} gate */
  const gateText = ({ reason, message }) => open[`gate.${reason}`] ?? message ?? '';

  /** @param {Mixture} shares */
  const mixture = (shares) =>
    list.format(Object.entries(shares).map(([name, share]) => `${label(name)} ${format(shortPercent(share))}`));

  /** @param {Record<string, number>} films  per label */
  const counts = (films) => list.format(Object.entries(films).map(([name, n]) => `${label(name)} ${format(n)}`));

  /** The sentence below the verdict. @param {Film} film  @param {Pick<Model, 'certain' | 'brought'> | null} model */
  function because(film, model) {
    if (film.status === 'error') return errorText(film.error);
    if (film.status === 'cancelled') return t('reading.cancelled');
    if (film.status !== 'done') return t('reading.later');
    const { verdict, gate, prevalence } = film.record;
    if (verdict === 'refused') return gateText(gate);
    if (isOtherFinding(film.record)) return t('reading.other-finding');
    if (verdict === 'uncertain')
      return model && model.certain > 0
        ? t('reading.uncertain', { certain: percent(model.certain) })
        : t('reading.close');
    if (prevalence) return t('prevalence.likeliest', { label: label(verdict) });
    const shipped = !model?.brought && open[`likeness.${verdict}`]; // it speaks of the shipped model's labels
    return shipped || t('likeness.closest', { label: label(verdict) });
  }

  /** The verdict with its probability.
   *  @param {{status: Film['status'], record?: {verdict?: string, probability?: Record<string, number>} | null}} film */
  function outcome(film) {
    const { verdict = '', probability } = film.record ?? {};
    const share = film.status === 'done' && probability?.[verdict];
    return share ? t('work.share', { verdict: filmWord(film), share: percent(share) }) : filmWord(film);
  }

  /** How many films have each verdict. @param {Film[]} films */
  function verdicts(films) {
    /** @type {Map<string, number>} */
    const found = new Map();
    for (const film of films) found.set(filmWord(film), (found.get(filmWord(film)) ?? 0) + 1);
    return [...found].map(([verdict, count]) => t('report.verdict', { verdict, count })).join(', ');
  }

  /** @param {string} url  of a file of this site */
  function part(url) {
    if (url.endsWith('.gguf')) return t('part.weights');
    return url.endsWith('.wasm') ? t('part.engine') : t('part.page');
  }

  /** The translations of notice and summary are those of the shipped model.
   *  @param {Pick<Model, 'name'> & Partial<Pick<Model, 'notice' | 'summary' | 'brought'>>} model
   *  @param {'notice' | 'summary'} key */
  const ofModel = (model, key) => (!model.brought && model.name === 'pleura' && open[key]) || model[key] || '';

  return {
    language,
    tag,
    rightToLeft,
    t,
    ...numbers,
    label,
    name,
    filmWord,
    errorText,
    gateText,
    because,
    outcome,
    mixture,
    counts,
    list: (/** @type {string[]} */ names) => list.format(names),
    verdicts,

    /** What is announced when several films are finished. @param {Film[]} films */
    finished: (films) => t('work.finished', { count: films.length, verdicts: verdicts(films) }),

    /** Corrections in their order. @param {import('../state/edits.mjs').Step[]} steps */
    steps: (steps) => steps.map(({ name }) => t(`edit.${name}`)).join(', '),

    /** The files that were left out, the first of them by name. @param {string[]} names */
    skipped: (names) =>
      t('batch.skipped', {
        count: names.length,
        names: list.format([...names.slice(0, MAX_NAMES), ...(names.length > MAX_NAMES ? ['…'] : [])]),
      }),

    /** @param {number} time  in milliseconds since 1970 */
    date: (time) => dates.format(time),

    /** @param {import('../../src/dicom/display.mjs').Exposure} exposure  @returns {string} empty if nothing is known */
    exposure: ({ date, view }) =>
      [view && t('reading.view', { view }), date && t('reading.exposed', { date: days.format(new Date(date)) })]
        .filter(Boolean)
        .join(' · '),

    /** The value of a DICOM tag, with dates and ages as the region writes them.
     *  @param {import('../../src/dicom/tags.mjs').Tag} tag */
    tagValue({ value, kind }) {
      if (kind === 'date') return days.format(new Date(value));
      if (kind !== 'age') return value;
      const unit = AGE_UNITS[value.slice(-1)];
      return new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'long' }).format(parseInt(value));
    },

    /** What a screen reader announces when a film is finished. @param {Film} film  @param {Model} model */
    announcement: (film, model) =>
      t('work.announce', { name: name(film), verdict: outcome(film), because: because(film, model) }),

    /** The class mix that probabilities assume; empty for a model that does not record its own.
     *  @param {Mixture | null} prevalence  @param {Model} model */
    assumedMixture(prevalence, { prior, adapted }) {
      if (!prior) return '';
      const own = adapted ? 'prevalence.adapted' : 'prevalence.own';
      return t(prevalence ? 'prevalence.given' : own, { mixture: mixture(prevalence ?? prior) });
    },

    /** A warning beside every result of another model or of adapted weights; empty for the page's own.
     *  @param {Model} model */
    inForceText({ adapted, brought, name, version, sha256 }) {
      const hash = sha256.slice(0, 12);
      return [
        brought && t('model.inforce', { model: `${name}-${version}`, file: brought, hash }),
        adapted && t('adapt.inforce', { hash, films: counts(adapted.films) }),
      ]
        .filter(Boolean)
        .join(' ');
    },

    /** Whether the model may judge this film: the gate's word and its reason.
     *  @param {FilmRecord} record  @param {Pick<Model, 'graphs'>} model  @returns {[string, string]} */
    gateWords({ gate: { accepted, score } }, { graphs }) {
      if (!accepted) return [t('reading.refused'), t('reading.refused.why')];
      const checks = graphs.lungs.length > 0 || graphs.diagnosis.some((line) => /^gate\s*=/.test(line));
      if (!checks) return [t('reading.unchecked'), t('reading.unchecked.why')];
      const typicality = Number.isFinite(score)
        ? ` ${t('reading.accepted.score', { count: Math.round(score * 100) })}`
        : '';
      return [t('reading.accepted'), t('reading.accepted.why') + typicality];
    },

    /** What is stored on this device for use without a network.
     *  @param {import('../storage/offline.mjs').OfflineCopy} copy */
    offlineText({ complete, lost, mended }) {
      const parts = (/** @type {string[]} */ urls) => list.format(new Set(urls.map(part)));
      if (!complete) return t('kept.lost', { parts: parts(lost) });
      return mended.length > 0 ? t('kept.mended', { parts: parts(mended) }) : t('kept.ready');
    },

    /** @param {Model} model */
    notice: (model) => ofModel(model, 'notice'),
    /** @param {Pick<Model, 'name' | 'summary'>} model */
    summary: (model) => ofModel(model, 'summary'),

    /** A number with its 95 % interval. @param {Interval} interval  @param {(x: number) => string} show */
    interval: ({ value, low, high }, show) =>
      t('worth.share', { value: show(value), low: show(low), high: show(high) }),
  };
}
