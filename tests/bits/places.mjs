// Every place where a film gets its bits: what two compilers make of the engine, versions of Node, browsers with the built site.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createDicomReader } from '../../src/dicom/reader.mjs';
import { createEngine } from '../../src/engine.mjs';
import { parseCsv } from '../../src/cli/csv.mjs';
import { quantise } from '../../src/weights/quantise.mjs';
import { loadCodec, sha256 } from '../../src/node/assets.mjs';
import { ENGINES } from '../browser/engines.mjs';
import { serve } from '../browser/site.mjs';
import { dicomFile } from '../dicom/file.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BATCH = 100;
const AT_A_TIME = 20; // in a browser, where a driver's patience with a script ends

/** @typedef {'quick' | 'slow' | 'slowest'} Pace  40, 6 or less than 2 films a second
 *  @typedef {(files: string[]) => Promise<string[]>} Answer  of the phantom and of each file: its bits, or why it has none
 *  @typedef {{name: string, weights: 'floats' | 'bytes', pace: Pace, open: (weights: string) => Promise<{version?: string, answer: Answer, close?: () => Promise<any>}>}} Place
 *  @typedef {{name: string, version?: string, weights: string, films: number, answered: number, phantom: string, digest: string, different: number, first: string | null}} Row
 *     answered: how many of the films have bits; digest: over the answers to all of them; first: the first difference from the first place with the same weights */

/** A program that prints "code verdict bits ..." a line. @param {string[]} command */
const program =
  ([command, ...options]) =>
  async (weights) => ({
    async answer(files) {
      const { stdout } = await promisify(execFile)(command, [...options, weights, ...files], { maxBuffer: 1 << 28 });
      return stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' '))
        .map(([code, , bits]) => (code === 'ok' ? bits : code));
    },
  });

/** C knows no DICOM: it gets the samples that dicom.mjs hands over, which lie beside the file. */
const native = (command) => async (weights) => {
  const { answer } = await program(command)(weights);
  return { answer: (files) => answer(files.map((file) => file.replace(/\.dcm$/, '.samples'))) };
};

/** In the page: answers from the worker of the site. @param {{worker: string, site: object, films: (string | null)[]}} task  null: the phantom */
async function askWorker({ worker, site, films }) {
  if (!globalThis.ask) {
    const trusted = globalThis.trustedTypes?.createPolicy('pleura', { createScriptURL: (file) => file }); // the site's policy binds this page, too
    const made = new Worker(trusted?.createScriptURL(worker) ?? worker, { type: 'module' });
    let last = 0;
    globalThis.ask = (type, message) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        made.addEventListener('message', function hear({ data }) {
          if (data.id !== id) return;
          made.removeEventListener('message', hear);
          resolve(data);
        });
        made.addEventListener('error', (event) => reject(new Error(event.message)), { once: true });
        made.postMessage({ id, type, ...message });
      });
    const { error } = await globalThis.ask('start', { site, parts: null, retry: false, adapter: null });
    if (error) throw new Error(error.message);
  }
  const answers = [];
  for (const film of films) {
    const file = film && new File([await (await fetch(film)).blob()], 'film');
    const { result, error } = await globalThis.ask('diagnose', { file, withPicture: false, prevalence: null });
    answers.push(error ? error.code : result.record.bits);
  }
  return answers;
}

/** What web/site/build.mjs tells the page about its files. @param {string} folder */
async function describeSite(folder) {
  const names = await readdir(folder);
  const named = (pattern) => names.find((name) => pattern.test(name));
  const part = async (pattern) => {
    const file = named(pattern),
      bytes = await readFile(join(folder, file));
    return { file, bytes: bytes.length, sha256: sha256(bytes) };
  };
  const [wasm, weights, charls, openjpeg] = await Promise.all(
    [/^pleura-.*wasm$/, /gguf$/, /^charls/, /^openjpeg/].map(part),
  );
  return {
    worker: `site/${named(/^worker/)}`,
    site: { wasm, weights, dicom: { module: named(/^dicom/), charls, openjpeg } },
  };
}

/** A page beside the built site gives films to the site's own worker, wasm and weights. @param {keyof typeof ENGINES} engine */
const browser = (engine) => async () => {
  const server = await serve(),
    folder = await mkdtemp(join(tmpdir(), 'pleura-films-'));
  Object.assign(server, { folder, headers: {} }); // the policy is for the site's own page
  const site = join(root, 'build/site');
  await Promise.all([
    symlink(site, join(folder, 'site')),
    writeFile(join(folder, 'index.html'), '<!doctype html><title>films</title>'),
    mkdir(join(folder, 'films')),
  ]);
  const parts = await describeSite(site),
    { page, version, close } = await ENGINES[engine](server);
  let count = 0;
  return {
    version,
    async answer(files) {
      const films = files.map(() => `films/${count++}`);
      await Promise.all(files.map((file, i) => symlink(file, join(folder, films[i]))));
      const asked = [null, ...films],
        answers = [];
      for (let at = 0; at < asked.length; at += AT_A_TIME)
        answers.push(...(await page.evaluate(askWorker, { ...parts, films: asked.slice(at, at + AT_A_TIME) })));
      return answers;
    },
    async close() {
      await close();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
};

/** @returns {Place[]} the first of each kind of weights is what the others are compared with */
export function places() {
  const nodes = readdirSync(join(root, 'build/nodes')).sort();
  const node = (version, ...options) =>
    program([join(root, 'build/nodes', version, 'bin/node'), join(root, 'tests/bits/bits.mjs'), ...options]);
  const compiled = (cc, level, ...options) => native([join(root, `build/bits/${cc}-O${level}`), ...options]);
  const each = [];
  const add = (name, open, pace = 'quick', weights = 'floats') => each.push({ name, open, pace, weights });
  for (const version of nodes) add(`Node ${version}`, node(version));
  for (const engine of Object.keys(ENGINES)) add(engine, browser(engine));
  for (const level of [3, 2, 1]) for (const cc of ['gcc', 'clang']) add(`${cc} -O${level}`, compiled(cc, level));
  for (const version of nodes) add(`Node ${version}, reference`, node(version, '--reference'), 'slow');
  for (const level of [3, 2, 1])
    for (const cc of ['gcc', 'clang']) add(`${cc} -O${level}, reference`, compiled(cc, level, '--reference'), 'slow');
  for (const cc of ['gcc', 'clang']) add(`${cc} -O0, reference`, compiled(cc, 0, '--reference'), 'slowest');
  for (const cc of ['gcc', 'clang']) add(`${cc} -O0`, compiled(cc, 0), 'slowest');
  for (const version of nodes) add(`Node ${version}`, node(version), 'quick', 'bytes');
  // Node 20 has the relaxed products and gets them wrong; the engine finds out and does not take them.
  for (const version of nodes.filter((one) => Number.parseInt(one) > 20))
    add(`Node ${version}, relaxed products`, node(version, '--relaxed'), 'quick', 'bytes');
  for (const cc of ['gcc', 'clang']) add(`${cc} -O3`, compiled(cc, 3), 'quick', 'bytes');
  for (const cc of ['gcc', 'clang']) add(`${cc} -O3, reference`, compiled(cc, 3, '--reference'), 'slow', 'bytes');
  return each;
}

/** Films of every format that the engine reads itself, of our own making, and the phantom as DICOM with the samples that are handed over;
 *  and the weights in bytes. @param {string} folder  where they are written  @returns {Promise<{formats: string[], weights: Record<string, string>}>} */
export async function prepare(folder) {
  const fixtures = join(root, 'tests/fixtures'),
    pictures = (await readdir(fixtures)).filter((name) => /\.(png|jpe?g)$/.test(name)).sort();
  const formats = [...pictures, 'convert/rings.png', 'convert/mixed.png'].map((name) => join(fixtures, name));
  const wasm = readFileSync(join(root, 'build/pleura.wasm')),
    floats = join(root, 'model/pleura.gguf'),
    bytes = join(folder, 'bytes.gguf');
  const engine = await createEngine({ wasm, weights: readFileSync(floats) });
  await writeFile(
    bytes,
    await quantise(wasm, readFileSync(floats), await Promise.all(formats.slice(-2).map((file) => readFile(file)))),
  );

  engine.phantom();
  const { data, width, height } = engine.greys(640);
  const film = dicomFile({
    width,
    height,
    bits: 12,
    pixels: data.map((grey) => 4095 - (grey >> 4)),
    tags: {
      '00280004': ['CS', 'MONOCHROME1'],
      '00281050': ['DS', '2000.5'],
      '00281051': ['DS', '1900.25'],
      '00281056': ['CS', 'SIGMOID'],
    },
  });
  const {
    film: { pixels, table, channels },
  } = await createDicomReader({ engine, loadCodec })(film);
  await writeFile(join(folder, 'phantom.dcm'), film);
  await writeFile(
    join(folder, 'phantom.samples'),
    Buffer.concat([
      Buffer.from('samples '),
      ...[Uint32Array.of(width, height, channels), table, pixels].map((part) => Buffer.from(part.buffer)),
    ]),
  );
  return { formats: [...formats, join(folder, 'phantom.dcm')], weights: { floats, bytes } };
}

/** Real films in an order that mixes all sources. @param {string} data  @param {number} count */
export function realFilms(data, count) {
  const rows = parseCsv(readFileSync(join(data, 'manifest.csv'), 'utf8')).sort((a, b) =>
    a.sha256 < b.sha256 ? -1 : 1,
  );
  return rows.slice(0, count).map(({ file }) => join(data, file));
}

/** The answers for the phantom and the films of one place. @param {Place} place  @param {string[]} films  @param {string} weights */
async function ask({ open }, films, weights) {
  const { version, answer, close } = await open(weights),
    answers = [];
  try {
    for (let at = 0; at < films.length; at += BATCH) {
      const [phantom, ...rest] = await answer(films.slice(at, at + BATCH));
      if (at === 0) answers.push(phantom);
      answers.push(...rest);
    }
  } finally {
    await close?.();
  }
  return { version, answers };
}

/** Asks every place, as many at once as there are processors, and compares each with the first that has the same weights.
 *  @param {Place[]} places  @param {string[]} films  @param {Record<Pace, number>} most  how many of them for a place of each pace
 *  @param {Record<string, string>} weights  files  @returns {AsyncGenerator<Row>} */
export async function* compare(places, films, most, weights) {
  const expected = {},
    ahead = [],
    abreast = availableParallelism();
  const askNext = () => {
    const place = places[ahead.length];
    if (place) ahead.push(ask(place, films.slice(0, most[place.pace]), weights[place.weights]));
    ahead.at(-1)?.catch(() => {}); // told where it is awaited, in its turn
  };
  for (let i = 0; i < abreast; i++) askNext();
  for (const [i, { name, weights: kind }] of places.entries()) {
    const { version, answers } = await ahead[i];
    askNext();
    const [first, truth] = (expected[kind] ??= [name, answers]);
    const other = answers.flatMap((one, at) => (one === truth[at] ? [] : [at])),
      film = (at) => (at ? films[at - 1] : 'the phantom');
    yield {
      name,
      version,
      weights: kind,
      films: answers.length - 1,
      answered: answers.slice(1).filter((one) => /^[0-9a-f]{16}$/.test(one)).length,
      phantom: answers[0],
      different: other.length,
      digest: sha256(answers.join('\n')).slice(0, 16),
      first: other.length
        ? `${film(other[0])}: ${answers[other[0]]} from ${name}, ${truth[other[0]]} from ${first}`
        : null,
    };
  }
}
