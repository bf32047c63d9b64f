// What a viewer needs besides the film that the engine gets: the size of a pixel, and the values before their window.
import { greyTable } from './lut.mjs';
import { windowsOf } from './tables.mjs';
import { readDate } from './tags.mjs';
import { isSquare, pixelSpacingOf } from './upright.mjs';

/**
 * @typedef {import('./elements.mjs').Attributes} Attributes
 * @typedef {import('./lut.mjs').Greys} Greys
 * @typedef {{ low: number, high: number }} ValueRange  the values that a window shows black and white, or the reverse of
 *   an inverted film
 *
 * @typedef {object} Units  of the values that windows are given in: those after the modality step
 * @property {Uint16Array} table  [65536]: as the film's own, but showing the whole range of values instead of a window
 * @property {number} offset @property {number} slope  value = offset + slope * level, for the levels of `table`
 * @property {ValueRange} shown  by the film's own table at the levels 0 and 65535
 * @property {(ValueRange & { name: string })[]} windows  of the file, in its order; name: its explanation or ''
 *
 * @typedef {object} Spacing
 * @property {number} millimetres  from one pixel to the next, on the film as it is handed over
 * @property {boolean} calibrated  in the patient; otherwise at the detector, where everything is larger
 *
 * @typedef {{ date: string | null, view: string }} Exposure  date: YYYY-MM-DD; view: such as PA, or ''
 */

/** When and how a film was exposed. It names nobody. @param {Attributes} attributes @returns {Exposure} */
export const exposureOf = (attributes) => ({
  date: readDate(attributes.text('AcquisitionDate')) ?? readDate(attributes.text('StudyDate')),
  view: /^[A-Z]{1,4}$/.exec(attributes.code('ViewPosition'))?.[0] ?? '',
});

/**
 * The size of a pixel, or null where the file does not say it. Pixel Spacing that differs from Imager Pixel Spacing was
 * calibrated (PS3.3, 10.7.1.3).
 * @param {Attributes} attributes @returns {Spacing | null}
 */
export function spacingOf(attributes) {
  /** @param {(number | null)[]} distances @returns {[number, number] | null} */
  const valid = ([vertical, horizontal]) =>
    vertical && horizontal && vertical > 0 && horizontal > 0 ? [vertical, horizontal] : null;
  const detector =
    valid(attributes.decimals('ImagerPixelSpacing')) ?? valid(attributes.decimals('NominalScannedPixelSpacing'));
  const spacing = valid(pixelSpacingOf(attributes)) ?? detector;
  if (!spacing) return null;
  // Pixels that were not square are as wide and as high as their shorter side was.
  const [vertical, horizontal] = spacing;
  const millimetres = isSquare(vertical / horizontal) ? horizontal : Math.min(vertical, horizontal);
  return { millimetres, calibrated: spacing !== detector && detector?.[1] !== horizontal && detector !== null };
}

/**
 * The values of a grey film, or null where they cannot be told from its greys: they went through a curve.
 * @param {Attributes} attributes @param {Greys} greys @returns {Units | null}
 */
export function unitsOf(attributes, greys) {
  const { voi, inverted } = greys;
  const [low, high] = greys.range;
  if (voi.kind === 'lut' || voi.kind === 'sigmoid' || !(high > low)) return null;
  const turn = (/** @type {ValueRange} */ range) => (inverted ? { low: range.high, high: range.low } : range);
  const windows = windowsOf(attributes).map(({ centre, width, name }) => ({
    ...turn({ low: centre - width / 2, high: centre + width / 2 }),
    name,
  }));
  const all = turn({ low, high });
  const { centre = 0, width = 0 } = voi.kind === 'none' ? {} : voi;
  return {
    table: greyTable({ ...greys, voi: { kind: 'none' } }),
    offset: all.low,
    slope: (all.high - all.low) / 65535,
    shown: voi.kind === 'none' ? all : turn({ low: centre - width / 2, high: centre + width / 2 }),
    windows,
  };
}
