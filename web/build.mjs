// build.mjs: writes build/site/, static files whose names carry the hash of their content
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = `${root}build/site/`;
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Writes `bytes` under a name that changes with them, so that an old page never meets new weights. */
async function put(stem, extension, bytes) {
  const sha256 = digest(bytes);
  const file = `${stem}-${sha256.slice(0, 10)}.${extension}`;
  await writeFile(site + file, bytes);
  return { file, bytes: bytes.length, sha256 };
}

async function bundle(source, constants = {}) {
  const { outputFiles } = await build({
    entryPoints: [`${root}web/${source}`],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    define: Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)])),
    logLevel: 'warning',
  });
  return outputFiles[0].contents;
}

for (const [file, command] of [['build/pleura.wasm', 'make wasm'], ['model/pleura.gguf', 'make model']]) {
  if (existsSync(root + file)) continue;
  console.error(`web/build.mjs: ${file} is missing; run \`${command}\` first`);
  process.exit(1);
}
await rm(site, { recursive: true, force: true });
await mkdir(site, { recursive: true });

const wasm = await put('pleura', 'wasm', await readFile(`${root}build/pleura.wasm`));
const weights = await put('pleura', 'gguf', await readFile(`${root}model/pleura.gguf`));
const worker = await put('worker', 'js', await bundle('worker.mjs'));
const app = await put('app', 'js', await bundle('app.mjs', { SITE: { worker: worker.file, wasm, weights } }));
const style = await put('app', 'css', await bundle('app.css'));
const icon = await put('pleura', 'svg', await readFile(`${root}web/icons/pleura.svg`));

let page = await readFile(`${root}web/index.html`, 'utf8');
for (const [name, { file }] of [['./app.mjs', app], ['./app.css', style], ['./icons/pleura.svg', icon]]) page = page.replaceAll(`"${name}"`, `"./${file}"`);
await writeFile(`${site}index.html`, page);
console.log(`build/site: ${wasm.file}, ${weights.file} (${(weights.bytes / 1e6).toFixed(2)} MB) and the page`);
