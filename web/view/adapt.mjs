// adapt.mjs: draws the dialog that adapts the model to a person's own films: progress, and what the result is worth.
import { MIN_FILMS, MIN_PATIENTS } from '../../src/adapt/crossval.mjs';
import { element, keyed, setText } from './dom.mjs';

/** @typedef {import('../state/state.mjs').State} State
 *  @typedef {import('../state/state.mjs').LeftOut} LeftOut
 *  @typedef {import('../i18n/words.mjs').I18n} I18n
 *  @typedef {import('../../src/adapt/adapt.mjs').Adaptation} Adaptation
 *  @typedef {import('../../src/adapt/crossval.mjs').Comparison} Comparison */

/** How many films do not count, by reason. @param {LeftOut | null} leftOut  @param {I18n} i18n */
function leftOutText(leftOut, { t, list }) {
  if (!leftOut) return '';
  const { refused, repeated, contradictory, otherLabel, errors, folders } = leftOut;
  const counts = t('adapt.left', { refused, repeated: repeated + contradictory, other: otherLabel, errors });
  return folders.length > 0 ? `${counts} ${t('adapt.others', { names: list(folders) })}` : counts;
}

/** Why there is no adapter: an error, or too few films; empty otherwise. @param {State} state */
function errorText({ adapting: { error, result, leftOut }, i18n }) {
  if (error) return i18n.errorText(error);
  const missing = result?.missing ?? [];
  if (missing.length === 0) return '';
  const need = i18n.t('adapt.need', {
    lacking: i18n.counts(Object.fromEntries(missing.map(({ label, films }) => [label, films]))),
    films: MIN_FILMS,
    patients: MIN_PATIENTS,
  });
  return `${i18n.t('adapt.few')} ${need} ${leftOutText(leftOut, i18n)}`;
}

/** @param {Comparison} comparison  @param {I18n} i18n */
function nameOf({ name, label }, i18n) {
  if (name === 'auc') return i18n.t('adapt.auc', { label: i18n.label(label ?? '') });
  return i18n.t(`adapt.${name}`);
}

const isShare = (/** @type {Comparison['name']} */ name) => name === 'accuracy' || name === 'balancedAccuracy';

/** Accuracies as percentages, everything else as numbers, with an interval where there is one.
 *  @param {Comparison['name']} name  @param {Comparison['before']} metric  @param {I18n} i18n */
function metricText(name, metric, i18n) {
  return withInterval(metric, isShare(name) ? i18n.precisePercent : i18n.hundredths, i18n);
}

/** Differences of percentages are points, with their sign.
 *  @param {Comparison['name']} name  @param {Comparison['before']} metric  @param {I18n} i18n */
function differenceText(name, metric, i18n) {
  const { signedTenths, signedHundredths } = i18n;
  return withInterval(metric, isShare(name) ? (share) => signedTenths(100 * share) : signedHundredths, i18n);
}

/** @param {Comparison['before']} metric  @param {(value: number) => string} show  @param {I18n} i18n */
function withInterval({ value, low, high }, show, i18n) {
  return low === null || high === null ? show(value) : i18n.interval({ value, low, high }, show);
}

/** @param {import('./dom.mjs').Elements} at */
export function createAdaptDialog(at) {
  /** @param {Adaptation} result  @param {State} state */
  function drawResult(result, { adapting, i18n }) {
    if (!result.adapter) return;
    const { advice, films, patients, comparisons } = result;
    setText(at['adapt-advice'], i18n.t(`adapt.${advice}`));
    const helps = advice === 'better' || advice === 'calibrated';
    at['adapt-keep'].className = helps ? 'main' : 'quiet';
    at['adapt-discard'].className = helps ? 'quiet' : 'main'; // the advice is the filled button
    const size = i18n.t('adapt.films', { films: i18n.counts(films), patients });
    setText(at['adapt-films'], `${size} ${leftOutText(adapting.leftOut, i18n)}`);
    keyed(
      at['adapt-figures'],
      comparisons,
      ({ name, label }) => `${name} ${label}`,
      () => element('tr', {}, element('th', { scope: 'row' }), element('td'), element('td'), element('td')),
      (row, comparison) => {
        const { name, before, after, difference } = comparison;
        setText(row.children[0], nameOf(comparison, i18n));
        for (const [i, metric] of [before, after].entries())
          setText(row.children[i + 1], metricText(name, metric, i18n));
        setText(row.children[3], differenceText(name, difference, i18n));
      },
    );
  }

  /** @param {State} state */
  function drawProgress({ adapting: { phase, share, done, total }, i18n }) {
    const fitting = phase === 'fitting';
    const reading = i18n.t('work.place', { place: Math.min(done + 1, total), total });
    at['adapt-work'].hidden = phase === 'idle';
    setText(at['adapt-text'], fitting ? i18n.t('adapt.fitting') : reading);
    at['adapt-bar'].value = fitting ? share : done / (total || 1);
  }

  return (/** @type {State} */ state) => {
    const { adapting, i18n, model, run, engine } = state;
    const { phase, result } = adapting;
    setText(at['adapt-state'], (model && i18n.inForceText(model)) || i18n.t('adapt.shipped'));
    const error = errorText(state);
    at['adapt-error'].hidden = !error;
    setText(at['adapt-error'], error);
    drawProgress(state);
    at['adapt-result'].hidden = !result?.adapter;
    if (result?.adapter) drawResult(result, state);
    for (const id of ['adapt-choose', 'adapt-import', 'adapt-back'])
      at[id].disabled = phase !== 'idle' || run.total > 0 || engine.phase !== 'ready';
    at['adapt-export'].hidden = at['adapt-back'].hidden = !state.adapter;
  };
}
