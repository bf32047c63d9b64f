// measures.mjs: a ruler, and the cardiothoracic ratio: the greatest width of the heart over that of the chest, both
// level (Danzer 1919). Lines are laid by hand; where the ratio's lines begin is only a guess from the lung outline.

/** @typedef {{x: number, y: number}} Point  shares of the film, 0..1
 *  @typedef {[Point, Point]} Line
 *  @typedef {'ruler' | 'heart' | 'chest'} LineName
 *  @typedef {Record<LineName, Line | null> & {adjusted: boolean}} Measures  adjusted: somebody moved an end of the
 *     ratio's lines; until then they measure nothing
 *  @typedef {import('../../src/result/heatmap.mjs').Grid} Grid */

/** @type {Measures} */
export const NO_MEASURES = { ruler: null, heart: null, chest: null, adjusted: false };
/** @type {LineName[]} */
export const LINES = ['ruler', 'heart', 'chest'];

/** @type {Line} */
const FIRST_RULER = [
  { x: 0.35, y: 0.5 },
  { x: 0.65, y: 0.5 },
];
/** Where no lungs were found. */
const USUAL_CHEST = { left: 0.12, right: 0.88, y: 0.72 };
/** The borders of a usual heart, as shares of the chest from the left of the film. */
const USUAL_HEART = [0.33, 0.83];
const ABOVE = 0.06; // of the chest's line, as a share of the film: the heart's line

/** @param {number} value */
const clamp = (value) => Math.min(1, Math.max(0, value));

/** The widest row of the lungs, in shares of the film. @param {Grid} lungs */
function widestRow({ data, width, height }) {
  let best = USUAL_CHEST;
  let most = 0;
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    const left = row.findIndex((value) => value > 0.5);
    const right = row.findLastIndex((value) => value > 0.5) + 1;
    if (left < 0 || right - left <= most) continue;
    most = right - left;
    best = { left: left / width, right: right / width, y: (y + 0.5) / height };
  }
  return best;
}

/** Where the ratio's lines begin: the chest at the widest row of the lungs, the heart in its usual place.
 *  @param {Grid} lungs  @returns {{heart: Line, chest: Line}} */
export function firstRatio(lungs) {
  const { left, right, y } = widestRow(lungs);
  /** @param {number[]} ends  @param {number} y  @returns {Line} */
  const level = ([a, b], y) => [
    { x: a, y },
    { x: b, y },
  ];
  const heart = USUAL_HEART.map((share) => left + share * (right - left));
  return { heart: level(heart, Math.max(0, y - ABOVE)), chest: level([left, right], y) };
}

/** Moves one end of a line. The ratio's lines stay level.
 *  @param {Measures} measures  @param {LineName} name  @param {number} end  0 or 1  @param {Point} point
 *  @returns {Measures} */
export function moveEnd(measures, name, end, point) {
  const line = measures[name];
  if (!line) return measures;
  const { x, y } = { x: clamp(point.x), y: clamp(point.y) };
  const moved = line.map((at, i) => (i === end ? { x, y } : name === 'ruler' ? at : { x: at.x, y }));
  return { ...measures, [name]: moved, adjusted: measures.adjusted || name !== 'ruler' };
}

/** All lines as the `d` of an SVG path, in a square of one by one. @param {Measures} measures */
export const linePath = (measures) =>
  LINES.flatMap((name) => measures[name]?.map(({ x, y }, end) => `${end ? 'L' : 'M'}${x} ${y}`) ?? []).join('');

/** The length of a line in pixels. @param {Line} line  @param {{width: number, height: number}} size  of the film */
export const lengthOf = ([a, b], { width, height }) => Math.hypot((a.x - b.x) * width, (a.y - b.y) * height);

/** The cardiothoracic ratio; null until somebody has laid the lines. @param {Measures} measures */
export function ratioOf({ heart, chest, adjusted }) {
  if (!heart || !chest || !adjusted) return null;
  const [inner, outer] = [heart, chest].map(([a, b]) => Math.abs(a.x - b.x));
  return outer > 0 ? inner / outer : null;
}

/** The actions that need a film on view. @param {import('./state.mjs').App} app
 *  @param {(film: import('./state.mjs').Film) => string} describe  its measures in words */
export function measureActions({ state, set }, describe) {
  /** @param {Partial<Measures>} changes */
  function change(changes) {
    const film = state.selected;
    if (film) set({ moreTools: true, selected: Object.assign(film, { measures: { ...film.measures, ...changes } }) });
  }
  const measures = () => state.selected?.measures ?? NO_MEASURES;
  return {
    ruler: () => change({ ruler: measures().ruler ? null : FIRST_RULER }),
    'heart-ratio'() {
      const picture = state.selected?.picture;
      if (!picture) return;
      const lines = measures().heart ? { heart: null, chest: null } : firstRatio(picture.lungs);
      change({ ...lines, adjusted: false });
    },
    /** @param {{line: LineName, end: number, point: Point}} to */
    'move-end': ({ line, end, point }) => change(moveEnd(measures(), line, end, point)),
    /** One pixel of the film, or ten. @param {{line: LineName, end: number, x: number, y: number, far: boolean}} by */
    'step-end'({ line, end, x, y, far }) {
      const film = state.selected;
      const at = film?.measures[line]?.[end];
      if (!film?.record || !at) return;
      const step = far ? 10 : 1;
      const point = { x: at.x + (x * step) / film.record.width, y: at.y + (y * step) / film.record.height };
      change(moveEnd(film.measures, line, end, point));
      set({ announcement: describe(film) });
    },
  };
}
