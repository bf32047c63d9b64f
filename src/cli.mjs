#!/usr/bin/env node
// The `pleura` command: arguments in, records on standard output, everything else on standard error.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';
import { createEngine, PleuraError } from './engine.mjs';
import { evaluate } from './evaluate.mjs';
import { films } from './files.mjs';
import { createPool } from './pool.mjs';
import { csv, harmless, jsonLines, layerTable, table, toJson, toRecord } from './records.mjs';
import { CommandError, loadParts, usage } from './shipped.mjs';

const HELP = `Examples:
  pleura film.png                          one film, as a table on a terminal
  pleura films/ 'more/*.jpg'               folders with all that is in them, and patterns
  pleura films/ --json > results.jsonl     one line of JSON a film; also when piped
  pleura films/ --csv > results.csv        for a spreadsheet
  cat film.png | pleura -                  from standard input
  pleura info --layers                     the model: labels, version, licence, hash; where the time goes
  pleura evaluate --labels manifest.csv --split test --by source,view
                                           figures with 95 % intervals, as Markdown
  pleura convert net.onnx net.gguf --labels covid,normal
                                           another classifier for --model; pleura convert --help

Usage: pleura [options] PATH...
       pleura info [--layers] [--model FILE] [--json]
       pleura evaluate --labels FILE [--root DIR] [--split NAME] [--by COLUMN,...] [--jobs N] [--model FILE] [--json]
       pleura convert IN OUT.gguf --labels A,B,... [options]

Reads PNG, JPEG, BMP and DICOM chest X-rays on this machine; nothing is sent anywhere.

  --json         JSON lines, whatever standard output is
  --csv          comma-separated values
  --jobs N       threads (default: 1 for a few films, else one a processor)
  --model FILE   other weights than the shipped ones (GGUF)
  --layers       info: each layer with its output, products, time and speed on this machine
  --help         this text
  --version      the version

  --labels FILE  evaluate: a CSV with the columns file and label; patient_id, split and others where there are any
  --root DIR     evaluate: where the paths of the CSV begin (default: its folder)
  --split NAME   evaluate: only the films whose column split says so
  --by COLUMNS   evaluate: figures for the groups of these columns too

Exit status: 0 all films were answered, 1 at least one error, 2 wrong usage.`;

/** @type {import('node:util').ParseArgsConfig['options']} */
const OPTIONS = {
  json: { type: 'boolean' }, csv: { type: 'boolean' }, jobs: { type: 'string' }, model: { type: 'string' },
  layers: { type: 'boolean' }, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' },
  labels: { type: 'string' }, root: { type: 'string' }, split: { type: 'string' }, by: { type: 'string' },
};
/** Which options each sub-command takes. */
const TAKES = {
  diagnose: ['json', 'csv', 'jobs', 'model'],
  info: ['json', 'model', 'layers'],
  evaluate: ['json', 'jobs', 'model', 'labels', 'root', 'split', 'by'],
};
/** The least of so many rounds is what a layer takes when nothing else disturbs it. */
const PROFILE_ROUNDS = 20;
/** Below this many films a second thread costs more than it saves, and a bar tells nothing. */
const MANY = 8;

/** @param {string} text @returns {number} */
function jobCount(text) {
  if (!/^[1-9][0-9]{0,2}$/.test(text)) throw usage(`--jobs takes a whole number from 1 to 999, not '${text}'.`);
  return Number(text);
}

/** @param {string[]} argv @returns {{ command: string, options: any, paths: string[] }} */
function parse(argv) {
  let parsed;
  try {
    parsed = parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw usage(error.message.split('. ')[0] + '.');
  }
  const { values: options, positionals: paths } = parsed;
  const command = paths[0] === 'info' || paths[0] === 'evaluate' ? paths.shift() : 'diagnose';
  if (options.help || options.version) return { command, options, paths };
  const stray = Object.keys(options).find((name) => !TAKES[command].includes(name));
  if (stray) throw usage(`--${stray} does not go with ${command === 'diagnose' ? 'a diagnosis' : `'${command}'`}.`);
  if (options.json && options.csv) throw usage('Choose one of --json and --csv.');
  if (command === 'diagnose' && !paths.length) throw usage('No path is given.');
  if (command !== 'diagnose' && paths.length) throw usage(`'${command}' takes no path. For a file of that name: ./${command}`);
  if (command === 'evaluate' && !options.labels) throw usage("'evaluate' needs --labels FILE.");
  return { command, options, paths };
}

/** Waits where the reader is slower than the engine. @param {string} text */
async function print(text) {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
}

/**
 * A bar on standard error for many films, with what is said meanwhile above it. None where the rows of a table show the
 * progress on the same terminal.
 * @param {number} total @param {boolean} rows
 */
function progress(total, rows) {
  if (total < MANY || !process.stderr.isTTY || (rows && process.stdout.isTTY)) {
    return { step() {}, say: (text) => process.stderr.write(text), stop() {} };
  }
  const bars = new cliProgress.MultiBar(
    { format: '{bar} {value}/{total}  {eta_formatted} left', stream: process.stderr, clearOnComplete: true, hideCursor: true },
    cliProgress.Presets.shades_classic);
  const bar = bars.create(total, 0);
  const stop = () => {
    bars.update(); // Ending drops what has been said since the last update.
    bars.stop();
  };
  return { step: () => bar.increment(), say: (text) => bars.log(text), stop };
}

/**
 * Runs the films through the threads and hands each answer to `take`, in order.
 * @param {import('./files.mjs').Item[]} items @param {{ jobs?: string, model?: string }} options
 * @param {((pool: { model: any, name: string }) => Promise<void>) | null} begin what to print before the first answer's row
 * @param {(item: any, answer: import('./pool.mjs').Answer) => Promise<void> | void} take
 */
async function runFilms(items, options, begin, take) {
  const jobs = options.jobs ? jobCount(options.jobs) : items.length < MANY ? 1 : availableParallelism();
  const parts = await loadParts(options.model);
  const pool = await createPool(parts, Math.min(jobs, Math.max(1, items.length)));
  const { model } = pool;
  const name = `${model.name}-${model.version} ${parts.sha256.slice(0, 12)}`;
  await begin?.({ model, name });
  const bar = progress(items.length, begin !== null);
  try {
    for await (const { item, answer } of pool.run(items)) {
      if (answer.code) {
        process.exitCode = 1;
        bar.say(`${harmless(item.file)}: ${answer.message}\n`);
      }
      await take(item, answer);
      bar.step();
    }
  } finally {
    bar.stop();
    await pool.close();
  }
  process.stderr.write(`${model.notice}\n`);
  return { model, name };
}

/** @param {string[]} paths @param {any} options */
async function diagnose(paths, options) {
  const items = await films(paths);
  const input = paths.includes('-') ? await buffer(process.stdin) : null;
  for (const item of items) if (item.file === '-') item.bytes = input;
  let format, model;
  await runFilms(items, options, async (pool) => {
    model = pool.name;
    format = options.csv ? csv(pool.model.labels)
      : options.json || !process.stdout.isTTY ? jsonLines()
      : table(pool.model.labels, items.map(({ file }) => file), process.stdout.columns ?? 80);
    if (format.head) await print(format.head);
  }, (item, answer) => print(format.row(toRecord(item.file, answer, model))));
}

/** @param {any} options */
async function info(options) {
  const { wasm, weights, sha256 } = await loadParts(options.model);
  const engine = await createEngine({ wasm, weights });
  const { model } = engine;
  const facts = { name: model.name, version: model.version, labels: model.labels, license: model.license, sha256,
    summary: model.summary, notice: model.notice };
  const layers = options.layers ? engine.profile(PROFILE_ROUNDS) : [];
  if (options.json) return print(toJson(options.layers ? { ...facts, layers } : facts));
  for (const [name, value] of Object.entries(facts)) await print(`${name.padEnd(9)}${harmless([value].flat().join(', '))}`);
  if (layers.length) await print(layerTable(layers));
}

/** Hands everything to the converter, which has its own help. @param {string[]} argv */
function convert(argv) {
  // Debian's packages belong to Debian's Python, which need not be the first in the path.
  const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
  const script = fileURLToPath(new URL('../model/convert.py', import.meta.url));
  const { error, status, signal } = spawnSync(python, [script, ...argv], { stdio: 'inherit' });
  if (error) throw new CommandError(`'convert' needs Python (${error.code}). On Debian: apt-get install python3-numpy python3-onnx python3-h5py`);
  // The HDF5 library itself dies of some damaged files.
  if (signal) throw new CommandError(`'convert' ended with ${signal}: the file is damaged. Save it again.`);
  process.exitCode = status ?? 1;
}

/** @param {string[]} argv */
async function main(argv) {
  if (argv[0] === 'convert') return convert(argv.slice(1));
  const { command, options, paths } = parse(argv);
  if (options.help) return print(HELP);
  if (options.version) return print(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version);
  if (command === 'info') return info(options);
  if (command === 'evaluate') return print(await evaluate(options, runFilms));
  return diagnose(paths, options);
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    // The reader has seen enough (`| head`): nobody is left to tell.
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    if (stream === process.stdout) process.stderr.write(`pleura: The results cannot be written (${error.code}).\n`);
    process.exit(1);
  });
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommandError || error instanceof PleuraError)) throw error;
  const wrong = error instanceof CommandError && error.status === 2;
  process.stderr.write(`pleura: ${harmless(error.message)}${wrong ? ' See pleura --help.' : ''}\n`);
  process.exitCode = wrong ? 2 : 1;
}
