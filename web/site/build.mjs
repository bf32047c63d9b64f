// build.mjs: writes the static site to build/site/; options: [--weights FILE] [--out FOLDER]
//
// Every file but index.html and sw.js carries the hash of its content in its name, so an old page can never meet new
// weights. A file is written before those that name it: engine and weights, worker, script and style, then the page,
// and last the service worker, which lists them all.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { marked } from 'marked';
import { readCard } from './card.mjs';
import { readExamples } from './examples.mjs';
import { escapeHtml, fillMessages } from './html.mjs';
import { readGguf, textOf } from '../../src/weights/gguf.mjs';
import { createI18n, LANGUAGES } from '../i18n/words.mjs';
import english from '../i18n/en.mjs';

/** @typedef {import('./constants.d.ts').Part} Part */

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    weights: { type: 'string', default: `${root}model/pleura.gguf` },
    out: { type: 'string', default: `${root}build/site` },
    samples: { type: 'string', default: `${root}model/samples/samples.json` },
    films: { type: 'string', default: `${root}build/samples` }, // those of \`make samples\`, if they are there
  },
});
const site = `${options.out}/`;

const digest = (/** @type {string | Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest('hex');
const integrity = (/** @type {string} */ sha256) => `sha256-${Buffer.from(sha256, 'hex').toString('base64')}`;

/** What a browser shows before it installs the page. `make picture` draws them. */
const PICTURES = ['page.jpg', 'narrow.jpg'];

/** The files written so far, by the name that the sources use. @type {Record<string, Part>} */
const written = {};

/** Writes a file under a name that changes with its content.
 *  @param {string} source  @param {string | Uint8Array} bytes  @param {string} [extension]  @returns {Promise<Part>} */
async function write(source, bytes, extension = extname(source)) {
  const sha256 = digest(bytes);
  const file = `${basename(source, extname(source))}-${sha256.slice(0, 10)}${extension}`;
  await writeFile(site + file, bytes);
  return (written[source] = { file, bytes: bytes.length, sha256 });
}

/** A text of web/ in English, with the new names of the files written so far. @param {string} source */
async function readText(source) {
  const html = fillMessages(await readFile(`${root}web/${source}`, 'utf8'), english);
  return html
    .replace(/"\.\/([^"]+)"/g, (quoted, name) => (written[name] ? `"./${written[name].file}"` : quoted))
    .replace(/integrity="\{([^}]+)\}"/g, (_, name) => `integrity="${integrity(written[name].sha256)}"`);
}

/** @param {string} source  @param {Record<string, unknown>} [constants]  @param {import('esbuild').Format} [format] */
async function bundle(source, constants = {}, format = 'esm') {
  const { outputFiles } = await build({
    entryPoints: [root + source],
    bundle: true,
    minify: true,
    charset: 'utf8', // escapes would double the size of languages other than English
    write: false,
    format,
    target: 'es2022',
    external: ['fs', 'path'], // imported by codecs that also run in Node, but never in a browser
    define: Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)])),
    logLevel: 'warning',
  });
  return outputFiles[0].contents;
}

/** @param {string} codec */
async function writeCodec(codec) {
  const path = fileURLToPath(import.meta.resolve(`@cornerstonejs/codec-${codec}/decodewasm`));
  return write(`${codec}.wasm`, await readFile(path));
}

/** The messages of each language but English, which is part of the page. */
async function writeLanguages() {
  /** @type {Record<string, string>} */
  const files = {};
  for (const language of Object.keys(LANGUAGES).filter((language) => language !== 'en'))
    files[language] = (await write(`words-${language}.mjs`, await bundle(`web/i18n/${language}.mjs`), '.js')).file;
  return files;
}

/** @param {string} markdown */
async function writeCard(markdown) {
  const html = marked
    .parse(markdown, { async: false })
    .replace(/<a href="(?!https?:|#)[^"]*">(.*?)<\/a>/g, '$1') // links to files that only the repository has
    .replaceAll('<table>', '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>')
    .replaceAll('</table>', '</table></div>')
    .replaceAll('<pre>', '<pre tabindex="0" role="group" aria-label="Commands">');
  const frame = await readText('card.html');
  await write(
    'card.html',
    frame.replace('{card}', () => html),
  );
}

/** Films that the page offers to somebody without any. */
async function writeExamples() {
  const examples = await readExamples(options.samples, options.films);
  return Promise.all(
    examples.map(async ({ bytes, credit }) => {
      const { file, sha256 } = await write(`examples/${credit.name}`, bytes);
      return { file, integrity: integrity(sha256), ...credit };
    }),
  );
}

for (const [file, command] of [
  [`${root}build/pleura.wasm`, 'make wasm'],
  [options.weights, 'make model'],
]) {
  if (existsSync(file)) continue;
  console.error(`web/site/build.mjs: ${relative(process.cwd(), file)} is missing; run \`${command}\` first`);
  process.exit(1);
}
await rm(site, { recursive: true, force: true });
await mkdir(site, { recursive: true });

const markdown = await readFile(`${root}model/card.md`, 'utf8');
const wasm = await write('pleura.wasm', await readFile(`${root}build/pleura.wasm`));
const weightBytes = await readFile(options.weights);
const weights = await write('pleura.gguf', weightBytes);
const worker = await write('worker.mjs', await bundle('web/engine/worker.mjs'), '.js');
const dicom = {
  module: (await write('dicom.mjs', await bundle('src/dicom/reader.mjs'), '.js')).file,
  charls: await writeCodec('charls'),
  openjpeg: await writeCodec('openjpeg'),
};
/** @type {import('./constants.d.ts').Site} */
const SITE = {
  worker: worker.file,
  wasm,
  weights,
  words: await writeLanguages(),
  dicom,
  card: readCard(markdown),
  examples: await writeExamples(),
};
await write('app.mjs', await bundle('web/app.mjs', { SITE }), '.js');
await write('app.css', await bundle('web/app.css'));
for (const icon of await readdir(`${root}web/icons`))
  await write(`icons/${icon}`, await readFile(`${root}web/icons/${icon}`));
for (const picture of PICTURES) await write(picture, await readFile(`${root}web/${picture}`));
await write('manifest.webmanifest', await readText('manifest.webmanifest'));
await writeCard(markdown);

/** What the footer says of the model: with it the page is painted whole before the model has arrived. */
function modelLine() {
  const { values } = readGguf(new Uint8Array(weightBytes));
  const text = (/** @type {string} */ key) => textOf(values.get(key)) ?? '';
  const { t, summary } = createI18n('en', english);
  const [name, version, license] = ['name', 'version', 'license'].map((key) => text(`general.${key}`));
  const model = `${name}-${version} ${weights.sha256.slice(0, 12)}`;
  return `${t('model.line', { model, license })} ${summary({ name, summary: text('pleura.card.summary') })}`.trim();
}

const page = (await readText('index.html')).replace('{model}', () => escapeHtml(modelLine()));
const version = digest(JSON.stringify([page, written])).slice(0, 12);
const index = page.replace('{version}', version);
await writeFile(`${site}index.html`, index);

/** Fetched only when somebody asks for them, and not stored for use offline. @param {string} source */
const isOnRequest = (source) => source.startsWith('examples/') || PICTURES.includes(source);
const stored = Object.entries(written).filter(([source]) => !isOnRequest(source));
const files = [
  { url: './', revision: version, integrity: integrity(digest(index)) },
  ...stored.map(([, { file, sha256 }]) => ({ url: `./${file}`, revision: null, integrity: integrity(sha256) })),
];
const constants = { FILES: files, VERSION: version, 'process.env.NODE_ENV': 'production' };
await writeFile(`${site}sw.js`, await bundle('web/storage/sw.mjs', constants, 'iife'));

const size = `${(weights.bytes / 1e6).toFixed(2)} MB`;
console.log(`the page: version ${version}, ${files.length + 1} files, ${wasm.file}, ${weights.file} (${size})`);
