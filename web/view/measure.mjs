// measure.mjs: the ruler and the lines of the cardiothoracic ratio over the film, with ends to drag, and what they say.
import { element, keyed } from './dom.mjs';
import { lengthOf, linePath, LINES, ratioOf } from '../state/measures.mjs';

/** @typedef {import('../state/state.mjs').Film} Film
 *  @typedef {import('../i18n/words.mjs').I18n} I18n */

/** @param {Film} film  @param {I18n} i18n */
function rulerText({ measures, record, picture }, { t, tenths, integer }) {
  if (!measures.ruler || !record) return '';
  const pixels = lengthOf(measures.ruler, record);
  const spacing = picture?.spacing;
  if (!spacing) return t('measure.pixels', { length: integer(pixels) });
  const length = tenths(pixels * spacing.millimetres);
  return t(spacing.calibrated ? 'measure.length' : 'measure.detector', { length });
}

/** @param {Film} film  @param {I18n} i18n */
function ratioText({ measures }, { t, hundredths }) {
  if (!measures.heart) return '';
  const ratio = ratioOf(measures);
  return ratio === null ? t('measure.place') : t('measure.ratio', { ratio: hundredths(ratio) });
}

/** What the lines over a film measure; empty without lines. @param {Film} film  @param {I18n} i18n */
export const measureText = (film, i18n) => [rulerText(film, i18n), ratioText(film, i18n)].filter(Boolean).join('\n');

/** @param {HTMLElement} layer  over the film, of its size: the lines, then the ends
 *  @returns {(film: Film, i18n: I18n) => void} */
export function createMeasures(layer) {
  const [lines, ends] = layer.children;
  return function draw(film, i18n) {
    for (const line of lines.children) line.setAttribute('d', linePath(film.measures));
    const all = LINES.flatMap((name) => (film.measures[name] ?? []).map((point, end) => ({ name, end, point })));
    keyed(
      ends,
      all,
      ({ name, end }) => `${name}-${end}`,
      () => element('button', { type: 'button', className: 'end' }),
      (button, { name, end, point }) => {
        Object.assign(button.dataset, { line: name, end });
        button.setAttribute('aria-label', i18n.t('measure.end', { line: i18n.t(`measure.${name}`), end: end + 1 }));
        button.style.left = `${100 * point.x}%`;
        button.style.top = `${100 * point.y}%`;
      },
    );
  };
}
