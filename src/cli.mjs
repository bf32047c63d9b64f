#!/usr/bin/env node
// cli.mjs - the door of the `pleura` command: parses the arguments, runs one command, and turns failures into a
// sentence and an exit status. Results go to standard output, everything else to standard error.
import { readFileSync } from 'node:fs';
import { parse } from './cli/arguments.mjs';
import { sentenceOf } from './cli/assets.mjs';
import { helpOf } from './cli/help.mjs';
import { handleClosedPipes, print, warn } from './cli/stdio.mjs';
import { PleuraError } from './errors.mjs';
import { CommandError } from './node/errors.mjs';
import { restoreBytes } from './node/names.mjs';

/**
 * Only the modules of the command that runs are loaded: it starts faster, and with few open files allowed.
 * @type {{ [name: string]: () => Promise<{ [name: string]: (paths: string[], options: any) => unknown }> }}
 */
const COMMANDS = {
  diagnose: () => import('./cli/commands/diagnose.mjs'),
  merge: () => import('./cli/commands/merge.mjs'),
  info: () => import('./cli/commands/info.mjs'),
  evaluate: () => import('./cli/commands/evaluate.mjs'),
  adapt: () => import('./cli/commands/adapt.mjs'),
  quantise: () => import('./cli/commands/quantise.mjs'),
  completion: () => import('./cli/commands/completion.mjs'),
};

/** What stands before --help for more about a command; nothing for that without a name. @param {string} [word] */
const commandOf = (word = '') => (word !== 'diagnose' && Object.hasOwn(COMMANDS, word) ? `${word} ` : '');

/** @param {string[]} args */
const convert = async (args) => (await import('./cli/commands/convert.mjs')).convert(args);

/** @param {string[]} argv */
async function main(argv) {
  // The converter parses its own arguments.
  if (argv[0] === 'convert' && !argv.some((word) => word === '--version' || word === '-V'))
    return convert(argv.slice(1));
  if (argv[0] === 'help' && argv[1] === 'convert') return convert(['--help']);
  const { command, options, paths } = parse(restoreBytes(argv));
  if (options.help) return print(helpOf(command));
  if (options.version)
    return print(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version);
  const { [command]: run } = await COMMANDS[command]();
  return run(paths, options);
}

handleClosedPipes();
try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommandError || error instanceof PleuraError)) throw error;
  const isUsage = error instanceof CommandError && error.status === 2;
  warn(`pleura: ${sentenceOf(error)}${isUsage ? ` See pleura ${commandOf(process.argv[2])}--help.` : ''}`);
  process.exitCode = isUsage ? 2 : 1;
}
