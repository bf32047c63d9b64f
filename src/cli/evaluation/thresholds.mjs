// thresholds.mjs - parses --threshold: operating points of labels.
import { usage } from '../../node/errors.mjs';

/**
 * @param {string} text such as covid=0.3,covid=specificity:0.9,normal=sensitivity:0.95 @param {string[]} labels
 * @returns {{ label: string, rule: import('../../stats/operating.mjs').Rule }[]} throws CommandError
 */
export const parseThresholds = (text, labels) =>
  text.split(',').map((part) => {
    const [, label, rule = 'threshold', number] =
      /^(.+)=(?:(sensitivity|specificity):)?(0?\.\d+|0|1|1\.0*|0\.\d+)$/.exec(part.trim()) ?? [];
    if (!label || !labels.includes(label))
      throw usage(
        `--threshold needs LABEL=NUMBER, LABEL=sensitivity:NUMBER or LABEL=specificity:NUMBER, with numbers from 0 to 1 and the labels ${labels.join(', ')}; not '${part}'.`,
      );
    return { label, rule: { rule: /** @type {any} */ (rule), value: Number(number) } };
  });

/**
 * @param {string} option @param {string | undefined} text @param {number} fallback @param {number} min @param {number} max
 * @returns {number} throws CommandError
 */
export function wholeNumber(option, text, fallback, min, max) {
  if (text === undefined) return fallback;
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(number >= min && number <= max))
    throw usage(`--${option} needs an integer from ${min} to ${max}, not '${text}'.`);
  return number;
}
