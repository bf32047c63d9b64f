// overlay_png.mjs - writes the heatmap files of --heatmap: each film in grey, with its evidence in colour on top.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { heatPixels } from '../result/heatmap.mjs';
import { CommandError } from './errors.mjs';
import { overlayName } from './names.mjs';
import { occlusionMap } from '../result/occlusion.mjs';
import { encodePng } from './png.mjs';

const MAX_SIDE = 1024;
const OPACITY = 0.5; // the page's default

/**
 * @param {{ data: Uint8Array, width: number, height: number }} film grey @param {any} grid
 * @returns {Uint8Array} RGB
 */
function blend({ data, width, height }, grid) {
  const heat = heatPixels(grid, width, height);
  const rgb = new Uint8Array(3 * data.length);
  for (let i = 0; i < data.length; i++) {
    const share = (OPACITY * heat[4 * i + 3]) / 255;
    for (let channel = 0; channel < 3; channel++)
      rgb[3 * i + channel] = Math.round(data[i] + share * (heat[4 * i + channel] - data[i]));
  }
  return rgb;
}

/**
 * Writes the heatmap of the film that the engine diagnosed last. A refused film gets none: its heatmap means nothing.
 * @param {any} engine @param {import('../engine.mjs').Diagnosis} diagnosis
 * @param {{ folder: string, file: string, hash: string, occlusion: boolean }} where hash: SHA-256 of the film;
 *   occlusion: draw it by covering parts of the film, and say so in the file's name
 */
export async function writeHeatmap(engine, { verdict, heatmap, topLabel }, { folder, file, hash, occlusion }) {
  if (verdict === 'refused') return;
  const film = engine.film(MAX_SIDE);
  const grid = occlusion ? occlusionMap(engine, topLabel) : heatmap;
  const path = join(folder, overlayName(file, hash, occlusion ? '-occlusion' : ''));
  await writeFile(path, encodePng(blend(film, grid), film.width, film.height)).catch((error) => {
    throw new CommandError(`${path} cannot be written (${error.code}). Earlier films are not affected.`);
  });
}
