// Puts a few openly licensed films and the synthetic phantom into build/samples; model/samples/samples.json names each film's
// home, licence, author and SHA-256.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/engine.mjs';
import { loadParts } from '../../src/node/assets.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = `${root}build/samples/`;
const data = process.env.PLEURA_DATA ?? `${root}../shared/data`;
const PATIENCE_MS = 15_000;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {string} path @param {string[]} hashes that are right @returns {Promise<Buffer | null>} */
async function readRight(path, hashes) {
  const bytes = await readFile(path).catch(() => null); // Not there: another place may have it.
  return bytes && hashes.includes(sha256(bytes)) ? bytes : null;
}

let reachable = true;

/** @returns {Promise<Uint8Array | null>} the film from its public home */
async function download({ name, url, sha256: expected }) {
  if (!reachable) return null;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!response.ok) throw new Error(`answer ${response.status}`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (sha256(bytes) === expected) return bytes;
    console.error(`samples: ${name} has changed at its home (its SHA-256 differs); it is not used.`);
  } catch (error) {
    // Without a network one attempt is enough; a single missing film says nothing about the others.
    reachable = /^answer/.test(error.message);
    console.error(`samples: ${name} cannot be fetched (${error.cause?.code ?? error.message}).`);
  }
  return null;
}

/** An 8-bit grey BMP. @param {{ data: Uint8Array, width: number, height: number }} film */
function bmp({ data: grey, width, height }) {
  const stride = (width + 3) & ~3;
  const start = 54 + 1024;
  const bytes = Buffer.alloc(start + stride * height);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(start, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(-height, 22); // Negative: rows from the top.
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(8, 28);
  for (let v = 0; v < 256; v++) bytes.writeUInt32LE(v * 0x010101, 54 + 4 * v);
  for (let y = 0; y < height; y++) bytes.set(grey.subarray(y * width, (y + 1) * width), start + y * stride);
  return bytes;
}

await mkdir(folder, { recursive: true });
const films = JSON.parse(await readFile(new URL('./samples.json', import.meta.url), 'utf8'));
const got = [];
for (const film of films) {
  const target = folder + film.name;
  const hashes = [film.sha256, film.localSha256];
  const bytes =
    (await readRight(target, hashes)) ?? (await download(film)) ?? (await readRight(`${data}/${film.local}`, hashes));
  if (!bytes) continue;
  await writeFile(target, bytes);
  got.push(
    `${film.name}: ${film.license}, ${film.attribution}${sha256(bytes) === film.sha256 ? '' : ' (made smaller)'}`,
  );
}
const { wasm, weights } = await loadParts();
const engine = await createEngine({ wasm, weights });
engine.phantom();
await writeFile(`${folder}synthetic-phantom.bmp`, bmp(engine.film(Infinity)));
got.push('synthetic-phantom.bmp: drawn by Pleura, no human being');
await writeFile(`${folder}SOURCES.txt`, `${got.join('\n')}\n`);
console.log(`build/samples: ${got.length} films; SOURCES.txt there names their authors and licences.`);
if (got.length === 1) {
  console.error(
    'samples: no real film can be had: neither from the network nor from a local copy of the data. ' +
      'Set PLEURA_DATA to a folder that holds images/cohen, or try again with a network.',
  );
}
