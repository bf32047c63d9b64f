// The platforms that compute a film's bits: native builds of two compilers, versions of Node, and browsers with the
// built site. compare() asks all of them and reports where they differ.
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
import { floatWeights } from '../support/float_weights.mjs';
import { loadCodec, sha256 } from '../../src/node/assets.mjs';
import { ENGINES } from '../browser/engines.mjs';
import { serve } from '../browser/site.mjs';
import { dicomFile } from '../dicom/file.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BATCH = 100;
const FILMS_PER_SCRIPT = 20; // in a browser, whose driver gives up on a script that runs too long

/** @typedef {'quick' | 'slow' | 'slowest'} Pace  40, 6, or fewer than 2 films per second
 *  @typedef {(files: string[]) => Promise<string[]>} Answer  the bits of the phantom and of each file, or its error code
 *  @typedef {object} Platform
 *  @property {string} name
 *  @property {'float' | 'int8'} weights
 *  @property {Pace} pace
 *  @property {(weights: string) => Promise<{version?: string, answer: Answer, close?: () => Promise<any>}>} open
 *
 *  @typedef {object} Row  the comparison of one platform with the first one that has the same weights
 *  @property {string} name
 *  @property {string} [version]
 *  @property {string} weights
 *  @property {number} films
 *  @property {number} answered  how many films have bits
 *  @property {string} phantom
 *  @property {string} digest  of all answers
 *  @property {number} different  how many answers differ
 *  @property {string | null} first  the first difference */

/** A program that prints one line "code verdict bits ..." per film. @param {string[]} command */
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

/** C does not read DICOM, so it gets the file of samples beside the film. */
const native = (command) => async (weights) => {
  const { answer } = await program(command)(weights);
  return { answer: (files) => answer(files.map((file) => file.replace(/\.dcm$/, '.samples'))) };
};

/** Runs in the page: asks the worker of the site.
 *  @param {{worker: string, site: any, weights: string, films: (string | null)[]}} task  null: the phantom */
async function askWorker({ worker, site, weights, films }) {
  const bytesOf = async (/** @type {string} */ file) => new Uint8Array(await (await fetch(file)).arrayBuffer());
  if (!globalThis.ask) {
    // The site's policy binds this page as well.
    const trusted = globalThis.trustedTypes?.createPolicy('pleura', { createScriptURL: (file) => file });
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
    const brought = await bytesOf(weights);
    const started = globalThis.ask('start', { site, parts: null, brought, adapter: null });
    for (const name of ['wasm', 'weights'])
      made.postMessage({ type: 'part', name, bytes: await bytesOf(`site/${site[name].file}`) });
    const { error, result } = await started;
    if (result?.broughtError) throw new Error(result.broughtError.message);
    if (error) throw new Error(error.message);
  }
  const answers = [];
  for (const film of films) {
    const file = film && new File([await (await fetch(film)).blob()], 'film');
    const { result, error } = await globalThis.ask('diagnose', {
      file,
      withPicture: false,
      prevalence: null,
      steps: [],
    });
    answers.push(error ? error.code : result.record.bits);
  }
  return answers;
}

/** The files of the built site, as web/site/build.mjs describes them to the page. @param {string} folder */
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

/** A page beside the built site that gives weights and films to the site's own worker and wasm.
 *  @param {keyof typeof ENGINES} engine */
const browser = (engine) => async (weights) => {
  const server = await serve(),
    folder = await mkdtemp(join(tmpdir(), 'pleura-films-'));
  Object.assign(server, { folder, headers: {} }); // the headers belong to the site's own page
  const site = join(root, 'build/site');
  await Promise.all([
    symlink(site, join(folder, 'site')),
    writeFile(join(folder, 'index.html'), '<!doctype html><title>films</title>'),
    symlink(weights, join(folder, 'weights.gguf')),
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
      for (let at = 0; at < asked.length; at += FILMS_PER_SCRIPT)
        answers.push(
          ...(await page.evaluate(askWorker, {
            ...parts,
            weights: 'weights.gguf',
            films: asked.slice(at, at + FILMS_PER_SCRIPT),
          })),
        );
      return answers;
    },
    async close() {
      await close();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
};

/**
 * All platforms. The others are compared with the first that has the same weights.
 * @param {number[]} [levels]  of optimisation, for both compilers @returns {Platform[]}
 */
export function platforms(levels = [3, 0]) {
  const nodes = readdirSync(join(root, 'build/nodes')).sort();
  const node = (version, ...options) =>
    program([join(root, 'build/nodes', version, 'bin/node'), join(root, 'tests/bits/bits.mjs'), ...options]);
  const compiled = (cc, level, ...options) => native([join(root, `build/${cc}-O${level}/bits/bits`), ...options]);
  const each = [];
  const add = (name, open, pace = 'quick', weights = 'float') => each.push({ name, open, pace, weights });
  for (const version of nodes) add(`Node ${version}`, node(version));
  for (const engine of Object.keys(ENGINES)) add(engine, browser(engine));
  const optimised = levels.filter(Boolean);
  for (const level of optimised) for (const cc of ['gcc', 'clang']) add(`${cc} -O${level}`, compiled(cc, level));
  for (const version of nodes) add(`Node ${version}, reference`, node(version, '--reference'), 'slow');
  for (const level of optimised)
    for (const cc of ['gcc', 'clang']) add(`${cc} -O${level}, reference`, compiled(cc, level, '--reference'), 'slow');
  for (const cc of ['gcc', 'clang']) add(`${cc} -O0, reference`, compiled(cc, 0, '--reference'), 'slowest');
  for (const cc of ['gcc', 'clang']) add(`${cc} -O0`, compiled(cc, 0), 'slowest');
  for (const version of nodes) add(`Node ${version}`, node(version), 'quick', 'int8');
  for (const engine of Object.keys(ENGINES)) add(engine, browser(engine), 'quick', 'int8');
  // Node 20 computes relaxed SIMD wrongly; the engine notices and does not use it.
  for (const version of nodes.filter((one) => Number.parseInt(one) > 20))
    add(`Node ${version}, relaxed SIMD`, node(version, '--relaxed'), 'quick', 'int8');
  for (const cc of ['gcc', 'clang']) add(`${cc} -O3`, compiled(cc, 3), 'quick', 'int8');
  for (const cc of ['gcc', 'clang']) add(`${cc} -O3, reference`, compiled(cc, 3, '--reference'), 'slow', 'int8');
  return each;
}

/** Collects a film of every format and both kinds of weights. The phantom as DICOM, with its samples for C, and the
 *  float weights are written to `folder`.
 *  @param {string} folder  @returns {Promise<{formats: string[], weights: Record<string, string>}>} */
export async function prepare(folder) {
  const fixtures = join(root, 'tests/fixtures'),
    pictures = (await readdir(fixtures)).filter((name) => /\.(png|jpe?g)$/.test(name)).sort();
  const formats = [...pictures, 'convert/rings.png', 'convert/mixed.png'].map((name) => join(fixtures, name));
  const wasm = readFileSync(join(root, 'build/pleura.wasm')),
    float = join(folder, 'float.gguf'),
    int8 = join(root, 'model/pleura.gguf');
  const engine = await createEngine({ wasm, weights: readFileSync(int8) });
  await writeFile(float, await floatWeights());

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
  return { formats: [...formats, join(folder, 'phantom.dcm')], weights: { float, int8 } };
}

/** Real films, ordered so that all sources are mixed. @param {string} data  @param {number} count */
export function realFilms(data, count) {
  const rows = parseCsv(readFileSync(join(data, 'manifest.csv'), 'utf8')).sort((a, b) =>
    a.sha256 < b.sha256 ? -1 : 1,
  );
  return rows.slice(0, count).map(({ file }) => join(data, file));
}

/** The answers of one platform to the phantom and the films.
 *  @param {Platform} platform  @param {string[]} films  @param {string} weights */
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

/** Asks every platform, as many at once as there are processors, and compares each with the first that has the same
 *  weights.
 *  @param {Platform[]} platforms  @param {string[]} films  @param {Record<Pace, number>} limits  films per platform, by pace
 *  @param {Record<string, string>} weights  files  @returns {AsyncGenerator<Row>} */
export async function* compare(platforms, films, limits, weights) {
  const expected = {},
    ahead = [],
    atOnce = availableParallelism();
  const askNext = () => {
    const platform = platforms[ahead.length];
    if (platform) ahead.push(ask(platform, films.slice(0, limits[platform.pace]), weights[platform.weights]));
    ahead.at(-1)?.catch(() => {}); // reported below, where it is awaited
  };
  for (let i = 0; i < atOnce; i++) askNext();
  for (const [i, { name, weights: kind }] of platforms.entries()) {
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
