// occlusion.mjs - a heatmap for networks that allow no class activation map: how much less likely the answer becomes
// when a part of the film is covered (Zeiler and Fergus, 2014). It runs the network once for each place.

/** Places per side. The cover is two places wide, so that neighbours overlap. */
const PLACES = 14;
const COVER = 2;
/** The film is diagnosed at this size; networks see far less. */
const MAX_SIDE = 512;
/** The table of samples that are greys already. */
export const IDENTITY = Uint16Array.from({ length: 65536 }, (_, grey) => grey);

/**
 * Afterwards the engine holds the film at MAX_SIDE, with a part covered.
 * @param {import('../engine.mjs').Engine} engine @param {string} label  to explain
 * @returns {{ data: Float32Array, width: number, height: number }} 0..1; all 0 where no cover makes the label less likely
 */
export function occlusionMap(engine, label) {
  const { data, width, height } = engine.greys(MAX_SIDE);
  const grey = data.reduce((sum, value) => sum + value, 0) / data.length;
  const share = (/** @type {Uint16Array} */ pixels) =>
    engine.diagnose({ pixels, width, height, channels: 1, table: IDENTITY }).probability[label];
  const whole = share(data);
  const edge = (/** @type {number} */ place, /** @type {number} */ size) => Math.round((place * size) / PLACES);

  const sums = new Float32Array(PLACES * PLACES);
  const counts = new Float32Array(PLACES * PLACES);
  for (let y = 0; y + COVER <= PLACES; y++)
    for (let x = 0; x + COVER <= PLACES; x++) {
      const pixels = Uint16Array.from(data);
      for (let row = edge(y, height); row < edge(y + COVER, height); row++)
        pixels.fill(grey, row * width + edge(x, width), row * width + edge(x + COVER, width));
      const loss = whole - share(pixels);
      for (let v = y; v < y + COVER; v++)
        for (let u = x; u < x + COVER; u++) {
          sums[v * PLACES + u] += loss;
          counts[v * PLACES + u]++;
        }
    }
  const means = sums.map((sum, i) => Math.max(0, sum / counts[i]));
  const largest = Math.max(...means);
  return { data: largest > 0 ? means.map((mean) => mean / largest) : means, width: PLACES, height: PLACES };
}
