// plots.test.mjs: the plots of an evaluation in Chromium are readable on light and dark screens, with every word
// inside the picture.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { plots } from '../stats/scored.mjs';
import { launch } from './site.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Relative luminance and contrast of WCAG 2.2. */
function contrast(a, b) {
  const light = (colour) => {
    const [r, g, b] = colour
      .match(/[\d.]+/g)
      .map(Number)
      .map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`plots are readable on a ${colorScheme} screen, even with long labels`, async () => {
    const context = await browser.newContext({ colorScheme });
    const page = await context.newPage();
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    for (const [name, svg] of Object.entries(plots(['covid', 'bacterial or viral pneumonia of any kind', 'normal']))) {
      await page.goto(`data:image/svg+xml,${encodeURIComponent(svg)}`);
      const seen = await page.evaluate(() => {
        const colour = (element, of) => getComputedStyle(element)[of];
        const paper = document.querySelector('.paper'),
          whole = paper.getBoundingClientRect();
        const texts = [...document.querySelectorAll('text')].map((text) => ({
          said: text.textContent,
          box: text.getBoundingClientRect(),
          colour: colour(text, 'fill'),
        }));
        const lines = [...document.querySelectorAll('.line, .rest, .frame')].map((line) => colour(line, 'stroke'));
        const outside = texts.filter(
          ({ box }) =>
            box.left < whole.left || box.top < whole.top || box.right > whole.right || box.bottom > whole.bottom,
        );
        const over = texts.filter(({ box: a }, i) =>
          texts.some(
            ({ box: b }, j) =>
              j > i && a.left < b.right && b.left < a.right && a.top < b.bottom - 2 && b.top < a.bottom - 2,
          ),
        );
        return {
          paper: colour(paper, 'fill'),
          texts: texts.map((text) => text.colour),
          lines,
          outside: outside.map(({ said }) => said),
          over: over.map(({ said }) => said),
        };
      });
      assert.deepEqual(seen.outside, [], `${name}: outside the picture`);
      assert.deepEqual(seen.over, [], `${name}: under another word`);
      for (const ink of seen.texts) assert.ok(contrast(ink, seen.paper) >= 7, `${name}: text ${ink} on ${seen.paper}`);
      for (const ink of seen.lines) assert.ok(contrast(ink, seen.paper) >= 3, `${name}: line ${ink} on ${seen.paper}`);
      const dark = contrast(seen.paper, 'rgb(0, 0, 0)') < 2;
      assert.equal(dark, colorScheme === 'dark', name);
    }
    assert.ok(
      asked.every((url) => url.startsWith('data:')),
      'nothing is fetched',
    );
    await context.close();
  });
}
