// heatmap.mjs: what the page and the command draw over a film: the heatmap as coloured pixels, the lungs as an outline.
//
// Both start from a coarse grid of values that is stretched over the whole film. The heatmap interpolates values rather
// than colours, so that the scale stays true between the cells; the outline follows the grid's contour at one level by
// marching squares.

/** @typedef {{data: Float32Array, width: number, height: number}} Grid  values 0..1, stretched over the whole film */

/** Violet to yellow with rising lightness, so that the order survives without colour: the upper part of matplotlib's
 *  "plasma" (CC0). */
const RAMP = [
  [84, 2, 163],
  [139, 10, 165],
  [185, 50, 137],
  [219, 92, 104],
  [244, 136, 73],
  [254, 188, 43],
  [240, 249, 33],
];
const STEPS = 256;

/** @param {number} value  @param {number} low  @param {number} high */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Red, green, blue and opacity of a value 0..1: weak evidence leaves the film visible. @param {number} value */
function colourOf(value) {
  const position = value * (RAMP.length - 1);
  const low = Math.min(RAMP.length - 2, Math.floor(position));
  const rgb = [0, 1, 2].map((c) => RAMP[low][c] + (position - low) * (RAMP[low + 1][c] - RAMP[low][c]));
  return [...rgb, 255 * clamp((value - 0.1) / 0.5, 0, 1)];
}

/** RGBA for each of STEPS values from 0 to 1. */
const COLOURS = Uint8Array.from(Array.from({ length: STEPS }, (_, i) => colourOf(i / (STEPS - 1))).flat());

/** For each of `size` pixels the two grid cells around it, and the weight of the second. The centre of cell i lies at
 *  (i + 0.5) / cells of the film. @param {number} size  @param {number} cells */
function interpolation(size, cells) {
  return Array.from({ length: size }, (_, i) => {
    const position = clamp(((i + 0.5) * cells) / size - 0.5, 0, cells - 1);
    const low = Math.floor(position);
    return { low, high: Math.min(cells - 1, low + 1), weight: position - low };
  });
}

/** The heatmap in colour, at the resolution of the film.
 *  @param {Grid} grid  @param {number} width  @param {number} height
 *  @returns {Uint8ClampedArray<ArrayBuffer>} RGBA, width x height */
export function heatPixels(grid, width, height) {
  const out = new Uint8ClampedArray(width * height * 4);
  const columns = interpolation(width, grid.width);
  const rows = interpolation(height, grid.height);
  const line = new Float32Array(grid.width); // the grid's values at the height of one row of pixels
  for (let y = 0, offset = 0; y < height; y++) {
    const row = rows[y];
    for (let i = 0; i < line.length; i++) {
      const upper = grid.data[row.low * grid.width + i];
      const lower = grid.data[row.high * grid.width + i];
      line[i] = upper + row.weight * (lower - upper);
    }
    for (let x = 0; x < width; x++, offset += 4) {
      const { low, high, weight } = columns[x];
      const value = line[low] + weight * (line[high] - line[low]);
      const colour = Math.round(clamp(value, 0, 1) * (STEPS - 1)) * 4;
      for (let c = 0; c < 4; c++) out[offset + c] = COLOURS[colour + c];
    }
  }
  return out;
}

/** Marching squares. The index of a case has one bit per corner of a cell that lies inside: 1 upper left, 2 upper right,
 *  4 lower right, 8 lower left. The case lists the edges that its line segments join (0 top, 1 right, 2 bottom, 3 left),
 *  in pairs, always with the inside on the same hand. */
const CASES = [
  [],
  [3, 0],
  [0, 1],
  [3, 1],
  [1, 2],
  [3, 0, 1, 2],
  [0, 2],
  [3, 2],
  [2, 3],
  [2, 0],
  [0, 1, 2, 3],
  [2, 1],
  [1, 3],
  [1, 0],
  [0, 3],
  [],
];
/** Each edge as the step from the cell to the edge's upper or left end, and whether it is horizontal.
 *  @type {[dx: number, dy: number, horizontal: boolean][]} */
const EDGES = [
  [0, 0, true],
  [1, 0, false],
  [0, 1, true],
  [0, 0, false],
];

/** Where the grid crosses `level`, as SVG path data in a viewBox of `0 0 width height`. Outside the grid all is 0, so every
 *  line closes at the film's border. @param {Grid} grid  @param {number} [level] */
export function outlinePath({ data, width, height }, level = 0.5) {
  /** @param {number} x  @param {number} y */
  const valueAt = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : data[y * width + x]);

  /** The number of a cell's edge, the same from both cells that share it. @param {number} x  @param {number} y  @param {number} edge */
  function numberOf(x, y, edge) {
    const [dx, dy, horizontal] = EDGES[edge];
    return ((y + dy + 1) * (width + 2) + x + dx + 1) * 2 + Number(horizontal);
  }

  /** The point of an edge at which the level is crossed, interpolated between its two ends. @param {number} number */
  function crossing(number) {
    const horizontal = number % 2 === 1;
    const end = Math.floor(number / 2);
    const x = (end % (width + 2)) - 1;
    const y = Math.floor(end / (width + 2)) - 1;
    const first = valueAt(x, y);
    const second = horizontal ? valueAt(x + 1, y) : valueAt(x, y + 1);
    const share = (level - first) / (second - first);
    return `${(x + 0.5 + (horizontal ? share : 0)).toFixed(2)} ${(y + 0.5 + (horizontal ? 0 : share)).toFixed(2)}`;
  }

  /** @type {Map<number, number>} from edge to edge: a line enters and leaves each edge that it crosses once */
  const next = new Map();
  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const corners = [valueAt(x, y), valueAt(x + 1, y), valueAt(x + 1, y + 1), valueAt(x, y + 1)];
      const joined = CASES[corners.reduce((sum, corner, bit) => sum | (corner > level ? 1 << bit : 0), 0)];
      for (let i = 0; i < joined.length; i += 2) next.set(numberOf(x, y, joined[i]), numberOf(x, y, joined[i + 1]));
    }
  }

  let path = '';
  for (const start of next.keys()) {
    const points = [];
    for (let edge = start, to; (to = next.get(edge)) !== undefined; edge = to) {
      points.push(crossing(edge));
      next.delete(edge);
    }
    if (points.length > 0) path += `M${points.join('L')}Z`;
  }
  return path;
}
