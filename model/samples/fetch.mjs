// Puts a few openly licensed films and the synthetic phantom into build/samples.
//
// samples.json lists the address, licence, author and SHA-256 of each film. A film that cannot be downloaded is copied
// from the local data, where it may be smaller.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/engine.mjs';
import { loadParts } from '../../src/node/assets.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = `${root}build/samples/`;
const data = process.env.PLEURA_DATA ?? `${root}../shared/data`;
const PATIENCE_MS = 15_000;

const sha256 = (/** @type {Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest('hex');

/** A local file if it has one of these hashes, else null.
 * @param {string} path @param {string[]} hashes @returns {Promise<Buffer | null>} */
async function readVerified(path, hashes) {
  const bytes = await readFile(path).catch(() => null); // A missing file is no error: there are other places to look.
  return bytes && hashes.includes(sha256(bytes)) ? bytes : null;
}

let reachable = true;

/** The film from its public address. @param {{ name: string, url: string, sha256: string }} film @returns {Promise<Uint8Array | null>} */
async function download({ name, url, sha256: expected }) {
  if (!reachable) return null;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (sha256(bytes) === expected) return bytes;
    console.error(`samples: ${name} has changed at its source (its SHA-256 differs) and is not used.`);
  } catch (error) {
    // Without a network one attempt is enough. A reachable server that lacks one film may have the others.
    reachable = /^status/.test(error.message);
    console.error(`samples: ${name} cannot be downloaded (${error.cause?.code ?? error.message}).`);
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
  bytes.writeInt32LE(-height, 22); // A negative height stores the top row first.
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(8, 28);
  for (let v = 0; v < 256; v++) bytes.writeUInt32LE(v * 0x010101, 54 + 4 * v);
  for (let y = 0; y < height; y++) bytes.set(grey.subarray(y * width, (y + 1) * width), start + y * stride);
  return bytes;
}

await mkdir(folder, { recursive: true });
const films = JSON.parse(await readFile(new URL('./samples.json', import.meta.url), 'utf8'));
const sources = [];
for (const film of films) {
  const target = folder + film.name;
  const hashes = [film.sha256, film.localSha256];
  const bytes =
    (await readVerified(target, hashes)) ??
    (await download(film)) ??
    (await readVerified(`${data}/${film.local}`, hashes));
  if (!bytes) continue;
  await writeFile(target, bytes);
  sources.push(
    `${film.name}: ${film.license}, ${film.attribution}${sha256(bytes) === film.sha256 ? '' : ' (reduced in size)'}`,
  );
}
const { wasm, weights } = await loadParts();
const engine = await createEngine({ wasm, weights });
engine.phantom();
await writeFile(`${folder}synthetic-phantom.bmp`, bmp(engine.film(Infinity)));
sources.push('synthetic-phantom.bmp: drawn by Pleura, not a real person');
await writeFile(`${folder}SOURCES.txt`, `${sources.join('\n')}\n`);
console.log(`build/samples: ${sources.length} films. SOURCES.txt lists their authors and licences.`);
if (sources.length === 1) {
  console.error(
    'samples: no real film is available, neither from the network nor from a local copy of the data. ' +
      'Set PLEURA_DATA to a folder that contains images/cohen, or try again with a network connection.',
  );
}
