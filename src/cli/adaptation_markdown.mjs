// adaptation_markdown.mjs - what `adapt` prints: the metrics before and after, and whether to keep the adapter.
import { ROUNDS } from '../stats/bootstrap.mjs';
import { interval, percent, threeDigits } from './format.mjs';
import { countList, grid, plain } from './markdown.mjs';

/** @type {Record<string, { title: string, format: (x: number) => string }>} */
const METRICS = {
  balancedAccuracy: { title: 'balanced accuracy %', format: percent },
  accuracy: { title: 'accuracy %', format: percent },
  auc: { title: 'AUC', format: threeDigits },
  calibrationError: { title: 'calibration error (ECE, 15 bins)', format: threeDigits },
  logLoss: { title: 'log loss', format: threeDigits },
};

const ADVICE = {
  better:
    'Better on films like these: balanced accuracy rises, and the interval of its difference lies above 0. Keep the adapter for such films.',
  calibrated:
    'Its probabilities fit films like these better, but its accuracy is not shown to rise. Keep the adapter if you use the probabilities.',
  same: 'No better: the intervals of the two differences that count, in balanced accuracy and in log loss, include 0. Discard the adapter.',
  worse: 'Worse than before. Discard the adapter.',
};

/**
 * @typedef {Pick<import('../adapt/adapt.mjs').Adapted, 'films' | 'patients' | 'comparisons' | 'advice'>} Adapted
 * @param {Adapted & { model: string, overlay: string, leftOut: { [reason: string]: number } }} result of `adapt`
 * @returns {string}
 */
export function adaptationMarkdown({ model, overlay: adapter, leftOut, films, patients, comparisons, advice }) {
  const { otherLabel, refused, repeated, contradictory, errors } = leftOut;
  return [
    '# Adaptation to your own films',
    `Model ${plain(model)}; adapter ${adapter.slice(0, 12)}. Films: ${countList(films)}, of ${patients} patients (a film of an unknown patient counts as one).`,
    `Left out: refused by the gate ${refused}, same file again ${repeated}, same file with two labels ${contradictory}, label unknown to the model ${otherLabel}, errors ${errors}.`,
    'Before: the unchanged model, with its prior adjusted to these films if it records one.' +
      ' After: its last layer, temperature and prior fitted to these films; 5-fold cross-validation over patients, so no film is scored by a model fitted on its own patient.' +
      ` In brackets: 95 % intervals from ${ROUNDS.toLocaleString('en')} rounds of a paired bootstrap over patients.`,
    grid(
      ['', 'before', 'after', 'difference'],
      comparisons.map(({ name, label, before, after, difference }) => {
        const { title, format } = METRICS[name];
        return [label ? `${title} ${label}` : title, ...[before, after, difference].map((x) => interval(x, format))];
      }),
    ),
    `**${ADVICE[advice]}**`,
    'All of this holds for your own films and the labels you gave them: on films from other places or devices the model may do worse than before.',
  ].join('\n\n');
}
