// arguments.mjs - what a person may type: tables of all commands and options, for parsing, help and completion alike.
import { parseArgs } from 'node:util';
import { usage } from '../node/errors.mjs';

/**
 * @typedef {object} Command
 * @property {string} text what it does
 * @property {string} synopsis what follows its name
 * @property {'none' | 'own'} [paths] none: it has no paths; own: it checks its paths itself
 * @property {string} [needs] the message if there are no paths
 * @property {string[]} [requires] options
 */

/** All commands; the first runs if none is named. @type {Record<string, Command>} */
export const COMMANDS = {
  diagnose: { text: 'classify each film', synopsis: '[options] PATH...', needs: 'No input given.' },
  merge: {
    text: 'join the results of all shards',
    synopsis: '[--csv] FILE...',
    needs: "'merge' needs the files of all shards.",
  },
  info: {
    text: 'show model information',
    synopsis: '[--layers] [--model FILE] [--adapter FILE] [--json]',
    paths: 'none',
  },
  evaluate: {
    text: 'compare the answers with known labels',
    synopsis: '[RESULTS...] --labels FILE [options]',
    paths: 'own',
    requires: ['labels'],
  },
  adapt: {
    text: 'fit the last layer to your own labelled films',
    synopsis: '--labels FILE --out ADAPTER.gguf [options]',
    paths: 'none',
    requires: ['labels', 'out'],
  },
  convert: {
    text: 'convert a Keras or ONNX classifier',
    synopsis: 'IN OUT.gguf --labels A,B,... [options]',
    paths: 'own',
  },
  quantise: {
    text: 'quantise weights to 8 bits, calibrated on films',
    synopsis: 'IN.gguf OUT.gguf PATH...',
    paths: 'own',
  },
  completion: { text: 'print a shell completion script', synopsis: 'bash|zsh|fish', paths: 'own' },
};

/**
 * @typedef {object} Option
 * @property {string[]} of the commands that have it
 * @property {string} [value] what its value is called; absent: it has no value
 * @property {string} [short] @property {string} text what it does
 * @property {string[]} [excludes] options that it cannot be combined with
 */

const INFO = ['info'],
  EVALUATE = ['evaluate'],
  ADAPT = ['adapt'],
  LABELLED = ['evaluate', 'adapt'];

/** All options, in the order of the help. @type {Record<string, Option>} */
export const OPTIONS = {
  json: {
    of: ['diagnose', 'info', 'evaluate', 'adapt'],
    text: 'print JSON Lines even on a terminal',
    excludes: ['csv', 'table'],
  },
  csv: { of: ['diagnose', 'merge'], text: 'print comma-separated values', excludes: ['table', 'resume', 'shard'] },
  table: { of: ['diagnose'], text: 'print a table even into a pipe', excludes: ['resume', 'shard'] },
  files: {
    of: ['diagnose'],
    value: 'FILE',
    text: 'also read paths from FILE, one per line or NUL-separated; - for standard input',
  },
  resume: { of: ['diagnose'], value: 'FILE', text: 'append results to FILE and skip films already in it' },
  prevalence: {
    of: ['diagnose', 'evaluate'],
    value: 'LIST',
    text: 'class prevalences to assume, e.g. covid=0.05,pneumonia=0.1; evaluate also reports the expected accuracy',
  },
  heatmap: { of: ['diagnose'], value: 'DIR', text: 'write a PNG heatmap of each film that is not refused into DIR' },
  shard: { of: ['diagnose'], value: 'I/N', text: 'process shard I of N (assigned by content hash)' },
  jobs: {
    of: ['diagnose', 'evaluate', 'adapt'],
    value: 'N',
    text: 'number of threads (default: 1 for a few films, otherwise one per processor)',
  },
  model: {
    of: ['diagnose', 'info', 'evaluate', 'adapt'],
    value: 'FILE',
    text: 'weights to use instead of the bundled ones (GGUF)',
  },
  adapter: { of: ['diagnose', 'info', 'evaluate'], value: 'FILE', text: 'apply the adapter in FILE, made by adapt' },
  layers: { of: INFO, text: 'show the output, MACs, time and speed of each layer on this machine' },
  labels: {
    of: LABELLED,
    value: 'FILE',
    text: 'a CSV with the columns file and label, and any others; or a folder with one sub-folder per label. Films with the same patient_id, or else the same DICOM Patient ID, count as one patient',
  },
  root: { of: LABELLED, value: 'DIR', text: 'where relative paths in the CSV start (default: its folder)' },
  split: { of: LABELLED, value: 'NAME', text: 'use only the films with this value in the column split' },
  by: { of: EVALUATE, value: 'COLUMNS', text: 'also report metrics for each group of these columns' },
  against: { of: EVALUATE, value: 'FILE', text: 'other weights, or results, to compare with on the same films' },
  threshold: {
    of: EVALUATE,
    value: 'LIST',
    text: 'also report operating points, e.g. covid=0.3,normal=specificity:0.9,covid=sensitivity:0.95',
  },
  'choose-on': {
    of: EVALUATE,
    value: 'NAME',
    text: 'choose the thresholds of these sensitivities and specificities on this split',
  },
  rounds: { of: EVALUATE, value: 'N', text: 'rounds of each bootstrap (default: 10000)' },
  seed: { of: EVALUATE, value: 'N', text: 'its seed (default: 1)' },
  'allow-seen': { of: EVALUATE, text: 'also evaluate films that made the weights or the adapter' },
  report: {
    of: EVALUATE,
    value: 'DIR',
    text: 'write one HTML page, Markdown, JSON, plots (SVG) and the table of films into DIR',
  },
  pictures: { of: EVALUATE, text: 'show the worst mistakes as pictures in the HTML page; do not share it then' },
  out: { of: ADAPT, value: 'FILE', text: 'the adapter to write' },
  help: { of: Object.keys(COMMANDS), short: 'h', text: 'show this help' },
  version: { of: Object.keys(COMMANDS), text: 'show the version' },
};

/** Old spellings of options, accepted for one more version and not shown anywhere. */
/** @type {{ [old: string]: string }} */
const RENAMED = { overlay: 'adapter' };

const PARSED = Object.fromEntries([
  ...Object.entries(OPTIONS).map(([name, { value, short }]) => [
    name,
    { type: value ? 'string' : 'boolean', ...(short && { short }) },
  ]),
  ...Object.keys(RENAMED).map((name) => [name, { type: 'string' }]),
]);

/** @param {string} text @returns {number} */
export function jobCount(text) {
  if (!/^[1-9][0-9]{0,2}$/.test(text)) throw usage(`--jobs needs an integer from 1 to 999, not '${text}'.`);
  return Number(text);
}

/** @param {string} text @returns {import('../node/shards.mjs').Shard} */
export function parseShard(text) {
  const [, index, of] = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text)?.map(Number) ?? [];
  if (!(index <= of)) throw usage(`--shard needs two numbers, from 1/4 to 4/4 for example, not '${text}'.`);
  return { index, of };
}

/** @param {string[]} names of commands */
const quoted = (names) => names.map((name) => `'${name}'`).join(' and ');

/** @param {string} command @param {any} options */
function checkOptions(command, options) {
  for (const name of Object.keys(options)) {
    const { of, excludes = [] } = OPTIONS[name];
    if (!of.includes(command))
      throw usage(
        command === 'diagnose'
          ? `--${name} can only be used with ${quoted(of)}.`
          : `--${name} cannot be used with '${command}'.`,
      );
    if (options[name] === '') throw usage(`--${name} needs a value.`);
    const other = excludes.find((excluded) => options[excluded]);
    if (other) throw usage(`--${name} and --${other} cannot be combined.`);
  }
  const missing = COMMANDS[command].requires?.find((name) => !options[name]);
  if (missing) throw usage(`'${command}' needs --${missing} ${OPTIONS[missing].value}.`);
}

/** @param {string} command @param {any} options @param {string[]} paths */
function checkPaths(command, options, paths) {
  const { paths: expected, needs } = COMMANDS[command];
  if (expected === 'none' && paths.length)
    throw usage(`'${command}' has no path arguments. Write ./${command} if you mean a file of that name.`);
  if (needs && !paths.length && !options.files) throw usage(needs);
  if (options.files === '-' && paths.includes('-'))
    throw usage('Standard input can be either a film or a list of paths, not both.');
}

/** @param {any} options @returns {any} with the new names of old options; throws CommandError */
function renamed(options) {
  const entries = Object.entries(options).map(([name, value]) => [RENAMED[name] ?? name, value]);
  return Object.fromEntries(entries);
}

/** @param {string[]} argv @returns {{ command: string, options: any, paths: string[] }} throws CommandError */
export function parse(argv) {
  let parsed;
  try {
    parsed = parseArgs({ args: argv, options: /** @type {any} */ (PARSED), allowPositionals: true, tokens: true });
  } catch (error) {
    throw usage(error.message.split('. ')[0] + '.');
  }
  /** @type {{ values: any, positionals: string[], tokens: { kind: string }[] }} */
  const { values, positionals: paths, tokens } = parsed;
  const options = renamed(values);
  // Arguments after `--` are paths, even if they are named like a command.
  const [first] = tokens.filter(({ kind }) => kind !== 'option');
  const command =
    first?.kind === 'positional' && paths[0] !== 'diagnose' && Object.hasOwn(COMMANDS, paths[0])
      ? paths[0]
      : 'diagnose';
  if (command !== 'diagnose') paths.shift();
  if (!options.help && !options.version) {
    checkOptions(command, options);
    checkPaths(command, options, paths);
  }
  return { command, options, paths };
}

/** Columns of the help, and where its right column begins. */
const WIDTH = 80,
  COLUMN = 22;

/** @param {string} text @param {number} width @returns {string[]} */
function wrap(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1];
    if (line && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}

/** Two columns, the right one wrapped. @param {[string, string][]} rows */
const columns = (rows) =>
  rows
    .flatMap(([left, right]) =>
      wrap(right, WIDTH - COLUMN).map((line, i) => `  ${i ? '' : left}`.padEnd(COLUMN) + line),
    )
    .join('\n');

const isGeneral = (/** @type {Option} */ { of }) => of.length === Object.keys(COMMANDS).length;
const isForFilms = (/** @type {Option} */ option) => option.of.includes('diagnose') && !isGeneral(option);

/** @param {[string, Option]} option @returns {[string, string]} how it is typed, and what it does */
function describe([name, option]) {
  const { of, value, short, text } = option;
  const others = isForFilms(option) ? of.filter((command) => command !== 'diagnose') : [];
  return [
    `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`,
    others.length ? `${text} (also: ${others.join(', ')})` : text,
  ];
}

/** @param {string} title @param {(option: Option) => boolean} belongs */
const optionGroup = (title, belongs) =>
  `${title}\n${columns(
    Object.entries(OPTIONS)
      .filter(([, option]) => belongs(option))
      .map(describe),
  )}`;

const EXAMPLES = `Examples:
  pleura film.png                    one film, as a table on a terminal
  pleura films/ more.zip 'x/*.jpg'   folders (recursively), archives, patterns
  pleura films/ > results.jsonl      one line of JSON per film when piped
  pleura films/ --csv > results.csv  for a spreadsheet
  pleura films/ --resume results.jsonl
                                     interrupted? rerun the same command
  pleura films/ --prevalence covid=0.05,pneumonia=0.1
                                     5 % have COVID-19, 10 % another pneumonia
  pleura films/ --heatmap heatmaps/  also a heatmap of each film
  find . -name '*.png' -print0 | pleura --files -
  cat film.png | pleura -            a film from standard input
  pleura films/ --shard 1/4 --resume 1.jsonl
                                     a quarter of the films, on one of four;
  pleura merge ?.jsonl > all.jsonl   then the same bytes as from one machine
  pleura info --layers               the model, and where the time goes
  pleura evaluate --labels manifest.csv --split test --by source,view
                                     metrics with 95 % intervals, as Markdown
  pleura adapt --labels films/ --out own.gguf
                                     fit the last layer to your own films, then:
  pleura films/ --adapter own.gguf
  pleura convert net.onnx net.gguf --labels covid,normal
                                     another classifier; pleura convert --help
  pleura quantise net.gguf small.gguf films/
                                     the same network quantised to 8 bits:
                                     smaller and usually faster`;

const USAGE = `Usage: ${Object.entries(COMMANDS)
  .map(([name, { synopsis }]) => `pleura ${name === 'diagnose' ? '' : `${name} `}${synopsis}`)
  .join('\n       ')}

Classifies PNG, JPEG, BMP and DICOM chest X-rays on this machine.
Nothing is sent anywhere.`;

export const HELP = [
  EXAMPLES,
  USAGE,
  `Commands:\n${columns(
    Object.entries(COMMANDS).map(([name, { text }]) => [name === 'diagnose' ? '(none)' : name, text]),
  )}`,
  optionGroup('Options for classifying films:', isForFilms),
  optionGroup("Options of 'info':", ({ of }) => of === INFO),
  optionGroup("Options of 'evaluate' and 'adapt':", ({ of }) => of === LABELLED),
  optionGroup("Options of 'evaluate':", ({ of }) => of === EVALUATE),
  optionGroup("Options of 'adapt':", ({ of }) => of === ADAPT),
  optionGroup('General options:', isGeneral),
  'Exit status: 0 all films classified, 1 at least one error, 2 usage error.',
].join('\n\n');
