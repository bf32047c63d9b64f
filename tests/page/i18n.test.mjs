// i18n.test.mjs: every language has the same messages, and the page speaks in each of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { CODES as dicomCodes } from '../../src/dicom/errors.mjs';
import { readGguf, textsOf } from '../../src/weights/gguf.mjs';
import { createI18n, initialLanguage, LANGUAGES } from '../../web/i18n/words.mjs';
import { messageKeys } from '../../web/site/html.mjs';
import { SHORTCUTS } from '../../web/state/shortcuts.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (name) => readFileSync(root + name);

const messages = Object.fromEntries(
  await Promise.all(
    Object.keys(LANGUAGES).map(async (language) => [
      language,
      (await import(`../../web/i18n/${language}.mjs`)).default,
    ]),
  ),
);
const translations = Object.entries(messages).filter(([language]) => language !== 'en');

/** The codes of the engine's failures and of its gate, as the engine itself lists them. */
async function engineCodes() {
  const env = { emscripten_notify_memory_growth() {} };
  const { exports } = (await WebAssembly.instantiate(read('build/pleura.wasm'), { env })).instance;
  const c = /** @type {any} */ (exports);
  c._initialize();
  const text = (at) => {
    const bytes = new Uint8Array(c.memory.buffer, at);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  };
  const numbers = Array.from({ length: 256 }, (_, number) => number);
  const statuses = numbers.map((number) => text(c.status_code(number)));
  const reasons = numbers.map((number) => text(c.gate_code(number)));
  return {
    statuses: [...new Set(statuses)].filter((code) => code !== 'ok' && code !== 'unknown'),
    reasons: [...new Set(reasons)].filter(Boolean),
  };
}

/** The messages that English takes from the engine, and the translations have themselves. */
async function keysOfEngine() {
  const { statuses, reasons } = await engineCodes();
  const codes = [...statuses, ...dicomCodes];
  return [...codes.map((code) => `problem.${code}`), ...reasons.map((code) => `gate.${code}`), 'notice', 'summary'];
}

/** For each call of a function in web/, the strings that its first argument can be, according to the type checker. A
 *  template such as `film.${status}` stands for every string that it can become. */
function createArguments() {
  const { config } = ts.readConfigFile(`${root}web/tsconfig.json`, ts.sys.readFile);
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, `${root}web`);
  const program = ts.createProgram(fileNames, options);
  const checker = program.getTypeChecker();
  const sources = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(`${root}web/`));

  return (name) => {
    const found = [];
    const visit = (node) => {
      if (ts.isCallExpression(node) && node.arguments.length > 0) {
        const callee = ts.isPropertyAccessExpression(node.expression) ? node.expression.name : node.expression;
        const type = callee.getText() === name ? checker.getTypeAtLocation(node.arguments[0]) : null;
        const types = type?.isUnion() ? type.types : type ? [type] : [];
        found.push(types.flatMap((one) => (one.isStringLiteral() ? [one.value] : [])));
      }
      ts.forEachChild(node, visit);
    };
    sources.forEach(visit);
    return found;
  };
}

const placeholders = (text) => [...new Set(text.match(/\{\w+\}/g))].sort();

for (const [language, translated] of translations) {
  test(`${language} has exactly the messages of English and of the engine, each with the same placeholders`, async () => {
    const expected = [...Object.keys(messages.en), ...(await keysOfEngine())];
    assert.deepEqual(Object.keys(translated).sort(), expected.sort());
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

test('the engine lists its codes', async () => {
  const { statuses, reasons } = await engineCodes();
  assert.ok(statuses.includes('not-an-image') && statuses.includes('out-of-memory'), statuses.join());
  assert.ok(reasons.length > 4, reasons.join());
});

// The types check the opposite, that every message asked for exists: `t` accepts only the keys of en.mjs.
test('every message is used', () => {
  const argumentsOf = createArguments();
  const all = Object.keys(messages.en);
  // A call that could take any key proves nothing.
  const asked = argumentsOf('t').filter((keys) => keys.length < all.length);
  assert.ok(asked.length > 50);
  const labels = ['model/pleura.gguf', 'tests/fixtures/findings.gguf'].flatMap((name) =>
    textsOf(readGguf(read(name)).values.get('pleura.labels')),
  );
  const used = new Set([
    ...asked.flat(),
    ...messageKeys(read('web/index.html').toString()),
    ...SHORTCUTS.map(({ label }) => label),
    ...labels.flatMap((label) => [`label.${label}`, `likeness.${label}`]),
    ...argumentsOf('pageError')
      .flat()
      .map((code) => `problem.${code}`),
    ...['unexpected', 'overlay-foreign', 'no-features'].map((code) => `problem.${code}`), // thrown by modules of src/
  ]);
  assert.deepEqual(
    all.filter((key) => !used.has(key)),
    [],
  );
});

test("the language is the browser's first that the page speaks, unless the address names one", () => {
  assert.equal(initialLanguage(['de-DE', 'fr-CA', 'es'], ''), 'fr');
  assert.equal(initialLanguage(['fr'], '#lang=ar'), 'ar');
  assert.equal(initialLanguage(['fr'], '#lang=constructor'), 'fr');
  assert.equal(initialLanguage(['de'], ''), 'en');
});

test('numbers, shares and dates follow the region', () => {
  const swiss = createI18n('fr', messages.fr, ['de', 'fr-CH']);
  assert.equal(swiss.tag, 'fr-CH');
  assert.match(createI18n('es', messages.es, ['es-ES']).precisePercent(0.538), /^53,8\s%$/);
  assert.match(createI18n('ar', messages.ar, ['ar-EG']).percent(0.5), /٥٠/);
  assert.notEqual(createI18n('hi', messages.hi).date(0), createI18n('en', messages.en).date(0));
});

test('dates and ages of DICOM tags follow the region, names stay as they are', () => {
  const value = (tag, value, kind) => createI18n('en', messages.en, [tag]).tagValue({ name: '', value, kind });
  assert.equal(value('en-GB', '1951-03-12', 'date'), '12 Mar 1951');
  assert.equal(value('en-US', '1951-03-12', 'date'), 'Mar 12, 1951');
  assert.equal(value('en-GB', '6M', 'age'), '6 months');
  assert.equal(value('en-GB', 'Doe, Jane', 'text'), 'Doe, Jane');
});

test('a name or a number cannot reorder a sentence that runs from right to left', () => {
  const i18n = createI18n('ar', messages.ar);
  assert.ok(i18n.t('stage.plain', { name: 'a.png' }).includes('\u2068a.png\u2069'));
});

test('a label, reason or failure without a translation stays in the words of the model or the engine', () => {
  const i18n = createI18n('es', messages.es);
  assert.equal(i18n.label('tuberculosis'), 'tuberculosis');
  assert.equal(i18n.errorText({ code: 'novel', message: 'A sentence.' }), 'A sentence.');
  assert.equal(i18n.gateText({ reason: 'novel', message: 'A reason.' }), 'A reason.');
  assert.equal(i18n.notice(/** @type {any} */ ({ name: 'foreign', notice: 'Its own.' })), 'Its own.');
});
