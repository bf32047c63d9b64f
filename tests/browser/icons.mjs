// icons.mjs: writes web/icons/*.png from pleura.svg, for home screens; node tests/browser/icons.mjs
import { readFile, writeFile } from 'node:fs/promises';
import { launch } from './site.mjs';

const folder = new URL('../../web/icons/', import.meta.url);
const svg = await readFile(new URL('pleura.svg', folder), 'utf8');
/* Home screens cut out their own shape: the background has no round corners, and the drawing fills 80 % of it. */
const whole = svg.replace(/ rx="\d+"/, '').replace('<g ', '<g transform="translate(5 5) scale(.84375)" ');

const browser = await launch();
/** @type {[string, number, string][]} */
const icons = [
  ['icon-192', 192, svg],
  ['icon-512', 512, svg],
  ['maskable-512', 512, whole],
  ['apple-180', 180, whole],
];
for (const [name, side, source] of icons) {
  const page = await browser.newPage({ viewport: { width: side, height: side } });
  await page.setContent(
    `<style>body { margin: 0; } svg { display: block; width: 100vw; height: 100vh; }</style>${source}`,
  );
  await writeFile(new URL(`${name}.png`, folder), await page.screenshot({ omitBackground: true }));
}
await browser.close();
