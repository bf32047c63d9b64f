// words.mjs: sentences composed from the messages of one language; numbers, dates and lists by Intl
/** @typedef {import('../state/errors.mjs').Problem} Problem
 *  @typedef {Record<string, string>} Messages
 *  @typedef {ReturnType<typeof createWords>} Words */

/** Each language in its own words. */
export const LANGUAGES = { en: 'English', es: 'Español', fr: 'Français', hi: 'हिन्दी', ar: 'العربية' };
const RIGHT_TO_LEFT = ['ar'];
/* First-strong isolates: a name or number from elsewhere must not reorder the sentence around it. */
const isolate = (value) => `\u2068${value}\u2069`;

/** The language to begin with: the address's word (`#lang=ar`), else the first one of the browser's that the page speaks.
 *  @param {readonly string[]} wanted  @param {string} hash  @returns {string} a key of LANGUAGES */
export function firstLanguage(wanted, hash) {
  const asked = hash.match(/^#lang=(\w+)$/)?.[1];
  return (
    [asked, ...wanted.map((tag) => tag.split('-')[0])].find((language) => Object.hasOwn(LANGUAGES, language ?? '')) ??
    'en'
  );
}

/** The label with the largest probability. @param {Record<string, number>} probability */
export const strongest = (probability) =>
  Object.keys(probability).reduce((best, label) => (probability[label] > probability[best] ? label : best));

/** @param {string} language  @param {Messages} messages  @param {readonly string[]} [wanted]  the browser's, for the manner of the region */
export function createWords(language, messages, wanted = []) {
  const tag = wanted.find((one) => one.split('-')[0] === language) ?? language;
  const rightToLeft = RIGHT_TO_LEFT.includes(language);
  const format = (options) => {
    const { format } = new Intl.NumberFormat(tag, options);
    return (/** @type {number} */ number) => format(number);
  };
  const percent = format({ style: 'percent', maximumFractionDigits: 0 });
  const precise = format({ style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const brief = format({ style: 'percent', maximumFractionDigits: 1 });
  const whole = format({ maximumFractionDigits: 0 }),
    tenths = format({ minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    hundredths = format({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const list = new Intl.ListFormat(tag),
    dates = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short' });
  const value = (given) => (typeof given === 'number' ? whole(given) : rightToLeft ? isolate(given) : String(given));

  /** @param {string} key  @param {Record<string, string | number>} [values] */
  function say(key, values = {}) {
    return messages[key].replace(/\{(\w+)\}/g, (_, name) => value(values[name]));
  }

  const label = (name) => messages[`label.${name}`] ?? name;

  /** One or two words for a film in a list. */
  function filmWord({ status, record }) {
    if (status !== 'done') return say(`film.${status}`);
    return messages[`film.${record.verdict}`] ?? label(record.verdict);
  }

  /** @param {Problem} problem  without a sentence here, the engine's own in English stands */
  const problem = ({ code, message }) =>
    messages[`problem.${code}`] ? say(`problem.${code}`, { what: message }) : message;
  const gate = ({ reason, message }) => messages[`gate.${reason}`] ?? message;
  const part = (url) => say(/\.gguf$/.test(url) ? 'part.weights' : /\.wasm$/.test(url) ? 'part.engine' : 'part.page');

  /** The sentence under the verdict. */
  function because(film, model) {
    if (film.status === 'error') return problem(film.problem);
    if (film.status === 'cancelled') return say('reading.cancelled');
    if (film.status !== 'done') return say('reading.later');
    const { verdict, gate: answer } = film.record;
    if (verdict === 'refused') return gate(answer);
    if (film.record.prevalence && verdict !== 'uncertain')
      return say('prevalence.likeliest', { label: label(verdict) });
    if (verdict === 'uncertain')
      return model.certain > 0 ? say('reading.uncertain', { certain: percent(model.certain) }) : say('reading.close');
    return messages[`likeness.${verdict}`] ?? say('likeness.other', { label: verdict });
  }

  /** @param {import('../../src/engine.mjs').Mixture} shares */
  const mixture = (shares) =>
    list.format(Object.entries(shares).map(([name, share]) => `${label(name)} ${value(brief(share))}`));

  /** @param {{ [label: string]: number }} films */
  const counts = (films) => list.format(Object.entries(films).map(([name, n]) => `${label(name)} ${value(n)}`));

  return {
    language,
    tag,
    rightToLeft,
    say,
    percent,
    precise,
    whole,
    tenths,
    hundredths,
    label,
    filmWord,
    problem,
    gate,
    because,
    /** @param {number} time  in milliseconds since 1970 */
    date: (time) => dates.format(time),

    /** What the file is called where it is shown. */
    name: (film) => (film.phantom ? say('film.phantom') : film.name),

    /** The verdict with its probability. */
    outcome(film) {
      const share = film.status === 'done' && film.record.probability[film.record.verdict];
      return share ? say('work.share', { verdict: filmWord(film), share: percent(share) }) : filmWord(film);
    },

    /** What a screen reader hears when a film is finished. */
    announce(film, model) {
      return say('work.announce', {
        name: this.name(film),
        verdict: this.outcome(film),
        because: because(film, model),
      });
    },

    mixture,
    /** What probabilities stand for: nothing is said of a model that does not tell. @param {import('../../src/engine.mjs').Mixture | null} prevalence */
    standsFor: (prevalence, { prior }) =>
      prior ? say(prevalence ? 'prevalence.given' : 'prevalence.own', { mixture: mixture(prevalence ?? prior) }) : '',

    /** What is said of every result of weights that a person has adapted; nothing of others. */
    adapted: ({ adapted, sha256 }) =>
      adapted ? say('adapt.inforce', { hash: sha256.slice(0, 12), films: counts(adapted.films) }) : '',
    counts,

    /** The gate's word and its reason: is this a film that the model may judge? @returns {[string, string]} */
    gateWords({ gate: { accepted, score } }) {
      if (!accepted) return [say('reading.refused'), say('reading.refused.why')];
      const more = Number.isFinite(score)
        ? ` ${say('reading.accepted.score', { count: Math.round(score * 100) })}`
        : '';
      return [say('reading.accepted'), say('reading.accepted.why') + more];
    },

    /** What is kept on this device for use without a network. @param {import('../storage/offline.mjs').Kept} kept */
    kept({ complete, lost, mended }) {
      const parts = (urls) => list.format(new Set(urls.map(part)));
      if (!complete) return say('kept.lost', { parts: parts(lost) });
      return mended.length > 0 ? say('kept.mended', { parts: parts(mended) }) : say('kept.ready');
    },

    /** The translations are of the shipped model's notice. */
    notice: (model) => (model.name === 'pleura' && messages.notice) || model.notice,
    summary: (model) => (model.name === 'pleura' && messages.summary) || model.summary,

    /** A figure with its interval. @param {import('../site/card.mjs').Figure} figure  @param {(x: number) => string} show */
    interval: ({ value: middle, low, high }, show) =>
      say('worth.share', { value: show(middle), low: show(low), high: show(high) }),
  };
}
