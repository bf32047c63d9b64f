// findings.test.mjs: what the page says of opacity, of other findings and of films that are turned or inverted.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/engine.mjs';
import { toRecord } from '../../src/result/record.mjs';
import english from '../../web/i18n/en.mjs';
import { applySteps, remedy } from '../../web/state/edits.mjs';
import { createI18n, LANGUAGES } from '../../web/i18n/words.mjs';
import { extentText, heatmapFits, legend } from '../../web/view/result.mjs';

const read = (name) => readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)));
const engine = await createEngine({ wasm: read('build/pleura.wasm'), weights: read('tests/fixtures/findings.gguf') });
const i18n = createI18n('en', english, ['en-GB']);
const phantom = engine.phantom();
/** The phantom as the page's film, as if its networks had answered otherwise. */
const filmWith = (changes) => /** @type {any} */ ({ status: 'done', record: { ...phantom, ...changes } });
const other = filmWith(engine.reclassify({ ...phantom, logits: [0, 0, 0, 9] }));

test('a likely other finding has words of its own in list, heading and history, in every language', async () => {
  assert.equal(other.record.verdict, 'uncertain');
  assert.equal(i18n.filmWord(other), 'Uncertain (other finding)');
  assert.match(i18n.because(other, engine.model), /^A finding that is none of the three is likely/);
  assert.match(i18n.because(filmWith({ verdict: 'uncertain', doubt: { reason: 'undecided' } }), engine.model), /25%/);
  const kept = /** @type {any} */ (toRecord('film.png', other.record, 'model'));
  assert.equal(i18n.filmWord({ status: 'done', record: kept }), 'Uncertain (other finding)');
  assert.equal(i18n.label('other'), 'Another finding');
  for (const language of /** @type {(keyof typeof LANGUAGES)[]} */ (Object.keys(LANGUAGES))) {
    const words = createI18n(language, (await import(`../../web/i18n/${language}.mjs`)).default);
    assert.notEqual(words.filmWord(other), words.t('film.uncertain'), language);
    assert.notEqual(words.label('other'), 'other', language);
  }
});

test('an opacity map is shown whatever the label, a class map only beside its own label, none never', () => {
  const kinds = (changes) => {
    const film = filmWith(changes);
    return [heatmapFits(film.record), legend(film, i18n, '')];
  };
  const moved = { topLabel: 'covid', probability: { covid: 0.1, normal: 0.9 } };
  assert.deepEqual(kinds({ ...moved, heatmapKind: 'opacity' }), [true, english['reading.legend.opacity']]);
  const [shown, hidden] = ['reading.legend', 'reading.legend.hidden'].map((key) =>
    i18n.t(/** @type {any} */ (key), { label: 'COVID-19' }),
  );
  assert.deepEqual(kinds({ ...moved, heatmapKind: 'class' }), [false, hidden]);
  assert.deepEqual(kinds({ topLabel: 'covid', probability: { covid: 0.9 }, heatmapKind: 'class' }), [true, shown]);
  assert.deepEqual(kinds({ heatmapKind: 'none' }), [false, '']);
  assert.equal(kinds({ verdict: 'refused', heatmapKind: 'opacity' })[0], false);
});

test('the extent names the share of both lungs, and whose right is meant', () => {
  const text = extentText(filmWith({ extent: { right: 0.124, left: 0.396 } }).record, i18n);
  assert.match(text, /^Opacity: right lung 12%, left lung 40%\. Right is the patient’s right/);
  assert.equal(extentText(filmWith({ extent: null }).record, i18n), '');
});

test('a film that is refused as turned or inverted is mended by the steps that the page offers', async () => {
  const shipped = await createEngine({ wasm: read('build/pleura.wasm'), weights: read('model/pleura.gguf') });
  shipped.phantom();
  const film = shipped.greys(512);
  const table = Uint16Array.from({ length: 65536 }, (_, grey) => grey);
  const diagnose = (steps) => {
    const { data: pixels, width, height } = applySteps(film, steps);
    return shipped.diagnose({ pixels, width, height, channels: 1, table });
  };
  const right = /** @type {const} */ ({ name: 'right' });
  for (const [reason, steps] of /** @type {const} */ ([
    ['inverted', [{ name: 'negative' }]],
    ['turned', [right, right]],
  ])) {
    const refused = diagnose(steps);
    assert.equal(refused.gate.reason, reason);
    assert.equal(diagnose([...steps, ...remedy(refused)]).gate.reason, null);
  }
  const gate = { accepted: false, score: 0, reason: 'turned', message: '' };
  assert.deepEqual(remedy({ gate, quarterTurns: 3 }), [right, right, right]);
  assert.deepEqual(remedy({ gate: { ...gate, reason: 'no-lungs' }, quarterTurns: 0 }), []);
});
