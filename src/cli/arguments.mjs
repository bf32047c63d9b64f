// What a person may type: every option and command in one table, for parsing, help and completion alike.
import { parseArgs } from 'node:util';
import { usage } from '../node/errors.mjs';

const EXAMPLES = `Examples:
  pleura film.png                          one film, as a table on a terminal
  pleura films/ more.zip 'x/*.jpg'         folders with all that is in them, archives, patterns
  pleura films/ --json > results.jsonl     one line of JSON a film; also when piped
  pleura films/ --csv > results.csv        for a spreadsheet
  pleura films/ --resume results.jsonl     can be killed: the same command again goes on where it ended
  pleura films/ --prevalence covid=0.05,pneumonia=0.1
                                           probabilities where 5 % have COVID-19, 10 % another pneumonia
  pleura films/ --heatmap overlays/        also a picture of each film with its evidence in colour
  find . -name '*.png' -print0 | pleura --files -
  cat film.png | pleura -                  from standard input
  pleura films/ --shard 1/4 --resume 1.jsonl
                                           a quarter of the films, on one of four machines; then
  pleura merge ?.jsonl > results.jsonl     the same bytes as from one machine
  pleura info --layers                     the model: labels, version, licence, hash; where the time goes
  pleura evaluate --labels manifest.csv --split test --by source,view
                                           figures with 95 % intervals, as Markdown
  pleura adapt --labels films/ --out own.gguf
                                           fit the last layer to your own films; then pleura films/ --overlay own.gguf
  pleura convert net.onnx net.gguf --labels covid,normal
                                           another classifier for --model; pleura convert --help
  pleura quantise net.gguf small.gguf films/
                                           the same in 8-bit numbers: smaller, and faster on most networks`;

const USAGE = `Usage: pleura [options] PATH...
       pleura merge [--csv] FILE...
       pleura info [--layers] [--model FILE] [--overlay FILE] [--json]
       pleura evaluate --labels FILE [--root DIR] [--split NAME] [--by COLUMN,...] [--prevalence LABEL=SHARE,...]
                       [--model FILE] [--overlay FILE] [--against FILE] [--report DIR] [--jobs N] [--json]
       pleura adapt --labels FILE --out OVERLAY.gguf [--root DIR] [--split NAME] [--model FILE] [--jobs N] [--json]
       pleura convert IN OUT.gguf --labels A,B,... [options]
       pleura quantise IN.gguf OUT.gguf PATH...
       pleura completion bash|zsh|fish

Reads PNG, JPEG, BMP and DICOM chest X-rays on this machine; nothing is sent anywhere.`;

const EXIT = 'Exit status: 0 all films were answered, 1 at least one error, 2 wrong usage.';

/** What each command is; the first is meant where none is named. */
export const COMMANDS = {
  diagnose: 'answer for each film',
  merge: 'join the results of all shards',
  info: 'tell what the model is',
  evaluate: 'compare the answers with known labels',
  adapt: 'fit the last layer to your own labelled films',
  convert: 'make weights of a Keras or ONNX classifier',
  quantise: 'make 8-bit weights, with ranges from films',
  completion: 'print what completes this command in a shell',
};

/**
 * Each option: the commands that it goes with, what its value is called (none: it has no value), what it does.
 * @type {Record<string, { of: string[], value?: string, short?: string, text: string }>}
 */
export const OPTIONS = {
  json: { of: ['diagnose', 'info', 'evaluate', 'adapt'], text: 'JSON lines, whatever standard output is' },
  csv: { of: ['diagnose', 'merge'], text: 'comma-separated values' },
  table: { of: ['diagnose'], text: 'a table, whatever standard output is' },
  files: {
    of: ['diagnose'],
    value: 'FILE',
    text: 'also the paths that FILE lists, one a line or ended by NULs; - for standard input',
  },
  resume: {
    of: ['diagnose'],
    value: 'FILE',
    text: 'write the JSON lines to FILE; films that it holds are not done again',
  },
  prevalence: {
    of: ['diagnose', 'evaluate'],
    value: 'LIST',
    text: 'verdicts and probabilities where the labels have these shares; evaluate: also what to expect there',
  },
  heatmap: { of: ['diagnose'], value: 'DIR', text: 'write a PNG overlay of each film that is not refused' },
  shard: { of: ['diagnose'], value: 'I/N', text: 'only part I of N, chosen by the content of the films' },
  jobs: {
    of: ['diagnose', 'evaluate', 'adapt'],
    value: 'N',
    text: 'threads (default: 1 for a few films, else one a processor)',
  },
  model: {
    of: ['diagnose', 'info', 'evaluate', 'adapt'],
    value: 'FILE',
    text: 'other weights than the shipped ones (GGUF)',
  },
  overlay: { of: ['diagnose', 'info', 'evaluate'], value: 'FILE', text: 'what adapt has made of these weights' },
  out: { of: ['adapt'], value: 'FILE', text: 'adapt: the overlay to write' },
  layers: { of: ['info'], text: 'info: each layer with its output, products, time and speed on this machine' },
  labels: {
    of: ['evaluate', 'adapt'],
    value: 'FILE',
    text: 'evaluate, adapt: a CSV with the columns file and label, others where there are any; or a folder with a sub-folder a label. Films of one patient_id, or else of one DICOM Patient ID, count as one patient',
  },
  root: {
    of: ['evaluate', 'adapt'],
    value: 'DIR',
    text: 'evaluate, adapt: where the relative paths of the CSV begin (default: its folder)',
  },
  split: {
    of: ['evaluate', 'adapt'],
    value: 'NAME',
    text: 'evaluate, adapt: only the films whose column split says so',
  },
  by: { of: ['evaluate'], value: 'COLUMNS', text: 'evaluate: figures for the groups of these columns too' },
  against: { of: ['evaluate'], value: 'FILE', text: 'evaluate: other weights to compare with on the same films' },
  report: { of: ['evaluate'], value: 'DIR', text: 'evaluate: write Markdown, JSON and plots (SVG) into this folder' },
  help: { of: Object.keys(COMMANDS), short: 'h', text: 'this text' },
  version: { of: Object.keys(COMMANDS), text: 'the version' },
};

export const HELP = [
  EXAMPLES,
  USAGE,
  Object.entries(OPTIONS)
    .map(([name, { value, text }]) => `  ${`--${name}${value ? ` ${value}` : ''}`.padEnd(14)}  ${text}`)
    .join('\n'),
  EXIT,
].join('\n\n');

const EXCLUSIVE = [
  ['json', 'csv', 'table'],
  ['resume', 'csv', 'table'],
  ['shard', 'csv', 'table'],
];
const PARSED = Object.fromEntries(
  Object.entries(OPTIONS).map(([name, { value, short }]) => [
    name,
    { type: value ? 'string' : 'boolean', ...(short && { short }) },
  ]),
);

/** @param {string} text @returns {number} */
export function jobCount(text) {
  if (!/^[1-9][0-9]{0,2}$/.test(text)) throw usage(`--jobs takes a whole number from 1 to 999, not '${text}'.`);
  return Number(text);
}

/** @param {string} command @param {any} options @param {string[]} paths */
function check(command, options, paths) {
  const stray = Object.keys(options).find((name) => !OPTIONS[name].of.includes(command));
  if (stray) throw usage(`--${stray} does not go with ${command === 'diagnose' ? 'a diagnosis' : `'${command}'`}.`);
  const empty = Object.keys(options).find((name) => options[name] === '');
  if (empty) throw usage(`--${empty} needs a value.`);
  for (const names of EXCLUSIVE) {
    const [one, other] = names.filter((name) => options[name]);
    if (other) throw usage(`Choose one of --${one} and --${other}.`);
  }
  if (command === 'diagnose' && !paths.length && !options.files) throw usage('No path is given.');
  if (options.files === '-' && paths.includes('-'))
    throw usage('Standard input is either a film or a list of paths, not both.');
  if (command === 'merge' && !paths.length) throw usage("'merge' needs the files of all shards.");
  if (['info', 'evaluate', 'adapt'].includes(command) && paths.length)
    throw usage(`'${command}' takes no path. For a file of that name: ./${command}`);
  if (['evaluate', 'adapt'].includes(command) && !options.labels) throw usage(`'${command}' needs --labels FILE.`);
  if (command === 'adapt' && !options.out) throw usage("'adapt' needs --out FILE.");
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
  const { values: options, positionals: paths, tokens } = parsed;
  // What follows `--` is a path, even if it is called as a command is.
  const [first] = tokens.filter(({ kind }) => kind !== 'option');
  const command =
    first?.kind === 'positional' && paths[0] !== 'diagnose' && Object.hasOwn(COMMANDS, paths[0])
      ? paths.shift()
      : 'diagnose';
  if (!options.help && !options.version) check(command, options, paths);
  return { command, options, paths };
}
