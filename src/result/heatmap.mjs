// heatmap.mjs: heatmap as pixels and lung mask as an outline; plain numbers, no document
/** @typedef {{data: Float32Array, width: number, height: number}} Grid  values 0..1 stretched over the whole film */

/* Violet to yellow with rising lightness (the upper part of matplotlib's "plasma", CC0), so that order survives without colour. */
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
const colours = Uint8Array.from({ length: STEPS * 4 }, (_, at) => {
  const value = (at >> 2) / (STEPS - 1),
    channel = at & 3;
  if (channel === 3) return 255 * Math.min(1, Math.max(0, (value - 0.1) / 0.5)); // weak evidence leaves the film visible
  const place = value * (RAMP.length - 1),
    low = Math.min(RAMP.length - 2, Math.floor(place));
  return RAMP[low][channel] + (place - low) * (RAMP[low + 1][channel] - RAMP[low][channel]);
});

/** The two grid cells around each of `size` pixels and the weight of the second; cell centres lie at (i + 0.5) / cells. */
function taps(size, cells) {
  return Array.from({ length: size }, (_, i) => {
    const place = Math.min(cells - 1, Math.max(0, ((i + 0.5) * cells) / size - 0.5));
    const low = Math.floor(place);
    return { low, high: Math.min(cells - 1, low + 1), weight: place - low };
  });
}

/** The heatmap in colour at the film's resolution; values, not colours, are interpolated.
 *  @param {Grid} grid  @returns {Uint8ClampedArray<ArrayBuffer>} RGBA, width x height */
export function heatPixels(grid, width, height) {
  const out = new Uint8ClampedArray(width * height * 4);
  const columns = taps(width, grid.width),
    rows = taps(height, grid.height);
  const line = new Float32Array(grid.width);
  for (let y = 0, at = 0; y < height; y++) {
    const row = rows[y];
    for (let i = 0; i < line.length; i++) {
      const upper = grid.data[row.low * grid.width + i],
        lower = grid.data[row.high * grid.width + i];
      line[i] = upper + row.weight * (lower - upper);
    }
    for (let x = 0; x < width; x++, at += 4) {
      const { low, high, weight } = columns[x];
      const value = line[low] + weight * (line[high] - line[low]);
      const colour = Math.round(Math.min(1, Math.max(0, value)) * (STEPS - 1)) * 4;
      for (let channel = 0; channel < 4; channel++) out[at + channel] = colours[colour + channel];
    }
  }
  return out;
}

/* Marching squares: corners 1 upper left, 2 upper right, 4 lower right, 8 lower left; edges 0 top, 1 right, 2 bottom, 3 left.
   Each case lists the edges that its line pieces join, always with the inside on the same hand. */
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
/** Each edge as the step from the cell to the edge's upper or left end, and whether it runs across.
 *  @type {[number, number, boolean][]} */
const EDGES = [
  [0, 0, true],
  [1, 0, false],
  [0, 1, true],
  [0, 0, false],
];

/** Where the grid crosses `level`, as SVG path data in a viewBox of `0 0 width height`; closed at the film's border.
 *  @param {Grid} grid */
export function outlinePath({ data, width, height }, level = 0.5) {
  const value = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : data[y * width + x]);
  const next = new Map(); // edge -> edge: a line enters and leaves each edge that it crosses once
  const edge = (x, y, [dx, dy, across]) => ((y + dy + 1) * (width + 2) + x + dx + 1) * 2 + Number(across);
  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const corners = [value(x, y), value(x + 1, y), value(x + 1, y + 1), value(x, y + 1)];
      const joined = CASES[corners.reduce((sum, corner, bit) => sum | (corner > level ? 1 << bit : 0), 0)];
      for (let i = 0; i < joined.length; i += 2)
        next.set(edge(x, y, EDGES[joined[i]]), edge(x, y, EDGES[joined[i + 1]]));
    }
  }

  function crossing(number) {
    const across = number & 1,
      x = ((number >> 1) % (width + 2)) - 1,
      y = Math.floor((number >> 1) / (width + 2)) - 1;
    const first = value(x, y),
      last = across ? value(x + 1, y) : value(x, y + 1);
    const share = (level - first) / (last - first);
    return `${(x + 0.5 + (across ? share : 0)).toFixed(2)} ${(y + 0.5 + (across ? 0 : share)).toFixed(2)}`;
  }

  let path = '';
  for (const start of next.keys()) {
    let command = 'M';
    for (let at = start; next.has(at); command = 'L') {
      path += command + crossing(at);
      const from = at;
      at = next.get(from);
      next.delete(from);
    }
    if (command === 'L') path += 'Z';
  }
  return path;
}
