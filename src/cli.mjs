#!/usr/bin/env node
// The `pleura` command: arguments in, records on standard output, everything else on standard error.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HELP, parse } from './cli/arguments.mjs';
import { sentenceOf } from './cli/assets.mjs';
import { runFilms } from './cli/run.mjs';
import { calibrate } from './cli/commands/quantise.mjs';
import { completion } from './cli/commands/completion.mjs';
import { createEngine } from './engine.mjs';
import { PleuraError } from './errors.mjs';
import { evaluate } from './cli/commands/evaluate.mjs';
import { films } from './cli/paths.mjs';
import { makeFolder } from './node/overlay_png.mjs';
import { openLedger } from './cli/resume.mjs';
import { merge } from './cli/commands/merge.mjs';
import { nameOf, split } from './node/names.mjs';
import { parsePrevalence } from './cli/prevalence.mjs';
import {
  adaptedText,
  csv,
  harmless,
  jsonLines,
  layerTable,
  mixtureText,
  rounded,
  table,
  toJson,
  toRecord,
} from './result/record.mjs';
import { refit } from './cli/commands/adapt.mjs';
import { heading, labelOf, parseShard } from './node/shards.mjs';
import { loadParts } from './node/assets.mjs';
import { CommandError } from './node/errors.mjs';

/** The least of so many rounds is what a layer takes when nothing else disturbs it. */
const PROFILE_ROUNDS = 20;

/** Waits where the reader is slower than the engine. @param {string} text */
async function print(text) {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
}

/** @param {string[]} paths @param {any} options */
async function diagnose(paths, options) {
  const shard = options.shard && parseShard(options.shard);
  const items = await films(paths, options.files, options.heatmap);
  items.forEach((item, place) => {
    item.place = place;
  });
  if (options.heatmap) await makeFolder(options.heatmap);
  const ledger = options.resume ? await openLedger(options.resume, items, Boolean(shard)) : null;
  if (ledger?.failed) process.exitCode = 1;
  const json = options.json || options.resume || shard || !(options.table || process.stdout.isTTY);
  const write = ledger?.append ?? print;
  let records = ledger?.records ?? 0,
    format,
    model;
  await runFilms(
    ledger?.left ?? items,
    { ...options, shard, rows: !ledger },
    async (pool) => {
      model = pool.name;
      const { labels } = pool.model,
        prevalence = options.prevalence ? parsePrevalence(options.prevalence, labels) : null;
      format = options.csv
        ? csv(labels)
        : json
          ? jsonLines()
          : table(
              labels,
              items.map(({ file }) => file),
              process.stdout.columns ?? 80,
              process.stdout.isTTY && !process.env.NO_COLOR,
              prevalence,
            );
      const head = shard ? toJson(heading(shard, items, model, labels, prevalence)) : format.head;
      if (ledger) ledger.begin(head, model, mixtureText(prevalence));
      else if (head) await print(head);
    },
    async (item, answer) => {
      const record = toRecord(item.file, answer, model);
      records++;
      await write(format.row(shard ? { place: item.place, ...record } : record));
    },
  );
  if (shard && !ledger?.ended) await write(toJson({ shard: labelOf(shard), records }));
  ledger?.close();
}

/** @param {any} options */
async function info(options) {
  const { wasm, dot, weights, sha256 } = await loadParts(options.model, options.overlay);
  const engine = await createEngine({ wasm, dot, weights });
  const { model } = engine;
  const prior = model.prior && rounded(model.prior);
  const facts = {
    name: model.name,
    version: model.version,
    labels: model.labels,
    prior,
    license: model.license,
    sha256,
    ...(model.adapted && { adapted: model.adapted }),
    summary: model.summary,
    notice: model.notice,
  };
  const layers = options.layers ? engine.profile(PROFILE_ROUNDS) : [];
  if (options.json) return print(toJson(options.layers ? { ...facts, layers } : facts));
  for (const [name, value] of Object.entries({
    ...facts,
    prior: mixtureText(prior) || 'unknown',
    ...(model.adapted && { adapted: adaptedText(model.adapted) }),
  }))
    await print(`${name.padEnd(9)}${harmless([value].flat().join(', '))}`);
  if (layers.length) await print(layerTable(layers));
}

/** The HDF5 library itself dies of some damaged files, and is ended where it reads one without end. */
const DEATHS = new Set(['SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGXCPU']);

/** Hands everything to the converter, which has its own help. @param {string[]} argv */
function convert(argv) {
  // Debian's packages belong to Debian's Python, which need not be the first in the path.
  const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
  const script = fileURLToPath(new URL('../model/convert', import.meta.url));
  /** @type {{ error?: NodeJS.ErrnoException, status: number, signal: string }} */
  const { error, status, signal } = spawnSync(python, [script, ...argv], { stdio: 'inherit' });
  if (error)
    throw new CommandError(
      `'convert' needs Python (${error.code}). On Debian: apt-get install python3-numpy python3-onnx python3-h5py`,
    );
  if (signal)
    throw new CommandError(
      DEATHS.has(signal)
        ? `'convert' ended with ${signal}: the file is damaged. Save it again.`
        : `'convert' was ended by ${signal}.`,
    );
  process.exitCode = status ?? 1;
}

/** Bytes that are no UTF-8 are lost in process.argv; Linux tells them. @param {string[]} argv @returns {string[]} */
function withBytes(argv) {
  if (!argv.some((word) => word.includes('\ufffd')) || !existsSync('/proc/self/cmdline')) return argv;
  return split(readFileSync('/proc/self/cmdline'), 0).slice(-argv.length).map(nameOf);
}

/** @param {string[]} argv */
async function main(argv) {
  if (argv[0] === 'convert') return convert(argv.slice(1));
  const { command, options, paths } = parse(withBytes(argv));
  if (options.help) return print(HELP);
  if (options.version)
    return print(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version);
  if (command === 'info') return info(options);
  if (command === 'evaluate') return print(await evaluate(options, runFilms));
  if (command === 'adapt') return print(await refit(options, runFilms));
  if (command === 'merge') return merge(paths, options, print);
  if (command === 'quantise') return calibrate(paths);
  if (command === 'completion') return print(completion(paths));
  return diagnose(paths, options);
}

process.stdout.on('error', (error) => {
  // The reader has seen enough (`| head`): nobody is left to tell.
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  process.stderr.write(`pleura: The results cannot be written (${error.code}).\n`);
  process.exit(1);
});
process.stderr.on('error', () => {}); // What is said beside the results may be lost; the results may not.

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommandError || error instanceof PleuraError)) throw error;
  const wrong = error instanceof CommandError && error.status === 2;
  process.stderr.write(`pleura: ${harmless(sentenceOf(error))}${wrong ? ' See pleura --help.' : ''}\n`);
  process.exitCode = wrong ? 2 : 1;
}
