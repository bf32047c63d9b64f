// i18n.test.mjs: every language has the same messages, and the page speaks in each of them
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createWords, firstLanguage, LANGUAGES } from '../../web/i18n/words.mjs';

const source = (name) => readFileSync(new URL(`../../src/${name}`, import.meta.url), 'utf8');
const dicom = () =>
  [
    ...new Set(
      ['dicom/reader.mjs', 'dicom/dataset.mjs'].flatMap((name) => source(name).match(/'dicom-[\w-]+'(?=[,:)])/g)),
    ),
  ].map((code) => `problem.${code.slice(1, -1)}`);
const messages = Object.fromEntries(
  await Promise.all(
    Object.keys(LANGUAGES).map(async (language) => [
      language,
      (await import(`../../web/i18n/${language}.mjs`)).default,
    ]),
  ),
);
const translations = Object.entries(messages).filter(([language]) => language !== 'en');

/** Of what the engine says in English itself, the keys of the translations; a model's failures cannot be met with the shipped one. */
const ofEngine = () => {
  const codes = [...source('status.h').matchAll(/X\(PLEURA_\w+, \d+, "([\w-]+)"/g)]
    .map(([, code]) => code)
    .filter((code) => code !== 'ok');
  const reasons = [...source('pleura.h').matchAll(/X\(PLEURA_\w+, \d+, "([\w-]+)"/g)].map(([, code]) => code);
  return [
    ...codes.map((code) => `problem.${code}`),
    ...dicom(),
    ...reasons.map((code) => `gate.${code}`),
    'notice',
    'summary',
  ];
};
const placeholders = (text) => [...new Set(text.match(/\{\w+\}/g))].sort();

for (const [language, translated] of translations) {
  test(`${language} has exactly the messages of English and of the engine, each with the same placeholders`, () => {
    assert.deepEqual(Object.keys(translated).sort(), [...Object.keys(messages.en), ...ofEngine()].sort());
    for (const [key, text] of Object.entries(messages.en))
      assert.deepEqual(placeholders(translated[key]), placeholders(text), key);
  });

  test(`${language} repeats no sentence of English and leaves nothing blank`, () => {
    for (const [key, text] of Object.entries(translated)) {
      assert.match(text, /\S/, key);
      if ((messages.en[key] ?? '').split(' ').length > 4) assert.notEqual(text, messages.en[key], key);
    }
  });
}

test('every message is used, and every message that is asked for exists', () => {
  const code =
    [
      'app',
      'view/page',
      'view/result',
      'view/table',
      'view/dialogs',
      'view/print',
      'i18n/words',
      'state/shortcuts',
      'engine/queue',
      'view/adapt',
    ]
      .map((name) => readFileSync(new URL(`../../web/${name}.mjs`, import.meta.url), 'utf8'))
      .join('\n') + readFileSync(new URL('../../web/index.html', import.meta.url), 'utf8');
  const composed = /^(label|likeness|film|stage|fact\.decoder|history|tools\.window|adapt|requests|problem|part)\./;
  for (const key of Object.keys(messages.en))
    assert.ok(composed.test(key) || code.includes(`'${key}'`) || code.includes(`"${key}"`), key);
  for (const [, key] of code.matchAll(/say(?:\(|: |=|-label=)['"]([\w.-]+\.[\w.-]+)['"]/g))
    assert.ok(key in messages.en, key);
});

test('the language is the first that the page speaks, and the address overrules it', () => {
  assert.equal(firstLanguage(['de-DE', 'fr-CA', 'es'], ''), 'fr');
  assert.equal(firstLanguage(['fr'], '#lang=ar'), 'ar');
  assert.equal(firstLanguage(['fr'], '#lang=constructor'), 'fr');
  assert.equal(firstLanguage(['de'], ''), 'en');
});

test('numbers, shares and dates follow the region', () => {
  const swiss = createWords('fr', messages.fr, ['de', 'fr-CH']);
  assert.equal(swiss.tag, 'fr-CH');
  assert.match(createWords('es', messages.es, ['es-ES']).precise(0.538), /^53,8\s%$/);
  assert.match(createWords('ar', messages.ar, ['ar-EG']).percent(0.5), /٥٠/);
  assert.notEqual(createWords('hi', messages.hi).date(0), createWords('en', messages.en).date(0));
});

test('a name or a number cannot reorder a sentence that runs from right to left', () => {
  const words = createWords('ar', messages.ar);
  assert.ok(words.say('stage.plain', { name: 'a.png' }).includes('\u2068a.png\u2069'));
});

test('a label, reason or failure that no language knows stays as the model or the engine says it', () => {
  const words = createWords('es', messages.es);
  assert.equal(words.label('tuberculosis'), 'tuberculosis');
  assert.equal(words.problem({ code: 'novel', message: 'A sentence.' }), 'A sentence.');
  assert.equal(words.gate({ reason: 'novel', message: 'A reason.' }), 'A reason.');
  assert.equal(words.notice({ name: 'foreign', notice: 'Its own.' }), 'Its own.');
});
