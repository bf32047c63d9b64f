// arguments.mjs - what a person may type: tables of all commands and options, for parsing, help and completion alike; and
// the parser, which names what was probably meant.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { usage } from '../node/errors.mjs';
import { warn } from './stdio.mjs';

/**
 * @typedef {object} Command
 * @property {string} text what it does
 * @property {string} synopsis what follows its name
 * @property {'none' | 'own'} [paths] none: it has no paths; own: it checks its paths itself
 * @property {string} [needs] the message if there are no paths
 * @property {string[]} [requires] options
 * @property {string[]} examples a line of the help each, with a remark behind two blanks
 */

/** All commands; the first runs if none is named. @type {Record<string, Command>} */
export const COMMANDS = {
  diagnose: {
    text: 'classify each film',
    synopsis: '[options] PATH...',
    needs: 'No input given.',
    examples: [
      'pleura film.png                    one film, as a table on a terminal',
      "pleura films/ more.zip 'x/*.jpg'   folders (recursively), archives, patterns",
      'pleura films/ > results.jsonl      one line of JSON per film when piped',
      'pleura films/ --csv > results.csv  for a spreadsheet',
      'pleura films/ --resume results.jsonl',
      '                                   interrupted? rerun the same command',
      'pleura films/ --prevalence covid=0.05,pneumonia=0.1',
      '                                   5 % have COVID-19, 10 % another pneumonia',
      'pleura films/ --heatmap heatmaps/  also a heatmap of each film',
      "find . -name '*.png' -print0 | pleura --files -",
      'cat film.png | pleura -            a film from standard input',
      'pleura films/ --adapter own.gguf   with an adapter to your own films',
    ],
  },
  merge: {
    text: 'join the results of all shards, or print results as CSV',
    synopsis: '[--csv] FILE...',
    needs: "'merge' needs the files of all shards, or one file of results.",
    examples: [
      'pleura films/ --shard 1/4 --resume 1.jsonl',
      '                                   a quarter of the films, on one of four;',
      'pleura merge ?.jsonl > all.jsonl   then the same bytes as from one machine',
      'pleura merge results.jsonl --csv > results.csv',
    ],
  },
  info: {
    text: 'show model information',
    synopsis: '[--layers] [--model FILE] [--adapter FILE] [--json]',
    paths: 'none',
    examples: ['pleura info --layers               the model, and where the time goes'],
  },
  evaluate: {
    text: 'compare the answers with known labels',
    synopsis: '[RESULTS...] --labels FILE [options]',
    paths: 'own',
    requires: ['labels'],
    examples: [
      'pleura evaluate --labels manifest.csv --split test --by source,view',
      '                                   metrics with 95 % intervals, as Markdown',
      'pleura evaluate --labels films/ --map NORMAL=normal,CAP=pneumonia',
      '                                   one sub-folder per label, in other words',
      'pleura evaluate --labels films/ --against own.gguf --report report/',
    ],
  },
  adapt: {
    text: 'fit the last layer to your own labelled films',
    synopsis: '--labels FILE --out ADAPTER.gguf [options]',
    paths: 'none',
    requires: ['labels', 'out'],
    examples: [
      'pleura adapt --labels films/ --out own.gguf',
      '                                   fit the last layer to your own films, then:',
      'pleura films/ --adapter own.gguf',
    ],
  },
  convert: {
    text: 'convert a Keras or ONNX classifier',
    synopsis: 'IN OUT.gguf --labels A,B,... [options]',
    paths: 'own',
    examples: [
      'pleura convert net.onnx net.gguf --labels covid,normal',
      '                                   another classifier; pleura convert --help',
    ],
  },
  quantise: {
    text: 'quantise weights to 8 bits, calibrated on films',
    synopsis: 'IN.gguf OUT.gguf PATH...',
    paths: 'own',
    examples: [
      'pleura quantise net.gguf small.gguf films/',
      '                                   the same network quantised to 8 bits:',
      '                                   smaller and usually faster',
    ],
  },
  completion: {
    text: 'print a shell completion script',
    synopsis: 'bash|zsh|fish',
    paths: 'own',
    examples: ['eval "$(pleura completion bash)"'],
  },
};

/** Other words for commands, which are films elsewhere in the list of arguments. @type {Record<string, string>} */
const ALIASES = { quantize: 'quantise' };

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
  occlusion: { of: ['diagnose'], text: 'draw --heatmap by covering parts of the film: slow, but for any network' },
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
  map: {
    of: LABELLED,
    value: 'LIST',
    text: 'labels in other words, e.g. CAP=pneumonia,COVID-19=covid; upper and lower case never matter',
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
  color: { of: ['diagnose'], value: 'WHEN', text: 'colour the table: auto, always or never (default: auto)' },
  verbose: {
    of: ['diagnose', 'evaluate', 'adapt', 'quantise'],
    short: 'v',
    text: 'list every file of a folder or archive that is left out',
  },
  quiet: {
    of: ['diagnose', 'evaluate', 'adapt', 'quantise'],
    short: 'q',
    text: 'print no summary, no notice and no progress; errors stay',
    excludes: ['verbose'],
  },
  help: { of: Object.keys(COMMANDS), short: 'h', text: 'show this help' },
  version: { of: Object.keys(COMMANDS), short: 'V', text: 'show the version' },
};

/** Old spellings of options, accepted for one more version and not shown anywhere. */
/** @type {{ [old: string]: string }} */
const RENAMED = { overlay: 'adapter' };

/** @param {string} command */
export const optionsOf = (command) => Object.entries(OPTIONS).filter(([, { of }]) => of.includes(command));

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

/** How many letters must be inserted, removed, replaced or exchanged. @param {string} a @param {string} b */
function distance(a, b) {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}

/** The name that was probably meant: at most a third of its letters differ. @param {string} word @param {string[]} names */
function nearest(word, names) {
  const [best] = names
    .map((name) => ({ name, far: distance(word.toLowerCase(), name) }))
    .filter(({ name, far }) => far <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.far - b.far);
  return best?.name;
}

/**
 * The first path, if it is no file and reads like a command.
 * @param {string[]} paths
 */
function checkSlip([first]) {
  if (first === undefined || !/^[a-z]+$/i.test(first) || existsSync(first)) return;
  const meant = nearest(first, [...Object.keys(COMMANDS), ...Object.keys(ALIASES), 'help', 'version']);
  if (meant) throw usage(`There is no command and no file '${first}'. Did you mean '${ALIASES[meant] ?? meant}'?`);
}

/** @param {any} error of parseArgs @param {string[]} argv */
function misparsed(error, argv) {
  const [, word] = /^Unknown option '--?([^']+)'/.exec(error.message) ?? [];
  const [command] = argv.filter((one) => Object.hasOwn(COMMANDS, one));
  const meant =
    word &&
    nearest(
      word,
      optionsOf(command ?? 'diagnose').map(([name]) => name),
    );
  return usage(`${error.message.split('. ')[0]}.${meant ? ` Did you mean --${meant}?` : ''}`);
}

/** @param {string[]} argv @returns {{ command: string, options: any, paths: string[] }} throws CommandError */
export function parse(argv) {
  let parsed;
  try {
    parsed = parseArgs({ args: argv, options: /** @type {any} */ (PARSED), allowPositionals: true, tokens: true });
  } catch (error) {
    throw misparsed(error, argv);
  }
  /** @type {{ values: any, positionals: string[], tokens: { kind: string }[] }} */
  const { values, positionals: paths, tokens } = parsed;
  const options = renamed(values);
  // Arguments after `--` are paths, even if they are named like a command.
  const [first] = tokens.filter(({ kind }) => kind !== 'option');
  const isWord = first?.kind === 'positional';
  if (isWord && paths[0] === 'help') return { command: aboutCommand(paths[1]), options: { help: true }, paths: [] };
  if (isWord && paths[0] === 'version' && paths.length === 1)
    return { command: 'diagnose', options: { version: true }, paths: [] };
  const word = isWord ? (ALIASES[paths[0]] ?? paths[0]) : '';
  const command = Object.hasOwn(COMMANDS, word) ? word : 'diagnose';
  if (command === word && word !== paths[0]) warn(`'${paths[0]}' is the command '${word}'.`);
  if (command === word) paths.shift();
  else if (isWord) checkSlip(paths);
  if (!options.help && !options.version) {
    checkOptions(command, options);
    checkPaths(command, options, paths);
  }
  return { command, options, paths };
}

/** The command of `pleura help COMMAND`. @param {string} [word] */
function aboutCommand(word = 'diagnose') {
  const command = ALIASES[word] ?? word;
  if (Object.hasOwn(COMMANDS, command)) return command;
  const meant = nearest(word, [...Object.keys(COMMANDS), ...Object.keys(ALIASES)]);
  throw usage(
    `There is no command '${word}'. ${meant ? `Did you mean '${ALIASES[meant] ?? meant}'?` : `The commands are ${Object.keys(COMMANDS).join(', ')}.`}`,
  );
}
