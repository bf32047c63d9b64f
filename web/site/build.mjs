// build.mjs: writes build/site/, static files whose names carry the hash of their content; [--weights FILE] [--out FOLDER]
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { marked } from 'marked';
import { readCard } from './card.mjs';
import { LANGUAGES } from '../i18n/words.mjs';
import english from '../i18n/en.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: given } = parseArgs({
  options: {
    weights: { type: 'string', default: `${root}model/pleura.gguf` },
    out: { type: 'string', default: `${root}build/site` },
  },
});
const site = `${given.out}/`;
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
const integrity = (sha256) => `sha256-${Buffer.from(sha256, 'hex').toString('base64')}`;

/** What is written, by the name that the sources use for it. */
const written = {};

/** Writes `bytes` under a name that changes with them, so that an old page never meets new weights. */
async function put(source, bytes, extension = extname(source)) {
  const sha256 = digest(bytes);
  const file = `${basename(source, extname(source))}-${sha256.slice(0, 10)}${extension}`;
  await writeFile(site + file, bytes);
  return (written[source] = { file, bytes: bytes.length, sha256 });
}

const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** A text of web/ in English, in which the files written so far go by their new names. */
async function read(source) {
  const text = (await readFile(`${root}web/${source}`, 'utf8'))
    .replace(/data-say="([^"]+)"[^>]*>/g, (whole, key) => whole + escaped(english[key]))
    .replace(/data-say-label="([^"]+)"/g, (whole, key) => `${whole} aria-label="${escaped(english[key])}"`);
  return text
    .replace(/"\.\/([^"]+)"/g, (whole, name) => (written[name] ? `"./${written[name].file}"` : whole))
    .replace(/integrity="\{([^}]+)\}"/g, (_, name) => `integrity="${integrity(written[name].sha256)}"`);
}

/** @param {string} source @param {Record<string, unknown>} constants @param {import('esbuild').Format} format */
async function bundle(source, constants = {}, format = 'esm') {
  const { outputFiles } = await build({
    entryPoints: [root + source],
    bundle: true,
    minify: true,
    charset: 'utf8', // languages other than English are half as large
    write: false,
    format,
    target: 'es2022',
    external: ['fs', 'path'], // of codecs that run in Node as well; never asked for in a browser
    define: Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)])),
    logLevel: 'warning',
  });
  return outputFiles[0].contents;
}

for (const [file, command] of [
  [`${root}build/pleura.wasm`, 'make wasm'],
  [given.weights, 'make model'],
]) {
  if (existsSync(file)) continue;
  console.error(`web/site/build.mjs: ${relative(process.cwd(), file)} is missing; run \`${command}\` first`);
  process.exit(1);
}
await rm(site, { recursive: true, force: true });
await mkdir(site, { recursive: true });

const wasm = await put('pleura.wasm', await readFile(`${root}build/pleura.wasm`));
const weights = await put('pleura.gguf', await readFile(given.weights));
const worker = await put('worker.mjs', await bundle('web/engine/worker.mjs'), '.js');
const dicom = { module: (await put('dicom.mjs', await bundle('src/dicom/reader.mjs'), '.js')).file };
for (const codec of ['charls', 'openjpeg'])
  dicom[codec] = await put(
    `${codec}.wasm`,
    await readFile(fileURLToPath(import.meta.resolve(`@cornerstonejs/codec-${codec}/decodewasm`))),
  );
const markdown = await readFile(`${root}model/card.md`, 'utf8');
const words = {};
for (const language of Object.keys(LANGUAGES)) {
  if (language !== 'en')
    words[language] = (await put(`words-${language}.mjs`, await bundle(`web/i18n/${language}.mjs`), '.js')).file;
}
await put(
  'app.mjs',
  await bundle('web/app.mjs', { SITE: { worker: worker.file, wasm, weights, words, dicom, card: readCard(markdown) } }),
  '.js',
);
await put('app.css', await bundle('web/app.css'));
for (const icon of await readdir(`${root}web/icons`))
  await put(`icons/${icon}`, await readFile(`${root}web/icons/${icon}`));
await put('manifest.webmanifest', await read('manifest.webmanifest'));
const card = marked
  .parse(markdown, { async: false })
  .replace(/<a href="(?!https?:|#)[^"]*">(.*?)<\/a>/g, '$1') // a file of the repository that the site does not hold
  .replaceAll('<table>', '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>')
  .replaceAll('</table>', '</table></div>');
await put(
  'card.html',
  (await read('card.html')).replace('{card}', () => card),
);

const page = await read('index.html');
const version = digest(JSON.stringify([page, written])).slice(0, 12);
const index = page.replace('{version}', version);
await writeFile(`${site}index.html`, index);

const files = [
  { url: './', revision: version, integrity: integrity(digest(index)) },
  ...Object.values(written).map(({ file, sha256 }) => ({
    url: `./${file}`,
    revision: null,
    integrity: integrity(sha256),
  })),
];
await writeFile(
  `${site}sw.js`,
  await bundle('web/storage/sw.mjs', { FILES: files, VERSION: version, 'process.env.NODE_ENV': 'production' }, 'iife'),
);
console.log(
  `the page: version ${version}, ${files.length + 1} files, ${wasm.file}, ${weights.file} (${(weights.bytes / 1e6).toFixed(2)} MB)`,
);
